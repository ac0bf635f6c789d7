"""What one request met on its way to a container, hop by hop, and what came of it.

A trace makes a real connection and tells it: each hop that was passed, the one where it
died with its cause, and, if somebody asked for a proof, what happened to the same request
in a copy of the wiring without that cause.
"""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class HopPassed(Event):
    """A request got past one stop of its way; `seen` is what the kernel said of it."""

    evidence: ClassVar[str] = "observed"
    container: str
    place: str  # client, name, host port, firewall, bridge, cable, interface, process
    what: str
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestDied(Event):
    """A request got no further than this stop; `cause` names why, `remedy` what helps."""

    evidence: ClassVar[str] = "observed"
    container: str
    place: str
    cause: str
    title: str
    remedy: str
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestArrived(Event):
    """A request was taken by a process of the container."""

    evidence: ClassVar[str] = "observed"
    container: str
    what: str  # who asked what
    outcome: str
    elapsed_us: int  # microseconds


@dataclass(frozen=True, slots=True)
class RequestProved(Event):
    """In a copy of the wiring without the cause the request arrived, or it did not."""

    evidence: ClassVar[str] = "observed"
    container: str
    cause: str
    before: str  # what came of it in the copy as it is
    after: str  # and without the cause
    holds: bool
