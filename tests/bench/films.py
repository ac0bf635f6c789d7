"""How long it takes to make the film of a long story, and whether length makes it slower.

Three stories: a build that writes many names, a build that prints many lines, a container
in which programs are started again and again.  The film of each is made short and ten times
as long; what one event costs has to stay the same, and it is compared with what it costs to
read the event's line back, so that the figure means the same on any machine.
"""

import json
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import process_time

from pyminidock.events.journal import Record, from_line, to_line
from pyminidock.viz.film import Reel
from tests.bench.show import Verdict, write
from tests.viz.films import LONG

SHORT, TIMES = 1_000, 10
MOST_GROWTH = 1.5  # of what one event costs, ten times as far into a story
MOST_LINES = 60  # readings of its line that an event's frame may cost
MOST_BYTES = 3_000  # of JSON, for each event


@dataclass(frozen=True, slots=True)
class Point:
    """What one event of a story costs: microseconds, and bytes of its frame."""

    story: str
    events: int
    read_us: float  # its line, back into a record
    film_us: float
    size_bytes: float
    peak_kib: int  # of this process, afterwards


def measure() -> list[Point]:
    """Film each story, short and long."""
    return [
        _point(name, make(events))
        for name, make in LONG.items() for events in (SHORT, SHORT * TIMES)
    ]  # fmt: skip


def _point(name: str, records: Sequence[Record]) -> Point:
    lines = [to_line(record) for record in records]
    began = process_time()
    for line in lines:
        from_line(line)
    read = process_time()
    written = sum(len(json.dumps(frame)) for frame in Reel().frames(records))
    filmed = process_time()
    each = 1_000_000 / len(records)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Point(name, len(records), (read - began) * each, (filmed - read) * each,
                 written / len(records), peak_kib)  # fmt: skip


def show(points: Iterable[Point]) -> None:
    """Print what one event costs."""
    write(
        f"\n{'films':10} {'events':>8} {'µs':>8} {'lines read':>11} {'bytes':>8} {'MiB':>6}"
    )
    for each in points:
        write(
            f"{each.story:10} {each.events:8,} {each.film_us:8.0f}"
            f" {each.film_us / each.read_us:11.1f} {each.size_bytes:8.0f}"
            f" {each.peak_kib / 1024:6.0f}"
        )


def verdicts(points: Sequence[Point]) -> list[Verdict]:
    """Say whether an event costs as much at the end of a long story as in a short one."""
    found = []
    for short, long in zip(points[::2], points[1::2], strict=True):
        growth, lines = long.film_us / short.film_us, long.film_us / long.read_us
        text = (
            f"{long.story}: {TIMES} times the events cost {growth:.2f} times as much each"
        )
        found.append(Verdict(f"{text} (goal {MOST_GROWTH})", growth <= MOST_GROWTH))
        text = f"{long.story}: a frame costs {lines:.0f} readings of its line"
        found.append(Verdict(f"{text} (goal {MOST_LINES})", lines <= MOST_LINES))
        text = f"{long.story}: a frame has {long.size_bytes:.0f} bytes"
        found.append(Verdict(f"{text} (goal {MOST_BYTES})", long.size_bytes <= MOST_BYTES))
    return found
