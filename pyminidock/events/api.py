"""What came through the door of the daemon, and what the recorder did about listeners."""

from dataclasses import dataclass

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class RequestReceived(Event):
    """A client asked for something; the operation begins."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class RequestRefused(Event):
    """The engine said no; `status` is the HTTP status the client saw."""

    status: int
    what: str


@dataclass(frozen=True, slots=True)
class GateHeld(Event):
    """A gate holds the story at the event numbered `at`, of kind `at_kind`."""

    gate: str
    at: int
    at_kind: str


@dataclass(frozen=True, slots=True)
class GateReleased(Event):
    """The story goes on; `by` is "step", "continue", "abort" or "client gone"."""

    gate: str
    by: str


@dataclass(frozen=True, slots=True)
class EventsDropped(Event):
    """A listener was too slow; it missed `count` events, numbered `first` to `last`."""

    count: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class JournalDropped(Event):
    """The journal was full; its oldest stories went, `size_bytes` in all."""

    stories: tuple[str, ...]
    events: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class OrphanRemoved(Event):
    """At start the daemon found something of its own that nobody owned any more."""

    what: str  # "process", "cgroup", "mount", "file"
    name: str


@dataclass(frozen=True, slots=True)
class ShortfallFound(Event):
    """The machine could not give exactly what was asked for; `given` says what it gave."""

    what: str
    asked: str
    given: str
    why: str
