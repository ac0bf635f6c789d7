"""Stopping, pausing, renaming and starting again: what is told, when, and who waits."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from pyminidock.container.states import NothingToDo, NotPaused, State, VerbRefused
from pyminidock.engine import inspect, run
from pyminidock.engine.house import House
from pyminidock.engine.lives import ContainerBusy, Life
from pyminidock.errors import MinidockError
from pyminidock.kernel.calls import Execute, Plan
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import CallFailed, ExitStatus, Process
from pyminidock.kernel.recording import Recording
from pyminidock.layers.snapshots import remove_tree
from tests.engine.houses import (
    WISH,
    body_of,
    finish,
    house_over,
    kinds,
    prepared,
    started,
)
from tests.engine.studio import DEADLINE_S


class Deaf(ModelBody):
    """A kernel whose programs have a handler for TERM, and do nothing in it."""

    def signal(self, process: Process, number: int) -> None:
        """Take everything but TERM."""
        super().signal(process, 0 if number == 15 else number)


class Dying(ModelBody):
    """A kernel whose programs take until `is_time` to die of KILL."""

    is_time: Event

    def signal(self, process: Process, number: int) -> None:
        """Let who sends KILL go on at once."""
        if number != 9:
            super().signal(process, number)
            return
        die = super().signal

        def later() -> None:
            assert self.is_time.wait(DEADLINE_S)
            die(process, number)

        Thread(target=later).start()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), Deaf()) as made:
        yield made


def life_of(house: House, life: Life) -> list[str]:
    """Give what was told of a container itself, in order, without its birth."""
    words = ("signalled", "stopped", "exited", "started", "restarted", "paused",
             "unpaused", "removed", "renamed")  # fmt: skip
    told = kinds(house, life.story)
    return [kind.partition(".")[2] for kind in told
            if kind.startswith("container.") and kind.endswith(words)]  # fmt: skip


def settled(life: Life) -> None:
    assert life.until(lambda: life.state is State.EXITED and not life.busy, DEADLINE_S)


class Doing:
    """Something done in a thread, and what came of it."""

    def __init__(self, deed: Callable[..., Any], *words: Any, **more: Any) -> None:
        self.refusal: MinidockError | None = None
        self.began = Event()

        def do() -> None:
            self.began.set()
            try:
                deed(*words, **more)
            except MinidockError as refusal:
                self.refusal = refusal

        self._thread = Thread(target=do, daemon=True)  # a failed test leaves it waiting
        self._thread.start()
        assert self.began.wait(DEADLINE_S)

    @property
    def is_over(self) -> bool:
        """Say whether it is done."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait until it is done."""
        self._thread.join(DEADLINE_S)
        assert self.is_over


def wait_until(claim: Callable[[], object]) -> None:
    pause = Event()
    for _ in range(int(DEADLINE_S / 0.005)):
        if claim():
            return
        pause.wait(0.005)
    raise AssertionError("it did not become true")


# ── Stop ─────────────────────────────────────────────────────────────────────────────────


def test_a_stop_is_told_before_the_end_that_it_brought(house: House) -> None:
    life = started(house)
    run.stop(house, life.id)
    settled(life)
    assert life_of(house, life) == ["started", "signalled", "stopped", "exited"]
    assert life.exit is not None
    assert life.exit.code == 143


def test_who_does_not_listen_is_killed_after_a_while(deaf: House) -> None:
    life = started(deaf)
    run.stop(deaf, life.id, timeout_s=0)
    settled(life)
    assert life_of(deaf, life) == ["started", *["signalled"] * 2, "stopped", "exited"]
    assert life.exit is not None
    assert life.exit.code == 137


def test_the_container_says_how_it_is_stopped_unless_the_client_does(deaf: House) -> None:
    life = started(deaf, replace(WISH, stop_signal="QUIT", stop_timeout=3600))
    run.stop(deaf, life.id)
    settled(life)
    assert life.exit is not None
    assert life.exit.code == 128 + 3
    run.start(deaf, life.id)
    run.stop(deaf, life.id, signal=15, timeout_s=0)
    settled(life)
    assert life.exit is not None
    assert life.exit.code == 137


