"""The story of a container: create, start, attach, wait, kill, remove.

One `docker run` is five API calls and one story; each call is a function here and tells its
part as one operation.  Read it in this order:

    create    wish → spec → snapshot → record              nothing runs yet
    start     spec → plan → kernel.perform → process       `ending` waits in a thread
    attach    the program's streams, also before the start
    wait      the end of the program, or of the container
    remove    record, snapshot and story are gone

Whatever fails undoes what it had begun: a start leaves the container as it was, a create
leaves nothing.  Numbers of signals come from the caller; names of them are the API's.
"""

from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL

from pyminidock.container.plan import start_plan
from pyminidock.container.refusals import advice, start_refusal
from pyminidock.container.resolve import resolve
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.states import State, Verb
from pyminidock.container.users import GROUP, PASSWD
from pyminidock.engine import etcfiles, images, naming
from pyminidock.engine.ending import attend, bury
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Attachment, Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.recorder import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import (
    ContainerCreated,
    ContainerSignalled,
    ContainerStarted,
    ContainerStartFailed,
    PlanMade,
)
from pyminidock.grammar.names import parse_name
from pyminidock.kernel.port import (
    BirthAborted,
    CallFailed,
    ExitStatus,
    Kernel,
    Process,
    ProcessGone,
    Streams,
)
from pyminidock.layers import snapshots
from pyminidock.store.records import NameTaken

ACCOUNTS = (PASSWD, GROUP)  # the files inside that say who is who
PATIENCE_S = 10.0  # for an operation that has to come to its end before the next


class StartRefused(MinidockError):
    """The kernel refused the start, and it was undone; `exit_code` is what `run` gives."""

    def __init__(  # noqa: PLR0913  (four words for people, two numbers for programs)
        self,
        what: str,
        *,
        why: str,
        try_next: str,
        lesson: str,
        status: int,
        exit_code: int,
    ) -> None:
        super().__init__(what, why=why, try_next=try_next, lesson=lesson)
        self.status, self.exit_code = status, exit_code


# ── Create ───────────────────────────────────────────────────────────────────────────────


def create(house: House, request: CreateRequest, *, via: Via = NOBODY) -> str:
    """Decide everything about a container and keep it; give its id.

    Raises a MinidockError, and then nothing is left but the story that tells so.
    """
    container = house.kernel.new_id()
    life = Life(container, "")
    title = " ".join(("run", request.image, *request.command))
    house.recorder.story(life.story, title)
    try:
        with (
            operation(house, life.story, "create", via, may_abort=True) as voice,
            ExitStack() as undo,
        ):
            with voice.step("create"):
                kept = _create(house, request, container, voice, undo)
            undo.pop_all()
    except BaseException:
        house.recorder.end(life.story)
        raise
    life.name = kept.name
    house.admit(kept, life)
    house.step_off(container)
    return container


def _create(
    house: House, request: CreateRequest, container: str, voice: Voice, undo: ExitStack
) -> Kept:
    """Do it, each deed with its undoing pushed on the stack."""
    undo.callback(house.records.release, container)
    name = _claim(house, request.name, container)
    found = _stand(house, request.image, container, voice, undo)
    defaults, trees = found.image.config, tuple(map(str, found.trees))
    directory = house.directory(container)
    spec = resolve(
        request, defaults, _accounts(house.kernel, trees), house.machine,
        container_id=container, name=name, directory=str(directory), emit=voice,
    )  # fmt: skip
    undo.callback(house.forget, container)
    undo.callback(house.records.remove, container)
    undo.callback(snapshots.remove, directory)
    snapshot = snapshots.prepare(directory, found.trees, emit=voice)
    etcfiles.write(directory, spec.hostname)
    kept = Kept(
        container, name, house.kernel.wall(), request, spec, snapshot, trees,
        found.row.stand_in, image=found.row.id, defaults=defaults,
    )  # fmt: skip
    house.keep(kept)
    voice(ContainerCreated(container, name, request.image, spec.argv))
    return kept


