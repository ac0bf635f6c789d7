"""The wrapper tells each answer as one event, and everything else it passes on."""

from typing import get_args

import pytest

from pyminidock import events
from pyminidock.events import AnyEvent, Event, kind_of
from pyminidock.events.kernel import Effect, PlannedEffect
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call
from pyminidock.kernel.netcalls import OpenNames
from pyminidock.kernel.port import KILLED, CallFailed
from pyminidock.kernel.recording import Recording, effect_of
from tests.contract.plans import (
    SANDBOX,
    accounts,
    birth,
    bridging,
    cabling,
    ending,
    filtering,
    joining,
    sharing,
    sifting,
    unwiring,
    wiring,
)
from tests.contract.stands import ModelStand, beside, model_stand, start


@pytest.fixture
def stand() -> ModelStand:
    """A machine of its own."""
    return model_stand()


def every_call(stand: ModelStand) -> dict[type[Call], Call]:
    """One call of every verb."""
    first = start(stand, birth(stand.place))
    plans = (
        birth(stand.place, has_terminal=True, is_readonly=True, no_new_privileges=True),
        joining(stand.place, first, stand.second),
        ending(stand.place),
        filtering(stand.place),
        birth(
            stand.place,
            wires=(bridging(stand.place), *wiring(stand.place), OpenNames(SANDBOX)),
            holds=(calls.HoldTree("/srv"),),
        ),
        sifting(stand.place),
        sharing(beside(stand), first),
        cabling(stand.place, first),
        unwiring(stand.place),
    )
    return {type(call): call for plan in plans for call in plan}


def test_every_verb_is_told_in_words_of_its_own(stand: ModelStand) -> None:
    told = {verb: effect_of(call) for verb, call in every_call(stand).items()}
    assert set(told) == set(get_args(Call))
    kinds = [kind_of(event) for event in told.values()]
    # The one for a new one and for another's, the other of the host and of another's.
    shared = {"namespace.entered", "tree.held"}
    assert len(set(kinds) - shared) == len(kinds) - 4
    assert all(isinstance(event, (Effect, PlannedEffect)) for event in told.values())
    assert all(type(event) in get_args(AnyEvent) for event in told.values())


@pytest.mark.parametrize(
    ("call", "value", "event"),
    [
        (calls.ForkShim("/s", False, False), 12, events.ShimForked(12)),
        (calls.ForkInit(), 13, events.InitForked(13)),
        (calls.Mask("/x"), 0, events.PathMasked("/x", "absent")),
        (calls.Mask("/x"), 1, events.PathMasked("/x", "null")),
        (calls.Mask("/x"), 2, events.PathMasked("/x", "empty directory")),
        (calls.MakeReadonly("/x"), 1, events.PathMadeReadonly("/x", was_present=True)),
        (calls.MakeReadonly("/x"), 0, events.PathMadeReadonly("/x", was_present=False)),
        (
            calls.LimitResource("core", 1, 2), 1,
            events.ResourceLimited("core", 1, 2, was_clamped=True),
        ),
        (calls.EnterNamespace("uts"), 0, events.NamespaceEntered("uts")),
        (
            calls.JoinNamespace("uts", 5, 6), 0,
            events.NamespaceEntered("uts", was_joined=True, of=5),
        ),
        (calls.JoinKeyring("k"), 0, events.KeyringJoined("k")),
        (calls.JoinKeyring("k"), 1, events.KeyringJoined("k", has_keys=False)),
        (calls.AdjustOomScore(-9), 0, events.OomScoreAdjusted(-9)),
        (calls.AdjustOomScore(-9), 1, events.OomScoreAdjusted(-9, was_refused=True)),
        (calls.InstallSeccomp(bytes(24)), 0, events.SeccompInstalled(3)),
        (calls.FilterDevices("/cg", bytes(16)), 0, events.DevicesFiltered("/cg", 2)),
        (calls.Execute(("a", "b"), ()), 0, events.ProgramExecuted(("a", "b"))),
        (
            calls.Execute(("a",), ()), 8,
            events.ProgramNotExecuted(("a",), 8, "exec format error"),
        ),
        (
            calls.Execute(("a",), ()), KILLED,
            events.ProgramNotExecuted(("a",), 0, "killed before it was executed"),
        ),
    ],
)  # fmt: skip
def test_the_value_of_an_answer_is_part_of_the_event(
    call: Call, value: int, event: Event
) -> None:
    assert effect_of(call, value) == event


def test_a_plan_is_told_as_its_effects_and_gives_what_the_body_gives(
    stand: ModelStand,
) -> None:
    kernel, heard = Recording(stand.body), list[Event]()
    plan = birth(stand.place)
    process = kernel.perform(plan, emit=heard.append)
    assert process is not None
    assert [type(event) for event in heard] == [type(effect_of(call)) for call in plan]
    assert events.ShimForked(process.shim_pid) in heard
    assert events.InitForked(process.pid) in heard
    assert kernel.observe(process) == stand.body.observe(process)
    assert kernel.find(process.directory) == process
    kernel.signal(process, 9)
    assert kernel.wait(process, 1.0) == stand.body.wait(process, 1.0)


class Listener:
    """A Witness that keeps what it is told, and when that happened."""

    def __init__(self) -> None:
        self.heard: list[tuple[Event, float]] = []

    def __call__(self, event: Event) -> None:
        """Refuse: an effect has a time."""
        raise AssertionError("effects have a time")

    def happened(self, event: Event, at: float) -> None:
        """Keep it."""
        self.heard.append((event, at))


def test_a_witness_is_told_when_each_call_was_made(stand: ModelStand) -> None:
    listener, plan = Listener(), birth(stand.place)
    began = stand.body.clock()
    Recording(stand.body).perform(plan, emit=listener)
    assert [type(e) for e, _ in listener.heard] == [type(effect_of(call)) for call in plan]
    times = [at for _, at in listener.heard]
    assert began < times[0]
    assert times == sorted(set(times)), "the model makes one call at a time"
    assert times[-1] < stand.body.clock()


def test_nothing_is_told_of_a_call_that_was_refused(stand: ModelStand) -> None:
    heard: list[Event] = []
    plan = (*accounts(stand.place), calls.LimitCgroup("/nowhere", "x", "1"))
    with pytest.raises(CallFailed):
        Recording(stand.body).perform(plan, emit=heard.append)
    assert [type(event) for event in heard] == [
        type(effect_of(call)) for call in accounts(stand.place)
    ]
    assert not any("/nowhere" in str(event) for event in heard)


def test_a_listener_that_gives_up_undoes_the_plan(stand: ModelStand) -> None:
    before = stand.body.world

    def emit(event: Event) -> None:
        if isinstance(event, events.RootPivoted):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Recording(stand.body).perform(birth(stand.place), emit=emit)
    assert stand.body.world == before