def test_what_has_ended_or_never_began_needs_no_stop(house: House) -> None:
    container = run.create(house, WISH)
    with pytest.raises(NothingToDo):
        run.stop(house, container)
    run.restart(house, container)
    run.stop(house, container)
    with pytest.raises(NothingToDo):
        run.stop(house, container)


def test_a_kill_does_not_wait_for_a_stop(deaf: House) -> None:
    life = started(deaf)
    stopping = Doing(run.stop, deaf, life.id, timeout_s=-1)
    wait_until(lambda: "signalled" in life_of(deaf, life))
    run.kill(deaf, life.id)
    stopping.join()
    settled(life)
    assert stopping.refusal is None
    assert life_of(deaf, life) == ["started", *["signalled"] * 2, "stopped", "exited"]


def test_a_removal_by_force_does_not_wait_for_a_stop(deaf: House) -> None:
    life = started(deaf)
    stopping = Doing(run.stop, deaf, life.id, timeout_s=-1)
    wait_until(lambda: "signalled" in life_of(deaf, life))
    run.remove(deaf, life.id, force=True)
    stopping.join()
    assert stopping.refusal is None
    assert life.is_gone


def test_any_number_may_stop_one_container(deaf: House) -> None:
    life = started(deaf)
    stops = [Doing(run.stop, deaf, life.id, timeout_s=-1) for _ in range(16)]
    wait_until(lambda: life_of(deaf, life).count("signalled") == 16)
    assert life.process is not None
    body_of(deaf).finish(life.process.pid, 3)
    for each in stops:
        each.join()
        assert each.refusal is None
    settled(life)
    told = life_of(deaf, life)
    assert told == ["started", *["signalled"] * 16, *["stopped"] * 16, "exited"]


def test_two_restarts_at_once_start_it_once(deaf: House) -> None:
    life = started(deaf)
    both = [Doing(run.restart, deaf, life.id, timeout_s=-1) for _ in range(2)]
    wait_until(lambda: life_of(deaf, life).count("signalled") == 2)
    assert life.process is not None
    body_of(deaf).finish(life.process.pid)
    for each in both:
        each.join()
        assert each.refusal is None
    assert life.state is State.RUNNING
    told = life_of(deaf, life)
    assert told.count("started") == 2
    assert told.count("restarted") == 2
    assert told[-1] == "restarted"


def test_a_restart_keeps_what_would_remove_itself(house: House) -> None:
    life = started(house, replace(WISH, auto_remove=True))
    run.restart(house, life.id)
    assert life.state is State.RUNNING
    told = life_of(house, life)
    assert told == [
        "started", "signalled", "stopped", "exited", "started", "restarted",
    ]  # fmt: skip
    run.stop(house, life.id)
    assert life.until(lambda: life.is_gone, DEADLINE_S)


# ── One after the other ──────────────────────────────────────────────────────────────────


def test_a_second_start_waits_for_the_first_and_finds_it_done(house: House) -> None:
    container = run.create(house, WISH)
    starts = [Doing(run.start, house, container) for _ in range(8)]
    for each in starts:
        each.join()
    refused = [each.refusal for each in starts if each.refusal]
    assert len(refused) == 7
    assert all(isinstance(each, NothingToDo) for each in refused)


@pytest.mark.parametrize(
    "verb",
    [run.start, run.stop, run.kill, run.pause, run.restart, run.remove,
     lambda h, c: run.rename(h, c, "other")],
)  # fmt: skip
def test_nobody_waits_for_what_is_held_at_a_gate(
    house: House, verb: Callable[[House, str], None]
) -> None:
    container = run.create(house, WISH)
    gate = house.recorder.gate(house.life(container).story, "root.pivoted")
    first = Doing(run.start, house, container)
    assert gate.next_held(DEADLINE_S)
    with pytest.raises(ContainerBusy) as refusal:
        verb(house, container)
    assert refusal.value.what == f"container {container} is busy: start is going on"
    gate.close()
    first.join()
    assert first.refusal is None


