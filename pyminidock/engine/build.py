"""The story of a build: a context and a Dockerfile become an image with a name.

    begin      the context comes in and is unpacked, the Dockerfile is read
    run        steps, one after the other; what is said goes to the client as it comes
    cancel     from any thread: what runs is killed, what was begun is undone

Whatever happens, nothing of a build stays but what it had finished: each image of a step
that was done, for the next build to find.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from typing import Any

from pyminidock.build import context, output
from pyminidock.build.bench import Bench
from pyminidock.build.foresight import foresight
from pyminidock.build.options import Options
from pyminidock.build.runs import RunFailed
from pyminidock.build.solve import Plan, build, plan
from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import parse
from pyminidock.dockerfile.places import place_of_failure
from pyminidock.dockerfile.stages import NoSuchTarget
from pyminidock.engine import images, removing
from pyminidock.engine.buildruns import BuildRunner
from pyminidock.engine.filters import FilterRefused, Filters, MomentRefused
from pyminidock.engine.house import House
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import CachePruned, Event, PathIgnored
from pyminidock.events.redaction import Given
from pyminidock.grammar.refs import Reference
from pyminidock.image.digest import Digest
from pyminidock.image.document import Image
from pyminidock.image.manifest import Platform
from pyminidock.image.platform import parse as parse_platform
from pyminidock.layers.archive import Stream
from pyminidock.layers.snapshots import remove_tree
from pyminidock.store.failpoints import reach
from pyminidock.store.files import telling_full
from pyminidock.store.images import ImageRow

_MOMENTS = ("until", "unused-for")
PRUNE_FILTERS = (*_MOMENTS, "id", "parent", "type", "description", "inuse", "shared",
                 "private")  # fmt: skip
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(slots=True)
class Building:
    """One build; `story` is its name."""

    house: House
    options: Options
    story: str
    _undo: ExitStack = field(default_factory=ExitStack)
    _cancelled: Flag = field(default_factory=Flag)
    _runner: BuildRunner | None = None
    _bench: Bench | None = None
    _plan: Plan | None = None
    _fault: MinidockError | None = None
    _voice: Voice | None = None
    _given: Given = field(default_factory=lambda: Given({}))
    _tell: Callable[[output.Message], object] = lambda _message: None

    def begin(self, stream: Stream | None, via: Via = NOBODY) -> None:
        """Take the context in and read the Dockerfile.

        `stream` is an archive, packed or not.  Raises a MinidockError; then nothing is
        left but the story that tells so.
        """
        house = self.house
        names = (images.new_name(tag).familiar for tag in self.options.tags)
        title = " ".join(("build", *(f"-t {name}" for name in names)))
        house.recorder.story(self.story, title)
        self._undo.callback(house.recorder.end, self.story)
        self._given = Given(self.options.arguments)
        try:
            self._voice = self._undo.enter_context(
                operation(house, self.story, "build", via, may_abort=True)
            )
            self._undo.enter_context(house.store.leases.lease(self.story))
            house.store.check_reserve()
            if self.options.platform:
                parse_platform(self.options.platform, _platform(house))
            with telling_full(house.root):
                self._read(stream)
        except BaseException as failure:
            self._close(failure)
            raise

    def _read(self, stream: Stream | None) -> None:
        house = self.house
        work = house.store.layers.place()
        self._undo.callback(_remove, work)
        reach("build.spool")
        place = work / "context"
        made = (
            context.empty(place) if stream is None
            else context.receive(stream, place, emit=self._emit)
        )  # fmt: skip
        self._undo.callback(made.close)
        reach("build.unpacked")
        path, text = context.dockerfile(made, self.options.dockerfile)
        dockerfile = parse(text, path)
        try:
            self._plan = plan(
                dockerfile, self.options.arguments, self.options.labels,
                self.options.target, builds_all=self.options.builds_all_stages,
            )  # fmt: skip
        except NoSuchTarget:
            raise
        except MinidockError as fault:
            self._fault = fault  # to Docker any other mistake here is a failed build
        voice = self._voice
        assert voice is not None  # noqa: S101  (begin made it)
        self._runner = BuildRunner(house, self.story, voice, self._emit)
        self._bench = Bench(
            house.store, made, self.options, self._runner, self._emit, self._say,
            house.kernel.wall, lambda: house.kernel.clock() - voice.held_s, self._find,
            _platform(house), work / "downloads", house.kernel.sync, voice.step,
            foresight(self._plan, made.shared, self.options),
        )  # fmt: skip
        self._undo.callback(self._bench.close)

    def run(self, tell: Callable[[output.Message], object]) -> str:
        """Build; give the id of the image, or "" after a failure, which is told.

        To be called once, after `begin`, from whatever thread.
        """
        self._tell = tell
        bench, planned = self._bench, self._plan
        try:
            if self._fault:
                raise self._fault
            assert bench and planned  # noqa: S101, PT018  (begin made them)
            for line in planned.dockerfile.warning_lines():
                tell(output.printed(f"{line}\n", is_error=True))
            image = build(bench, planned)
            names = self._name(image)
        except BaseException as failure:
            self._close(failure)
            if not isinstance(failure, MinidockError):
                told = failure.strerror if isinstance(failure, OSError) else ""
                kind = type(failure).__name__
                tell(output.Failed(f"the engine failed: {told or kind}"))
                raise
            code = failure.code if isinstance(failure, RunFailed) else 0
            what = "Build cancelled" if self._cancelled.is_set() else failure.what
            tell(output.Failed(
                what, code, failure.why, failure.try_next, self._caret(failure)
            ))  # fmt: skip
            return ""
        self._close(None)
        for said in output.success(image, names):
            tell(said)
        return image

    def cancel(self) -> None:
        """Stop as soon as possible, and undo what was begun."""
        self._cancelled.set()
        if self._runner:
            self._runner.abort()
        for gate in self.house.recorder.gates():
            if gate.story == self.story:
                gate.close()

    # ── What the build is lent ───────────────────────────────────────────────────────────

    def _emit(self, event: Event) -> None:
        """Tell an event of the story.  Raises BirthAborted after `cancel`."""
        assert self._voice is not None  # noqa: S101  (begin made it)
        self._voice.relay(self._given.hide(event))
        if self._runner:
            self._runner.refuse_if_aborted()

    def _say(self, message: output.Message) -> None:
        self._tell(message)

    def _find(self, reference: str) -> tuple[ImageRow, Image]:
        found = images.find(self.house, reference, emit=self._emit)
        return found.row, found.image

    def _name(self, image: str) -> list[str]:
        """Give the image its names; in the order in which they were asked for."""
        said = []
        for tag in self.options.tags:
            name: Reference = images.new_name(tag)
            images.give_name(self.house, image, name, emit=self._emit)
            said.append(name.familiar)
        reach("build.tagged")
        return said

    def _caret(self, failure: MinidockError) -> str:
        """Show where in the Dockerfile it failed, if that is known."""
        if isinstance(failure, DockerfileMalformed):
            return failure.caret()
        planned, bench = self._plan, self._bench
        if not planned or not bench or not bench.step:
            return ""
        step = planned.steps[bench.step - 1].step
        return place_of_failure(planned.dockerfile, step, failure.what).caret()

    def _close(self, failure: BaseException | None) -> None:
        """Undo and end the story; a refusal is told on the way."""
        kind = type(failure) if failure else None
        trace = failure.__traceback__ if failure else None
        try:
            self._undo.__exit__(kind, failure, trace)
        except BaseException as other:
            if other is not failure:
                raise


def start(house: House, options: Options, number: str = "") -> Building:
    """Prepare a build; `number` (hex) names its story, else a new one does."""
    return Building(house, options, f"build-{(number or house.kernel.new_id())[:12]}")


def open_story(
    house: House, title: str = "build", left_out: Iterable[PathIgnored] = ()
) -> str:
    """Open the story of a build to come; give the number that `start` is to be given.

    It begins with what the client told of its side: `left_out` of the context.
    """
    number = house.kernel.new_id()[:12]
    story = f"build-{number}"
    house.recorder.story(story, title)
    voice = house.recorder.operation(story, "context")
    for event in left_out:
        voice(event)
    return number


def close_story(house: House, number: str) -> None:
    """Close a story that was opened for a build which never began."""
    if number:
        house.recorder.end(f"build-{number}")


def _remove(work: Path) -> None:
    """Remove what a build had unpacked and fetched; most have done neither."""
    if work.exists():
        remove_tree(work)


def _platform(house: House) -> Platform:
    arch = house.machine.arch
    return Platform("linux", _ARCHITECTURES.get(arch, arch))


def prune(
    house: House, said: Mapping[str, Any] | None = None, *, everything: bool = False
) -> tuple[tuple[Digest, ...], int]:
    """Remove images of steps that no name leads to; with `everything` forget all steps.

    What RUN --mount=type=cache has kept goes, too.  Gives what went, and its bytes.  What a
    build uses at this moment stays.  `said`: filters; of `until` the images are narrowed
    down, and what only BuildKit's records have is in none of ours.
    Raises FilterRefused.
    """
    wanted = _prune_filters(said or {})
    if any(wanted.has(name) for name in PRUNE_FILTERS if name not in _MOMENTS):
        return (), 0
    moments = [each for name in _MOMENTS for each in wanted.values(name)]
    only = {"until": moments} if moments else {}
    gone = removing.prune(house, only, told=CachePruned)
    if moments:
        return _ids(gone), gone.size_bytes
    cleared_bytes = house.store.caches.clear()
    if everything:
        house.store.cache.clear()
    return _ids(gone), gone.size_bytes + cleared_bytes


def _ids(gone: removing.Pruned) -> tuple[Digest, ...]:
    return tuple(record["Deleted"] for record in gone.records if "Deleted" in record)


def _prune_filters(said: Mapping[str, Any]) -> Filters:
    """Read the filters; they count as the client's fault.  Raises FilterRefused."""
    words = "failed to prune build cache: "
    try:
        wanted = Filters(said, PRUNE_FILTERS)
    except MomentRefused as fault:
        words += "\"until\" filter expects a duration (e.g., '24h') or a timestamp: "
        raise FilterRefused(
            words + fault.what, why=fault.why, try_next=fault.try_next, lesson=fault.lesson
        ) from fault
    except FilterRefused as fault:
        fault.what = words + fault.what
        raise
    if sum(len(wanted.values(name)) for name in _MOMENTS) > 1:
        raise wanted.refused(f"{words}filters expect only one value")
    return wanted
