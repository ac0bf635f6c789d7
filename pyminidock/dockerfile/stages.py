"""Stages: several images in one file, and who takes files from whom.

    FROM golang AS build          0  build
    RUN make
    FROM busybox AS docs          1  docs     nobody needs it for the target
    FROM scratch                  2           needs build, by name or by number
    COPY --from=build /app /

A name means a stage if one is called so, else an image.  FROM looks upwards only; COPY and
RUN --mount may look down, as in BuildKit, as long as nobody waits for himself.

Source: docker-build-and-api 1.5, 1.6; buildkit 0.13, frontend/dockerfile/dockerfile2llb.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pyminidock.dockerfile.arguments import Arguments
from pyminidock.dockerfile.gotext import quote
from pyminidock.dockerfile.instructions import Arg, Copy, From, Instruction, Run
from pyminidock.dockerfile.malformed import DockerfileMalformed, Fault
from pyminidock.dockerfile.mounts import check_mount
from pyminidock.dockerfile.parse import Dockerfile
from pyminidock.dockerfile.places import place_of_word
from pyminidock.dockerfile.substitute import substitute

SCRATCH = "scratch"
_WHY_STAGE = "a stage is called by the name behind AS, or by its place, from 0"


class NoSuchTarget(DockerfileMalformed):
    """No stage has the name that was asked for."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it; other stages are named by their place in the file."""

    index: int
    start: From  # its base and platform filled in; nothing may be left of them
    base_as_written: str
    steps: tuple[Instruction, ...] = ()
    base: int | None = None  # the stage that FROM names; None is an image, or scratch
    sources: Mapping[str, int] = field(default_factory=dict)  # what --from says → stage

    @property
    def name(self) -> str:
        """The name behind AS, or nothing."""
        return self.start.name

    @property
    def needs(self) -> frozenset[int]:
        """The stages that must be built before this one."""
        own = frozenset() if self.base is None else frozenset((self.base,))
        return own | frozenset(self.sources.values())

    @property
    def images(self) -> tuple[str, ...]:
        """The images that it copies from, as written, in order."""
        spoken = (name for step in self.steps for name in _spoken(step))
        return tuple(dict.fromkeys(name for name in spoken if name not in self.sources))


def stages(
    dockerfile: Dockerfile, build_arguments: Mapping[str, str | None] | None = None
) -> tuple[Stage, ...]:
    """Cut a file into stages and tell who needs whom; none for a file of ARGs alone.

    `build_arguments` is --build-arg: a FROM may depend on it.
    Raises DockerfileMalformed and SubstitutionFailed.
    """
    arguments = before_from(dockerfile, build_arguments)
    cut: list[list[Instruction]] = []
    for step in dockerfile.instructions:
        if isinstance(step, From):
            cut.append([step])
        elif cut:
            cut[-1].append(step)
    names = _names(dockerfile, cut)
    made: list[Stage] = []
    for index, (start, *steps) in enumerate(cut):
        assert isinstance(start, From)  # noqa: S101  (so it was cut)
        filled = substitute(start, arguments.for_from(), dockerfile.escape)
        assert isinstance(filled, From)  # noqa: S101  (substitute keeps the kind)
        found = names.get(filled.base.lower(), index)
        base = found if found < index else None
        sources = dict(_sources(dockerfile, steps, index, names, len(cut)))
        made.append(Stage(index, filled, start.base, tuple(steps), base, sources))
    _refuse_circles(dockerfile, made)
    return tuple(made)


def before_from(
    dockerfile: Dockerfile, build_arguments: Mapping[str, str | None] | None = None
) -> Arguments:
    """Take the ARGs above the first FROM; what each of them may name stands above it."""
    arguments = Arguments(given=build_arguments or {})
    for step in dockerfile.instructions:
        if not isinstance(step, Arg):
            break
        filled = substitute(step, arguments.for_words({}), dockerfile.escape)
        assert isinstance(filled, Arg)  # noqa: S101  (substitute keeps the kind)
        arguments = arguments.declare_before_from(filled)
    return arguments


