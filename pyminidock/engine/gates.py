"""A gate holds a story at an event until somebody lets it go on.

    held at birth 12 ──step──────► the next event of the story, whatever it is
                     ──continue──► the next event that the pattern names
                     ──abort─────► the start is undone (BirthAborted)
                     ──close─────► whoever held it went away: on, and never again

What blocks is the thread that tells, inside `emit`: with a lock-step start the newborn
process itself waits for it.  No lock is held meanwhile, so other stories and all listeners
go on.  Patterns are a kind, or `*`, and fields that have to be so:

    root.pivoted    layer.probed path=/etc/passwd    mount*    *
"""

import difflib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Condition
from typing import Literal

from pyminidock.engine.telling import Told
from pyminidock.errors import MinidockError
from pyminidock.events import Event
from pyminidock.events.journal import JSON, Record, data_of, record_kinds

Order = Literal["step", "continue", "abort", "client gone"]


class PatternUnclear(MinidockError):
    """A gate's pattern names no event that could ever be held."""

    status = 400


class NothingHeld(MinidockError):
    """A gate was told to let go while it was holding nothing."""

    status = 409


class NoSuchGate(MinidockError):
    """No gate of this id is set (any more)."""

    status = 404


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which events a gate holds: kinds by name or glob, fields by their text."""

    kind: str
    fields: tuple[tuple[str, str], ...] = ()

    def matches(self, event: Event, kind: str) -> bool:
        """Say whether this event is meant."""
        if kind != self.kind and not fnmatchcase(kind, self.kind):
            return False
        data = data_of(event) if self.fields else {}
        return all(name in data and _says(data[name], text) for name, text in self.fields)


def pattern(words: str) -> Pattern:
    """Read a pattern as people type it.  Raises PatternUnclear.

    >>> pattern("layer.probed path=/etc/passwd")
    Pattern(kind='layer.probed', fields=(('path', '/etc/passwd'),))
    """
    kind, *pairs = words.split() or [""]
    kinds = record_kinds()
    meant = [cls for name, cls in kinds.items() if fnmatchcase(name, kind)]
    if not meant:
        near = difflib.get_close_matches(kind, kinds, n=1, cutoff=0.3)
        raise PatternUnclear(
            f"no event is called {kind!r}",
            why="a gate waits for a word of the vocabulary (docs/events.md), or for *",
            try_next=f"--break {near[0] if near else 'root.pivoted'}",
            lesson="live-pause",
        )
    if all(cls.evidence == "planned" for cls in meant):
        raise PatternUnclear(
            f"nothing can be held at {kind}",
            why="the process has closed its pipe by then: the step is known to have worked"
            " because no failure was heard, and afterwards",
            try_next="--break birth.ready",
            lesson="live-pause",
        )
    return Pattern(kind, tuple(_field(pair, kind, meant) for pair in pairs))


def _field(pair: str, kind: str, meant: list[type[Event]]) -> tuple[str, str]:
    """Read NAME=TEXT, where NAME is a field of at least one of the events meant."""
    name, equals, text = pair.partition("=")
    known = sorted({field for cls in meant for field in cls.__dataclass_fields__})
    if equals and name in known:
        return name, text
    raise PatternUnclear(
        f"{pair!r} says nothing about {kind}",
        why=f"what follows the kind is NAME=VALUE, and NAME one of {', '.join(known)}",
        try_next=f"--break {kind}",
        lesson="live-pause",
    )


def _says(value: JSON, text: str) -> bool:
    """Compare a field with what was typed; of a tuple, one element has to be so."""
    if isinstance(value, tuple):
        return any(_says(each, text) for each in value)
    return (
        str(value).lower() == text.lower()
        if isinstance(value, bool)
        else str(value) == text
    )


class _Hold:
    """One thread that waits at one event."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.order: Order | None = None


class Gate:
    """Holds the threads of one story, one event at a time; made by Recorder.gate."""

    def __init__(
        self, name: str, story: str, pattern: Pattern, on_close: Callable[["Gate"], None]
    ) -> None:
        self.id, self.story, self.pattern = name, story, pattern
        self._on_close = on_close
        self._holds: deque[_Hold] = deque()  # those that wait, first come first
        self._news: deque[Record] = deque()  # holds that nobody has been told of
        self._steps = 0  # so many of the next events are held, whatever they are
        self._is_closed = False
        self._changed = Condition()

    def wants(self, event: Event, kind: str) -> bool:
        """Say whether this event has to be held here."""
        if event.evidence == "planned":
            return False
        if self._steps:
            with self._changed:
                if self._steps and not self._is_closed:
                    self._steps -= 1
                    return True
        return not self._is_closed and self.pattern.matches(event, kind)

    def hold(self, told: Told) -> Order:
        """Block the calling thread until it may go on; tell why."""
        hold = _Hold(told)
        with self._changed:
            if self._is_closed:
                return "client gone"
            self._holds.append(hold)
            self._news.append(told.record())
            self._changed.notify_all()
            self._changed.wait_for(lambda: hold.order is not None)
        assert hold.order is not None  # noqa: S101  (wait_for saw to it)
        return hold.order

    def next_held(self, timeout_s: float | None = None) -> Record | None:
        """Wait for the next event that is held; None after `timeout_s`, or once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._is_closed, timeout_s)
            return self._news.popleft() if self._news else None

    def step(self) -> None:
        """Let the first hold go, as far as the next event.  Raises NothingHeld."""
        self._release("step")

    def resume(self) -> None:
        """Let the first hold go, as far as the pattern says.  Raises NothingHeld."""
        self._release("continue")

    def abort(self) -> None:
        """Let the first hold go, backwards: what it had begun is undone."""
        self._release("abort")

    def close(self, by: Order = "client gone") -> None:
        """Open for good; every thread that waits goes on."""
        self._on_close(self)
        with self._changed:
            self._is_closed = True
            for hold in self._holds:
                hold.order = by
            self._holds.clear()
            self._news.clear()
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Say whether this gate holds nothing any more."""
        return self._is_closed

    @property
    def holding(self) -> tuple[int, ...]:
        """Give the numbers of the events that are held now, first come first."""
        with self._changed:
            return tuple(hold.told.seq for hold in self._holds)

    def _release(self, order: Order) -> None:
        with self._changed:
            if not self._holds:
                raise NothingHeld(
                    f"gate {self.id} is holding nothing",
                    why="step, continue and abort let go what a gate holds",
                    try_next=f"wait until the story reaches {self.pattern.kind}",
                    lesson="live-pause",
                )
            hold = self._holds.popleft()
            if order == "step":
                self._steps += 1
            hold.order = order
            self._changed.notify_all()
