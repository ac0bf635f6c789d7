"""The door: what every kernel can be asked, and what it hands back.

A `Body` performs plans and answers each call with a number; `Recording` wraps a body into
a `Kernel`, which answers with events instead.  Rooms see only `Kernel`.

    rooms ── plan ──► Kernel (Recording) ── plan ──► Body (linux, model)
      ▲                     │                            │
      └───── effect event ──┘ ◄──────── answer ──────────┘
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pyminidock.errors import MinidockError
from pyminidock.events import Emit, ignore
from pyminidock.kernel.answers import (
    KILLED,
    SHIM_LOST,
    BlockUse,
    Capability,
    CgroupTree,
    ExitStatus,
    HostMount,
    Hung,
    Isolation,
    LinkUse,
    Listing,
    Machine,
    MountEntry,
    MountSpread,
    Process,
    Tree,
    Usage,
)
from pyminidock.kernel.attempts import Attempt, Attempted, Listening, Rehearsal, Rehearsed
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.nametalk import Clerk
from pyminidock.kernel.netanswers import NetFacts
from pyminidock.kernel.rules import FoundTable

__all__ = [
    "KILLED", "SHIM_LOST", "Answer", "BirthAborted", "BlockUse", "Body", "CallFailed",
    "Capability", "CgroupTree", "ExitStatus", "HostMount", "Hung", "Isolation", "Kernel",
    "LinkUse", "Listing",
    "Machine", "MountEntry", "MountSpread", "NotHere", "Process", "ProcessGone", "Streams",
    "Tree", "UnreadableFile",
    "Usage", "View",
]  # fmt: skip

Answer = Callable[[Call, int, float], None]
"""Told of each call that succeeded, with its value and the time, by the body's `clock`.

The time is that of whoever made the call, so it lies before the answer; of the calls behind
AnnounceReady, which nobody reports, it is when they were known to be over.

The value is a pid for ForkShim and ForkInit; 1 where a path was present, a limit was
clamped, a badness not permitted, or the kernel has no keys; 2 for a masked directory; for
Execute the errno where the program that was found could not run, and KILLED where the
process was killed before it could; otherwise 0.
"""


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


class View(Protocol):
    """A container's tree as the engine may touch it: by handles, and only inside."""

    held: frozenset[tuple[int, int]]
    """Files of the engine that hang in it, by device and inode: nobody may unlink them."""

    def open(self, path: bytes, flags: int) -> int:
        """Open what `path` leads to; links, `..` and `/` stay below the container's root.

        `flags` as for os.open, close-on-exec is added.  The caller closes the handle.
        Raises OSError with the errno that a program inside would see; files are not made.
        """

    def name(self, file: int, directory: int, name: bytes) -> None:
        """Let an open file without a name (O_TMPFILE) be `name` below an open directory.

        Raises FileExistsError, OSError.
        """

    def close(self) -> None:
        """Give it back; handles that were opened stay good.  May be called twice."""


class NotHere(MinidockError):
    """Another kernel could do it, this one never."""

    status = 501


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

    def view(
        self, tree: Tree, process: Process | None = None, *, is_writable: bool = False
    ) -> View:
        """Look at a container's filesystem, without what is mounted in it.

        With `process` it is the very tree that this program has; then it is writable as
        that is.  Without, its layers are stacked anew, and the caller sees to it that no
        program of the container starts while it `is_writable`.
        Raises ProcessGone, NotHere, OSError.
        """

    def spread(self, path: str) -> MountSpread:
        """Tell in which mount a path of the host lies, and how mounts spread there.

        Raises FileNotFoundError.  Source: man 5 proc_pid_mountinfo.
        """

    def mount(self, wanted: HostMount) -> None:
        """Mount on the host, where everybody sees it.  Raises OSError.

        Undone by `unmount`.  Source: man 2 mount.
        """

    def unmount(self, target: str) -> None:
        """Take away what is mounted at a path of the host; nothing there is no error.

        Whoever uses it goes on, nobody else gets in.  Source: man 2 umount2, MNT_DETACH.
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

    def ring(self, directory: str, bell: Callable[[], object]) -> Callable[[], None]:
        """Call `bell` once, in another thread, when a file in the host's directory changes.

        What is given takes that back.  Raises OSError where nobody can tell.
        """

    def find(self, directory: str) -> Process | None:
        """Find the shim that lives in `directory`, after a restart; None if none does."""

    def observe(self, process: Process, *, briefly: bool = False) -> Isolation:
        """Read from the kernel how the process is isolated.  Raises ProcessGone.

        `briefly`: namespaces, powers and ids; mounts, limits and accounts stay empty.
        """

    def members(self, process: Process) -> tuple[int, ...]:
        """List the processes that live with this one, by pid.  Raises ProcessGone."""

    def usage(self, process: Process) -> Usage:
        """Read what they have used.  Raises ProcessGone."""

    def list_processes(self, arguments: Sequence[str]) -> Listing:
        """Run the machine's ps with `arguments`.  Raises FileNotFoundError: it has none."""

    def is_frozen(self, process: Process) -> bool:
        """Say whether the cgroup of the process is frozen.  Raises ProcessGone."""

    def netfacts(self, process: Process | None = None) -> NetFacts:
        """Read devices, routes and neighbours: the host's, or those `process` sees.

        Raises ProcessGone.
        """

    def watch_links(self, bell: Callable[[str], object]) -> Callable[[], None]:
        """Call `bell` in another thread with the name of each host device that goes away.

        Also of one that is lowered or gets another name; with "" where some may have
        been missed: look then.  What is given takes that back.
        """

    def rules(self, table: str) -> tuple[FoundTable, ...]:
        """Read our tables of this name, with what they have counted; () if there is none.

        Raises OSError where the kernel has no nf_tables, or forbids it.
        """

    def watch_rules(self, table: str, bell: Callable[[], object]) -> Callable[[], None]:
        """Call `bell` in another thread when somebody else changes our tables.

        What is given takes that back.  Raises OSError as `rules` does.
        """

    def listening(self, process: Process | None = None) -> tuple[Listening, ...]:
        """List who waits for requests: on the host, or in the network of `process`.

        Raises ProcessGone.
        """

    def attempt(self, wanted: Attempt, process: Process | None = None) -> Attempted:
        """Make one request, from the host or from where `process` stands.

        Takes `wanted.timeout_s` and a tenth of a second at most.  Raises ProcessGone.
        """

    def rehearse(self, wanted: Rehearsal) -> Rehearsed:
        """Make one request in a copy of some wiring, of which nothing is left.

        Takes three seconds at most.  Raises NotHere, OSError.
        """

    def serve_names(self, sandbox: str, clerk: Clerk) -> None:
        """Let `clerk` answer what is asked for names in a sandbox, from the first question.

        Nothing happens where no plan has opened them (OpenNames).
        """

    def leave_names(self, sandbox: str) -> None:
        """Answer no more, and close what was opened inside; may be called twice."""

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
