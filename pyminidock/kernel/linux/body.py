"""The door on Linux, as root: plans become system calls.

One plan, three pairs of hands.  What comes before ForkShim is done here, by the daemon,
each deed with its undoing pushed on a stack; the rest is sent to the spawner and reported
back call by call.  Whatever fails, or whoever gives up, the stack is unwound and the
newborn process loses its socket, which ends it and every namespace it was in.
"""

import errno
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from pyminidock.kernel import calls
from pyminidock.kernel.attempts import Attempt, Attempted, Listening, Rehearsal, Rehearsed
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.detect import judge
from pyminidock.kernel.linux import (
    attempting,
    census,
    cgroups,
    copies,
    deeds,
    listening,
    netfacts,
    overlay,
    shimrecords,
    streams,
    syscalls,
    views,
)
from pyminidock.kernel.linux.facts import read_facts
from pyminidock.kernel.linux.labour import Labour, Order, spell_order
from pyminidock.kernel.linux.linkwatch import LinkWatch
from pyminidock.kernel.linux.machine import read_machine
from pyminidock.kernel.linux.mountinfo import spread_of
from pyminidock.kernel.linux.namedesks import NameDesks
from pyminidock.kernel.linux.nftreading import read_tables
from pyminidock.kernel.linux.nursery import Nursery
from pyminidock.kernel.linux.observe import observe
from pyminidock.kernel.linux.proc import boot_id
from pyminidock.kernel.linux.sifting import Sifting
from pyminidock.kernel.linux.watching import Watching
from pyminidock.kernel.linux.wiring import Wiring
from pyminidock.kernel.nametalk import Clerk
from pyminidock.kernel.netanswers import NetFacts
from pyminidock.kernel.netcalls import NetCall
from pyminidock.kernel.port import (
    Answer,
    Capability,
    ExitStatus,
    HostMount,
    Isolation,
    Listing,
    Machine,
    MountSpread,
    Process,
    ProcessGone,
    Tree,
    Usage,
)
from pyminidock.kernel.portcalls import SiftCall
from pyminidock.kernel.refusals import refused
from pyminidock.kernel.rules import FoundTable


