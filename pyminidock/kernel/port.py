"""The door: what every kernel can be asked, and what it hands back.

A `Body` performs plans and answers each call with a number; `Recording` wraps a body into
a `Kernel`, which answers with events instead.  Rooms see only `Kernel`.

    rooms ── plan ──► Kernel (Recording) ── plan ──► Body (linux, model)
      ▲                     │                            │
      └───── effect event ──┘ ◄──────── answer ──────────┘
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, ignore
from pyminidock.kernel.calls import Call, Plan

Answer = Callable[[Call, int, float], None]
"""Told of each call that succeeded, with its value and the time, by the body's `clock`.

The time is that of whoever made the call, so it lies before the answer; of the calls behind
AnnounceReady, which nobody reports, it is when they were known to be over.

The value is a pid for ForkShim and ForkInit; 1 where a path was present, a limit was
clamped, a badness not permitted, or the kernel has no keys; 2 for a masked directory; for
Execute the errno where the program that was found could not run, and KILLED where the
process was killed before it could; otherwise 0.
"""

KILLED = -1


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


class Streams(Protocol):
    """A connection to a program's standard streams, through its shim."""

    def fileno(self) -> int:
        """Give the descriptor, for select."""

    def read(self) -> tuple[int, bytes] | None:
        """Wait for output: (1 stdout or 2 stderr, bytes); None at the end."""

    def write(self, data: bytes) -> None:
        """Send bytes to the program's standard input."""

    def close_stdin(self) -> None:
        """Say that no more input will come."""

    def close(self) -> None:
        """Detach; the program goes on."""


class CallFailed(MinidockError):
    """One call of a plan was refused; everything before it has been undone.

    `index` and `call` say where, `errno` why; `value` is as in Answer.
    """

    def __init__(  # noqa: PLR0913  (four words for people, four facts for programs)
        self, what: str, *, why: str, try_next: str, lesson: str = "",
        index: int, call: Call, errno: int, value: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(what, why=why, try_next=try_next, lesson=lesson)
        self.index, self.call, self.errno, self.value = index, call, errno, value


class BirthAborted(MinidockError):
    """A gate was told to abort, so the start was undone."""

    status = 409


class ProcessGone(MinidockError):
    """The process ended before it could be asked."""

    status = 409


class _Doors(Protocol):
    """What bodies and kernels share: everything but how a plan is performed."""

    def machine(self) -> Machine:
        """Tell the facts a plan depends on; probed once."""

    def probe(self) -> tuple[Capability, ...]:
        """Tell what works here, with reasons and ways out, for `doctor`."""

    def look(
        self, lower: Sequence[str], upper: str, work: str, paths: Sequence[str]
    ) -> Mapping[str, bytes]:
        """Read small regular files as the container would see them (C.1, H-02).

        Paths that are absent, no regular files or over 1 MiB have no entry, except that
        the latter two raise UnreadableFile.
        """

    def wait(self, process: Process, timeout_s: float | None = None) -> ExitStatus | None:
        """Wait for the end; None when `timeout_s` passed first."""

    def signal(self, process: Process, number: int) -> None:
        """Send a signal to exactly this process.  Raises ProcessGone."""

    def resize(self, process: Process, rows: int, columns: int) -> None:
        """Change the size of the program's terminal."""

    def attach(self, process: Process) -> Streams:
        """Connect to the standard streams; one that was bespoken misses nothing."""

    def dismiss(self, process: Process) -> None:
        """Tell the shim that its exit record was read, so that it may end."""

    def find(self, directory: str) -> Process | None:
        """Find the shim that lives in `directory`, after a restart; None if none does."""

    def observe(self, process: Process) -> Isolation:
        """Read from the kernel how the process is isolated.  Raises ProcessGone."""

    def clock(self) -> float:
        """Monotonic seconds."""

    def wall(self) -> float:
        """Seconds since 1970."""

    def new_id(self) -> str:
        """64 random hexadecimal digits."""

    def sync(self, path: Path) -> None:
        """Return when all written to the filesystem of the host's `path` is on the disk.

        Other filesystems are not waited for.  Source: man 2 syncfs.
        """

    def close(self) -> None:
        """End helpers of the engine; containers go on."""


class Body(_Doors, Protocol):
    """Performs plans and answers each call with a number."""

    def perform(
        self, plan: Plan, *, answer: Answer, lockstep: bool = False, watchers: int = 0
    ) -> Process | None:
        """Carry out `plan`; all of it, or raise with everything undone.

        `watchers` bespeaks so many connections to the streams, open before the program
        runs; the next calls of `attach` get them, and the program waits for slow ones.

        With `lockstep` each call waits until `answer` returned for the one before it: the
        process can then be held between any two calls up to AnnounceReady.  If `answer`
        raises, the plan is undone and the exception goes on.
        Gives the Process for a plan that ends in Execute, else None.  Raises CallFailed.
        """


class Kernel(_Doors, Protocol):
    """Performs plans and answers each call with an event."""

    def perform(
        self, plan: Plan, *, emit: Emit = ignore, lockstep: bool = False, watchers: int = 0
    ) -> Process | None:
        """As Body.perform; each call that succeeded is one effect event."""


class UnreadableFile(MinidockError):
    """A file that has to be read as text is no small regular file."""

    status = 400
