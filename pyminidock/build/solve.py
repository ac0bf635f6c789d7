"""A build from its first step to its last: stages in order, the cache asked at each step.

    Dockerfile ──► stages ──► those that the target needs
                                  │ for each instruction
                                  ▼
    fill in words ─► outcome ─► key ─┬─ known? ──► its image            CacheHit
                                     └─ do it, commit ──► new image     CacheMissed, why

After one miss in a stage nothing more is looked up until its end, as in Docker: a step that
stands on a new image cannot have been done before.  What is printed is the classic
builder's text; what is told are events.

Source: moby, builder/dockerfile/{builder,evaluator,imageprobe}.go; measured on 26.1.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache

from pyminidock.build import output
from pyminidock.build.bench import Bench
from pyminidock.build.carrying import carry_out
from pyminidock.build.runs import RunFailed
from pyminidock.build.stage import PATH, Standing, split, with_variable
from pyminidock.build.wayin import invitation, way_in
from pyminidock.dockerfile.arguments import Arguments, unused_warning
from pyminidock.dockerfile.instructions import Arg, Instruction, Label, Span
from pyminidock.dockerfile.parse import SMALL, Dockerfile, parse_trigger
from pyminidock.dockerfile.stages import (
    SCRATCH,
    Stage,
    before_from,
    find_target,
    in_order,
    needed,
    stages,
)
from pyminidock.errors import MinidockError
from pyminidock.events import (
    BuildFailed,
    ImageBuilt,
    InstructionParsed,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from pyminidock.image.digest import Digest
from pyminidock.image.document import Image
from pyminidock.image.manifest import Platform
from pyminidock.image.platform import PlatformMalformed, familiar
from pyminidock.image.platform import parse as parse_platform
from pyminidock.store.failpoints import reach
from pyminidock.store.files import telling_full

_SKIPPED = "skipped: no stage needs it"


class NothingBuilt(MinidockError):
    """A Dockerfile came to its end without an image."""

    status = 400


class BaseUnusable(MinidockError):
    """What a FROM names cannot be the base."""

    status = 400


@dataclass(frozen=True, slots=True)
class Numbered:
    """One step of the whole file: a stage is None for an ARG before the first FROM.

    What is told when it is read and when it begins, and printed, is the same each time.
    """

    number: int
    step: Instruction
    stage: Stage | None
    parsed: InstructionParsed
    started: StepStarted
    printed: tuple[output.Text, output.Text]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What will be built: all steps up to the target, and the stages that it needs."""

    dockerfile: Dockerfile
    steps: tuple[Numbered, ...]
    stages: tuple[Stage, ...]
    target: int
    wanted: tuple[int, ...]  # in the order in which they are built
    arguments: Arguments

    @property
    def total(self) -> int:
        """How many steps there are."""
        return len(self.steps)


def plan(
    dockerfile: Dockerfile, arguments: Mapping[str, str | None], labels: Mapping[str, str],
    target: str = "", *, builds_all: bool = False,
) -> Plan:  # fmt: skip
    """Decide which stages are built, before anything is.

    Raises DockerfileMalformed, SubstitutionFailed.
    """
    if arguments or labels or len(dockerfile.text) > SMALL:  # what was given is not kept
        return _plan(dockerfile, arguments, labels, target, builds_all)
    return _plan_again(dockerfile, target, builds_all)


@lru_cache(maxsize=32)
def _plan_again(dockerfile: Dockerfile, target: str, builds_all: bool) -> Plan:
    return _plan(dockerfile, {}, {}, target, builds_all)


def _plan(
    dockerfile: Dockerfile, arguments: Mapping[str, str | None], labels: Mapping[str, str],
    target: str, builds_all: bool,
) -> Plan:  # fmt: skip
    found = stages(dockerfile, arguments)
    chosen, at = frozenset[int](), -1
    if found:
        at = find_target(found, target)
        chosen = needed(found, at)
        found = found[: max(chosen) + 1]
        extra = (_label(name, labels[name]) for name in sorted(labels))
        last = replace(found[at], steps=(*found[at].steps, *extra))
        found = (*found[:at], last, *found[at + 1 :])
    if builds_all:
        chosen = frozenset(range(len(found)))
    steps = [*_in_file(dockerfile, found)]
    numbered = (
        _numbered(number, len(steps), *each) for number, each in enumerate(steps, start=1)
    )
    return Plan(
        dockerfile, tuple(numbered), found, at, in_order(found, chosen),
        before_from(dockerfile, arguments),
    )  # fmt: skip