def test_who_waits_already_is_refused_when_a_gate_begins_to_hold(tmp_path: Path) -> None:
    may_go = Event()

    class Slow(ModelBody):
        """A kernel that takes its time before it begins."""

        def perform(self, plan: Plan, **how: Any) -> Process | None:
            """Perform a birth when it may."""
            assert Execute not in map(type, plan) or may_go.wait(DEADLINE_S)
            return super().perform(plan, **how)

    with house_over(prepared(tmp_path), Slow()) as house:
        container = run.create(house, WISH)
        life = house.life(container)
        gate = house.recorder.gate(life.story, "root.pivoted")
        first = Doing(run.start, house, container)
        assert life.until(lambda: life.busy == "start", DEADLINE_S)
        second = Doing(run.stop, house, container)
        wait_until(lambda: life.changed._waiters)  # type: ignore[attr-defined]
        may_go.set()
        assert gate.next_held(DEADLINE_S)
        second.join()
        assert isinstance(second.refusal, ContainerBusy)
        gate.close()
        first.join()


def test_a_removal_that_goes_on_is_not_begun_again(house: House) -> None:
    life = started(house, replace(WISH, name="web"))
    gate = house.recorder.gate(life.story, "container.signalled")
    first = Doing(run.remove, house, "web", force=True)
    assert gate.next_held(DEADLINE_S)
    with pytest.raises(VerbRefused) as refusal:
        run.remove(house, "web", force=True)
    assert refusal.value.what == "removal of container web is already in progress"
    assert refusal.value.status == 409
    gate.close()
    first.join()
    assert life.is_gone


# ── Pause ────────────────────────────────────────────────────────────────────────────────


def test_a_paused_container_stands_still_and_goes_on(house: House) -> None:
    life = started(house)
    run.pause(house, life.id)
    assert inspect.inspect(house, life.id)["State"]["Status"] == "paused"
    assert life.process is not None
    assert house.kernel.is_frozen(life.process)
    run.unpause(house, life.id)
    assert inspect.inspect(house, life.id)["State"]["Status"] == "running"
    assert not house.kernel.is_frozen(life.process)
    assert life_of(house, life) == ["started", "paused", "unpaused"]


def test_a_stop_thaws_what_is_paused_once_its_signal_waits(house: House) -> None:
    life = started(house)
    run.pause(house, life.id)
    run.stop(house, life.id)
    settled(life)
    assert life_of(house, life) == [
        "started", "paused", "signalled", "unpaused", "stopped", "exited",
    ]  # fmt: skip


def test_another_signal_than_its_own_waits_until_it_is_unpaused(house: House) -> None:
    life = started(house, replace(WISH, stop_signal="TERM"))
    run.pause(house, life.id)
    run.kill(house, life.id, 1)
    assert life.state is State.PAUSED
    run.unpause(house, life.id)
    settled(life)
    assert life.exit is not None
    assert life.exit.signal == 1


def test_what_is_paused_is_killed_and_removed_by_force(house: House) -> None:
    life = started(house)
    run.pause(house, life.id)
    with pytest.raises(VerbRefused):
        run.remove(house, life.id)
    run.remove(house, life.id, force=True)
    assert life.is_gone
    told = life_of(house, life)
    assert told == ["started", "paused", "signalled", "exited", "removed"]


def test_what_was_killed_and_has_not_died_yet_is_not_paused(tmp_path: Path) -> None:
    """In a frozen cgroup (v1) it would stay, and who killed it would wait in vain."""
    body = Dying()
    body.is_time = Event()
    with house_over(prepared(tmp_path), body) as house:
        life = started(house)
        killing = Thread(target=lambda: run.kill(house, life.id))
        killing.start()
        assert life.until(lambda: life.killed == life.runs, DEADLINE_S)
        refused: list[str] = []

        def pause() -> None:
            with pytest.raises(VerbRefused) as refusal:
                run.pause(house, life.id)
            refused.append(refusal.value.what)

        pausing = Thread(target=pause)
        pausing.start()
        pausing.join(0.2)
        assert pausing.is_alive()
        assert life.state is State.RUNNING
        body.is_time.set()
        for thread in (pausing, killing):
            thread.join(DEADLINE_S)
        assert len(refused) == 1
        assert refused[0].endswith("is not running")


