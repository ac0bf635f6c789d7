"""How a container is started: by somebody, or by its restart policy.

    decide again ─► plan ─► kernel.perform ─► process      `ending` waits in a thread
                                  │
                                  └─ refused: everything undone, the container as it was

A start by hand forgets what the policy has counted so far.  A start by the policy that
fails ends the loop: the next one would fail in the same way.

Source: moby, daemon/start.go and daemon/monitor.go: handleContainerExit().
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pyminidock.container.logfile import LoggingRefused
from pyminidock.container.plan import start_plan
from pyminidock.container.refusals import advice, start_refusal
from pyminidock.container.resolve import resolve
from pyminidock.container.spec import ContainerSpec, Hindrance
from pyminidock.container.states import State, Verb
from pyminidock.container.users import GROUP, PASSWD
from pyminidock.engine import (
    furnishing,
    glass,
    introducing,
    linking,
    plugging,
    publishing,
    volumemounts,
    watch,
)
from pyminidock.engine.burying import bury
from pyminidock.engine.donors import WorldNotJoined, donors
from pyminidock.engine.ending import attend
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.plugging import Reach
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import ContainerStarted, ContainerStartFailed, PlanMade
from pyminidock.grammar.signals import KILL
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.port import BirthAborted, CallFailed, Kernel, Process, ProcessGone
from pyminidock.layers import snapshots
from pyminidock.store.files import StoreFull, telling_full

ACCOUNTS = (PASSWD, GROUP)  # the files inside that say who is who


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


def start(house: House, reference: str, *, via: Via = NOBODY) -> None:
    """Start the program of a container.

    Raises NothingToDo, VerbRefused, ContainerBusy, StartRefused, BirthAborted, StoreFull;
    after the last three the container is as it was, or, if it removes itself, it is gone.
    """
    life = house.life(reference)
    with (
        operation(house, life.story, "start", via, may_abort=True) as voice,
        life.only("start", voice),
    ):
        life.allows(Verb.START)
        _by_hand(house, life, voice)


def start_in(house: House, life: Life, voice: Voice) -> None:
    """Start it as a part of another operation; one that runs already is left alone.

    Raises as `start` does, but never NothingToDo.
    """
    with life.only("start", voice):
        if not life.is_running:
            life.allows(Verb.START)
            _by_hand(house, life, voice)


def start_again(house: House, life: Life) -> bool:
    """Start it because its policy says so; False: a refusal was told, and ends the loop."""
    with (
        suppress(MinidockError),
        operation(house, life.story, "restart-policy") as voice,
        life.only("start", voice, lambda: life.is_gone) as is_mine,
    ):
        if is_mine and life.state is State.RESTARTING and not life.gave_up:
            _start_or_undo(house, life, voice)
            return True
    return False


def start_anew(house: House, life: Life) -> None:
    """Start it because its policy says so to a new engine, which begins to count anew."""
    with suppress(MinidockError), operation(house, life.story, "restart-policy") as voice:
        start_in(house, life, voice)


def _by_hand(house: House, life: Life, voice: Voice) -> None:
    kept = house.kept(life.id)
    if kept.restarts or kept.was_stopped:
        house.note(life, is_durable=False, restarts=0, was_stopped=False)
    life.gave_up, life.delay_s = False, 0.0
    _start_or_undo(house, life, voice)


def _start_or_undo(house: House, life: Life, voice: Voice) -> None:
    runs = life.runs
    try:
        with voice.step("start"), _telling_faults(house):
            _start(house, life, voice)
    except (StartRefused, BirthAborted, StoreFull) as failure:
        voice.may_abort = False
        _let_go_of_volumes(house, life, voice)
        _tell_failure(life, failure, voice)
        if life.runs == runs or life.process is None:  # else it ends as what has lived
            _note_failure(house, life, failure, voice)
        raise


def _let_go_of_volumes(house: House, life: Life, voice: Voice) -> None:
    spec = house.kept(life.id).spec
    furnishing.tell_unmounted(spec, voice)
    volumemounts.release(house, spec.points, life.id)


@contextmanager
def _telling_faults(house: House) -> Iterator[None]:
    """Refuse a start that the disk does not let happen.  Raises StoreFull, StartRefused."""
    try:
        with telling_full(house.root):
            yield
    except OSError as fault:
        raise StartRefused(
            f"failed to prepare the container's files: {fault}",
            why="the disk with the engine's root directory failed",
            try_next=f"dmesg, and df {house.root}",
            lesson="state-on-disk",
            status=500,
            exit_code=128,
        ) from fault


def _start(house: House, life: Life, voice: Voice) -> None:
    """Decide again what may have changed, plan, and let the kernel perform."""
    kept = house.kept(life.id)
    is_decided = kept.state == "created" and not kept.spec.hindrance
    spec = kept.spec if is_decided else _decide_again(house, kept, voice)
    if spec.hindrance:
        raise _hindered(spec.hindrance)
    spec = introducing.sharing(house, _linked(house, kept, spec))
    roots = tuple(map(Path, kept.roots))
    snapshots.restore_init(Path(spec.directory), roots, kept.snapshot)
    reach = _plug(house, kept, spec, voice)
    try:
        names = introducing.start(house, kept, spec, reach.after)
        reach = replace(reach, calls=(*reach.calls, *names))
        process = _birth(house, life, kept, spec, reach, voice)
    except BaseException:
        plugging.undo(house, reach)
        introducing.gone(house, life.id, reach.after)
        raise
    _born(house, life, process, reach, voice)


def _birth(  # noqa: PLR0913, PLR0917  (what was, what shall be, where it is reached)
    house: House, life: Life, kept: Kept, spec: ContainerSpec, reach: Reach, voice: Voice
) -> Process:
    """Let the kernel perform the plan; whatever fails, the container is as it was."""
    life.begins()
    furnishing.tell_mounted(spec, voice)
    if spec.is_glass:
        glass.listen(house, life, spec.directory)
    if spec.watch:
        watch.listen(house, life, spec.directory)
    plan = _plan(house, kept, _furnished(house, spec, voice), reach)
    voice(PlanMade(life.id, len(plan), tuple(type(call).__name__ for call in plan)))
    lockstep = house.recorder.is_gated(life.story)
    house.amend(  # after a power cut nothing runs anyway
        life, is_durable=False, spec=spec, state="starting", error="",
        started=house.kernel.wall(), endpoints=reach.after, interfaces=reach.interfaces,
        ports=reach.ports, offers=publishing.offered(house, kept, reach.after),
    )  # fmt: skip
    try:
        with voice.step("birth"):
            process = house.kernel.perform(
                plan, emit=voice, lockstep=lockstep, watchers=life.bespeaks()
            )
    except CallFailed as failure:
        _reset(house, life, kept)
        raise _refused(failure, spec) from failure
    except BaseException:
        _reset(house, life, kept)
        raise
    assert process is not None  # noqa: S101  (a plan that ends in Execute)
    return process


def _plug(house: House, kept: Kept, spec: ContainerSpec, voice: Voice) -> Reach:
    """Give it its places in networks, and its ports.  Raises StartRefused."""
    try:
        with voice.step("network"):
            reach = plugging.plug(house, spec, plugging.places(kept), voice)
            try:
                bound, ways = publishing.publish(house, kept, reach.after, voice)
            except BaseException:
                plugging.undo(house, reach)
                raise
            return replace(reach, calls=(*reach.calls, *ways), ports=bound)
    except BirthAborted:
        raise
    except MinidockError as refusal:
        raise StartRefused(
            refusal.what, why=refusal.why, try_next=refusal.try_next,
            lesson=refusal.lesson, status=refusal.status,
            exit_code=kept.exit_code or 128,
        ) from refusal  # fmt: skip


def _linked(house: House, kept: Kept, spec: ContainerSpec) -> ContainerSpec:
    """Tell it of its links.  Raises StartRefused."""
    try:
        return linking.told(house, kept, spec)
    except MinidockError as refusal:
        raise StartRefused(
            refusal.what, why=refusal.why, try_next=refusal.try_next,
            lesson=refusal.lesson, status=refusal.status, exit_code=128,
        ) from refusal  # fmt: skip


def _plan(house: House, kept: Kept, spec: ContainerSpec, reach: Reach) -> Plan:
    """Plan the start; only now is it seen what its log shall be.  Raises StartRefused."""
    try:
        return start_plan(
            spec, kept.snapshot, house.machine, image_id=kept.image,
            wiring=reach.calls, network=reach.entrance, donors=donors(house, spec),
        )  # fmt: skip
    except (LoggingRefused, WorldNotJoined) as refusal:
        raise StartRefused(
            refusal.what,
            why=refusal.why,
            try_next=refusal.try_next,
            lesson=refusal.lesson,
            status=500 if isinstance(refusal, LoggingRefused) else refusal.status,
            exit_code=128,
        ) from refusal


def _furnished(house: House, spec: ContainerSpec, voice: Voice) -> ContainerSpec:
    """Have the trees from elsewhere ready.  Raises StartRefused."""
    try:
        return furnishing.ready(house, spec, voice)
    except OSError as fault:
        place, reason = fault.filename, (fault.strerror or str(fault)).lower()
        raise StartRefused(
            f"error while creating mount source path '{place}': mkdir {place}: {reason}",
            why="-v makes a missing directory of the host, and could not",
            try_next=f"mkdir -p {place}",
            lesson="volumes",
            status=500,
            exit_code=128,
        ) from fault
    except volumemounts.VolumeUnusable as fault:
        raise StartRefused(
            fault.what, why=fault.why, try_next=fault.try_next, lesson=fault.lesson,
            status=fault.status, exit_code=128,
        ) from fault  # fmt: skip


def _hindered(hindrance: Hindrance) -> StartRefused:
    return StartRefused(
        hindrance.what,
        why=hindrance.why,
        try_next=hindrance.try_next,
        lesson="lifecycle",
        status=hindrance.status,
        exit_code=128,
    )


def _born(house: House, life: Life, process: Process, reach: Reach, voice: Voice) -> None:
    """Tell that the program runs, and leave a thread to wait for its end."""
    introducing.serve(house, life.id)
    for _ in range(life.lives(process)):  # a program waits for who listens and is gone
        hang_up(house, process)
    try:
        plugging.plugged(house, reach, voice)
        voice(ContainerStarted(life.id, process.pid))
    except BirthAborted:
        house.kernel.signal(process, KILL)
        attend(house, life, start_again)
        raise
    attend(house, life, start_again)


def hang_up(house: House, process: Process) -> None:
    """Take a connection that was bespoken, and let it go."""
    with suppress(ProcessGone):
        house.kernel.attach(process).close()


def accounts(
    kernel: Kernel, lower: tuple[str, ...], upper: str = "", work: str = ""
) -> dict[str, bytes]:
    """Read what says who is who inside."""
    return dict(kernel.look(lower, upper, work, ACCOUNTS))


def _decide_again(house: House, kept: Kept, voice: Voice) -> ContainerSpec:
    """Resolve the wish anew for another run: the container may have changed its users."""
    snapshot = kept.snapshot
    files = accounts(house.kernel, snapshot.lower, snapshot.upper, snapshot.work)
    spec = resolve(
        kept.request, kept.defaults, files, house.machine, container_id=kept.id,
        name=kept.name, directory=kept.spec.directory, emit=voice,
    )  # fmt: skip
    return replace(spec, points=kept.spec.points)


def _reset(house: House, life: Life, kept: Kept) -> None:
    """Let the container be as it was; a birth that failed may have written into it."""
    house.note(
        life, is_durable=False, spec=kept.spec, state=kept.state, started=kept.started,
        endpoints=kept.endpoints, interfaces=kept.interfaces,
    )  # fmt: skip
    if kept.state == "created":
        roots = tuple(map(Path, kept.roots))
        snapshots.renew(Path(kept.spec.directory), roots, kept.snapshot)


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
    verb = "ForkShim" if isinstance(cause, LoggingRefused) else verb
    if cause is None and isinstance(failure, StartRefused):  # no call was tried
        verb = "decision"
    voice(ContainerStartFailed(life.id, verb, failure.what, _code(failure)))


def _note_failure(house: House, life: Life, failure: MinidockError, voice: Voice) -> None:
    """Note that no program came to life; a container that removes itself does so now."""
    life.fails(failure.what, _code(failure))
    if house.kept(life.id).spec.auto_remove and not life.is_being_removed:
        bury(house, life, voice, has_volumes=True)
    else:
        house.note(life, error=failure.what, exit_code=_code(failure))


def _code(failure: MinidockError) -> int:
    return failure.exit_code if isinstance(failure, StartRefused) else 128
