"""The door on Linux, as root: plans become system calls.

One plan, three pairs of hands.  What comes before ForkShim is done here, by the daemon,
each deed with its undoing pushed on a stack; the rest is sent to the spawner and reported
back call by call.  Whatever fails, or whoever gives up, the stack is unwound and the
newborn process loses its socket, which ends it and every namespace it was in.
"""

import errno
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from pyminidock.grammar.capabilities import BITS
from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.detect import judge
from pyminidock.kernel.linux import (
    cgroups,
    devices,
    messages,
    overlay,
    streams,
    syscalls,
    wire,
)
from pyminidock.kernel.linux.facts import read_facts
from pyminidock.kernel.linux.machine import read_machine
from pyminidock.kernel.linux.newborn import LOG
from pyminidock.kernel.linux.nursery import Conversation, Nursery, Report, wait_until_gone
from pyminidock.kernel.linux.observe import observe
from pyminidock.kernel.linux.proc import boot_id, has_executed, start_time
from pyminidock.kernel.port import (
    KILLED,
    Answer,
    Capability,
    ExitStatus,
    Isolation,
    Machine,
    Process,
    ProcessGone,
)
from pyminidock.kernel.refusals import refused

_PATIENCE_S = 1.0  # for a process that has been told to end; then it is killed
_SHIM_LOST = ExitStatus(137, 9)
_LATEST = 1 << 40  # seconds since 1970: no clock shows more
_SPOILT = (ValueError, KeyError, TypeError, RecursionError)  # of a record on a disk


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
        self._lock = threading.Lock()

    def machine(self) -> Machine:
        """See port."""
        if self._machine is None:
            self._machine = read_machine()
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
        with ExitStack() as undo:
            tree = -1
            for index, call in enumerate(plan[:birth]):
                handle = self._do(index, call, undo)
                tree = handle if handle >= 0 else tree
                answer(call, 0, time.monotonic())
            if birth == len(plan):
                undo.pop_all()
                return None
            order = self._order(plan, birth, lockstep=lockstep)
            labour = self._give_birth(plan, birth, tree, order, answer, watchers)
            undo.pop_all()
        if tree >= 0:
            os.close(tree)
        with self._lock:
            self._bespoken[labour.directory] = labour.watching
            self._lines[labour.directory] = labour.line
        return labour.process(self._boot)

    def _do(self, index: int, call: Call, undo: ExitStack) -> int:
        """Perform one call of the daemon's own; a handle, if there is one, else -1."""
        try:
            if self.fail_at and self.fail_at[0] == index:
                raise OSError(self.fail_at[1], os.strerror(self.fail_at[1]))
            match call:
                case calls.MakeCgroup(path):
                    self._accounts.add(os.path.dirname(path))
                    if cgroups.make(path):
                        undo.callback(cgroups.remove, path)
                case calls.LimitCgroup(path, file, value):
                    cgroups.limit(path, file, value)
                case calls.FilterDevices(path, program):
                    devices.filter_devices(path, program)
                case calls.RemoveCgroup(path):
                    self._accounts.add(os.path.dirname(path))
                    cgroups.remove(path)
                case calls.PrepareOverlay(lower, upper, work, flags):
                    handle = overlay.prepare(lower, upper, work, flags)
                    undo.callback(os.close, handle)
                    return handle
                case _:
                    raise OSError(errno.EINVAL, "only a shim or a child can do this")
        except OSError as refusal:
            raise refused(index, call, refusal.errno or errno.EIO) from refusal
        return -1

    def _order(self, plan: Plan, birth: int, *, lockstep: bool) -> "_Order":
        """Spell what goes to the shim.  Raises CallFailed when it is too long."""
        try:
            message = wire.request(
                plan, birth, lockstep=lockstep, capabilities=BITS,
                last_capability=self.machine().last_capability, fail_at=self.fail_at,
            )  # fmt: skip
        except ValueError as too_long:
            raise refused(birth, plan[birth], errno.E2BIG, str(too_long)) from too_long
        return _Order(message, lockstep)

    def _give_birth(
        self, plan: Plan, birth: int, tree: int, order: "_Order", answer: Answer,
        watchers: int,
    ) -> "_Labour":  # fmt: skip
        """Follow one birth; once more if the spawner was killed with it in its hands."""
        if self.fail_at and self.fail_at[0] == birth:
            raise refused(birth, plan[birth], self.fail_at[1])
        labour = _Labour(plan, birth, answer, order.lockstep)
        for _ in (1, 2):
            labour.conversation, labour.line, labour.watching = self._nursery.begin(
                tree, watchers, order=order.message, question=messages.spell({"op": "wait"})
            )
            try:
                labour.conversation.send_rest()
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
            return labour
        raise refused(birth, plan[birth], errno.ECHILD)

    # ── Life after birth ─────────────────────────────────────────────────────────────────

    def look(
        self, lower: Sequence[str], upper: str, work: str, paths: Sequence[str]
    ) -> Mapping[str, bytes]:
        """See port."""
        return overlay.look(lower, upper, paths)

    def wait(self, process: Process, timeout_s: float | None = None) -> ExitStatus | None:
        """See port."""
        try:
            line = self._line_to(process)
        except OSError:
            return self._read_exit(process)
        try:
            line.settimeout(timeout_s)
            status = _status(streams.hear(line))
        except TimeoutError:
            self._keep(line, process)
            return None
        except OSError:
            line.close()
            return self._read_exit(process)
        with self._lock:
            older, self._answered[process.directory] = (
                self._answered.get(process.directory), line,
            )  # fmt: skip
        if older is not None:
            older.close()
        return status

    def _line_to(self, process: Process) -> socket.socket:
        """Give a connection to a shim that was asked for the end of its program."""
        with self._lock:
            line = self._lines.pop(process.directory, None)
        if line is None:  # somebody waits on it, or the shim is older than this engine
            line = streams.connect(process.directory)
            streams.send(line, op="wait")
        return line

    def _keep(self, line: socket.socket, process: Process) -> None:
        """Keep a line for who waits next; one is enough."""
        with self._lock:
            kept = self._lines.setdefault(process.directory, line)
        if kept is not line:
            line.close()

    def _read_exit(self, process: Process) -> ExitStatus:
        """The shim is gone: its last record tells, or it was lost with the program."""
        try:
            record = Path(process.directory, "exit.json").read_text(encoding="utf-8")
            return _status(json.loads(record))
        except (OSError, *_SPOILT):
            return _SHIM_LOST

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

    def find(self, directory: str) -> Process | None:
        """See port."""
        try:
            record = json.loads(Path(directory, "shim.json").read_text(encoding="utf-8"))
            process = Process(
                record["pid"], record["start_time"], record["boot_id"],
                record["shim_pid"], directory,
            )  # fmt: skip
            if process.boot_id != self._boot:
                return None
            numbers = (process.pid, process.start_time, process.shim_pid)
            if not all(isinstance(each, int) and each > 0 for each in numbers):
                return None
            if start_time(process.shim_pid) != record["shim_start_time"]:
                return None
        except (OSError, *_SPOILT):
            return None
        return process

    def observe(self, process: Process) -> Isolation:
        """See port."""
        return observe(process, self.machine().cgroups)

    def clock(self) -> float:
        """See port."""
        return time.monotonic()

    def wall(self) -> float:
        """See port."""
        return time.time()

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
        for line in (*self._lines.values(), *self._answered.values()):
            line.close()
        for path in self._accounts:
            with suppress(OSError):  # containers go on living in it
                os.rmdir(path)


