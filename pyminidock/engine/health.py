"""One thread for each container that can be asked for its health.

    wait ─► ask (a second process, like any other) ─► note, and tell what changed ─► wait …

It begins with a run and ends with it, stands still while the container is paused, and
begins anew with the next engine; the answers so far lie in the container's directory.
What the answers mean is `container.health`.

Source: moby, daemon/health.go.
"""

import json
import select
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from threading import Thread
from typing import NamedTuple

from pyminidock.container import health
from pyminidock.container.health import Health, Result
from pyminidock.container.spec import ExecRequest, RecordDamaged, from_json, to_json
from pyminidock.dockerfile.gotext import duration_text
from pyminidock.engine import execs
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.errors import MinidockError
from pyminidock.events import HealthChanged, HealthProbed
from pyminidock.image.config import Healthcheck
from pyminidock.kernel.port import Process, ProcessGone, Streams
from pyminidock.store.records import NoSuchContainer

NANO = 1_000_000_000
RECORD = "health.json"
_END_S = 10.0  # for a probe that was killed


class Watched(NamedTuple):
    """One run of a container whose health is asked for."""

    house: House
    life: Life
    process: Process
    check: Healthcheck
    words: tuple[str, ...]

    def is_over(self) -> bool:
        """Say whether this run has ended, or the engine has."""
        life = self.life
        return self.house.is_closed or life.exit is not None or life.process != self.process

    def is_quiet(self) -> bool:
        """Say whether nobody may ask at the moment."""
        return self.is_over() or self.life.state.value != "running"


def watch(house: House, life: Life) -> None:
    """Ask for the health of the run that has just begun, in a thread of its own."""
    watched = watched_run(house, life)
    if watched is not None:
        name = f"health-{life.name}"
        Thread(target=_watch, args=(watched,), name=name, daemon=True).start()


def watched_run(house: House, life: Life) -> Watched | None:
    """Begin the health of a run; None: there is nothing to ask."""
    kept, process = house.kept(life.id), life.process
    check = kept.spec.healthcheck
    words = health.command(check, kept.defaults.shell)
    if words is None or check is None or process is None:
        return None
    with life.changed:
        life.health = health.begun(life.health or _recall(house, life))
    return Watched(house, life, process, check, words)


def _watch(run: Watched) -> None:
    """Ask again and again, until the run is over."""
    with suppress(NoSuchContainer):  # it was removed in the middle of an answer
        while _may_ask(run):
            answer(run, _ask(run))
    with run.life.changed:
        if run.life.process == run.process and run.life.health:
            run.life.health = health.unwatched(run.life.health)


def _may_ask(run: Watched) -> bool:
    """Wait for the next question; False: the run is over."""
    life, kept = run.life, run.house.kept(run.life.id)
    while True:
        since_start_s = run.house.kernel.wall() - kept.started
        pause_s = health.pause_s(run.check, life.health or Health(), since_start_s)
        if not life.until(run.is_quiet, pause_s):
            return True
        if run.is_over():
            return False
        with life.changed:  # it is paused
            life.health = health.unwatched(life.health or Health())
        life.until(lambda: run.is_over() or not run.is_quiet())


def answer(run: Watched, result: Result) -> None:
    """Note an answer and tell it; one that came after the end counts for nothing."""
    house, life = run.house, run.life
    with life.changed:
        if run.is_quiet() or life.health is None:
            return
        before, began = life.health, house.kept(life.id).started
        life.health = now = health.after(before, result, run.check, began)
    _keep(house, life, now)
    voice = house.recorder.operation(life.story, "health")
    voice(HealthProbed(life.id, result.exit_code, len(result.output.encode())))
    if now.status != before.status:
        voice(HealthChanged(life.id, now.status))


def _ask(run: Watched) -> Result:
    """Run the question once, and end it if it takes too long."""
    house, clock = run.house, run.house.kernel.wall
    began, timeout_ns = clock(), health.timeout_ns(run.check)
    try:
        exec_id = execs.create(house, run.life.id, ExecRequest(run.words))
        streams = execs.start(house, exec_id)
    except MinidockError as refusal:
        return Result(began, clock(), -1, refusal.what)
    printed, is_late = b"", False
    if streams is not None:
        printed, is_late = _read(house, streams, timeout_ns / NANO)
        streams.close()
    if is_late:
        _kill(house, exec_id)
    status = execs.wait(house, exec_id, _END_S)
    text = health.text_of(printed)
    if status is None or is_late:
        late = f"Health check exceeded timeout ({duration_text(timeout_ns)})"
        return Result(began, clock(), -1, f"{late}: {text}" if text else late)
    return Result(began, clock(), status.code, text)


def _read(house: House, streams: Streams, timeout_s: float) -> tuple[bytes, bool]:
    """Read what is printed, up to its end or till the time is up: then give True."""
    clock = house.kernel.clock
    printed, poll = bytearray(), select.poll()
    poll.register(streams.fileno(), select.POLLIN)
    deadline = clock() + timeout_s
    while (left := deadline - clock()) > 0 and poll.poll(left * 1000):
        piece = streams.read()
        if piece is None:
            return bytes(printed), False
        if len(printed) <= health.MOST_BYTES:
            printed += piece[1]
    return bytes(printed), True


def _kill(house: House, exec_id: str) -> None:
    with suppress(ProcessGone, execs.NoSuchExec):  # it has just ended
        process = execs.find(house, exec_id).process
        if process is not None:
            house.kernel.signal(process, SIGKILL)


def _keep(house: House, life: Life, now: Health) -> None:
    """Write the answers down for the next engine; a power cut may lose them."""
    directory = house.directory(life.id)
    temporary = directory / f"tmp-{RECORD}"
    try:
        temporary.write_text(json.dumps(to_json(now)))
        temporary.rename(directory / RECORD)
    except OSError:
        return  # no room: they are lost with this engine


def _recall(house: House, life: Life) -> Health:
    """Read what an earlier engine wrote down."""
    path = Path(house.directory(life.id), RECORD)
    try:
        return from_json(Health, json.loads(path.read_bytes()))
    except (OSError, ValueError, RecordDamaged):
        return Health()