def find_target(made: Sequence[Stage], target: str = "") -> int:
    """The stage to build: by name, in any case, or the last one.

    A number is no name here, as in Docker.  Raises NoSuchTarget.
    """
    if not target:
        return len(made) - 1
    for stage in made:
        if stage.name and stage.name == target.lower():
            return stage.index
    names = ", ".join(stage.name for stage in made if stage.name)
    raise NoSuchTarget(
        f"target stage {quote(target)} could not be found",
        why="--target is the name behind AS of one FROM",
        try_next=f"the stages here are {names}"
        if names
        else "give the FROM a name: AS build",
    )


def needed(made: Sequence[Stage], target: int) -> frozenset[int]:
    """The stages that `target` cannot be built without, itself included."""
    found: set[int] = set()
    waiting = [target]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(made[index].needs)
    return frozenset(found)


def in_order(made: Sequence[Stage], chosen: frozenset[int]) -> tuple[int, ...]:
    """The chosen stages so that each comes behind what it needs, else as in the file."""
    done: dict[int, None] = {}
    for index in sorted(chosen):
        waiting = [index]
        while waiting:
            top = waiting[-1]
            open_needs = sorted(made[top].needs - done.keys(), reverse=True)
            if open_needs:
                waiting.extend(open_needs)
            else:
                done[waiting.pop()] = None
    return tuple(index for index in done if index in chosen)


# ── Names and numbers ────────────────────────────────────────────────────────────────────


def _names(dockerfile: Dockerfile, cut: Sequence[Sequence[Instruction]]) -> dict[str, int]:
    names: dict[str, int] = {}
    for index, (start, *_) in enumerate(cut):
        name = start.name if isinstance(start, From) else ""
        if name in names:
            what = f"{name} stage name already used"
            raise _fault(dockerfile, start, what, f"{name} is stage {names[name]}", name)
        if name:
            names[name] = index
    return names


def _spoken(step: Instruction) -> Iterator[str]:
    """What a step says in --from, or in the from of its mounts."""
    if isinstance(step, Copy) and step.from_name:
        yield step.from_name
    if isinstance(step, Run):
        yield from filter(None, map(check_mount, step.mounts))


def _sources(
    dockerfile: Dockerfile,
    steps: Sequence[Instruction],
    index: int,
    names: Mapping[str, int],
    count: int,
) -> Iterator[tuple[str, int]]:
    """Pairs of what is said and which stage that is; images are left out."""
    for step in steps:
        try:
            for name in _spoken(step):
                found = _resolve(name, index, names, count)
                if found is not None:
                    yield name, found
        except Fault as fault:
            raise _fault(dockerfile, step, fault.message, fault.why, fault.word) from fault


def _resolve(name: str, index: int, names: Mapping[str, int], count: int) -> int | None:
    if re.fullmatch(r"[+-]?[0-9]{1,18}", name):
        number = int(name)
        if number == index:
            fault = f"invalid from flag value {name}: refers to current build stage"
            raise Fault(fault, _WHY_STAGE, name)
        if not 0 <= number < count:
            raise Fault(
                f"invalid from flag value {name}: index out of bounds", _WHY_STAGE, name
            )
        return number
    return names.get(name.lower())


def _refuse_circles(dockerfile: Dockerfile, made: Sequence[Stage]) -> None:
    """Refuse stages that wait for each other.

    Whoever needs nobody is taken away, again and again; who is left waits in a circle, or
    for one.
    """
    missing = {stage.index: len(stage.needs) for stage in made}
    needed_by: dict[int, list[int]] = {}
    for stage in made:
        for index in stage.needs:
            needed_by.setdefault(index, []).append(stage.index)
    ready = [index for index, count in missing.items() if not count]
    while ready:
        done = ready.pop()
        del missing[done]
        for index in needed_by.get(done, ()):
            missing[index] -= 1
            if not missing[index]:
                ready.append(index)
    if missing:
        stage = made[min(missing)]
        raise _fault(
            dockerfile,
            stage.start,
            f"circular dependency detected on stage: {stage.name or stage.index}",
            "each of these stages would have to be ready before the other",
            stage.name,
        )


def _fault(
    dockerfile: Dockerfile, step: Instruction, what: str, why: str, word: str
) -> DockerfileMalformed:
    """Put a message at `word` in the lines of `step`."""
    return DockerfileMalformed(what, why=why, place=place_of_word(dockerfile, step, word))
