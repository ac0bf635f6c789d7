"""Ends of programs at a bad moment: a full disk, a removal, a copy, a kill unheard."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pyminidock.api.execs import _converse
from pyminidock.api.streams import Wire
from pyminidock.container.health import Result
from pyminidock.container.spec import ExecRequest
from pyminidock.container.states import State, VerbRefused
from pyminidock.engine import ending, execs, health, run, signalling
from pyminidock.engine.house import House
from pyminidock.engine.signalling import KillUnheard
from pyminidock.image.config import Healthcheck
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import Process
from pyminidock.layers import snapshots
from pyminidock.store.files import StoreFull
from tests.engine.houses import WISH, body_of, finish, house_over, prepared, started
from tests.engine.studio import DEADLINE_S
from tests.engine.test_lifecycle import settled

CHECK = Healthcheck(("CMD", "sh"), interval_ns=1)
ITSELF = replace(WISH, auto_remove=True)


class Numb(ModelBody):
    """A kernel whose programs no signal reaches."""

    def signal(self, process: Process, number: int) -> None:
        """Take none."""
        super().signal(process, 0)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def full(*_: Any, **__: Any) -> None:
    """Be a disk that takes nothing."""
    raise OSError(errno.ENOSPC, "No space left on device")


def broken(*_: Any, **__: Any) -> None:
    """Be a disk that fails."""
    raise OSError(errno.EIO, "Input/output error")


# ── A full disk ──────────────────────────────────────────────────────────────────────────


def test_an_end_that_the_disk_does_not_take_is_known_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = started(house)
    monkeypatch.setattr(house.records, "put", full)
    finish(house, life, 3)
    settled(life)
    assert house.kept(life.id).exit_code == 3
    run.remove(house, life.id)
    assert life.is_gone


def test_a_start_that_the_disk_does_not_take_is_still_watched_to_its_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_begun = Event()
    put = house.records.put

    def begun(container: str, content: Any, **how: Any) -> None:
        if content["state"] == "running":
            is_begun.set()
            full()
        put(container, content, **how)

    monkeypatch.setattr(house.records, "put", begun)
    container = run.create(house, WISH)
    run.start(house, container)
    life = house.life(container)
    assert is_begun.wait(DEADLINE_S)
    finish(house, life, 4)
    status = run.wait(house, container, timeout_s=DEADLINE_S)
    assert status is not None
    assert status.code == 4


@pytest.mark.parametrize("verb", [run.stop, run.kill])
def test_a_program_can_be_ended_though_the_disk_is_full(
    house: House, monkeypatch: pytest.MonkeyPatch, verb: Callable[[House, str], None]
) -> None:
    life = started(house)
    monkeypatch.setattr(house.records, "put", full)
    verb(house, life.id)
    settled(life)
    run.remove(house, life.id)
    assert life.is_gone


def test_a_full_disk_ends_the_loop_of_a_policy_and_not_the_container(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = started(house, replace(WISH, restart_policy="always"))
    monkeypatch.setattr(house.records, "put", full)
    assert life.process is not None
    body_of(house).finish(life.process.pid, 1)
    settled(life)
    monkeypatch.undo()
    run.start(house, life.id)
    assert life.state is State.RUNNING


def test_a_start_by_hand_on_a_full_disk_is_refused_in_dockers_words(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = run.create(house, WISH)
    monkeypatch.setattr(house.records, "put", full)
    with pytest.raises(StoreFull) as refusal:
        run.start(house, container)
    assert refusal.value.what.endswith("no space left on device")
    monkeypatch.undo()
    run.start(house, container)
    assert house.life(container).state is State.RUNNING


def test_a_policy_that_cannot_write_lets_it_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = started(house, replace(WISH, restart_policy="always"))
    monkeypatch.setattr(ending, "next_delay_s", lambda before, lived: 0.0)
    monkeypatch.setattr(snapshots, "restore_init", broken)
    assert life.process is not None
    body_of(house).finish(life.process.pid, 1)
    settled(life)


# ── Removal ──────────────────────────────────────────────────────────────────────────────


def test_what_cannot_remove_itself_is_dead_and_can_be_removed_by_hand(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = started(house, ITSELF)
    removed = life.outcome("removed")
    monkeypatch.setattr(house.records, "remove", full)
    assert life.process is not None
    body_of(house).finish(life.process.pid, 0)
    assert life.until(lambda: life.state is State.DEAD and not life.busy, DEADLINE_S)
    assert removed()
    assert "No space left on device" in removed.error
    monkeypatch.undo()
    run.remove(house, life.id)
    assert life.is_gone


def test_a_removal_that_is_refused_in_the_moment_of_the_end_keeps_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = started(house, ITSELF)
    allows = life.allows

    def late(*words: Any) -> None:
        """Let the program end between the look at it and the refusal."""
        assert life.process is not None
        with suppress(VerbRefused):
            allows(*words)
        body_of(house).finish(life.process.pid, 0)
        assert life.until(lambda: life.exit is not None, DEADLINE_S)
        assert life.until(lambda: life.busy != "end", DEADLINE_S)
        raise VerbRefused("it ran", why="it ran", try_next="again", lesson="lifecycle")

    monkeypatch.setattr(life, "allows", late)
    with pytest.raises(VerbRefused):
        run.remove(house, life.id)
    assert life.until(lambda: life.is_gone, DEADLINE_S)


def test_what_removes_itself_waits_for_who_writes_into_its_files(house: House) -> None:
    life = started(house, ITSELF)
    assert life.process is not None
    with life.hosting():
        body_of(house).finish(life.process.pid, 0)
        assert life.until(lambda: life.exit is not None, DEADLINE_S)
        assert not life.until(lambda: life.is_gone, 0.2)
    assert life.until(lambda: life.is_gone, DEADLINE_S)


def test_a_restart_that_could_not_end_it_does_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signalling, "PATIENCE_S", 0.01)
    monkeypatch.setattr(signalling, "LAST_PATIENCE_S", 0.01)
    with house_over(prepared(tmp_path), Numb()) as house:
        life = started(house, ITSELF)
        with pytest.raises(KillUnheard):
            run.restart(house, life.id, timeout_s=0)
        assert life.process is not None
        body_of(house).finish(life.process.pid, 0)
        assert life.until(lambda: life.is_gone, DEADLINE_S)


def test_nobody_starts_what_is_being_removed(house: House) -> None:
    container = run.create(house, WISH)
    life = house.life(container)
    voice = house.recorder.operation(life.story, "remove")
    with life.removal(container, voice, lambda: None):
        with pytest.raises(VerbRefused) as refusal:
            run.start(house, container)
        assert "marked for removal and cannot be started" in refusal.value.what
    run.start(house, container)
    assert life.state is State.RUNNING


# ── Those who look on ────────────────────────────────────────────────────────────────────


def test_nobody_asks_for_the_health_of_what_was_removed_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = started(house)
    assert life.process is not None
    watched = health.Watched(house, life, life.process, CHECK, ("sh",))

    def removed(_: health.Watched) -> Result:
        run.remove(house, life.id, force=True)
        return Result(0, 1, 0, "")

    monkeypatch.setattr(health, "_ask", removed)
    health._watch(watched)
    assert life.is_gone


class Parting:
    """Streams of a program whose container is removed at their end."""

    def __init__(self, house: House, container: str) -> None:
        self._house, self._container = house, container
        self._ours, self._theirs = socket.socketpair()
        self._theirs.send(b".")
        self.is_closed = False

    def fileno(self) -> int:
        """Give what is ready to be read."""
        return self._ours.fileno()

    def read(self) -> None:
        """Be at the end."""
        run.remove(self._house, self._container, force=True)

    def write(self, data: bytes) -> None:
        """Take it."""

    def close_stdin(self) -> None:
        """Take it."""

    def close(self) -> None:
        """Let go."""
        self._ours.close()
        self._theirs.close()
        self.is_closed = True


def test_who_reads_a_second_process_to_its_end_need_not_find_its_container(
    house: House,
) -> None:
    life = started(house)
    exec_id = execs.create(house, life.id, ExecRequest(("sh",), shows_stdout=True))
    found = execs.find(house, exec_id)
    assert execs.start(house, exec_id, detach=True) is None
    streams = Parting(house, life.id)
    client, server = socket.socketpair()
    with client, server:
        _converse(house, found, Wire(server), streams, is_framed=True)
    assert streams.is_closed
    assert found.exit is not None