def _stand(
    house: House, image: str, container: str, voice: Voice, undo: ExitStack
) -> images.Found:
    """Find an image, and in the same moment keep others from sweeping its layers away."""
    undo.callback(house.step_off, container)
    with house.store.db.guard:
        found = images.find(house, image)
        house.stand_on(container, found.row.layers)
    images.tell(image, found, emit=voice)  # a gate may hold us, so not under the guard
    return found


def _claim(house: House, wanted: str, container: str) -> str:
    """Take the name that was asked for, or else the first free one of ours."""
    if wanted:
        name = parse_name(wanted)
        house.records.claim(name, container)
        return name
    for name in naming.names(container):
        try:
            house.records.claim(name, container)
        except NameTaken:
            continue
        return name
    raise AssertionError("an id begins like another one")


def _accounts(
    kernel: Kernel, lower: tuple[str, ...], upper: str = "", work: str = ""
) -> dict[str, bytes]:
    """Read what says who is who inside."""
    return dict(kernel.look(lower, upper, work, ACCOUNTS))


# ── Start ────────────────────────────────────────────────────────────────────────────────


def start(house: House, reference: str, *, via: Via = NOBODY) -> None:
    """Start the program of a container.

    Raises NothingToDo, StartRefused, BirthAborted; then the container is as it was, or,
    if it removes itself, it is gone.
    """
    life = house.life(reference)
    life.until(lambda: life.busy != "end", PATIENCE_S)
    with (
        operation(house, life.story, "start", via, may_abort=True) as voice,
        life.only("start"),
    ):
        life.allows(Verb.START)
        runs = life.runs
        try:
            with voice.step("start"):
                _start(house, life, voice)
        except (StartRefused, BirthAborted) as failure:
            voice.may_abort = False
            _tell_failure(life, failure, voice)
            if life.runs == runs or life.process is None:  # else it ends as what has lived
                _note_failure(house, life, failure, voice)
            raise


def _start(house: House, life: Life, voice: Voice) -> None:
    """Decide again what may have changed, plan, and let the kernel perform."""
    kept = house.kept(life.id)
    spec = kept.spec if kept.state == "created" else _decide_again(house, kept, voice)
    life.begins()
    plan = start_plan(spec, kept.snapshot, house.machine)
    voice(PlanMade(life.id, len(plan), tuple(type(call).__name__ for call in plan)))
    lockstep = house.recorder.is_gated(life.story)
    starting = replace(kept, spec=spec, state="starting", started=house.kernel.wall())
    house.keep(starting, is_durable=False)  # after a power cut nothing runs anyway
    try:
        with voice.step("birth"):
            process = house.kernel.perform(
                plan, emit=voice, lockstep=lockstep, watchers=life.bespeaks()
            )
    except CallFailed as failure:
        _reset(house, kept)
        raise _refused(failure, spec) from failure
    except BaseException:
        _reset(house, kept)
        raise
    assert process is not None  # noqa: S101  (a plan that ends in Execute)
    _born(house, life, process, voice)


def _born(house: House, life: Life, process: Process, voice: Voice) -> None:
    """Tell that the program runs, and leave a thread to wait for its end."""
    for _ in range(life.lives(process)):  # a program waits for who listens and is gone
        _hang_up(house, process)
    try:
        voice(ContainerStarted(life.id, process.pid))
    except BirthAborted:
        house.kernel.signal(process, SIGKILL)
        attend(house, life)
        raise
    attend(house, life)


def _decide_again(house: House, kept: Kept, voice: Voice) -> ContainerSpec:
    """Resolve the wish anew for another run: the container may have changed its users."""
    snapshot = kept.snapshot
    files = _accounts(house.kernel, snapshot.lower, snapshot.upper, snapshot.work)
    return resolve(
        kept.request, kept.defaults, files, house.machine, container_id=kept.id,
        name=kept.name, directory=kept.spec.directory, emit=voice,
    )  # fmt: skip


def _reset(house: House, kept: Kept) -> None:
    """Let the container be as it was; a birth that failed may have written into it."""
    house.keep(kept, is_durable=False)
    if kept.state == "created":
        directory = Path(kept.spec.directory)
        snapshots.remove(directory)
        snapshots.prepare(directory, tuple(map(Path, kept.roots)))


