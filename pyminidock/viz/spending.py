"""Where the seconds go: the time between two events belongs to someone.

An event is told when something has happened.  So the time before it was spent on it, by
the part of the story to which it belongs, with three exceptions:

    held       a gate held the story: that is the time of whoever watched
    program    the container's own program ran, and the engine waited for it
    between    the client had not asked for anything yet

All times are whole microseconds, so their sum is exact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pyminidock.events.journal import Record

PROGRAM, BETWEEN, OLDER = "program", "between", "older"
MOST_SPANS = 128  # parts of one story: the oldest become one
_FROM_INSIDE = (
    "step.printed", "container.exited", "exec.exited", "memory.exhausted",
)  # fmt: skip
SIGKILL = 9
_LIVING = ("running", "paused")


@dataclass(frozen=True, slots=True)
class Span:
    """What one part of the story took; `program_us` and `held_us` are told apart."""

    key: str
    order: int
    name: str = ""
    began_us: int = 0
    took_us: int = 0  # by the engine
    program_us: int = 0  # by a program that the part ran
    held_us: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """All parts so far: those that are settled, and the one that takes time now."""

    began_us: int = 0
    at_us: int = 0  # the latest moment told of, since the story began
    operation: str = ""  # of the event before
    here: str = ""  # the part in which the story stands
    settled: Mapping[str, Span] = field(default_factory=dict)
    current: Span | None = None

    def spans(self) -> tuple[Span, ...]:
        """All parts that took time, in the order in which they began."""
        known = dict(self.settled)
        if self.current:
            known[self.current.key] = self.current
        return tuple(sorted(known.values(), key=lambda span: (span.order, span.key)))


def part_key(record: Record, part: str) -> str:
    """Name the part of a story as it is timed: a phase that only repeats its verb is none.

    >>> from pyminidock.events import Event
    >>> from pyminidock.events.journal import record_of
    >>> told = record_of(Event(), seq=1, story="run-1", operation="start-4", phase="birth")
    >>> part_key(told, "start-4 · birth")
    'start-4 · birth'
    """
    if part.startswith("step "):
        return part
    verb = record.operation.rpartition("-")[0]
    return record.operation if record.phase in ("", verb) else part


def part_name(part: str) -> str:
    """Name an operation and its phase as people would.

    >>> part_name("start-4 · birth"), part_name("start-4 · start"), part_name("life-5")
    ('start: birth', 'start', 'its life')
    """
    operation, _, phase = part.partition(" · ")
    verb = operation.rpartition("-")[0] or operation or "story"
    if verb in ("life", "exec-life"):
        return phase or "its life"
    return f"{verb}: {phase}" if phase not in ("", verb) else verb


def clock_after(  # noqa: PLR0913  (what was true before, by name)
    clock: Clock, record: Record, part: str, *, is_held: bool, state: str, text: str = ""
) -> Clock:
    """Give the clock after an event.

    `state` is that of the container and `is_held` that of the story, both before this
    event; `text` is the instruction of its part, if it is a step of a build.
    """
    now_us = round(record.t * 1_000_000)
    if not clock.here:
        clock = replace(clock, began_us=now_us, at_us=now_us)
    at_us = max(now_us, clock.at_us)  # the kernel's events are stamped by the kernel
    is_gate = record.kind in ("gate.held", "gate.released")
    here = clock.here if is_gate and clock.here else part_key(record, part)
    gap_us = at_us - clock.at_us
    is_program = _is_of_program(clock, record, is_running=state in _LIVING)
    span = Span("", 0)  # what is added
    if is_held:
        key, span = clock.here, replace(span, held_us=gap_us)
    elif is_program:
        key = here if here.startswith("step ") else PROGRAM
        span = replace(span, program_us=gap_us)
    elif record.kind == "request.received" and clock.here:
        key, span = BETWEEN, replace(span, took_us=gap_us)
    else:
        key, span = here, replace(span, took_us=gap_us)
    begun = replace(span, key=key, order=record.seq, name=text if key == here else "",
                    began_us=clock.at_us - clock.began_us)  # fmt: skip
    clock = _added(clock, begun)
    operation = clock.operation if is_gate else record.operation
    return replace(clock, at_us=at_us, here=here, operation=operation)


def _is_of_program(clock: Clock, record: Record, *, is_running: bool) -> bool:
    """Whether the engine only waited: for what comes from inside, or for the next order."""
    if record.kind == "exec.exited":
        return True
    is_inside = record.kind in _FROM_INSIDE or _is_grace(record)
    return is_running and (is_inside or record.operation != clock.operation)


def _is_grace(record: Record) -> bool:
    """Whether a program had been asked to end, and took its time or did not listen."""
    if record.kind == "container.signalled":
        is_stop = record.operation.startswith(("stop-", "restart-"))
        return is_stop and record.data.get("signal") == SIGKILL
    return record.kind == "container.stopped"


def _added(clock: Clock, more: Span) -> Clock:
    """Add time to the part that it belongs to."""
    current, settled = clock.current, clock.settled
    if current is None or current.key != more.key:
        if current is not None:
            settled = _bounded({**settled, current.key: current})
        current = settled.get(more.key)
    if current is not None:
        more = replace(
            current, took_us=current.took_us + more.took_us,
            program_us=current.program_us + more.program_us,
            held_us=current.held_us + more.held_us, name=current.name or more.name,
        )  # fmt: skip
    return replace(clock, settled=settled, current=more)


def _bounded(spans: dict[str, Span]) -> Mapping[str, Span]:
    """Beyond MOST_SPANS the oldest part goes into one that stands for all older ones."""
    if len(spans) <= MOST_SPANS:
        return spans
    gone = spans.pop(min(spans, key=lambda key: (key == OLDER, spans[key].order, key)))
    older = spans.get(OLDER, Span(OLDER, 0))
    spans[OLDER] = replace(
        older, took_us=older.took_us + gone.took_us,
        program_us=older.program_us + gone.program_us,
        held_us=older.held_us + gone.held_us,
    )  # fmt: skip
    return spans
