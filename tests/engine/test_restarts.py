"""Restart policies: who is started again, after how long, and who can stop that."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.container.spec import CreateRequest
from pyminidock.container.states import State
from pyminidock.engine import ending, inspect, listing, restarts, run
from pyminidock.engine.house import House
from pyminidock.engine.listing import Asked
from pyminidock.engine.lives import Life
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import ExitStatus
from tests.engine.houses import WISH, body_of, house_over, kinds, prepared, started
from tests.engine.studio import DEADLINE_S
from tests.engine.test_lifecycle import settled, wait_until

ALWAYS = replace(WISH, restart_policy="always")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every delay be longer than a test."""
    monkeypatch.setattr(ending, "next_delay_s", lambda before, lived: 3600.0)


def ends(house: House, life: Life, code: int = 0) -> None:
    """Let the program end, and wait until that has been dealt with."""
    assert life.process is not None
    process = life.process
    body_of(house).finish(process.pid, code)
    assert life.until(
        lambda: (life.state in (State.RESTARTING, State.EXITED) and not life.busy)
        or life.process is not process, DEADLINE_S,
    )  # fmt: skip


def runs_again(life: Life, runs: int) -> None:
    assert life.until(lambda: life.runs == runs and life.process is not None, DEADLINE_S)


def scheduled(house: House, life: Life) -> list[tuple[object, object]]:
    """Give the attempts and delays (ms) that were told."""
    house.recorder.flush()
    records = house.journals.read(life.story).records
    found = [each.data for each in records if each.kind == "restart.scheduled"]
    return [(data["attempt"], data["delay_ms"]) for data in found]


def test_what_is_always_restarted_runs_again_however_it_ended(house: House) -> None:
    life = started(house, ALWAYS)
    for runs, code in ((2, 0), (3, 1), (4, 137)):
        ends(house, life, code)
        runs_again(life, runs)
    assert house.kept(life.id).restarts == 3
    assert scheduled(house, life) == [(1, 100), (2, 200), (3, 400)]


def test_a_policy_for_failures_lets_success_be_and_tries_so_often(house: House) -> None:
    wish = replace(WISH, restart_policy="on-failure", restart_retries=2)
    life = started(house, wish)
    for runs in (2, 3):
        ends(house, life, 1)
        runs_again(life, runs)
    ends(house, life, 1)
    settled(life)
    assert house.kept(life.id).restarts == 2
    run.start(house, life.id)
    assert house.kept(life.id).restarts == 0
    ends(house, life, 0)
    settled(life)
    assert scheduled(house, life) == [(1, 100), (2, 200)]


def test_delays_double_up_to_a_minute_and_a_good_life_makes_good_for_them() -> None:
    delays = [0.0]
    for _ in range(12):
        delays.append(restarts.next_delay_s(delays[-1], 9.9))
    assert delays[1:] == [0.1 * 2**n for n in range(10)] + [60.0, 60.0]
    assert restarts.next_delay_s(60.0, 10.0) == 0.1


@pytest.mark.usefixtures("patient")
def test_between_two_runs_it_counts_as_running_without_a_program(house: House) -> None:
    life = started(house, ALWAYS)
    ends(house, life, 3)
    told = run_inspect(house, life)["State"]
    assert (told["Status"], told["Running"], told["Restarting"], told["Pid"]) == (
        "restarting", True, True, 0,
    )  # fmt: skip
    assert told["ExitCode"] == 3
    run.stop(house, life.id)
    settled(life)
    assert kinds(house, life.story)[-1] == "container.stopped"
    assert life.exit is not None
    assert life.exit.code == 3


def run_inspect(house: House, life: Life) -> dict[str, dict[str, object]]:
    from pyminidock.engine.inspect import inspect  # noqa: PLC0415  (beside `run`, a verb)

    return inspect(house, life.id)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("signal", [9, 15, 1])
def test_a_kill_between_two_runs_ends_the_loop_and_tells_no_signal(
    house: House, signal: int
) -> None:
    life = started(house, ALWAYS)
    ends(house, life)
    run.kill(house, life.id, signal)
    settled(life)
    assert "container.signalled" not in kinds(house, life.story)


@pytest.mark.usefixtures("patient")
def test_a_signal_that_is_not_its_own_does_not_end_the_loop(house: House) -> None:
    life = started(house, replace(ALWAYS, stop_signal="TERM"))
    ends(house, life)
    run.kill(house, life.id, 1)
    assert life.state is State.RESTARTING
    run.remove(house, life.id, force=True)
    assert life.is_gone


