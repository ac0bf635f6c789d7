"""`minidock trace show`: a story as lines of text, or as the JSON lines it was made of.

    run busybox echo hi   [REPLAY of REAL]  2026-01-01T00:00:00Z
       9   0.009 ✓   An account for resources is opened
      10   0.010 ✓   A budget is set: memory.limit_in_bytes = 67108864

Each line has the number of the step in its story, seconds since it began, how we know, and
the sentence, indented by how deep the step lies within others.  With `--at FILE:LINE` only
the steps that one line (or one file) of the engine told: from a line of source to
everything it ever did.

A build is read instruction by instruction, with an empty line before each.  How the
container of a RUN is born is one line of it, and a hundred at the third depth.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record, Trace, header_to_line, to_line
from pyminidock.viz import english
from pyminidock.viz.buildwords import several
from pyminidock.viz.painters.text import cut
from pyminidock.viz.sentences import say, visible
from pyminidock.viz.views.steps import label


class NothingToldThere(MinidockError):
    """No step of the story was told by that line."""

    status = 404


def text_lines(
    trace: Trace,
    *,
    at: str | None = None,
    depth: int = 1,
    width: int = 100,
    shows_linux: bool = False,
) -> Iterator[str]:
    """Give the story as lines of at most `width` columns.  Raises NothingToldThere.

    `depth` is 1 what, 2 how or why, 3 which kernel call; `shows_linux` adds, below a step,
    what a root shell would be asked for the same.
    """
    header = trace.header
    yield cut(
        f"{visible(header.title)}   [REPLAY of {visible(label(header.backend))}]  "
        f"{visible(header.created)}",
        width,
    )
    levels = _levels(trace)
    is_read = trace.header.story.startswith("build-") and not at and not shows_linux
    phase_of = _container_phase if is_read and depth < 3 else _no_phase
    for phase, group in groupby(_told_at(trace, at), key=lambda each: phase_of(each[1])):
        told = list(group)
        if phase:
            yield cut(_folded(phase, told, levels), width)
            continue
        for number, record in told:
            if is_read and record.kind in ("step.started", "step.skipped"):
                yield from [""] if not record.parent else []
            lead = _lead(number, record, levels)
            yield cut(lead + say(record, depth), width)
            yield from _linux(lead, record) if shows_linux else []
    if trace.damage:
        yield cut(f"the recording is cut here: {visible(trace.damage)}", width)


def _lead(number: int, record: Record, levels: Sequence[int]) -> str:
    mark = english.EVIDENCE.get(record.evidence, ("?", ""))[0]
    return f"{number:>4} {record.t:>7.3f} {mark} " + "  " * levels[number - 1]


def _linux(lead: str, record: Record) -> Iterator[str]:
    """Give the whole command, below its step: it is to be pasted."""
    if record.linux:
        yield " " * len(lead) + f"# {visible(record.linux)}"


_PHASES = {
    "birth": "The container of this RUN is born",
    "clear up": "What the container had is given back",
}


def _container_phase(record: Record) -> str:
    return record.phase if record.phase in _PHASES else ""


def _no_phase(_record: Record) -> str:
    return ""


def _folded(phase: str, told: Sequence[tuple[int, Record]], levels: Sequence[int]) -> str:
    """Say many steps in one line, and how to see each."""
    (first, record), (last, _) = told[0], told[-1]
    steps = several(last - first + 1, "step")
    lead = _lead(first, record, levels)
    return f"{lead}{_PHASES[phase]}: {steps}, to {last}; --depth 3 tells each"


def json_lines(trace: Trace, *, at: str | None = None) -> Iterator[str]:
    """Give the story as a trace file, one JSON object a line.  Raises NothingToldThere."""
    told = [record for _, record in _told_at(trace, at)]
    yield header_to_line(trace.header)
    yield from map(to_line, told)


def legend() -> str:
    """Say in one line what the marks mean."""
    marks = [f"{mark} {words}" for mark, words in english.EVIDENCE.values()]
    return "  ".join(marks)


def _told_at(trace: Trace, at: str | None) -> list[tuple[int, Record]]:
    """Choose the steps that a line, or any line of a file, told; all without `at`."""
    at = at or ""
    file, _, line = at.rpartition(":")
    is_line = bool(file) and line.isdigit()
    told = [
        (number, record)
        for number, record in enumerate(trace.records, 1)
        if not at or (record.src == at if is_line else record.src.rpartition(":")[0] == at)
    ]
    if at and not told:
        known = sorted({record.src for record in trace.records if record.src})
        near = [src for src in known if src.startswith(file or at)] or known
        raise NothingToldThere(
            f"no step of this story was told at {at}",
            why="--at takes a file of the package and a line that emits, as `s` shows them",
            try_next=f"minidock trace show last --at {near[0]}" if near
            else "minidock trace show last",
            lesson="traces",
        )  # fmt: skip
    return told


def _levels(trace: Trace) -> list[int]:
    """Say of each step how deep it lies, for any length of story."""
    known: dict[int, int] = {}
    for record in trace.records:
        known[record.seq] = known.get(record.parent, 0) + 1 if record.parent else 0
    return [known[record.seq] for record in trace.records]
