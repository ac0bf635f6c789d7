"""A second process in a running container: made, started, watched, gone.

It shares everything with the first one but its words, its user and its streams, and has a
shim of its own in `containers/<id>/exec-<exec id>`.  It is told in the story of its
container.  Nothing of it survives the container, or this engine's memory of it.
"""

from pathlib import Path
from threading import Thread

from pyminidock.container.execs import resolve_exec
from pyminidock.container.plan import exec_plan
from pyminidock.container.refusals import advice, exec_refusal
from pyminidock.container.spec import ExecRequest, ExecSpec
from pyminidock.container.states import Verb
from pyminidock.engine.house import Exec, House
from pyminidock.engine.inspect import Document
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.recorder import Voice
from pyminidock.engine.run import ACCOUNTS, StartRefused
from pyminidock.errors import MinidockError
from pyminidock.events import ExecCreated, ExecExited, ExecStarted
from pyminidock.kernel.port import CallFailed, ExitStatus, Process, ProcessGone, Streams
from pyminidock.layers import snapshots

MOST = 64  # per container


class NoSuchExec(MinidockError):
    """No second process has this id (any more)."""

    status = 404


class ExecRefused(MinidockError):
    """A second process that cannot be started."""

    status = 409


def create(house: House, reference: str, request: ExecRequest, *, via: Via = NOBODY) -> str:
    """Ask for a second process; give its id.  Raises VerbRefused, ExecRefused."""
    life = house.life(reference)
    with operation(house, life.story, "exec-create", via) as voice:
        life.running(Verb.EXEC)
        if len([each for each in house.execs.values() if each.life is life]) >= MOST:
            raise ExecRefused(
                f"container {life.name} has {MOST} second processes already",
                why="each has a shim that holds its streams, and nobody reads so many",
                try_next=f"minidock rm --force {life.name}",
                lesson="exec",
            )
        made = Exec(house.kernel.new_id(), life, request)
        house.execs[made.id] = made
        voice(ExecCreated(life.id, made.id, request.command))
    return made.id


def start(
    house: House, exec_id: str, *, detach: bool = False, via: Via = NOBODY
) -> Streams | None:
    """Start a second process and connect to its streams; None: nobody wanted to.

    Raises StartRefused, VerbRefused, BirthAborted; then nothing of it is left.
    """
    found = find(house, exec_id)
    life = found.life
    with operation(house, life.story, "exec-start", via, may_abort=True) as voice:
        if found.process or found.exit:
            raise ExecRefused(
                f"exec {exec_id} was started already",
                why="a second process is started once; each exec is a new one",
                try_next=f"minidock exec {life.name} sh",
                lesson="exec",
            )
        life.running(Verb.EXEC)
        directory = house.directory(life.id) / f"exec-{found.id}"
        directory.mkdir(mode=0o700)
        try:
            with voice.step("exec"):
                spec = _decide(house, found, directory, voice)
                found.process = _perform(house, life, spec, voice, detach=detach)
        except BaseException as failure:
            snapshots.remove_tree(directory)
            code = failure.exit_code if isinstance(failure, StartRefused) else 126
            found.exit = ExitStatus(code)
            raise
        voice.may_abort = False  # it runs: whoever aborts from here on lets it run
        voice(ExecStarted(life.id, found.id, found.process.pid))
        streams = None if detach else _attach(house, found.process)
        _attend(house, found, found.process, directory)
    return streams


def find(house: House, exec_id: str) -> Exec:
    """Find a second process by its id.  Raises NoSuchExec."""
    found = house.execs.get(exec_id)
    if found is None:
        raise NoSuchExec(
            f"No such exec instance: {exec_id}",
            why="a second process is forgotten together with its container",
            try_next="minidock ps",
            lesson="exec",
        )
    return found


def inspect(house: House, exec_id: str) -> Document:
    """Tell of a second process in Docker's shape.  Raises NoSuchExec."""
    found = find(house, exec_id)
    request, is_running = found.request, found.process is not None and found.exit is None
    return {
        "ID": found.id,
        "ContainerID": found.life.id,
        "Running": is_running,
        "ExitCode": found.exit.code if found.exit else None,
        "Pid": found.process.pid if found.process and is_running else 0,
        "OpenStdin": request.keeps_stdin,
        "OpenStdout": True,
        "OpenStderr": True,
        "CanRemove": False,
        "DetachKeys": "",
        "ProcessConfig": {
            "entrypoint": request.command[0] if request.command else "",
            "arguments": list(request.command[1:]),
            "tty": request.has_terminal,
            "privileged": request.is_privileged,
            "user": request.user,
        },
    }


def wait(house: House, exec_id: str, timeout_s: float | None = None) -> ExitStatus | None:
    """Wait for the end of a second process; None when `timeout_s` passed first."""
    found = find(house, exec_id)
    found.life.until(lambda: found.exit is not None, timeout_s)
    return found.exit


def resize(house: House, exec_id: str, rows: int, columns: int) -> None:
    """Change the size of its terminal.  Raises ExecRefused, ProcessGone."""
    found = find(house, exec_id)
    if found.process is None or found.exit is not None:
        raise ExecRefused(
            f"exec {exec_id} is not running",
            why="only a program that runs has a terminal",
            try_next=f"minidock exec --tty {found.life.name} sh",
            lesson="exec",
        )
    house.kernel.resize(found.process, rows, columns)


def _decide(house: House, found: Exec, directory: Path, voice: Voice) -> ExecSpec:
    """Decide everything about it, as its container is now."""
    kept = house.kept(found.life.id)
    lower, upper, work = kept.snapshot.lower, kept.snapshot.upper, kept.snapshot.work
    return resolve_exec(
        found.request, kept.spec, house.kernel.look(lower, upper, work, ACCOUNTS),
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
        house.kernel.dismiss(process)
        snapshots.remove_tree(directory)

    Thread(target=wait_for_end, name=f"exec-{found.life.name}", daemon=True).start()
