"""How a plan is told while it happens: call by call, in order, and never ahead."""

import threading
from collections import Counter
from itertools import pairwise

import pytest

from pyminidock.events import BirthReady, Event, ProgramExecuted, RootPivoted, ShimForked
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call
from pyminidock.kernel.port import BirthAborted
from pyminidock.kernel.recording import Recording
from tests.contract.plans import birth, ending, joining
from tests.contract.stands import LinuxStand, Stand, assert_as_before, end, start


def test_every_call_is_answered_once_and_in_order(stand: Stand) -> None:
    plan = birth(stand.place)
    end(stand, start(stand, plan))
    assert tuple(call for call, _ in stand.heard) == plan


def test_an_exec_is_answered_once_and_in_order(stand: Stand) -> None:
    first = start(stand, birth(stand.place))
    plan = joining(stand.place, first, stand.second)
    second = start(stand, plan)
    answered = tuple(call for call, _ in stand.heard)
    end(stand, first)
    stand.body.wait(second, 20.0)
    stand.body.dismiss(second)
    assert answered == plan


def test_forks_are_answered_with_the_pids_of_the_process(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    values = {type(call): value for call, value in stand.heard}
    end(stand, process)
    assert values[calls.ForkShim] == process.shim_pid
    assert values[calls.ForkInit] == process.pid
    assert process.directory == stand.place.directory


@pytest.mark.parametrize(
    ("call", "value"),
    [
        pytest.param(calls.Mask("/nope"), 0, id="an absent path is not masked"),
        pytest.param(calls.Mask("/etc/passwd/sub"), 0, id="nor one below a file"),
        pytest.param(calls.Mask("/etc/passwd"), 1, id="a file is covered by null"),
        pytest.param(calls.Mask("/home"), 2, id="a directory by an empty one"),
        pytest.param(calls.MakeReadonly("/nope"), 0, id="an absent path stays absent"),
        pytest.param(calls.MakeReadonly("/home"), 1, id="a present one is made read-only"),
        pytest.param(calls.LimitResource("core", 0, 0), 0, id="a limit is set as asked"),
        pytest.param(
            calls.LimitResource("nofile", 1 << 30, 1 << 30), 1, id="a limit is clamped"
        ),
        pytest.param(calls.MakeDirectory("/home"), 0, id="a directory that exists is fine"),
        pytest.param(calls.MakeDirectory("/a/b/c"), 0, id="parents are made"),
    ],
)
def test_what_happened_is_in_the_answer(stand: Stand, call: Call, value: int) -> None:
    process = start(stand, birth(stand.place, extra=(call,)))
    end(stand, process)
    assert [v for c, v in stand.heard if c == call][-1:] == [value]


def test_an_answer_says_when_its_call_was_made_however_late_it_is_heard(
    stand: Stand,
) -> None:
    """The child does not wait for the daemon, and its own clock is the one that counts."""
    plan = birth(stand.place)
    times: list[tuple[Call, float, float]] = []

    def answer(call: Call, value: int, at: float) -> None:
        if isinstance(call, calls.ForkInit):
            threading.Event().wait(0.2)  # meanwhile everything else happens
        times.append((call, at, stand.body.clock()))

    began = stand.body.clock()
    process = stand.body.perform(plan, answer=answer)
    assert process is not None
    end(stand, process)
    assert all(began < at <= heard for _, at, heard in times)
    of_child = [at for _, at, _ in times[_init(plan) + 1 :]]
    assert of_child == sorted(of_child)
    if isinstance(stand, LinuxStand):
        ready = next(n for n, row in enumerate(times) if row[0] == calls.AnnounceReady())
        _, forked, _ = times[_init(plan)]
        _, at, heard = times[ready]
        assert at - forked < 0.15 < heard - forked


def _init(plan: calls.Plan) -> int:
    return plan.index(calls.ForkInit())


def test_in_lockstep_no_mount_runs_ahead_of_its_answer(stand: Stand) -> None:
    plan = birth(stand.place)
    tables: list[tuple[Call, Counter[str]]] = []
    newborn = 0

    def answer(call: Call, value: int, at: float) -> None:
        nonlocal newborn
        newborn = value if isinstance(call, calls.ForkInit) else newborn
        if newborn and not isinstance(call, calls.Execute):
            tables.append((call, Counter(stand.mount_targets(newborn))))

    process = stand.body.perform(plan, answer=answer, lockstep=True)
    assert process is not None
    end(stand, process)
    told = [call for call, _ in tables]
    for (call, table), (_, last) in pairwise(reversed(tables[: _pivot(told)])):
        came = list((table - last).elements())
        match call:
            case calls.AttachRoot():
                assert came == [stand.place.merged]
            case calls.Mount() | calls.Bind():
                assert came == [stand.place.merged + call.target]
            case _:
                assert came == []


def _pivot(told: list[Call]) -> int:
    return told.index(calls.PivotRoot())


def test_a_held_call_holds_the_plan_and_nobody_else(stand: Stand) -> None:
    """While one start is held, the body answers others: a gate blocks its own story."""
    is_held, may_go = threading.Event(), threading.Event()
    ended: list[bool] = []

    def answer(call: Call, value: int, at: float) -> None:
        if isinstance(call, calls.PivotRoot):
            is_held.set()
            assert may_go.wait(20.0)

    def run() -> None:
        process = stand.body.perform(birth(stand.place), answer=answer, lockstep=True)
        assert process is not None
        end(stand, process)
        ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert is_held.wait(20.0)
        names = tuple(f"{path}-other" for path in stand.place.accounts())
        heard: list[Call] = []
        plan = tuple(calls.MakeCgroup(name) for name in names) + tuple(
            calls.RemoveCgroup(name) for name in names
        )
        stand.body.perform(plan, answer=lambda call, value, at: heard.append(call))
        assert tuple(heard) == plan
        assert not ended
    finally:
        may_go.set()
        thread.join(20.0)
    assert ended == [True]


def test_a_start_that_is_aborted_at_any_call_leaves_nothing_behind(stand: Stand) -> None:
    """Up to AnnounceReady, the last call at which a gate may hold."""
    plan = birth(stand.place)
    before = stand.picture()
    for stop in range(plan.index(calls.AnnounceReady()) + 1):
        heard: list[Call] = []

        def answer(call: Call, value: int, at: float, *, stop: int = stop) -> None:
            heard.append(call)  # noqa: B023  (called within this turn of the loop)
            if len(heard) > stop:  # noqa: B023
                raise BirthAborted(
                    "the start was aborted", why="a gate said so", try_next="start again"
                )

        with pytest.raises(BirthAborted):
            stand.body.perform(plan, answer=answer, lockstep=True)
        assert tuple(heard) == plan[: stop + 1]
        assert_as_before(stand, before)


def test_an_abort_without_lockstep_leaves_nothing_behind_either(stand: Stand) -> None:
    before = stand.picture()

    def answer(call: Call, value: int, at: float) -> None:
        if isinstance(call, calls.AttachRoot):
            raise BirthAborted("aborted", why="a gate said so", try_next="start again")

    with pytest.raises(BirthAborted):
        stand.body.perform(birth(stand.place), answer=answer)
    assert_as_before(stand, before)


def test_recording_tells_each_answer_as_one_event(stand: Stand) -> None:
    plan = birth(stand.place)
    heard: list[Event] = []
    process = Recording(stand.body).perform(plan, emit=heard.append)
    assert process is not None
    end(stand, process)
    assert len(heard) == len(plan)
    assert ShimForked(process.shim_pid) in heard
    assert heard.index(RootPivoted("/")) < heard.index(BirthReady())
    assert heard[-1] == ProgramExecuted(("sleep", "1000"))


def test_nothing_of_a_life_stays_when_it_was_ended(stand: Stand) -> None:
    before = stand.picture()
    end(stand, start(stand, birth(stand.place)))
    stand.clear()
    assert_as_before(stand, before)


def test_closing_an_account_ends_who_lives_in_it(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    stand.body.perform(ending(stand.place), answer=lambda call, value, at: None)
    status = stand.body.wait(process, 20.0)
    assert status is not None
    assert (status.code, status.signal) == (137, 9)
    stand.body.dismiss(process)