def _refused(failure: CallFailed, spec: ContainerSpec) -> StartRefused:
    message, exit_code, status = start_refusal(failure, spec)
    why, try_next = advice(failure, spec)
    return StartRefused(
        message, why=why, try_next=try_next, lesson=failure.lesson,
        status=status, exit_code=exit_code,
    )  # fmt: skip


def _tell_failure(life: Life, failure: MinidockError, voice: Voice) -> None:
    """Tell that a start failed."""
    cause = failure.__cause__
    verb = type(cause.call).__name__ if isinstance(cause, CallFailed) else "aborted"
    voice(ContainerStartFailed(life.id, verb, failure.what, _code(failure)))


def _note_failure(house: House, life: Life, failure: MinidockError, voice: Voice) -> None:
    """Note that no program came to life; a container that removes itself does so now."""
    life.fails(failure.what, _code(failure))
    if house.kept(life.id).spec.auto_remove:
        bury(house, life, voice)


def _code(failure: MinidockError) -> int:
    return failure.exit_code if isinstance(failure, StartRefused) else 128


# ── While it runs ────────────────────────────────────────────────────────────────────────


class Place:
    """Somebody who is going to attach; made before the answer that promises the streams."""

    def __init__(self, house: House, life: Life) -> None:
        self._house, self._attachment = house, Attachment(life)

    def streams(self, timeout_s: float | None = None) -> Streams | None:
        """Connect as soon as the program runs; None: not yet, or never (`is_over`)."""
        process = self._attachment.take(timeout_s)
        try:
            return self._house.kernel.attach(process) if process else None
        except ProcessGone:
            return None
        finally:
            if process:
                self._attachment.leave()

    @property
    def is_over(self) -> bool:
        """Say whether there will be no program to connect to."""
        return self._attachment.is_over

    def close(self) -> None:
        """Give the place up."""
        process = self._attachment.leave()
        if process:
            _hang_up(self._house, process)


def _hang_up(house: House, process: Process) -> None:
    """Take a connection that was bespoken, and let it go."""
    with suppress(ProcessGone):
        house.kernel.attach(process).close()


def attach(house: House, reference: str) -> Place:
    """Take a place before the program's streams: of the run that is going on, or the next.

    A place has to be used or closed, for the end of the program waits for it.
    """
    return Place(house, house.life(reference))


def wait(
    house: House, reference: str, *, condition: str = "not-running",
    timeout_s: float | None = None,
) -> ExitStatus | None:  # fmt: skip
    """Wait for an outcome (see Life.outcome); None when `timeout_s` passed first."""
    life = house.life(reference)
    if not life.until(life.outcome(condition), timeout_s):
        return None
    return life.exit or ExitStatus(0)


def kill(house: House, reference: str, signal: int = SIGKILL, *, via: Via = NOBODY) -> None:
    """Send a signal to the program.  Raises VerbRefused, ProcessGone."""
    life = house.life(reference)
    with operation(house, life.story, "kill", via) as voice:
        house.kernel.signal(life.running(Verb.KILL), signal)
        voice(ContainerSignalled(life.id, int(signal)))


def resize(house: House, reference: str, rows: int, columns: int) -> None:
    """Change the size of the program's terminal.  Raises VerbRefused, ProcessGone."""
    life = house.life(reference)
    house.kernel.resize(life.running(Verb.EXEC), rows, columns)


# ── Remove ───────────────────────────────────────────────────────────────────────────────


def remove(house: House, reference: str, *, force: bool = False, via: Via = NOBODY) -> None:
    """Remove a container with all that it wrote; `force` kills its program first.

    Raises VerbRefused, ContainerBusy.
    """
    life = house.life(reference)
    with operation(house, life.story, "remove", via) as voice:
        if force and life.state is State.RUNNING:
            house.kernel.signal(life.running(Verb.KILL), SIGKILL)
            voice(ContainerSignalled(life.id, int(SIGKILL)))
            life.until(lambda: life.state is not State.RUNNING, PATIENCE_S)
        life.allows(Verb.REMOVE)
        life.until(lambda: life.busy != "end", PATIENCE_S)
        if life.is_gone:  # it had removed itself meanwhile
            return
        with life.only("remove"):
            bury(house, life, voice)
