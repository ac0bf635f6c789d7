"""Where a stepper gets its story from: a recording, or an engine that is at work.

Both give records in order.  A live one also holds: `next_held` waits for an event at
which the container's birth stands still, and `step`, `resume`, `abort` let it go on.  All
of these may wait for an engine, so the stepper calls them on threads of their own.
"""

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Protocol

from pyminidock.events.journal import JSON, Record, Trace


class Source(Protocol):
    """What a stepper needs to know about a story."""

    @property
    def title(self) -> str:
        """What people call the story."""

    @property
    def is_live(self) -> bool:
        """Whether an engine is at work behind it."""

    @property
    def recorded_on(self) -> str:
        """When it was recorded, "" for a live one."""

    @property
    def damage(self) -> str:
        """Where and why a recording ends too early, "" for a whole one."""

    def records(self) -> Iterator[Record]:
        """Give the records in order; a live source waits for the next."""

    def next_held(self) -> Record | None:
        """Wait until the story is held at an event; None when it will not be any more."""

    def stops_at(self, record: Record) -> bool:
        """Say whether the source itself wants to hold at this event."""

    @property
    def holds_parts(self) -> bool:
        """Whether it holds where a part of the story begins, and nowhere else."""

    def step(self) -> None:
        """Let the story go on to its next event."""

    def resume(self) -> None:
        """Let the story go on to the next event at which it was to be held."""

    def abort(self) -> None:
        """Undo what was begun."""

    def close(self) -> None:
        """Let go of everything; whoever waits is woken."""


class TraceSource:
    """A recording: all of it is there, and nothing can be held."""

    is_live = False
    holds_parts = False

    def __init__(self, trace: Trace) -> None:
        self.title = trace.header.title
        self.recorded_on = trace.header.created
        self.damage = trace.damage or ""
        self._records = trace.records

    def records(self) -> Iterator[Record]:
        """Give all records."""
        return iter(self._records)

    def next_held(self) -> None:
        """Hold nothing: it is over."""

    def stops_at(self, record: Record) -> bool:
        """Stop nowhere."""
        return False

    def step(self) -> None:
        """Do nothing: it is over."""

    resume = abort = close = step


class Listening(Protocol):
    """Records as they come, until closed from any thread."""

    def __iter__(self) -> Iterator[Record]:
        """Wait for each."""

    def close(self) -> None:
        """Stop listening."""


class Holding(Protocol):
    """A gate that this stepper made."""

    def held(self) -> Iterator[Record]:
        """Wait for each event that is held."""

    def step(self) -> None:
        """Let go, to the next event."""

    def resume(self) -> None:
        """Let go, to the next event of the pattern."""

    def abort(self) -> None:
        """Let go, backwards."""

    def close(self) -> None:
        """Let go for good."""


class LiveSource:
    """A story at an engine, held wherever `pattern` says.

    Opens the gate first and listens afterwards, so nothing is missed; the story's first
    events are asked for again.  Give it `client.gate` and `client.events`.
    """

    is_live = True
    recorded_on = ""
    damage = ""

    def __init__(
        self,
        gate: Callable[[str, str], Holding],
        events: Callable[[str, int], Listening],
        story: str,
        pattern: str = "*",
        title: str = "",
    ) -> None:
        self.title = title or story
        self.story, self.pattern = story, pattern
        self._gate = gate(story, pattern)
        self._watch = events(story, 0)
        self._held = self._gate.held()

    @property
    def holds_parts(self) -> bool:
        """Whether each hold is at the beginning of an instruction."""
        return self.pattern == "step.started"

    def records(self) -> Iterator[Record]:
        """Give the records from the beginning; waits."""
        return iter(self._watch)

    def next_held(self) -> Record | None:
        """Wait for the next event that is held."""
        return next(self._held, None)

    def stops_at(self, record: Record) -> bool:
        """Say whether the pattern means this event."""
        return matches(self.pattern, record)

    def step(self) -> None:
        """Let the story go on to its next event."""
        self._gate.step()

    def resume(self) -> None:
        """Let the story go on to the next event of the pattern."""
        self._gate.resume()

    def abort(self) -> None:
        """Undo what was begun."""
        self._gate.abort()

    def close(self) -> None:
        """Let go: the gate opens, the story goes on alone."""
        self._gate.close()
        self._watch.close()


def matches(pattern: str, record: Record) -> bool:
    """Say whether a pattern, as people type it after --break, means this record."""
    kind, *pairs = pattern.split() or ["*"]
    if not fnmatchcase(record.kind, kind):
        return False
    wanted = (pair.partition("=") for pair in pairs)
    return all(_says(record.data.get(name), text) for name, _, text in wanted)


def _says(value: JSON, text: str) -> bool:
    if isinstance(value, list | tuple):
        return any(_says(each, text) for each in value)
    return str(value).lower() == text.lower()


def chunks(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Hand over so many records at a time; the last ones may be fewer."""
    chunk: list[Record] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