@pytest.mark.parametrize(
    ("wish", "signal", "is_started_again"),
    [
        (ALWAYS, 15, False),
        (ALWAYS, 1, False),
        (replace(ALWAYS, stop_signal="TERM"), 1, True),
        (replace(ALWAYS, stop_signal="TERM"), 15, False),
        (replace(ALWAYS, stop_signal="TERM"), 9, False),
        (replace(WISH, restart_policy="unless-stopped", stop_signal="TERM"), 1, False),
        (replace(WISH, restart_policy="on-failure", stop_signal="TERM"), 1, True),
    ],
)
def test_which_signal_keeps_it_down(
    house: House, wish: CreateRequest, signal: int, is_started_again: bool
) -> None:
    life = started(house, wish)
    run.kill(house, life.id, signal)
    if is_started_again:
        runs_again(life, 2)
    else:
        settled(life)
        assert life.runs == 1


def test_a_kill_from_outside_keeps_nothing_down(house: House) -> None:
    life = started(house, ALWAYS)
    assert life.process is not None
    body_of(house).signal(life.process, 9)
    runs_again(life, 2)


def test_a_start_that_fails_ends_the_loop(tmp_path: Path) -> None:
    class Worn(ModelBody):
        """A kernel that starts one program and no other."""

    body = Worn()
    with house_over(prepared(tmp_path), body) as house:
        life = started(house, ALWAYS)
        body._fail_at = 20
        ends(house, life, 1)
        settled(life)
        assert life.runs == 2
        assert life.error
        assert "container.start.failed" in kinds(house, life.story)
        (line,) = listing.list_(house, Asked(everything=True))
        assert "years" not in line["Status"]  # its last program ended a moment ago
        finished = inspect.inspect(house, life.id)["State"]["FinishedAt"]
        assert not finished.startswith("0001")


def test_a_run_that_is_over_at_once_does_not_end_the_loop(house: House) -> None:
    """Who has begun the next run leaves it alone, though it may be between two by then."""
    life = started(house, ALWAYS)
    life.ends(life.exit or ExitStatus(1), will_restart=True)
    life.delay_s = 0.0
    ending.wait_and_start(house, life, lambda *_: True)
    assert life.state is State.RESTARTING


# ── The next engine ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("policy", "code", "was_stopped", "comes_back"),
    [
        ("no", 1, False, False),
        ("always", 0, False, True),
        ("always", 137, True, True),
        ("unless-stopped", 0, False, True),
        ("unless-stopped", 137, True, False),
        ("on-failure", 1, False, True),
        ("on-failure", 137, True, True),
        ("on-failure", 0, False, False),
    ],
)
def test_a_new_engine_starts_what_its_policy_wants(
    tmp_path: Path, policy: str, code: int, was_stopped: bool, comes_back: bool
) -> None:
    with house_over(prepared(tmp_path), ModelBody()) as first:
        life = started(first, replace(WISH, restart_policy=policy))
        first.amend(
            life, state="exited", pid=0, exit_code=code, finished=first.kernel.wall(),
            was_stopped=was_stopped, restarts=4,
        )  # fmt: skip
    with house_over(tmp_path, ModelBody()) as second:  # after a reboot: nothing runs
        again = second.life(life.id)
        if comes_back:
            wait_until(lambda: again.state is State.RUNNING)
            assert second.kept(life.id).restarts == 0
        else:
            assert again.state is State.EXITED


def test_a_new_engine_starts_nothing_that_was_never_started(tmp_path: Path) -> None:
    with house_over(prepared(tmp_path), ModelBody()) as first:
        container = run.create(first, ALWAYS)
    with house_over(tmp_path, ModelBody()) as second:
        assert second.life(container).state is State.CREATED


@pytest.mark.parametrize("policy", ["no", "always", "unless-stopped", "on-failure"])
def test_a_survivor_goes_on_and_is_started_again_when_it_ends(
    tmp_path: Path, policy: str
) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        life = started(first, replace(WISH, restart_policy=policy))
    with house_over(tmp_path, body) as second:
        again = second.life(life.id)
        assert again.state is State.RUNNING
        assert again.process == life.process
        ends(second, again, 1)
        if policy == "no":
            settled(again)
        else:
            runs_again(again, 2)


def test_what_removes_itself_goes_at_its_end_under_a_new_engine_too(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        life = started(first, replace(WISH, auto_remove=True))
        assert life.process is not None
    with house_over(tmp_path, body) as second:
        again = second.life(life.id)
        body.finish(life.process.pid)
        assert again.until(lambda: again.is_gone, DEADLINE_S)


@pytest.mark.usefixtures("patient")
def test_a_stop_between_two_engines_is_remembered(tmp_path: Path) -> None:
    wish = replace(WISH, restart_policy="unless-stopped")
    with house_over(prepared(tmp_path), ModelBody()) as first:
        life = started(first, wish)
        run.stop(first, life.id)
        settled(life)
    with house_over(tmp_path, ModelBody()) as second:
        assert second.life(life.id).state is State.EXITED
        assert second.kept(life.id).was_stopped