def test_only_what_runs_is_paused_and_only_what_is_paused_goes_on(house: House) -> None:
    container = run.create(house, WISH)
    with pytest.raises(VerbRefused):
        run.pause(house, container)
    with pytest.raises(NotPaused):
        run.unpause(house, container)
    run.start(house, container)
    run.pause(house, container)
    with pytest.raises(VerbRefused):
        run.pause(house, container)


def test_what_the_kernel_does_not_freeze_or_thaw_is_as_it_was(house: House) -> None:
    life = started(house)
    for verb, words in ((run.pause, "cannot pause"), (run.unpause, "Cannot unpause")):
        body_of(house)._fail_at = 0
        with pytest.raises(CallFailed) as refusal:
            verb(house, life.id)
        assert refusal.value.what.startswith(f"{words} container {life.id}: LimitCgroup ")
        body_of(house)._fail_at = None
        verb(house, life.id)
    assert life.state is State.RUNNING


def test_a_paused_container_is_still_paused_for_the_next_engine(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        life = started(first)
        run.pause(first, life.id)
    with house_over(tmp_path, body) as second:
        again = second.life(life.id)
        assert again.state is State.PAUSED
        run.kill(second, life.id)
        settled(again)


# ── Rename ───────────────────────────────────────────────────────────────────────────────


def test_a_container_has_its_new_name_for_good_and_the_old_one_is_free(
    tmp_path: Path,
) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        life = started(first, replace(WISH, name="web"))
        run.rename(first, "web", "/db")
        assert life.name == "db"
        run.create(first, replace(WISH, name="web"))
        assert "renamed" in life_of(first, life)
    with house_over(tmp_path, body) as second:
        assert second.life("db").id == life.id
        assert second.life("web").id != life.id


def test_a_rename_that_is_refused_changes_no_name(house: House) -> None:
    run.create(house, replace(WISH, name="web"))
    run.create(house, replace(WISH, name="db"))
    for name in ("", "web", "/web", "db", "b@d", "../x"):
        with pytest.raises(MinidockError):
            run.rename(house, "web", name)
    assert {life.name for life in house.lives()} == {"web", "db"}


# ── Waiting ──────────────────────────────────────────────────────────────────────────────


def test_who_waits_hears_how_that_run_ended_though_the_next_one_has_begun(
    house: House,
) -> None:
    life = started(house)
    outcome = life.outcome("not-running")
    finish(house, life, 7)
    run.start(house, life.id)
    assert outcome()
    assert outcome.status.code == 7
    assert not life.outcome("not-running")()


def test_memory_that_was_used_up_is_told_before_the_end_that_it_brought(
    house: House,
) -> None:
    life = started(house)
    assert life.process is not None
    body_of(house)._end(life.process.pid, ExitStatus(137, 9, was_out_of_memory=True))
    settled(life)
    told = kinds(house, life.story)
    assert told.index("memory.exhausted") + 1 == told.index("container.exited")


def test_a_clean_stop_finishes_a_removal_that_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that no client waits for: of what removes itself at its end."""
    house = House(prepared(tmp_path), Recording(ModelBody()))
    life = started(house, replace(WISH, auto_remove=True))
    is_removing, may_go_on = Event(), Event()

    def remove_slowly(path: Path) -> None:
        is_removing.set()
        assert may_go_on.wait(DEADLINE_S)
        remove_tree(path)

    monkeypatch.setattr(house.records, "_remove_tree", remove_slowly)
    assert life.process is not None
    body_of(house).finish(life.process.pid, 0)
    assert is_removing.wait(DEADLINE_S)
    stopping = Thread(target=house.close)
    stopping.start()
    stopping.join(0.2)
    assert stopping.is_alive(), "the engine ended in the middle of a removal"
    may_go_on.set()
    stopping.join(DEADLINE_S)
    assert not stopping.is_alive()
    assert life.is_gone
    assert list((tmp_path / "trash").iterdir()) == []
    assert not (tmp_path / "containers" / life.id).exists()