def _label(name: str, value: str) -> Label:
    """Make an instruction of a --label; without a line, for it stands in no file."""
    return Label(((name, value),), span=Span(0, 0), text=f"LABEL {name}={value}")


def _in_file(
    dockerfile: Dockerfile, found: Sequence[Stage]
) -> Iterator[tuple[Instruction, Stage | None]]:
    """Give the steps in their order: ARGs before FROM, then each FROM and what follows."""
    for step in dockerfile.instructions:
        if not isinstance(step, Arg):
            break
        yield step, None
    for stage in found:
        for step in (stage.start, *stage.steps):
            yield step, stage


def _numbered(number: int, total: int, step: Instruction, stage: Stage | None) -> Numbered:
    name = (stage.name or str(stage.index)) if stage else ""
    text, span = step.text, step.span
    return Numbered(
        number, step, stage, InstructionParsed(number, name, text, span.first, span.last),
        StepStarted(number, total, name, text, span.first),
        output.step(number, total, text),
    )  # fmt: skip


def build(bench: Bench, planned: Plan) -> Digest:
    """Build all that is wanted; give the image of the target.

    What fails is told, with the way in, and raised again.
    """
    for each in planned.steps:
        bench.emit(each.parsed)
    reach("build.parsed")
    run = _Run(bench, planned)
    try:
        with telling_full(bench.store.root):
            return run.all()
    except MinidockError as failure:
        with suppress(MinidockError):  # what went wrong first is what counts
            bench.diary.close()
        code = failure.code if isinstance(failure, RunFailed) else 0
        enter = way_in(run.standing)
        if isinstance(failure, RunFailed) and run.standing and enter:
            seen = run.standing.arguments.visible(run.standing.environment)
            bench.tell(output.Text(invitation(enter, sorted(seen))))
        bench.emit(BuildFailed(bench.step, failure.what, code, enter))
        raise


