"""What one stop of the tour says: its reason, its lines, and the event that fired it.

    container/plan.py                                     8 of 32 · Decide first, as data
    The whole birth, in order

    If you read one page of this engine, read this one …

      57  def start_plan(
      …
    ► 152     voice(PlanMade(…))

    fired by step 10, plan.made, told at engine/starting.py:152:
      The birth is planned: 98 calls

A stop and what was seen of it go in, painted lines come out; text for a pipe is the same
lines without colour.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyminidock.cli.tour_live import Seen
from pyminidock.course.tour import Passage, Stop
from pyminidock.viz.painters.text import Line, Span, columns, cut, wrap
from pyminidock.viz.sentences import say, visible

_GAP = "      ⋮"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One stop as it is shown: `number` of `total`, its lines, what was seen of it."""

    number: int
    total: int
    stop: Stop
    passages: Sequence[Passage]
    seen: Seen | None

    @property
    def marked(self) -> int:
        """The line that told the event, if it is a line of the file that is shown."""
        path, _, line = (self.seen.record.src if self.seen else "").rpartition(":")
        return int(line) if path == self.stop.file and line.isdigit() else 0


def heading(leaf: Leaf, width: int) -> Line:
    """Name the file, the chapter, and where in the tour this is."""
    right = f"{leaf.number} of {leaf.total} · {leaf.stop.chapter} "
    left = cut(f" {leaf.stop.file}", max(width - columns(right) - 1, 8))
    gap = " " * max(width - columns(left) - columns(right), 1)
    return (Span(left, "title"), Span(gap), Span(cut(right, width), "title"))


def reason(leaf: Leaf, width: int) -> Iterator[Line]:
    """Say why these lines matter."""
    yield (Span(leaf.stop.title, "title"),)
    yield ()
    yield from ((Span(line),) for line in wrap(leaf.stop.why, width))


def lines(leaf: Leaf, width: int) -> Iterator[Line]:
    """Show the source, the line that told the event marked."""
    digits = len(str(max(passage.last for passage in leaf.passages)))
    for number, passage in enumerate(leaf.passages):
        if number:
            yield (Span(_GAP, "dim"),)
        for at, text in enumerate(passage.lines, passage.first):
            is_marked = at == leaf.marked
            lead = f"{'►' if is_marked else ' '} {at:>{digits}}  "
            shown = cut(visible(text), max(width - columns(lead), 1))
            yield (Span(lead, "marked" if is_marked else "dim"),
                   Span(shown, "marked" if is_marked else ""))  # fmt: skip


def fired(leaf: Leaf, width: int) -> Iterator[Line]:
    """Say which event brought us here, and whether the engine stands still at it."""
    if leaf.seen is None:
        kinds = " or ".join(leaf.stop.kinds)
        yield (Span(cut(f"not told here: {kinds} (see minidock doctor)", width), "dim"),)
        return
    record = leaf.seen.record
    lead = "held now at" if leaf.seen.is_held else "fired by"
    where = "the line above" if record.src and _is_shown(leaf) else record.src
    said = f"{lead} step {leaf.seen.number}, {record.kind}, told by {visible(where)}:"
    yield (Span(cut(said, width), "badge" if leaf.seen.is_held else "dim"),)
    for line in wrap(say(record, 1), width - 2)[:3]:
        yield (Span("  " + line, "hit"),)
    if leaf.seen.pid:
        look = f"  process {leaf.seen.pid} stands there: ls /proc/{leaf.seen.pid}/root/"
        yield (Span(cut(look, width), "command"),)


def _is_shown(leaf: Leaf) -> bool:
    return any(each.first <= leaf.marked <= each.last for each in leaf.passages)


def as_text(leaf: Leaf, width: int) -> str:
    """Give the whole stop as text, for a pipe."""
    whole = [
        heading(leaf, width), (), *reason(leaf, width), (), *lines(leaf, width), (),
        *fired(leaf, width),
    ]  # fmt: skip
    return "\n".join("".join(span.text for span in line).rstrip() for line in whole)
