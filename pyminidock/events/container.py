"""What was decided about a container, and what became of its process."""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class ContainerCreated(Event):
    """A container exists as a record and a snapshot; no process yet."""

    container: str
    name: str
    image: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserResolved(Event):
    """What `--user` means in this root; `source` says which lines decided."""

    asked: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    source: str


@dataclass(frozen=True, slots=True)
class SpecResolved(Event):
    """Everything is decided: flags, image defaults and user have become numbers."""

    container: str
    command: tuple[str, ...]
    environment: tuple[str, ...]  # NAME=value; the recorder redacts the values
    working_directory: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    capabilities: tuple[str, ...]
    seccomp: str  # "default", "unconfined" or "custom"
    is_privileged: bool
    is_root_readonly: bool
    has_terminal: bool


@dataclass(frozen=True, slots=True)
class PlanMade(Event):
    """The start is a value now: so many calls, by so many hands."""

    container: str
    calls: int
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContainerStarted(Event):
    """The program runs; `pid` is its number on the host."""

    container: str
    pid: int


@dataclass(frozen=True, slots=True)
class ContainerStartFailed(Event):
    """The start was refused at `verb`; everything done so far was undone."""

    container: str
    verb: str
    reason: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class IsolationObserved(Event):
    """What the kernel says of the live process, read from /proc/PID.

    Capability masks and namespace numbers are strings, so that JSON readers of any
    language keep all their digits.
    """

    evidence: ClassVar[str] = "observed"
    container: str
    pid: int
    namespaces: tuple[tuple[str, str], ...]  # (kind, inode number)
    shared_with_host: tuple[str, ...]  # kinds whose number equals the engine's own
    capabilities_effective: str  # hexadecimal, as /proc prints it
    capabilities_bounding: str
    seccomp_mode: int
    no_new_privileges: bool
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class IsolationUnobserved(Event):
    """The process had ended before anyone could look."""

    container: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContainerExited(Event):
    """The process ended; `exit_code` is its status, or 128 + signal."""

    evidence: ClassVar[str] = "observed"
    container: str
    exit_code: int
    signal: int
    was_out_of_memory: bool


@dataclass(frozen=True, slots=True)
class ContainerWrote(Event):
    """The program is over, and its writable layer, `upper` on the host, holds these names.

    Each of `names` is (change, path, kind, octal mode, bytes), where `change` is "added",
    "changed" or "deleted".  `more` were seen besides; without `is_all` nobody looked on.
    """

    evidence: ClassVar[str] = "observed"
    container: str
    upper: str
    names: tuple[tuple[str, str, str, str, int], ...]
    more: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class ContainerSignalled(Event):
    """A signal was sent to the first process."""

    evidence: ClassVar[str] = "acknowledged"
    container: str
    signal: int


@dataclass(frozen=True, slots=True)
class ContainerRemoved(Event):
    """Record, snapshot and log are gone; the story closes."""

    container: str
    name: str


@dataclass(frozen=True, slots=True)
class ExecCreated(Event):
    """A second process was asked for inside a running container."""

    container: str
    exec: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExecStarted(Event):
    """The second process runs in the namespaces of the first."""

    container: str
    exec: str
    pid: int


@dataclass(frozen=True, slots=True)
class ExecStartFailed(Event):
    """The second process could not be started; everything done so far was undone."""

    container: str
    exec: str
    reason: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class ExecExited(Event):
    """The second process ended."""

    evidence: ClassVar[str] = "observed"
    container: str
    exec: str
    exit_code: int
