"""How fast images are built, loaded and committed, side by side with Docker.

Every contender gets the same bytes, does everything anew, and has its result run and
compared before it is believed: an engine that does nothing would be fast.  Contenders take
turns, so a machine that slows down slows all of them.
"""

import itertools
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.bench import buildx, payloads
from tests.bench.dockerimages import DockerImages
from tests.bench.ourimages import OurImages
from tests.bench.ours import Ours
from tests.bench.show import Verdict, write
from tests.reference import running_reference


class Engine(Protocol):
    """What a contender belongs to."""

    def output(self, command: tuple[str, ...]) -> str:
        """Run a program in the image."""

    def forget(self) -> None:
        """Remove the image."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to make the image; ours is to be `goal` times as fast."""

    name: str
    engine: Engine
    make: Callable[[bytes], float]
    goal: float = 0.0


@dataclass(frozen=True, slots=True)
class Race:
    """One thing to be done, and by whom: ours is the first contender.

    `answer` is what `command` has to print in the image then.
    """

    name: str
    rounds: int
    payload: Callable[[int], bytes]  # of a number that comes once
    answer: Callable[[int], str]
    contenders: tuple[Contender, ...]
    command: tuple[str, ...] = payloads.PROOF


def races(ours: OurImages, docker: DockerImages, *, has_buildkit: bool) -> tuple[Race, ...]:
    """List what is measured, with the goals."""
    many = payloads.many
    buildkit = Contender("buildkit", docker, docker.buildx, 2.0)
    return (
        Race("ten steps, cold", 5, payloads.ten_steps, payloads.answer_of_ten_steps, (
            Contender("ours", ours, ours.build),
            Contender("classic", docker, docker.build, 4.0),
            *([buildkit] if has_buildkit else []),
        ), command=()),
        Race("ten steps, cached", 15, payloads.ten_steps, payloads.answer_of_ten_steps, (
            Contender("ours", ours, ours.rebuild),
            Contender("classic", docker, docker.rebuild, 3.0),
        ), command=()),
        Race("10,000 files, cached", 1, payloads.copy_many, _proof(many), (
            Contender("ours", ours, ours.rebuild),
            Contender("classic", docker, docker.rebuild, 3.0),
        )),
        Race("COPY of 10,000 files", 3, payloads.copy_many, _proof(many), (
            Contender("ours", ours, ours.build),
            Contender("classic", docker, docker.build, 3.0),
        )),
        Race("RUN writes 10,000 files", 3, payloads.run_many,
             _proof(payloads.written_by_run), (
            Contender("ours", ours, ours.build),
            Contender("classic", docker, docker.build, 2.0),
        )),
        Race("load 10,000 files", 7, payloads.image_of_many, _proof(many), (
            Contender("ours", ours, ours.load),
            Contender("dockerd", docker, docker.load, 4.0),
        )),
        Race("commit 10,000 files", 7, payloads.layer_of_many, _proof(many), (
            Contender("ours", ours, ours.commit_ended),
            Contender("ours, goes on", ours, ours.commit),
            Contender("dockerd", docker, docker.commit, 6.0),
        )),
    )  # fmt: skip


def _proof(files: Callable[[int], Mapping[str, bytes]]) -> Callable[[int], str]:
    return lambda number: payloads.proof_of(files(number))


@dataclass(frozen=True, slots=True)
class Timed:
    """What one contender took in one race: milliseconds of each counted round."""

    race: str
    contender: Contender
    ms: list[float] = field(default_factory=list)


def measure(place: Path, word: str = "") -> list[list[Timed]]:
    """Hold the races whose names have `word`, with both engines' data in `place`."""
    with ExitStack() as stack:
        (place / "docker").mkdir()
        reference = stack.enter_context(running_reference(place / "docker"))
        if absence := buildx.furnish(reference.state):
            write(f"BuildKit does not take part: {absence}")
        ours = stack.enter_context(Ours.started(place / "ours"))
        found = races(
            OurImages(ours.house), DockerImages(reference), has_buildkit=not absence
        )
        numbers = itertools.count(1)  # no two payloads are the same
        return [_hold(race, numbers) for race in found if word in race.name]


def _hold(race: Race, numbers: Iterator[int]) -> list[Timed]:
    """Let the contenders take turns."""
    figures = [Timed(race.name, each) for each in race.contenders]
    for _ in range(race.rounds):
        number = next(numbers)
        payload, expected = race.payload(number), race.answer(number)
        for timed in figures:
            engine = timed.contender.engine
            timed.ms.append(timed.contender.make(payload) * 1000)
            found = engine.output(race.command)
            assert found == expected, f"{race.name}, {timed.contender.name}: {found!r}"
            engine.forget()
    return figures


def show(results: list[list[Timed]]) -> None:
    """Print the table; a ratio is the median of the rounds' own ratios."""
    write(f"\n{'images':24} {'':14} {'min ms':>8} {'median':>8} {'x ours':>8}")
    for ours, *others in results:
        for timed in (ours, *others):
            name = timed.race if timed is ours else ""
            median = statistics.median(timed.ms)
            write(f"{name:24} {timed.contender.name:14} {min(timed.ms):8.1f} {median:8.1f}"
                  f" {ratio(timed, ours):8.1f}")  # fmt: skip


def ratio(timed: Timed, ours: Timed) -> float:
    """Say how many times as long it took as ours, round by round."""
    pairs = zip(timed.ms, ours.ms, strict=True)
    return statistics.median(theirs / own for theirs, own in pairs)


def verdicts(results: list[list[Timed]]) -> list[Verdict]:
    """Compare with the goals."""
    found = []
    for ours, *others in results:
        for timed in others:
            goal, times = timed.contender.goal, ratio(timed, ours)
            if goal:
                text = f"{timed.race}: {timed.contender.name} {times:.1f} times ours"
                found.append(Verdict(f"{text} (goal {goal:.0f})", times >= goal))
    return found