class _Run:
    """One build that is going on; `standing` is where the present stage is."""

    def __init__(self, bench: Bench, planned: Plan) -> None:
        self.bench, self.plan = bench, planned
        self.standing: Standing | None = None
        self._passed: set[int] = set()  # stages that were built, or told as skipped

    def all(self) -> Digest:
        for each in self.plan.steps:
            if each.stage is None:
                self._argument(each)
        for index in self.plan.wanted:
            self._skip(range(index))
            self._stage(self.plan.stages[index])
        self._skip(range(len(self.plan.stages)))
        image = self.bench.stages[self.plan.target].image if self.plan.stages else ""
        if not image:
            raise NothingBuilt(
                "No image was generated. Is your Dockerfile empty?",
                why="without a step on top of FROM scratch there is nothing to keep",
                try_next="add a COPY, or a setting such as CMD",
                lesson="dockerfile",
            )
        for warning in filter(None, (unused_warning(self._unused()),)):
            self.bench.tell(output.Text(f"{warning}\n"))
        return image

    def _unused(self) -> tuple[str, ...]:
        """Name the build arguments that no ARG asked for, in whatever stage."""
        asked = set(self.plan.arguments.mentioned)
        for each in self.plan.steps:
            if isinstance(each.step, Arg):
                asked |= {name for name, _ in each.step.pairs}
        left = replace(self.plan.arguments, mentioned=frozenset(asked))
        return left.unused()

    # ── Steps that do nothing ────────────────────────────────────────────────────────────

    def _argument(self, each: Numbered) -> None:
        self._announce(each)
        self.bench.emit(StepFinished(each.number, "", 0, was_cached=False))

    def _skip(self, indices: range) -> None:
        """Tell the steps of stages that nobody needs."""
        for index in indices:
            if index in self._passed or index in self.plan.wanted:
                continue
            self._passed.add(index)
            for each in self._of(index):
                text, total = each.step.text, self.plan.total
                for said in output.step(each.number, total, text, note=_SKIPPED):
                    self.bench.tell(said)
                self.bench.emit(StepSkipped(
                    each.number, total, each.started.stage, text, each.step.span.first
                ))  # fmt: skip

    def _of(self, index: int) -> list[Numbered]:
        return [
            each for each in self.plan.steps if each.stage and each.stage.index == index
        ]

    def _announce(self, each: Numbered, trigger: str = "") -> None:
        bench = self.bench
        bench.step = each.number
        if trigger:
            bench.emit(replace(each.started, text=trigger))
            return
        for said in each.printed:
            bench.tell(said)
        bench.emit(each.started)

    # ── Stages ───────────────────────────────────────────────────────────────────────────

    def _stage(self, stage: Stage) -> None:
        self._passed.add(stage.index)
        bench = self.bench
        bench.sources = stage.sources
        first, *rest = self._of(stage.index)
        with bench.nest("step"):
            began = bench.clock()
            self._announce(first)
            standing = self._begin(stage, first)
            bench.tell(output.arrow(standing.image))
            spent = round((bench.clock() - began) * 1000)
            bench.emit(StepFinished(first.number, standing.image, spent, was_cached=False))
        for each in rest:
            with bench.nest("step"):
                self._announce(each)
                self.standing = standing = carry_out(bench, standing, each.step)
                bench.tell(output.arrow(standing.image))
        bench.check(standing.image)
        bench.diary.close()
        bench.stages[stage.index] = standing
        if standing.image:
            bench.emit(ImageBuilt(first.started.stage, standing.image))
            bench.tell(output.StageDone(standing.image))
        self.standing = None

    def _begin(self, stage: Stage, first: Numbered) -> Standing:
        """Stand on the base of a stage, and do what it left for whoever builds on it."""
        standing = self._base(stage)
        self.bench.tell_layers(standing.layers)
        triggers = standing.config.on_build
        known = self.bench.foresight.entered(stage.index, standing)
        entered = known or self._entered(standing)
        self.bench.foresight.note_entered(stage.index, standing, entered)
        standing = entered
        self.standing = standing
        later = (each.step.text for each in self._of(stage.index)[1:])
        self.bench.open_diary(first.started.stage, (*triggers, *later))
        if triggers:
            self.bench.tell(output.triggers(len(triggers)))
        for text in triggers:
            with self.bench.nest("trigger"):
                self._announce(first, f"ONBUILD {text}")
                self.standing = standing = carry_out(
                    self.bench, standing, replace(parse_trigger(text), text=text)
                )
        return standing

    def _entered(self, base: Standing) -> Standing:
        """Say what is true at the beginning of a stage on this base."""
        environment = base.config.environment
        if all(split(variable)[0] != "PATH" for variable in environment):
            environment = with_variable(environment, *split(PATH))
        config = replace(base.config, environment=environment, on_build=(), switches=())
        return replace(
            base.with_config(config),
            arguments=self.plan.arguments.enter_stage(),
            escape=self.plan.dockerfile.escape,
            has_command=False, was_redone=False, author="",
        )  # fmt: skip

    def _base(self, stage: Stage) -> Standing:
        wanted = stage.start.platform or self.bench.options.platform
        platform = self._platform(wanted) if wanted else None
        if not stage.start.base.strip():
            raise BaseUnusable(
                f"base name ({stage.base_as_written}) should not be blank",
                why="the variables in it are empty: only ARGs before FROM are seen there",
                try_next="ARG TAG=latest, above the FROM",
                lesson="dockerfile",
            )
        if stage.base is not None:
            return self.bench.stages[stage.base]
        if stage.start.base == SCRATCH:
            here = platform or self.bench.platform
            empty = Image(architecture=here.architecture, os=here.os, variant=here.variant)
            return Standing("", empty, (), 0, Arguments())
        standing = self.bench.standing_of(stage.start.base)
        document = standing.document
        actual = Platform(document.os, document.architecture, document.variant)
        if platform and (platform.os, platform.architecture) != (
            actual.os, actual.architecture
        ):  # fmt: skip
            raise BaseUnusable(
                f"image with reference {stage.start.base} was found but does not match the "
                f"specified platform: wanted {familiar(platform)}, actual: "
                f"{familiar(actual)}",
                why="an image of another processor would not run here",
                try_next="build without --platform",
                lesson="images",
            )
        return standing

    def _platform(self, text: str) -> Platform:
        try:
            return parse_platform(text, self.bench.platform)
        except PlatformMalformed as fault:
            raise BaseUnusable(
                f"failed to parse platform {text}: {fault.what}",
                why=fault.why, try_next=fault.try_next, lesson=fault.lesson,
            ) from fault  # fmt: skip
