"""A second process in a running container: made, started, watched, gone.

It shares everything with the first one but its words, its user and its streams, and has a
shim of its own in `containers/<id>/exec-<exec id>`.  It is told in the story of its
container, and does not outlive it; the next engine adopts it with its container, for what
was asked for lies beside its shim.  How long its end is remembered: `execbook`.

Source: moby, daemon/exec.go; measured with dockerd 26.1.5.
"""

import base64
import json
from dataclasses import replace
from pathlib import Path

from pyminidock.container.execs import resolve_exec
from pyminidock.container.plan import exec_plan
from pyminidock.container.refusals import advice, exec_refusal
from pyminidock.container.spec import (
    ExecRequest,
    ExecSpec,
    RecordDamaged,
    from_json,
    to_json,
)
from pyminidock.container.states import Verb
from pyminidock.engine.attaching import LARGEST, read_keys
from pyminidock.engine.document import Document
from pyminidock.engine.execbook import Exec
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.starting import ACCOUNTS, StartRefused
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import (
    ExecCreated,
    ExecDetached,
    ExecExited,
    ExecStarted,
    ExecStartFailed,
    OrphanRemoved,
)
from pyminidock.kernel.port import CallFailed, ExitStatus, Process, ProcessGone, Streams
from pyminidock.layers import snapshots

MOST = 64  # per container that run or wait to be started
STARTED_S = 10.0  # that a change of size waits for the start, as Docker's does
_RECORD = "exec.json"
_OLD_S = 3600.0  # after that, nobody will start what was asked for


class NoSuchExec(MinidockError):
    """No second process has this id (any more)."""

    status = 404


class ExecRefused(MinidockError):
    """A second process that cannot be started."""

    status = 409


class ExecNotReady(MinidockError):
    """A second process that was not started in time; as Docker has it, a fault of ours."""

    status = 500


def create(house: House, reference: str, request: ExecRequest, *, via: Via = NOBODY) -> str:
    """Ask for a second process; give its id.

    Raises NoSuchContainer, VerbRefused, ExecRefused, KeysUnknown.
    """
    life = house.life(reference)
    with operation(house, life.story, "exec-create", via) as voice:
        life.running(Verb.EXEC, reference)
        keys = request.detach_keys
        read_keys(keys, f"Invalid escape keys ({keys}) provided", status=500)
        now = house.kernel.clock()
        if len(house.execs.unfinished(life.id)) >= MOST:
            house.execs.forget_unstarted(life.id, now - _OLD_S)
        if len(house.execs.unfinished(life.id)) >= MOST:
            raise ExecRefused(
                f"container {life.name} has {MOST} second processes already",
                why="each has a shim that holds its streams, and nobody reads so many",
                try_next=f"minidock rm --force {life.name}",
                lesson="exec",
            )
        made = Exec(house.kernel.new_id(), life, request, now)
        house.execs.add(made, now)
        voice(ExecCreated(life.id, made.id, request.command))
    return made.id


def start(
    house: House, exec_id: str, *, detach: bool = False,
    console_size: tuple[int, int] | None = None, via: Via = NOBODY,
) -> Streams | None:  # fmt: skip
    """Start a second process and connect to its streams; None: nobody wanted to.

    Raises NoSuchExec, ExecRefused, StartRefused, VerbRefused, BirthAborted; then nothing of
    it is left.
    """
    found = active(house, exec_id)
    life = found.life
    with operation(house, life.story, "exec-start", via, may_abort=True) as voice:
        _begin(found)
        directory = house.directory(life.id) / f"exec-{found.id}"
        try:
            with voice.step("exec"):
                directory.mkdir(mode=0o700)
                _write(directory, found.request)
                spec = _decide(house, found, directory, console_size, voice)
                process = _perform(house, life, spec, voice, detach=detach)
        except BaseException as failure:
            _fail(house, found, failure, directory, voice)
            raise
        with life.changed:
            found.process = process
            life.changed.notify_all()
        voice.may_abort = False  # it runs: whoever aborts from here on lets it run
        voice(ExecStarted(life.id, found.id, process.pid))
        streams = None if detach else _attach(house, process)
        _attend(house, found, process, directory)
    return streams


