"""A machine small enough to hold in one value.

Nine tables say all that a container's birth can change: who runs, what is mounted where,
which budgets, names, keys and devices exist.  A table is a mapping from a number or a path
to a frozen value, so that a changed world is a new one and the old one is still there.

    tasks ──► namespaces: mount ──► mounts (a table for each mount namespace) ──► trees
      │                   uts ────► hostnames          network ──► links, settings
      └─────► cgroups, keyrings                        records: how programs ended

Source: man 7 namespaces, man 5 proc_pid_mountinfo, man 7 cgroups.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pyminidock.kernel.model.tree import Tree
from pyminidock.kernel.port import ExitStatus
from pyminidock.kernel.rules import Element, Table

KINDS = ("mount", "network", "uts", "ipc", "pid", "cgroup", "user", "time")
ENGINE = 100  # the pid of the process that performs plans: ourselves
HOST_INIT = 1


@dataclass(frozen=True, slots=True)
class Powers:
    """The five capability masks of a task.  Source: man 7 capabilities."""

    effective: int
    permitted: int
    bounding: int
    inheritable: int = 0
    ambient: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One process: who it is, what it may do, what it sees."""

    pid: int
    start_time: int
    parent: int
    role: str  # "init", "engine", "shim", "newborn", "program"
    namespaces: Mapping[str, int]
    pid_for_children: int  # the PID namespace that a fork would land in
    powers: Powers
    limits: Mapping[str, tuple[int, int]]
    root: str = "/"
    directory: str = "/"  # the working directory, as seen from `root`
    uids: tuple[int, int, int, int] = (0, 0, 0, 0)
    gids: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: tuple[int, ...] = (0,)
    cgroups: Mapping[str, str] = field(default_factory=dict)  # hierarchy to host path
    keyring: int = 0
    umask: int = 0o022
    oom_score: int = 0
    filters: tuple[int, ...] = ()  # seccomp programs, instructions of each
    no_new_privileges: bool = False
    is_dumpable: bool = True
    dies_with_parent: bool = False
    is_ready: bool = False
    streams: tuple[str, str, str] = ("null", "pipe", "pipe")
    window: tuple[int, int] = (0, 0)  # rows and columns of the terminal
    handles: tuple[str, ...] = ()  # descriptors above 2
    argv: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    serves: str = ""  # a shim's directory, on the host
    child: int = 0  # a shim's program, and when that began
    child_start: int = 0


@dataclass(frozen=True, slots=True)
class Mount:
    """One row of a mount table; `tree` names the files that it shows, from `root` on."""

    number: int
    target: str
    filesystem: str
    source: str
    flags: tuple[str, ...]
    options: tuple[str, ...]
    tree: str
    root: str = "/"
    peer: int = 0  # shared with all mounts of this number
    master: int = 0  # receives what appears in peers of this number


@dataclass(frozen=True, slots=True)
class Link:
    """One network device."""

    name: str
    is_up: bool = False
    index: int = 0
    kind: str = ""  # bridge, veth
    mac: str = ""
    mtu: int = 0
    master: str = ""  # the bridge whose port it is
    peer: tuple[int, str] | None = None  # the other end of a veth: namespace and name
    addresses: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()  # gateways behind it, for all that is not near


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One account for resources: the files that were written, and (v2) its programs."""

    limits: Mapping[str, str] = field(default_factory=dict)
    device_programs: tuple[bytes, ...] = ()  # all of them have to say yes


@dataclass(frozen=True, slots=True)
class World:
    """The whole machine; every field is a table."""

    tasks: Mapping[int, Task] = field(default_factory=dict)
    mounts: Mapping[int, tuple[Mount, ...]] = field(default_factory=dict)
    trees: Mapping[str, Tree] = field(default_factory=dict)
    hostnames: Mapping[int, str] = field(default_factory=dict)
    links: Mapping[tuple[int, str], Link] = field(default_factory=dict)  # by namespace
    rules: Mapping[tuple[str, str], tuple[Table, tuple[Element, ...]]] = field(
        default_factory=dict
    )  # by family and name of the table
    ports: Mapping[tuple[str, str, int], tuple[str, int]] = field(default_factory=dict)
    held: Mapping[int, str] = field(default_factory=dict)  # network namespaces, by plans
    settings: Mapping[tuple[int, str], str] = field(default_factory=dict)
    cgroups: Mapping[str, Cgroup] = field(default_factory=dict)
    keyrings: Mapping[int, str] = field(default_factory=dict)
    records: Mapping[str, ExitStatus] = field(default_factory=dict)
    next_numbers: Mapping[str, int] = field(default_factory=dict)


def number(world: World, kind: str) -> tuple[World, int]:
    """Take the next free number: a pid, a namespace, a mount, a keyring.

    >>> number(World(next_numbers={"pid": 101}), "pid")[1]
    101
    """
    taken = world.next_numbers[kind]
    return replace(world, next_numbers={**world.next_numbers, kind: taken + 1}), taken


def with_task(world: World, task: Task) -> World:
    """Put `task` into the table, in place of the one with its pid."""
    return replace(world, tasks={**world.tasks, task.pid: task})


def namespace_of(world: World, kind: str) -> set[int]:
    """Name the namespaces of this kind in which someone lives."""
    return {task.namespaces[kind] for task in world.tasks.values()}


def swept(world: World) -> World:
    """Take away what the kernel frees when its last user has gone.

    A namespace goes with its last process; its mounts, devices and settings go with it, and
    so does memory that only they showed.  Directories, written upper layers and cgroups
    stay: someone made them, someone has to remove them.
    """
    alive = {kind: namespace_of(world, kind) for kind in KINDS}
    mounts = {ns: rows for ns, rows in world.mounts.items() if ns in alive["mount"]}
    shown = {row.tree for rows in mounts.values() for row in rows}
    used = {task.keyring for task in world.tasks.values()}
    networks = alive["network"] | world.held.keys()
    named = networks | alive["ipc"] | alive["uts"]
    return replace(
        world,
        mounts=mounts,
        trees={
            name: tree
            for name, tree in world.trees.items()
            if name in shown or not name.startswith("memory ")
        },
        hostnames={ns: n for ns, n in world.hostnames.items() if ns in alive["uts"]},
        links=_still_plugged(world, networks),
        settings={key: v for key, v in world.settings.items() if key[0] in named},
        keyrings={key: name for key, name in world.keyrings.items() if key in used},
    )


def _still_plugged(world: World, networks: set[int]) -> Mapping[tuple[int, str], Link]:
    """Keep the devices of living namespaces, and no end of a cable whose other one went."""
    return {
        key: row
        for key, row in world.links.items()
        if key[0] in networks and (row.peer is None or row.peer[0] in networks)
    }
