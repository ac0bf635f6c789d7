"""What became of a container between its first start and its end.

`container` has the words of one run: created, started, exited.  These are the words of a
life that goes on: stopped and started again, renamed, watched, measured, copied from.
"""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class ContainerStopped(Event):
    """Somebody asked for the end, and the first process has ended."""

    container: str


@dataclass(frozen=True, slots=True)
class ContainerPaused(Event):
    """Every process of the container is frozen where it stood."""

    evidence: ClassVar[str] = "acknowledged"
    container: str


@dataclass(frozen=True, slots=True)
class ContainerUnpaused(Event):
    """The frozen processes go on as if no time had passed."""

    evidence: ClassVar[str] = "acknowledged"
    container: str


@dataclass(frozen=True, slots=True)
class ContainerRestarted(Event):
    """The verb `restart` is done: what was stopped runs again."""

    container: str


@dataclass(frozen=True, slots=True)
class RestartScheduled(Event):
    """The restart policy will start the container again; `attempt` counts from 1."""

    container: str
    attempt: int
    delay_ms: int


@dataclass(frozen=True, slots=True)
class ContainerRenamed(Event):
    """A container has another name; names are without the slash that Docker shows."""

    container: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ContainerUpdated(Event):
    """Limits or the restart policy were changed, of a container that may be running."""

    container: str


@dataclass(frozen=True, slots=True)
class ContainerAttached(Event):
    """A client is connected with the streams of the first process."""

    container: str


@dataclass(frozen=True, slots=True)
class ContainerDetached(Event):
    """A client let go of the streams by its detach keys; the program goes on."""

    container: str


@dataclass(frozen=True, slots=True)
class TerminalResized(Event):
    """The terminal of the first process has another size."""

    evidence: ClassVar[str] = "acknowledged"
    container: str
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class MemoryExhausted(Event):
    """The kernel ended a process of the container, for its memory was used up."""

    evidence: ClassVar[str] = "observed"
    container: str


@dataclass(frozen=True, slots=True)
class ExecDetached(Event):
    """A client let go of the streams of a second process by its detach keys."""

    container: str
    exec: str


@dataclass(frozen=True, slots=True)
class HealthProbed(Event):
    """The health check ran once; its exit code says what it found."""

    evidence: ClassVar[str] = "observed"
    container: str
    exit_code: int
    output_bytes: int


@dataclass(frozen=True, slots=True)
class HealthChanged(Event):
    """The probes agree on another answer: `status` is "healthy" or "unhealthy"."""

    container: str
    status: str


@dataclass(frozen=True, slots=True)
class ContainerExported(Event):
    """The whole tree of a container was written into one archive."""

    container: str


@dataclass(frozen=True, slots=True)
class PathArchived(Event):
    """A file or directory was read out of a container."""

    container: str
    path: str


@dataclass(frozen=True, slots=True)
class PathExtracted(Event):
    """An archive was unpacked into a directory of a container."""

    container: str
    path: str


@dataclass(frozen=True, slots=True)
class ContainerCommitted(Event):
    """The writable layer became the top layer of an image; `reference` may be empty."""

    container: str
    image: str
    reference: str
    comment: str


@dataclass(frozen=True, slots=True)
class ProcessesListed(Event):
    """Somebody asked which processes run inside, with these arguments for ps."""

    evidence: ClassVar[str] = "observed"
    container: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ContainersPruned(Event):
    """All stopped containers that were meant are gone; `reclaimed` bytes came back."""

    reclaimed: int
