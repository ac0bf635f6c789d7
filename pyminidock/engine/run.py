"""The story of a container: all its verbs, and create, attach and wait themselves.

One `docker run` is five API calls and one story; each call is a function here and tells its
part as one operation.  Read it in this order:

    create    wish → spec → snapshot → record              nothing runs yet
    start     spec → plan → kernel.perform → process       `starting`, `ending`
    attach    the program's streams, also before the start
    wait      the end of the program, or of the container
    kill      a signal; stop: signals until it has ended   `signalling`, `stopping`
    pause     all processes stand still                    `pausing`
    remove    record, snapshot and story are gone          `burying`

Whatever fails undoes what it had begun: a start leaves the container as it was, a create
leaves nothing.  Numbers of signals come from the caller; names of them are the API's.
"""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pyminidock.container.resolve import resolve
from pyminidock.container.spec import CreateRequest
from pyminidock.container.verify import verify
from pyminidock.engine import etcfiles, images, naming, origins
from pyminidock.engine.attachments import Attachment
from pyminidock.engine.burying import remove
from pyminidock.engine.donors import by_id
from pyminidock.engine.furnishing import furnish
from pyminidock.engine.house import House, Kept
from pyminidock.engine.imagelayers import instructions
from pyminidock.engine.lives import Life
from pyminidock.engine.memberships import members
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.pausing import pause, unpause
from pyminidock.engine.references import check_platform, check_references
from pyminidock.engine.renaming import rename
from pyminidock.engine.signalling import kill
from pyminidock.engine.starting import ACCOUNTS, StartRefused, accounts, hang_up, start
from pyminidock.engine.stopping import restart, stop
from pyminidock.engine.voice import Voice
from pyminidock.events import ContainerCreated
from pyminidock.grammar.names import parse_name
from pyminidock.kernel.port import ExitStatus, ProcessGone, Streams
from pyminidock.layers import frames, snapshots
from pyminidock.layers.apply import policy_here
from pyminidock.layers.snapshots import Snapshot
from pyminidock.store.files import telling_full
from pyminidock.store.records import NameTaken

__all__ = [
    "ACCOUNTS", "Place", "StartRefused", "attach", "create", "kill", "pause", "remove",
    "rename", "restart", "start", "stop", "unpause", "wait",
]  # fmt: skip


# ── Create ───────────────────────────────────────────────────────────────────────────────


def create(house: House, request: CreateRequest, *, via: Via = NOBODY) -> str:
    """Decide everything about a container and keep it; give its id.

    Raises a MinidockError, and then nothing is left but the story that tells so.
    """
    container = house.kernel.new_id()
    life = Life(container, "")
    origin = origins.asked_for(request)
    what = ("--from", origin) if origin else (request.image,)
    title = " ".join(("run", *what, *request.command))
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
    house.volumes.let_go(container)
    return container


def _create(
    house: House, request: CreateRequest, container: str, voice: Voice, undo: ExitStack
) -> Kept:
    """Do it, each deed with its undoing pushed on the stack."""
    request, tree = origins.placed(house, request)
    verify(request, house.machine)
    check_references(house, request)
    request = replace(request, worlds=by_id(house, request.worlds))
    endpoints = members(house, request)
    undo.callback(house.records.release, container)
    name = _claim(house, request.name, container)
    found = _stand(house, request, container, voice, undo)
    check_platform(house, request, found.image)
    defaults, trees = found.image.config, tuple(map(str, found.trees))
    directory = house.directory(container)
    spec = resolve(
        request, defaults, accounts(house.kernel, trees), house.machine,
        container_id=container, name=name, directory=str(directory), emit=voice,
    )  # fmt: skip
    undo.callback(house.forget, container)
    undo.callback(house.records.remove, container)
    undo.callback(snapshots.remove, directory)
    snapshot = snapshots.prepare(
        directory, found.trees, init=snapshots.init_beside(found.trees), emit=voice
    )
    if tree is not None:
        _begin_with(house, tree, directory, snapshot)
    points = furnish(house, request, defaults, container, snapshot, voice, undo)
    spec = replace(spec, points=points) if points else spec
    etcfiles.write(directory, spec.hostname, request.reach)
    kept = Kept(
        container, name, house.kernel.wall(), request, spec, snapshot, trees,
        found.row.stand_in, image=found.row.id, defaults=defaults,
        endpoints=endpoints,
    )  # fmt: skip
    house.keep(kept)
    voice(ContainerCreated(container, name, request.image, spec.argv))
    return kept


def _begin_with(house: House, tree: Path, directory: Path, snapshot: Snapshot) -> None:
    """Put into the empty layer what another one held at the moment to begin with."""
    with telling_full(house.root):
        policy = policy_here(is_single_user=house.machine.is_single_user)
        frames.fill(Path(snapshot.upper), tree, policy)
        snapshots.keep(directory)


def _stand(
    house: House, request: CreateRequest, container: str, voice: Voice, undo: ExitStack
) -> images.Found:
    """Find an image, and in the same moment keep others from sweeping its layers away."""
    undo.callback(house.step_off, container)
    with house.store.db.guard:
        found = images.find(house, request.image)
        house.stand_on(container, found.row.layers)
    said: tuple[str, ...] = ()
    if request.places.storage_options:  # whoever looks through its layers wants their names
        said = tuple(reversed(instructions(house, found)))
    # A gate may hold us, so not under the guard.
    images.tell(request.image, found, emit=voice, instructions=said)
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
            hang_up(self._house, process)


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
    outcome = life.outcome(condition)
    try:
        return outcome.status if life.until(outcome, timeout_s) else None
    finally:
        life.forget(outcome)
