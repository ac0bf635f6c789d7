"""What goes through the door: the facts that a kernel tells, and the things it hands out.

    Machine, CgroupTree, Capability     what there is on this machine
    Process, ExitStatus                 a program that runs, and how it ended
    Isolation, MountEntry               what separates it from its host
    Usage, BlockUse, LinkUse, Listing   what it uses, and who it is
    Tree                                its filesystem, before anybody looks into it

What may be asked is told in `port`, which hands all of these on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyminidock.kernel.host import Host

KILLED = -1  # the value of an Execute whose process was killed before it could
SHIM_LOST = "shim lost"  # with it went its program, and nobody saw how


@dataclass(frozen=True, slots=True)
class Process:
    """A running program and the shim that holds its streams.

    Identity is (boot_id, pid, start_time): a number alone may have been given to another
    process.  `directory` (host) holds shim.sock, shim.json, exit.json.
    """

    pid: int
    start_time: int
    boot_id: str
    shim_pid: int
    directory: str


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a program ended: `code` is its status, or 128 + `signal`."""

    code: int
    signal: int = 0
    was_out_of_memory: bool = False
    finished: float = 0.0  # seconds since 1970
    error: str = ""  # why the code is a guess: SHIM_LOST


@dataclass(frozen=True, slots=True)
class MountEntry:
    """One line of /proc/PID/mountinfo, unescaped.  Source: man 5 proc_pid_mountinfo."""

    target: str
    filesystem: str
    source: str
    root: str
    flags: tuple[str, ...]
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Isolation:
    """What separates a process from its host, as the kernel itself reports it."""

    pid: int
    namespaces: Mapping[str, int]  # mount, network, uts, ipc, pid, cgroup, user, time
    host_namespaces: Mapping[str, int]
    capabilities: Mapping[str, int]  # effective, permitted, bounding, inheritable, ambient
    seccomp_mode: int  # 0 none, 2 filter
    seccomp_filters: int
    no_new_privileges: bool
    uids: tuple[int, ...]  # real, effective, saved, filesystem
    gids: tuple[int, ...]
    groups: tuple[int, ...]
    mounts: tuple[MountEntry, ...]
    limits: Mapping[str, tuple[int, int]]  # rlimit name to (soft, hard), -1 unlimited
    cgroups: Mapping[str, str]  # controller list ("" for v2) to path
    cgroup_limits: Mapping[str, str]  # file name to content, of the files we know
    oom_score_adjustment: int
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of `minidock doctor`: what this machine can do, or what is missing."""

    name: str
    state: str  # "yes", "limited", "no"
    reason: str
    costs: str  # what a user loses without it
    fix: str  # a command or setting that would unlock it; empty if nothing would


@dataclass(frozen=True, slots=True)
class CgroupTree:
    """Where accounts for resources are kept on this machine.

    `version` is 1 or 2; `hierarchies` maps each controller (or v1 name) to the host
    directory below which the engine may make its own, in the order of the host's mounts.
    Hierarchies that share a directory appear once, comma-joined as the host spells them.
    """

    version: int
    hierarchies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts of this machine that a plan depends on."""

    backend: str  # linux-root, linux-rootless, simulated
    arch: str  # x86_64, aarch64
    kernel: tuple[int, int]
    cgroups: CgroupTree | None
    capabilities: int  # mask of what the engine itself may hand on
    last_capability: int
    rlimits: Mapping[str, tuple[int, int]]  # the engine's own, handed on by default
    devices: tuple[tuple[str, int, int, int, int, int, bool], ...] = ()
    """Host devices for --privileged: path, major, minor, mode, uid, gid, is_block."""
    init: str = ""  # host path of a static init for --init; empty: none
    is_single_user: bool = False  # in a user namespace with one uid
    cpus: int = 0  # processors that the engine may run on; 0: unknown
    filters_devices: bool = True  # on cgroup v2: a program may judge device nodes
    cpu_list: str = ""  # the processors that an account may name, as in 0-3; empty: unknown
    node_list: str = ""  # the same of memory nodes
    weighs_disks: bool = False  # an account may have a weight for all disks
    weighs_each_disk: bool = False
    hostname: str = ""
    host: Host = field(default_factory=Host)  # what no plan depends on


@dataclass(frozen=True, slots=True)
class BlockUse:
    """What was read from or written to one device: `kind` is "bytes" or "operations"."""

    kind: str
    major: int
    minor: int
    operation: str  # as the kernel spells it: Read, Write, Sync … (v1), read, write (v2)
    amount: int


@dataclass(frozen=True, slots=True)
class LinkUse:
    """What went through a container's network link, as bytes, packets, errors and drops."""

    name: str
    received: tuple[int, int, int, int] = (0, 0, 0, 0)
    sent: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container's processes have used up to now, and the machine with them.

    `version` is that of the cgroups, 0 without any; what a version does not tell is 0.
    """

    version: int
    system_ns: int  # time of all processors of the machine since boot, idling included
    processors: int
    machine_memory_bytes: int
    cpu_ns: int = 0
    user_ns: int = 0
    kernel_ns: int = 0
    each_cpu_ns: tuple[int, ...] = ()  # version 1
    periods: int = 0
    throttled_periods: int = 0
    throttled_ns: int = 0
    memory_bytes: int = 0
    most_memory_bytes: int = 0  # version 1
    memory_limit_bytes: int = 0  # far above the machine's, if there is none
    memory_failures: int = 0
    memory: Mapping[str, int] = field(default_factory=dict)  # of memory.stat
    pids: int = 0
    pids_limit: int = 0  # 0: none
    block: tuple[BlockUse, ...] = ()
    links: tuple[LinkUse, ...] = ()  # without lo; none in the host's network


@dataclass(frozen=True, slots=True)
class Listing:
    """What the machine's ps printed, and the status with which it ended."""

    status: int
    output: bytes
    errors: bytes


@dataclass(frozen=True, slots=True)
class HostMount:
    """What mount(2) is asked for on the host: five words, `flags` as its bits.

    `verb` is what the kernel does by these words: mount, remount, remount-ro.
    """

    source: str
    target: str
    filesystem: str = ""
    flags: int = 0
    options: str = ""
    verb: str = "mount"


@dataclass(frozen=True, slots=True)
class Hung:
    """A file or tree of the host at `source`, hung up inside at `target`.

    `below` is a path in a volume that strangers write to: no link in it leads out.
    """

    source: str
    target: str
    below: str = ""
    is_readonly: bool = False


@dataclass(frozen=True, slots=True)
class MountSpread:
    """The mount in which a path of the host lies, and whether it hands mounts on."""

    target: str  # where it is mounted
    is_shared: bool = False
    is_slave: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """A container's layers, topmost first, as host directories; `place` is an empty one.

    `files` hang in it as the program sees them, parents first.
    """

    lower: tuple[str, ...]
    upper: str
    work: str
    place: str
    files: tuple[Hung, ...] = ()
