"""What a moment is made of: containers, processes, mounts, accounts, powers.

All values are frozen and hold plain values, maps keyed by string ids, and rings: nothing
that a JSON reader could not hold.  A map has no order that a picture may use, because a
step back would change it; so every thing carries `order`, the number of the event that
made it.  `changed` is the number of the event that touched it last: a picture marks what
the current step did by comparing, without knowing the step before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pyminidock.events.journal import Record
from pyminidock.viz.building import Build
from pyminidock.viz.rings import Ring
from pyminidock.viz.seeking import Union
from pyminidock.viz.spending import Clock
from pyminidock.viz.wires import Wires

NAMESPACES = ("pid", "mount", "network", "uts", "ipc", "cgroup", "user")
"""In the order in which the pictures name them; `time` is never left here."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """In which namespace of one kind a process lives."""

    owner: str  # "host", "own" (made for it) or "joined" (another process's)
    inode: str = ""  # once observed: the number by which the kernel tells them apart
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Trait:
    """One thing a process gave up, took or was limited to; `evidence` is how we know."""

    value: str
    evidence: str
    order: int
    changed: int


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the story; `pid` is its number on the host, 0 while unknown."""

    id: str
    role: str  # "engine", "shim", "init" (PID 1) or "exec"
    parent: str  # id of the process that forked it, "" for the engine
    order: int
    changed: int
    container: str = ""
    pid: int = 0
    state: str = "being made"  # then "running" or "exited"
    command: tuple[str, ...] = ()
    exec: str = ""  # the id by which the API knows it
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    for_children: tuple[str, ...] = ()  # kinds that its next child will have of its own
    traits: Mapping[str, Trait] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MountPoint:
    """One mount of the container's own table."""

    target: str
    what: str  # "root", "new", "bind", "console", "mask" or "read-only path"
    source: str
    filesystem: str
    order: int
    changed: int
    flags: tuple[str, ...] = ()
    options: str = ""
    is_readonly: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A directory, link or device that was made inside the root."""

    what: str  # "directory", "link", "device" or "console"
    detail: str
    order: int


@dataclass(frozen=True, slots=True)
class Cgroup:
    """An account for resources: its limits by file, and who lives within it."""

    path: str
    order: int
    changed: int
    limits: Mapping[str, str] = field(default_factory=dict)
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Root:
    """How far the tree has come.

    "" → snapshot → prepared → attached → pivoted → gone (nobody sees it) → removed
    """

    state: str = ""
    lower: tuple[str, ...] = ()
    upper: str = ""
    work: str = ""
    target: str = ""
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """One name of a writable layer: `change` is "added", "changed" or "deleted"."""

    change: str
    path: str
    kind: str
    mode: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Container:
    """A container, from the record that creates it to the one that removes it."""

    id: str
    order: int
    changed: int
    name: str = ""
    image: str = ""
    stand_in: str = ""
    command: tuple[str, ...] = ()
    # created, starting, running, paused, restarting, exited, failed, removed
    state: str = "unknown"
    exit_code: int | None = None
    was_out_of_memory: bool = False
    planned_calls: int = 0
    root: Root = field(default_factory=Root)
    mounts: Mapping[str, MountPoint] = field(default_factory=dict)
    made: Mapping[str, Made] = field(default_factory=dict)
    cgroups: Mapping[str, Cgroup] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)  # hostname, sysctls, lo
    written: "tuple[Written, ...]" = ()  # what its writable layer held at its end
    written_more: int = 0  # seen besides
    is_all_written: bool = True  # False: nobody looked on


@dataclass(frozen=True, slots=True)
class Hold:
    """A gate holds the story right after event number `at`."""

    at: int
    kind: str
    order: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Something was refused."""

    order: int
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """One event as it was recorded; `level` is how deep it lies within other steps.

    `part` names the part of the story to which it belongs: an operation and its phase, or
    "step 3" of a build.
    """

    record: Record
    level: int
    part: str


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is true after one event: drawn without its neighbours."""

    story: str = ""
    backend: str = ""
    current: str = ""  # the container that effects belong to
    containers: Mapping[str, Container] = field(default_factory=dict)
    processes: Mapping[str, Process] = field(default_factory=dict)
    births: Mapping[str, str] = field(default_factory=dict)  # operation: process it makes
    holds: Mapping[str, Hold] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)  # name: what it stands in for
    paths: Mapping[str, str] = field(default_factory=dict)  # looked up: layers, or absent
    build: Build = field(default_factory=Build)
    clock: Clock = field(default_factory=Clock)
    wires: Wires = field(default_factory=Wires)
    union: Union = field(default_factory=Union)
    steps: Ring[Step] = field(default_factory=lambda: Ring(256))
    failures: Ring[Failure] = field(default_factory=lambda: Ring(32))
    notes: Ring[Step] = field(
        default_factory=lambda: Ring(64)
    )  # kinds nobody here can draw

    @property
    def now(self) -> Record | None:
        """The event that made this moment; None before the first."""
        return self.steps.items[-1].record if self.steps.items else None

    @property
    def container(self) -> Container | None:
        """The container that the story is about, None before it exists."""
        return self.containers.get(self.current)

    def processes_of(self, container: str) -> tuple[Process, ...]:
        """The processes of one container, oldest first."""
        ours = (each for each in self.processes.values() if each.container == container)
        return tuple(sorted(ours, key=lambda process: process.order))


EMPTY = World()
CEILING = 512  # entries of one map: more than any container of a course has


class Ordered(Protocol):
    """A thing that knows which event made it."""

    @property
    def order(self) -> int:
        """The number of that event."""


Thing = TypeVar("Thing", bound=Ordered)


def bounded(things: Mapping[str, Thing], key: str, thing: Thing) -> Mapping[str, Thing]:
    """Give `things` with one more or changed entry; beyond CEILING the oldest goes."""
    new = {**things, key: thing}
    if len(new) > CEILING:
        del new[min(new, key=lambda key: (new[key].order, key))]
    return new
