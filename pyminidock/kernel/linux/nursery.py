"""The daemon's side of a birth: start the spawner once, then a conversation per container.

    daemon ── seal the interpreter ── spawn ──► spawner           once
    daemon ── [socket, watchers] ─────────────► spawner ──► shim  per container
    daemon ══ the plan, go, [sandbox, tree], reports ═════════ shim, then child

The interpreter is sealed by copying it into memory and forbidding every change for good.
Source: man 2 memfd_create, F_ADD_SEALS.
"""

import errno
import fcntl
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from pyminidock.kernel.linux.birth import REPORT

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_GATHERING_MS = 2
_MOST_BYTES = 1 << 16
_FITS_BYTES = 1 << 16  # a socket takes 200 KiB before anybody reads
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from pyminidock.kernel.linux.spawner import main; main()"
)


class Report(NamedTuple):
    """One call as its maker reported it; `errno` 0: done."""

    call: int  # its index within the plan
    errno: int
    value: int
    seconds: float  # CLOCK_MONOTONIC, at the one who made the call
    detail: bytes


class Conversation:
    """The birth socket of one container, seen from the daemon."""

    def __init__(self, connection: socket.socket, order: bytes) -> None:
        """Lay the order into the socket, unless it is too long for one."""
        self._socket = connection
        fits = len(order) <= _FITS_BYTES
        self._rest = b"" if fits else order
        if fits:
            connection.sendall(order)

    def send_rest(self) -> None:
        """Send a long order.  Raises BrokenPipeError when shim or spawner is gone."""
        if self._rest:  # else the birth may be over already, and nobody listens
            self._socket.sendall(self._rest)

    def hand_over(self, tree: int, sandbox: int) -> None:
        """Give what the daemon has made meanwhile; -1: none.

        Raises BrokenPipeError when shim or spawner is gone.
        """
        word = b"%d%d" % (sandbox >= 0, tree >= 0)
        handles = [each for each in (sandbox, tree) if each >= 0]
        socket.send_fds(self._socket, [word], handles)

    def go(self) -> None:
        """Let the child enter its accounts; in lockstep: let the next call happen."""
        self._socket.sendall(b"g")

    def reports(self, *, one_by_one: bool) -> Iterator[Report]:
        """Yield reports until the child has executed its program or died.

        Unless `one_by_one`, they gather in the socket for a moment.  Each would wake this
        process, which costs the child more than the call that it reports.  A birth takes a
        few of these moments, so that most of it is told while the rest goes on.
        """
        hang_up = select.poll()
        hang_up.register(self._socket, 0)  # reports that come in do not end the sleep
        heard = b""
        while True:
            if not one_by_one:
                hang_up.poll(_GATHERING_MS)
            part = self._socket.recv(_MOST_BYTES)
            if not part:
                return
            heard, begin = heard + part, 0
            while (report := _report_at(heard, begin)) is not None:
                begin += REPORT.size + len(report.detail)
                yield report
            heard = heard[begin:]

    def hang_up(self) -> list[Report]:
        """Tell shim and child, wherever they are, that nobody wants them any more.

        Gives what they had told and nobody has heard; more than that they cannot tell.
        """
        with self._socket:
            self._socket.shutdown(socket.SHUT_RDWR)
            return list(self.reports(one_by_one=True))

    def close(self) -> None:
        """Leave: the program runs, or its failure was told."""
        self._socket.close()


def _report_at(heard: bytes, begin: int) -> Report | None:
    """Take one report apart; None: it has not come in whole."""
    if len(heard) < begin + REPORT.size:
        return None
    index, error, value, nanoseconds, length = REPORT.unpack_from(heard, begin)
    begin += REPORT.size
    detail = heard[begin : begin + length]
    if len(detail) < length:
        return None
    return Report(index, error, value, nanoseconds / 1e9, detail)


class Nursery:
    """The spawner of one daemon; it is started again if somebody ended it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self.pid = 0
        # The engine raises its own; containers get what it was started with.
        self._descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)

    def begin(
        self, watchers: int = 0, *, is_birth: bool, is_connected: bool = False,
        is_adopted: bool = False, order: bytes = b"", question: bytes = b"",
    ) -> tuple[Conversation, socket.socket, list[socket.socket]]:  # fmt: skip
        """Ask for a shim; the child of a birth enters no account until `go`.

        Gives the conversation, a connection to the shim for questions, and `watchers` more
        that are attached already.  An order that fits into a socket lies there before
        anybody wakes, and so does the first question to the shim: how its program ended.
        `is_connected`: the newborn is brought into a network, and needs none of its own.
        `is_adopted`: it is born among processes that are not its own.
        """
        kind = is_birth and (3 if is_adopted else 1 + is_connected)
        word = b"%d %d" % (watchers, kind)
        with ExitStack() as undo, ExitStack() as ends, self._lock:
            ours, handles = list[socket.socket](), list[int]()
            for _ in range(watchers + 2):
                mine, his = socket.socketpair()
                ours.append(undo.enter_context(mine))
                handles.append(ends.enter_context(his).fileno())
            conversation = Conversation(ours[0], order)
            ours[1].sendall(question)
            for attempt in (1, 2):
                control = self._control or self._start()
                try:
                    socket.send_fds(control, [word], handles)
                    break
                except (BrokenPipeError, ConnectionResetError):
                    self._forget()
                    if attempt == 2:
                        raise
            undo.pop_all()
        return conversation, ours[1], ours[2:]

    def close(self) -> None:
        """End the spawner; its shims go on."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
            with suppress(ChildProcessError):  # the daemon was started to ignore SIGCHLD
                os.waitpid(self.pid, 0)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        interpreter = os.path.realpath(sys.executable)
        sealed = seal(interpreter)
        package_parent = str(Path(__file__).resolve().parents[3])
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        # Not a fork: posix_spawn runs nothing of ours between fork and exec, so threads of
        # this process do not matter.  argv[0] tells CPython where its library lies.
        self.pid = os.posix_spawn(
            f"/proc/self/fd/{sealed}",
            [
                interpreter,
                "-I",
                "-S",
                "-c",
                _START,
                package_parent,
                *map(str, self._descriptors),
            ],
            {"LC_ALL": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), 3),
                (os.POSIX_SPAWN_DUP2, null, 0),
                (os.POSIX_SPAWN_DUP2, null, 1),
            ],
            setsid=True,
            setsigmask=(),
            # A shell in whose background the daemon was started has it ignore some.
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
        os.close(null)
        os.close(sealed)
        theirs.close()
        self._control = ours
        return ours


def seal(path: str) -> int:
    """Copy an executable into memory that nobody can ever change; give its descriptor.

    Raises OSError ENOEXEC for a script: a version manager's shim is no interpreter.
    """
    with open(path, "rb") as file:
        head = file.read(4)
        if head != b"\x7fELF":
            raise OSError(errno.ENOEXEC, f"{path} is no ELF file")
        sealed = os.memfd_create("minidock-python", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        size, offset = os.fstat(file.fileno()).st_size, 0
        while offset < size:
            offset += os.sendfile(sealed, file.fileno(), offset, size - offset)
    os.fchmod(sealed, 0o500)
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, _SEALS)
    return sealed


def wait_until_gone(pid: int, timeout_s: float) -> bool:
    """Wait for the end of a process that is not our child.  False: it lives on."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    is_gone = bool(poll.poll(timeout_s * 1000))
    if not is_gone:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        is_gone = bool(poll.poll(timeout_s * 1000))
    os.close(descriptor)
    return is_gone