def _begin(found: Exec) -> None:
    """Be the one who starts it.  Raises ExecRefused."""
    with found.life.changed:
        if not found.is_begun:
            found.is_begun = True
            return
    how = "already running" if found.exit is None else "already run"
    raise ExecRefused(
        f"Error: Exec command {found.id} {'is' if found.exit is None else 'has'} {how}",
        why="a second process is started once; each exec is a new one",
        try_next=f"minidock exec {found.life.name} sh",
        lesson="exec",
    )


def _fail(
    house: House, found: Exec, failure: BaseException, directory: Path, voice: Voice
) -> None:
    """Note and tell that it could not be started; nothing of it is left."""
    snapshots.remove_tree(directory)
    with found.life.changed:
        found.exit = ExitStatus(126)
        found.life.changed.notify_all()
    house.execs.finish(found, house.kernel.clock())
    voice.may_abort = False
    what = failure.what if isinstance(failure, MinidockError) else str(failure)
    voice(ExecStartFailed(found.life.id, found.id, what, 126))


def find(house: House, exec_id: str) -> Exec:
    """Find a second process by its id.  Raises NoSuchExec."""
    found = house.execs.find(exec_id, house.kernel.clock())
    if found is None:
        raise NoSuchExec(
            f"No such exec instance: {exec_id}",
            why="a second process is forgotten with its container, or ten minutes after "
            "its end",
            try_next="minidock ps",
            lesson="exec",
        )
    return found


def active(house: House, exec_id: str) -> Exec:
    """Find a second process of a container that can have any.

    Raises NoSuchExec, VerbRefused, ExecRefused.
    """
    found = find(house, exec_id)
    found.life.running(Verb.EXEC, found.life.id)
    return found


def inspect(house: House, exec_id: str) -> Document:
    """Tell of a second process in Docker's shape.  Raises NoSuchExec."""
    found = find(house, exec_id)
    request, keys = found.request, found.request.detach_keys
    user = request.user or house.kept(found.life.id).spec.user
    return {
        "ID": found.id,
        "Running": found.is_running,
        "ExitCode": found.exit.code if found.exit else None,
        "ProcessConfig": {
            "tty": request.has_terminal,
            "entrypoint": request.command[0] if request.command else "",
            "arguments": list(request.command[1:]),
            "privileged": request.is_privileged,
            **({"user": user} if user else {}),
        },
        "OpenStdin": request.keeps_stdin,
        "OpenStderr": request.shows_stderr,
        "OpenStdout": request.shows_stdout,
        "CanRemove": False,
        "ContainerID": found.life.id,
        "DetachKeys": base64.b64encode(read_keys(keys, "")).decode() if keys else "",
        "Pid": found.process.pid if found.process else 0,
    }


def wait(house: House, exec_id: str, timeout_s: float | None = None) -> ExitStatus | None:
    """Wait for the end of a second process; None when `timeout_s` passed first."""
    return ended(find(house, exec_id), timeout_s)


def ended(found: Exec, timeout_s: float | None = None) -> ExitStatus | None:
    """Wait for the end of what was found, though it may be forgotten meanwhile."""
    found.life.until(lambda: found.exit is not None, timeout_s)
    return found.exit


def detached(house: House, found: Exec) -> None:
    """Tell that a client left a second process by its keys; it goes on."""
    voice = house.recorder.operation(found.life.story, "exec-detach")
    voice(ExecDetached(found.life.id, found.id))