class LinuxBody:
    """A port.Body for Linux with the powers of root.

    `fail_at` (index, errno) makes one call of every plan fail: for the fault sweep.
    """

    def __init__(self, root: Path, fail_at: tuple[int, int] | None = None) -> None:
        self.root = root
        self.fail_at = fail_at
        self._nursery = Nursery()
        self._boot = boot_id()
        self._machine: Machine | None = None
        self._accounts: set[str] = set()  # our own cgroups, parents of the containers'
        # By directory of the shim: who will watch, and the line on which the end is told.
        self._bespoken: dict[str, list[socket.socket]] = {}
        self._lines: dict[str, socket.socket] = {}
        self._answered: dict[str, socket.socket] = {}  # …, and was; to dismiss it there
        self._is_closed = False  # who waited for an end may hear of it after that
        self._lock = threading.Lock()
        self._watching = Watching()
        self._sifting = Sifting()
        self._names = NameDesks()
        self._links = LinkWatch()

    def machine(self) -> Machine:
        """See port."""
        if self._machine is None:
            self._machine = read_machine(self.root)
        return self._machine

    def probe(self) -> tuple[Capability, ...]:
        """See port."""
        return judge(read_facts(self.root))

    # ── Plans ────────────────────────────────────────────────────────────────────────────

    def perform(
        self, plan: Plan, *, answer: Answer, lockstep: bool = False, watchers: int = 0
    ) -> Process | None:
        """See port."""
        birth = next(
            (n for n, call in enumerate(plan) if isinstance(call, calls.ForkShim)),
            len(plan),
        )
        labour = Labour(plan, birth, answer, lockstep) if birth < len(plan) else None
        with (
            closing(Wiring(self._names)) as wiring, ExitStack() as undo,
            ExitStack() as child,  # ended before its accounts are closed
        ):  # fmt: skip
            order = self._order(plan, birth, lockstep=lockstep) if labour else None
            if labour and order and birth and not lockstep:
                # Its child gets ready while we do our part; nobody watches a step.
                child.callback(labour.give_up)
                with suppress(BrokenPipeError, ConnectionResetError):  # once more, later
                    labour.call(self._nursery, order, watchers)
            tree = -1
            for index, call in enumerate(plan[:birth]):
                if labour and isinstance(call, calls.PrepareOverlay):
                    with suppress(BrokenPipeError, ConnectionResetError):
                        labour.open_accounts()
                handle = self._do(index, call, undo, wiring)
                tree = handle if handle >= 0 else tree
                answer(call, 0, time.monotonic())
            if labour is None or order is None:
                undo.pop_all()
                return None
            handles = tree, wiring.destination(plan[birth:])
            self._give_birth(labour, order, handles, watchers)
            child.pop_all()
            undo.pop_all()
        if tree >= 0:
            os.close(tree)
        with self._lock:
            self._bespoken[labour.directory] = labour.watching
            self._lines[labour.directory] = labour.line
        return labour.process(self._boot)

    def _do(self, index: int, call: Call, undo: ExitStack, wiring: Wiring) -> int:
        """Perform one call of the daemon's own; a handle, if there is one, else -1."""
        try:
            if self.fail_at and self.fail_at[0] == index:
                raise OSError(self.fail_at[1], os.strerror(self.fail_at[1]))
            if isinstance(call, calls.MakeCgroup | calls.RemoveCgroup):
                self._accounts.add(os.path.dirname(call.path))
            if isinstance(call, SiftCall):
                self._sifting.do(call, undo)
                return -1
            if isinstance(call, NetCall):
                wiring.do(call, undo)
                return -1
            return deeds.do(call, undo)
        except OSError as refusal:
            raise refused(index, call, refusal.errno or errno.EIO) from refusal
        except ValueError as odd:  # an address that is none
            raise refused(index, call, errno.EINVAL, str(odd)) from odd

    def _order(self, plan: Plan, birth: int, *, lockstep: bool) -> Order:
        return spell_order(
            plan, birth, lockstep=lockstep, fail_at=self.fail_at,
            last_capability=self.machine().last_capability,
        )  # fmt: skip

    def _give_birth(
        self, labour: Labour, order: Order, handles: tuple[int, int], watchers: int
    ) -> None:
        """Follow one birth; once more if the spawner was killed with it in its hands.

        `handles` are the tree and the sandbox.
        """
        plan, birth = labour.plan, labour.next
        if self.fail_at and self.fail_at[0] == birth:
            raise refused(birth, plan[birth], self.fail_at[1])
        for _ in (1, 2):
            try:
                if not labour.is_called:
                    labour.call(self._nursery, order, watchers)
                labour.begin(*handles)
                labour.follow()
            except (BrokenPipeError, ConnectionResetError) as gone:
                labour.give_up()
                if labour.shim_pid:
                    raise refused(labour.next, plan[labour.next], errno.ECHILD) from gone
                continue
            except BaseException:
                labour.give_up()
                raise
            labour.conversation.close()
            return
        raise refused(birth, plan[birth], errno.ECHILD)

    # ── Life after birth ─────────────────────────────────────────────────────────────────

    def look(
        self, lower: Sequence[str], upper: str, work: str, paths: Sequence[str]
    ) -> Mapping[str, bytes]:
        """See port."""
        return overlay.look(lower, upper, paths)

    def view(
        self, tree: Tree, process: Process | None = None, *, is_writable: bool = False
    ) -> views.LinuxView:
        """See port."""
        if process is None:
            work = tree.work if is_writable else ""
            return views.of_layers(tree.lower, tree.upper, work, tree.files, tree.place)
        try:
            return views.of_running(process, tree.files, tree.place)
        except ProcessLookupError as gone:
            raise _gone(process) from gone

    def spread(self, path: str) -> MountSpread:
        """See port."""
        return spread_of(path)

    def mount(self, wanted: HostMount) -> None:
        """See port."""
        source, target, filesystem, options = (
            os.fsencode(word)
            for word in (wanted.source, wanted.target, wanted.filesystem, wanted.options)
        )
        syscalls.mount(source, target, filesystem, wanted.flags, options)

    def unmount(self, target: str) -> None:
        """See port: not a mount (EINVAL), and not there, are fine."""
        try:
            syscalls.umount_detach(os.fsencode(target))
        except OSError as refusal:
            if refusal.errno not in (errno.EINVAL, errno.ENOENT):
                raise

    def wait(self, process: Process, timeout_s: float | None = None) -> ExitStatus | None:
        """See port."""
        try:
            line = self._line_to(process)
        except OSError:
            return shimrecords.read_exit(process.directory)
        try:
            line.settimeout(timeout_s)
            status = shimrecords.exit_status(streams.hear(line))
        except TimeoutError:
            self._keep(line, process)
            return None
        except (OSError, *shimrecords.SPOILT):
            line.close()
            return shimrecords.read_exit(process.directory)
        with self._lock:
            older: socket.socket | None = line  # nobody dismisses a shim any more
            if not self._is_closed:
                older = self._answered.get(process.directory)
                self._answered[process.directory] = line
        if older is not None:
            older.close()
        return status

    def _line_to(self, process: Process) -> socket.socket:
        """Give a connection to a shim that was asked for the end of its program."""
        with self._lock:
            line = self._lines.pop(process.directory, None)
        if line is None:  # somebody waits on it, or the shim is older than this engine
            line = streams.connect(process.directory)
            with streams.closed_on_refusal(line):
                streams.send(line, op="wait")
        return line

    def _keep(self, line: socket.socket, process: Process) -> None:
        """Keep a line for who waits next; one is enough."""
        with self._lock:
            is_spare = self._is_closed or process.directory in self._lines
            if not is_spare:
                self._lines[process.directory] = line
        if is_spare:
            line.close()

    def signal(self, process: Process, number: int) -> None:
        """See port."""
        if self._ask(process, op="signal", number=int(number)).get("sent") != "True":
            raise _gone(process)

    def resize(self, process: Process, rows: int, columns: int) -> None:
        """See port."""
        self._ask(process, op="resize", rows=rows, columns=columns)

    def attach(self, process: Process) -> streams.ShimStreams:
        """See port."""
        with self._lock:
            bespoken = self._bespoken.get(process.directory)
            if bespoken:
                return streams.ShimStreams(bespoken.pop())
        try:
            connection = streams.connect(process.directory)
            with streams.closed_on_refusal(connection):
                streams.ask(connection, op="attach")
        except OSError as refusal:
            raise _gone(process) from refusal
        return streams.ShimStreams(connection)

    def dismiss(self, process: Process) -> None:
        """See port."""
        with self._lock:
            unclaimed = self._bespoken.pop(process.directory, [])
            if line := self._lines.pop(process.directory, None):  # nobody has waited
                unclaimed.append(line)
            line = self._answered.pop(process.directory, None)
        for connection in unclaimed:
            connection.close()
        # Its files are ours to take away: it may be slow, and another shim be next here.
        with suppress(OSError), line or streams.connect(process.directory) as connection:
            streams.send(connection, op="dismiss", files="ours")
        for name in ("shim.sock", "shim.json"):
            Path(process.directory, name).unlink(missing_ok=True)

    def _ask(self, process: Process, **fields: object) -> dict[str, str]:
        try:
            with streams.connect(process.directory) as connection:
                return streams.ask(connection, **fields)
        except OSError as refusal:
            raise _gone(process) from refusal

    def ring(self, directory: str, bell: Callable[[], object]) -> Callable[[], None]:
        """See port."""
        return self._watching.ring(directory, bell)

    def find(self, directory: str) -> Process | None:
        """See port."""
        return shimrecords.find(directory, self._boot)

    def observe(self, process: Process, *, briefly: bool = False) -> Isolation:
        """See port."""
        return observe(process, self.machine().cgroups, briefly=briefly)

    def members(self, process: Process) -> tuple[int, ...]:
        """See port."""
        try:
            return census.members(process, self.machine().cgroups)
        except OSError as gone:
            raise _gone(process) from gone

    def usage(self, process: Process) -> Usage:
        """See port."""
        try:
            return census.usage(process, self.machine().cgroups)
        except OSError as gone:
            raise _gone(process) from gone

    def list_processes(self, arguments: Sequence[str]) -> Listing:
        """See port."""
        return census.list_processes(tuple(arguments))

    def is_frozen(self, process: Process) -> bool:
        """See port."""
        try:
            return cgroups.is_frozen(process.pid, self.machine().cgroups)
        except OSError as gone:
            raise _gone(process) from gone

    def netfacts(self, process: Process | None = None) -> NetFacts:
        """See port."""
        if process is None:
            return netfacts.host_facts()
        try:
            return netfacts.facts_inside(process)
        except (FileNotFoundError, ProcessLookupError) as gone:
            raise _gone(process) from gone

    def watch_links(self, bell: Callable[[str], object]) -> Callable[[], None]:
        """See port."""
        return self._links.add(bell)

    def rules(self, table: str) -> tuple[FoundTable, ...]:
        """See port."""
        return read_tables(table)

    def watch_rules(self, table: str, bell: Callable[[], object]) -> Callable[[], None]:
        """See port."""
        return self._sifting.watch(table, bell)

    def listening(self, process: Process | None = None) -> tuple[Listening, ...]:
        """See port."""
        try:
            return listening.listening(process.pid if process else os.getpid())
        except OSError as gone:
            raise _gone(process) from gone

    def rehearse(self, wanted: Rehearsal) -> Rehearsed:
        """See port."""
        return copies.rehearse(wanted, self._names)

    def attempt(self, wanted: Attempt, process: Process | None = None) -> Attempted:
        """See port."""
        if process is None:
            return attempting.attempt(wanted)
        try:
            return attempting.attempt_from(wanted, process.pid, process.start_time)
        except ProcessLookupError as gone:
            raise _gone(process) from gone

    def serve_names(self, sandbox: str, clerk: Clerk) -> None:
        """See port."""
        self._names.serve(sandbox, clerk)

    def leave_names(self, sandbox: str) -> None:
        """See port."""
        self._names.leave(sandbox)

    # See port.  Asked at every event, so they are the functions themselves.
    clock, wall = staticmethod(time.monotonic), staticmethod(time.time)

    def new_id(self) -> str:
        """See port."""
        return secrets.token_hex(32)

    def sync(self, path: Path) -> None:
        """See port."""
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            syscalls.syncfs(handle)
        finally:
            os.close(handle)

    def close(self) -> None:
        """See port."""
        self._nursery.close()
        self._watching.close()
        self._sifting.close()
        self._names.close()
        self._links.close()
        with self._lock:
            self._is_closed = True
            lines = (*self._lines.values(), *self._answered.values())
        for line in (*lines, *(one for each in self._bespoken.values() for one in each)):
            line.close()
        for path in self._accounts:
            with suppress(OSError):  # containers go on living in it
                os.rmdir(path)


def _gone(process: Process | None) -> ProcessGone:
    return ProcessGone(
        f"process {process.pid if process else os.getpid()} has ended",
        why="its shim no longer answers for it",
        try_next="minidock ps --all",
        lesson="lifecycle",
    )