@dataclass(frozen=True, slots=True)
class _Order:
    """What is sent to a shim, and whether each of its calls waits for a go."""

    message: bytes
    lockstep: bool


class _Labour:
    """One birth being followed, report by report; made before anybody is asked for it."""

    conversation: Conversation
    line: socket.socket
    watching: list[socket.socket]

    def __init__(self, plan: Plan, birth: int, answer: Answer, lockstep: bool) -> None:
        self.plan, self.next, self.answer = plan, birth, answer
        self.lockstep = lockstep
        self.pid = self.start_time = self.shim_pid = 0
        shim = plan[birth]
        assert isinstance(shim, calls.ForkShim)  # noqa: S101  (how `birth` was found)
        self.directory = shim.directory
        records = ("shim.sock", "shim.json", "exit.json")
        self.files = (*records, *(f"{name}.tmp" for name in records))
        if not Path(self.directory, LOG).exists():
            self.files = (*self.files, LOG)

    def follow(self) -> None:
        """Answer each report; at the end, answer the calls whose silence means success."""
        for report in self.conversation.reports(one_by_one=self.lockstep):
            if report.errno:
                index = report.index if report.index >= 0 else self.next
                raise refused(
                    index, self.plan[index], report.errno, _text(report), report.value
                )
            if isinstance(self.plan[report.index], calls.Execute):
                outcome, at = report.value, report.seconds
                break
            self._note(report)
        else:
            at = time.monotonic()
            outcome = self._outcome()
        self._finish(outcome, at)

    def _note(self, report: Report) -> None:
        call = self.plan[report.index]
        if isinstance(call, calls.ForkShim):
            self.shim_pid = report.value
        elif isinstance(call, calls.ForkInit):
            self.pid, self.start_time = report.value, int(report.detail)
        self.next = report.index + 1
        self.answer(call, report.value, report.seconds)
        if self.lockstep:
            self.conversation.go()

    def _outcome(self) -> int:
        """End of file: a program took over, or the child was killed; what Execute gave."""
        rest = self.plan[self.next :]
        if not self.shim_pid:
            raise ConnectionResetError
        if any(isinstance(call, calls.AnnounceReady) for call in rest):
            raise refused(self.next, rest[0], errno.ECHILD)
        try:
            was_executed = has_executed(self.pid, self.start_time)
        except ProcessLookupError:  # it has ended, and was waited for
            was_executed = _was_executed(self.directory)
        return 0 if was_executed else KILLED

    def _finish(self, value: int, at: float) -> None:
        """Answer the calls that were not reported one by one; `value` is Execute's.

        Silence means that they worked, unless the child was killed: then nobody knows.
        """
        for call in self.plan[self.next :]:
            self.next += 1
            if isinstance(call, calls.Execute):
                self.answer(call, value, at)
            elif value != KILLED:
                self.answer(call, 0, at)

    def process(self, boot: str) -> Process:
        """Give what came of it."""
        return Process(self.pid, self.start_time, boot, self.shim_pid, self.directory)

    def give_up(self) -> None:
        """End what was begun, wait until it is gone, and take its files away."""
        for connection in (self.line, *self.watching):
            connection.close()
        with suppress(OSError):
            self.conversation.hang_up()
        for pid in (self.pid, self.shim_pid):
            if pid:
                wait_until_gone(pid, _PATIENCE_S)
        for name in self.files:
            Path(self.directory, name).unlink(missing_ok=True)


def _was_executed(directory: str) -> bool:
    """Ask the shim, which looked before it collected the dead."""
    try:
        with streams.connect(directory, _PATIENCE_S) as connection:
            return streams.ask(connection, op="wait").get("executed") != "0"
    except OSError:  # lost as well: whoever waits will hear of that
        return True


def _text(report: Report) -> str:
    return report.detail.decode("utf-8", "replace")


def _status(record: Mapping[str, object]) -> ExitStatus:
    """Read an exit record, from the shim's own words or from its file."""
    code, number, oom = (int(str(record[name])) for name in ("code", "signal", "oom"))
    finished = float(str(record["finished"]))
    if not 0 <= finished < _LATEST:
        raise ValueError(finished)
    return ExitStatus(code, number, bool(oom), finished)


def _gone(process: Process) -> ProcessGone:
    return ProcessGone(
        f"process {process.pid} has ended",
        why="its shim no longer answers for it",
        try_next="minidock ps --all",
        lesson="lifecycle",
    )