def resize(
    house: House, exec_id: str, rows: int, columns: int, *, timeout_s: float = STARTED_S
) -> None:
    """Change the size of its terminal, once it runs.

    Raises NoSuchExec, VerbRefused, ExecNotReady, ExecRefused, ProcessGone.
    """
    found = active(house, exec_id)
    if not found.life.until(lambda: bool(found.process or found.exit), timeout_s):
        raise ExecNotReady(
            "timeout waiting for exec session ready",
            why="only a program that runs has a terminal, and nobody started this one",
            try_next=f"minidock exec --tty {found.life.name} sh",
            lesson="exec",
        )
    if found.process is None or found.exit is not None:
        raise ExecRefused(
            f"exec {exec_id} is not running",
            why="only a program that runs has a terminal",
            try_next=f"minidock exec --tty {found.life.name} sh",
            lesson="exec",
        )
    house.kernel.resize(found.process, rows & LARGEST, columns & LARGEST)


def adopt(house: House, life: Life, directory: Path, voice: Voice) -> None:
    """Look after a second process that an earlier engine started."""
    exec_id = directory.name.removeprefix("exec-")
    process = house.kernel.find(str(directory))
    try:
        content = json.loads((directory / _RECORD).read_bytes())
        request = from_json(ExecRequest, content)
    except (OSError, ValueError, RecordDamaged):
        if process is not None:
            house.kernel.dismiss(process)  # it ends with its container
        snapshots.remove_tree(directory)
        voice(OrphanRemoved("exec", exec_id))
        return
    now = house.kernel.clock()
    ghost = process or Process(0, 0, "", 0, str(directory))
    found = Exec(exec_id, life, request, now, is_begun=True, process=ghost)
    house.execs.add(found, now)
    _attend(house, found, ghost, directory)


def _write(directory: Path, request: ExecRequest) -> None:
    """Write down what was asked for, for the next engine."""
    (directory / _RECORD).write_text(json.dumps(to_json(request)))


def _decide(
    house: House, found: Exec, directory: Path, size: tuple[int, int] | None, voice: Voice
) -> ExecSpec:
    """Decide everything about it, as its container is now."""
    request = replace(found.request, console_size=size) if size else found.request
    kept = house.kept(found.life.id)
    lower, upper, work = kept.snapshot.lower, kept.snapshot.upper, kept.snapshot.work
    return resolve_exec(
        request, kept.spec, house.kernel.look(lower, upper, work, ACCOUNTS),
        house.machine, exec_id=found.id, directory=str(directory), emit=voice,
    )  # fmt: skip


def _perform(
    house: House, life: Life, spec: ExecSpec, voice: Voice, *, detach: bool
) -> Process:
    """Plan it beside the first process, and let the kernel perform.

    Raises StartRefused.
    """
    of_container = house.kept(life.id).spec
    plan = exec_plan(of_container, life.running(Verb.EXEC), spec, house.machine)
    lockstep = house.recorder.is_gated(life.story)
    try:
        process = house.kernel.perform(
            plan, emit=voice, lockstep=lockstep, watchers=0 if detach else 1
        )
    except CallFailed as failure:
        message, exit_code, status = exec_refusal(failure, spec)
        why, try_next = advice(failure, of_container)
        raise StartRefused(
            message, why=why, try_next=try_next, lesson=failure.lesson, status=status,
            exit_code=exit_code,
        ) from failure  # fmt: skip
    assert process is not None  # noqa: S101  (a plan that ends in Execute)
    return process


def _attach(house: House, process: Process) -> Streams | None:
    try:
        return house.kernel.attach(process)
    except ProcessGone:
        return None


def _attend(house: House, found: Exec, process: Process, directory: Path) -> None:
    """Wait for its end in a thread, tell it, and clear up."""
    voice = house.recorder.operation(found.life.story, "exec-life")

    def wait_for_end() -> None:
        status = house.kernel.wait(process)
        if status is None or house.is_closed:
            return
        voice(ExecExited(found.life.id, found.id, status.code))
        with found.life.changed:
            found.exit = status
            found.life.changed.notify_all()
        house.execs.finish(found, house.kernel.clock())
        house.kernel.dismiss(process)
        snapshots.remove_tree(directory)

    house.attendants.send(f"exec-{found.life.name}", wait_for_end)
