"""The small process beside each container: it holds the streams and outlives the daemon.

    program ══ stdout, stderr, stdin (pipes or a terminal) ══ shim ── shim.sock ── daemon
                                                               │
                                          container.log, shim.json, exit.json

It is forked by the spawner (`pair`), and its child gives it all handles (`newborn`); from
then on it does four things until the child ends: it copies output into the log
(`containerlog`) and to whoever is attached, hands input in, passes signals on, and answers
on its socket (`visitors`).  The exit status is on disk before anybody is told.

Nothing is imported after the fork, and little is imported before (`sockets`): fifty shims
share most of their memory with the spawner.
"""

import fcntl
import os
import select
import struct
import time

from pyminidock.kernel.linux import containerlog, sockets
from pyminidock.kernel.linux.guard import Guard
from pyminidock.kernel.linux.messages import FRAME, STDERR, STDOUT, spell
from pyminidock.kernel.linux.newborn import Delivery, write_file
from pyminidock.kernel.linux.proc import has_executed
from pyminidock.kernel.linux.visitors import BUFFER_BYTES, STILL_S, Visitors

_CHUNK = 65536
_OUTPUT = 8192  # bytes read from the program at once; spelt as a log they are many more
_NAMES = {STDOUT: "stdout", STDERR: "stderr"}
_LINGER_S = 600
_AGAIN_S = 1.0  # between two tries to write on a full disk
_TIOCSWINSZ = 0x5414


class Shim:
    """The state of one shim: streams, the child, its visitors."""

    is_dismissed = is_noted = False
    guard: Guard | None = None  # where somebody is told of the program's calls
    taken = -1  # open as long as the child is not a program; the spawner waits for that

    def __init__(
        self, delivery: Delivery, birth: sockets.Socket, handles: list[int]
    ) -> None:
        self.pid, self.has_terminal = delivery.pid, delivery.has_terminal
        self.is_log_new, self.cgroups = delivery.is_log_new, delivery.cgroups
        self.birth = birth  # to the child, until it is the program
        self.directory, listener, *rest = handles
        self.log: containerlog.Log | None = None
        if delivery.log:
            self.log = containerlog.Log(self.directory, rest.pop(0), delivery.log)
        self.stdin = rest.pop(0) if delivery.has_stdin else -1
        if self.stdin >= 0:
            os.set_blocking(self.stdin, False)
        self.streams: dict[int, int] = {}  # descriptor we read -> STDOUT or STDERR
        if not self.has_terminal:
            self.streams = {rest.pop(0): STDOUT, rest.pop(0): STDERR}
        line, *watchers = rest
        self.visitors = Visitors(listener, line, watchers, self.directory)
        self.pending_stdin = bytearray()
        self.stdin_ends = False
        self.exit_record: dict[str, float] | None = None

    # ── The loop ─────────────────────────────────────────────────────────────────────────

    def serve(self) -> None:
        """Copy, answer and wait until the child ended and the daemon knows it."""
        self._let_live()
        child, birth = os.pidfd_open(self.pid), self.birth.fileno()
        while self.exit_record is None:
            ready = self._poll(extra=(child, birth))
            if birth in ready:
                if self._hear_child() == b"!":
                    self._withdraw()
                    return
                birth = self.birth.fileno()
                continue  # it may have said more than this, and died since
            self._handle(ready)
            if child in ready:
                self._reap()
        deadline = time.monotonic() + _LINGER_S
        while time.monotonic() < deadline and not self._is_done():
            if not self.is_noted:
                self._note_exit(self.exit_record)
            patience_s = deadline - time.monotonic() if self.is_noted else _AGAIN_S
            self._handle(self._poll(timeout_s=patience_s))

    def _let_live(self) -> None:
        try:
            self.birth.send(b"g")
        except BrokenPipeError:  # the child has failed already, and its last word says so
            return

    def _is_done(self) -> bool:
        """The daemon knows how it ended, and whoever is attached has got all of it."""
        return self.is_dismissed and self.visitors.are_served()

    def play(self, child: sockets.Socket, daemon: sockets.Socket) -> None:
        """Rehearse one life up to the first question of a daemon; see `rehearse`."""
        daemon.send(spell({"op": "wait"}))
        self.birth.send(b"g")
        program = os.pidfd_open(self.pid)
        self._handle(self._poll(extra=(program, self.birth.fileno()), timeout_s=0))
        child.recv(1)
        child.close()
        self._hear_child()
        for descriptor in (program, self.mounts, self.directory, *self.streams):
            os.close(descriptor)
        self.visitors.leave()

    def _hear_child(self) -> bytes:
        """Take what the child says before it becomes the program.

        "t" comes with the master end of its terminal, "w" with where its calls are told,
        "!" is its last word, and the end of
        the file means that the program has taken over (or that the child was killed).
        """
        try:
            word, masters = sockets.receive_handles(self.birth, 1, 1)
        except ConnectionResetError:  # it ended with our go unread
            word, masters = b"", []
        if word == b"t":
            os.set_blocking(masters[0], False)
            self.stdin = masters[0]
            self.streams = {masters[0]: STDOUT}
        elif word == b"w":
            self.guard = Guard(masters[0], self.directory)
        elif not word:
            self.birth.close()
            self._hold_mounts()
            if self.taken >= 0:
                os.close(self.taken)
                self.taken = -1
        return word

    def _hold_mounts(self) -> None:
        """Keep the mount namespace until the exit was told.

        The last process of a namespace takes all its mounts down before its parent hears
        of its end, and that takes longer than many a program.
        """
        try:
            flags = os.O_RDONLY | os.O_CLOEXEC
            self.mounts = os.open(f"/proc/{self.pid}/ns/mnt", flags)
        except OSError:  # it has ended already
            return

    def _withdraw(self) -> None:
        """No program came of it: leave no trace."""
        os.waitpid(self.pid, 0)
        for name in ("shim.sock", "shim.json"):
            self._unlink(name)
        if self.log and self.is_log_new:
            self._unlink(self.log.name)

    def _unlink(self, name: str | bytes) -> None:
        try:
            os.unlink(name, dir_fd=self.directory)
        except FileNotFoundError:
            return

    def _poll(
        self, *, extra: tuple[int, ...] = (), timeout_s: float | None = None
    ) -> set[int]:
        poll = select.poll()
        if self.guard is not None:
            extra = (*extra, *self.guard.descriptors())
        for descriptor in extra:
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        poll.register(self.visitors.listener, select.POLLIN)
        if self.visitors.are_behind():
            timeout_s = min(timeout_s or STILL_S, STILL_S / 4)  # until it stands still
            readable: set[int] = set()
        else:
            readable = set(self.streams)
        for stream in readable:
            poll.register(stream, select.POLLIN)
        if self.pending_stdin and self.stdin >= 0:
            events = select.POLLIN if self.stdin in readable else 0
            poll.register(self.stdin, events | select.POLLOUT)
        is_open = len(self.pending_stdin) < BUFFER_BYTES
        for number, client in self.visitors.clients.items():
            wants = select.POLLOUT if client.outgoing or client.offset >= 0 else 0
            hears = is_open or not client.is_attached
            poll.register(number, wants | (select.POLLIN if hears else 0))
        return {
            number
            for number, _ in poll.poll(None if timeout_s is None else timeout_s * 1000)
        }

    def _handle(self, ready: set[int]) -> None:
        if self.guard is not None:
            self.guard.turn(ready)
        # Standard output first: most programs end with a word about it on the other one.
        for number in [number for number in self.streams if number in ready]:
            self._copy_output(number)
        if self.stdin in ready:
            self._copy_input()
        if self.visitors.listener.fileno() in ready:
            self.visitors.welcome()
        for number in ready & self.visitors.clients.keys():
            self._hear(number)

    def _copy_output(self, number: int) -> bool:
        """Read once from a stream of the program; False at its end."""
        try:
            data = os.read(number, _OUTPUT)
        except BlockingIOError:
            return True
        except OSError:  # EIO: the last process closed the terminal
            data = b""
        if not data:
            if self.log:
                self.log.end(_NAMES[self.streams[number]])
            del self.streams[number]
            if number != self.stdin:
                os.close(number)
            return False
        stream = self.streams[number]
        if self.log:
            self.log.write(_NAMES[stream], data)
        self.visitors.show(stream, data)
        return True

    def _copy_input(self) -> None:
        if self.pending_stdin:
            try:
                sent = os.write(self.stdin, self.pending_stdin[:_CHUNK])
                del self.pending_stdin[:sent]
            except BlockingIOError:
                return
            except OSError:
                self.pending_stdin.clear()
                self.stdin_ends = True
        if self.stdin_ends and not self.pending_stdin:
            self._close_stdin()

    def _close_stdin(self) -> None:
        if self.stdin >= 0 and not self.has_terminal:
            os.close(self.stdin)
            self.stdin = -1

    def _reap(self) -> None:
        """Collect the exit status, put it on disk, then tell."""
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        was_killed = ended is not None and ended.si_code != os.CLD_EXITED
        executed = not was_killed or has_executed(self.pid)
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if self.guard is not None:
            self.guard.close()
        for number in list(self.streams):
            os.set_blocking(number, False)
            while number in self.streams and self._has_output(number):
                if not self._copy_output(number):
                    break
        if self.log:
            for name in _NAMES.values():
                self.log.end(name)
        self.exit_record = {
            "version": 1,
            "code": 128 - code if code < 0 else code,
            "signal": -code if code < 0 else 0,
            "oom": int(self._ran_out_of_memory()),
            "executed": int(executed),
            "finished": time.time(),
        }
        self._note_exit(self.exit_record)
        self.visitors.tell_end(self.exit_record)

    def _note_exit(self, record: dict[str, float]) -> None:
        """Put the exit status on disk, unless it is full; then that is tried again."""
        try:
            write_file(self.directory, "exit.json", record, sync=True)
        except OSError:
            return
        self.is_noted = True

    def _has_output(self, number: int) -> bool:
        return bool(select.select([number], [], [], 0)[0])

    def _ran_out_of_memory(self) -> bool:
        for path in self.cgroups:
            for name in (b"/memory.oom_control", b"/memory.events"):
                try:
                    file = os.open(path + name, os.O_RDONLY | os.O_CLOEXEC)
                except OSError:
                    continue
                _, _, count = os.read(file, _CHUNK).partition(b"oom_kill ")
                os.close(file)
                return int(count.partition(b"\n")[0] or b"0") > 0
        return False

    # ── Visitors ─────────────────────────────────────────────────────────────────────────

    def _hear(self, number: int) -> None:
        """Do what a visitor asks, hand in what it types; who misbehaves has to go."""
        try:
            messages, frames = self.visitors.hear(number)
            for message in messages:
                self._obey(number, message)
        except (OSError, ValueError, KeyError, TypeError):
            self.visitors.drop(number)
            return
        if frames and self.stdin >= 0:
            self.pending_stdin += b"".join(frames)
            self.stdin_ends |= b"" in frames
            self._copy_input()

    def _obey(self, number: int, message: dict[str, str]) -> None:
        match message["op"]:
            case "wait":
                if self.exit_record is not None:
                    self.visitors.tell(number, **self.exit_record)
                self.visitors.keep_waiting(number)
            case "attach":
                self.visitors.tell(number, tty=self.has_terminal)
                if self.exit_record is not None:
                    self.visitors.send(number, FRAME.pack(STDOUT, 0))
            case "signal":
                self.visitors.tell(number, sent=self._signal(int(message["number"])))
            case "resize":
                rows, columns = int(message["rows"]), int(message["columns"])
                size = struct.pack("HHHH", rows, columns, 0, 0)
                if self.has_terminal and self.exit_record is None:
                    fcntl.ioctl(self.stdin, _TIOCSWINSZ, size)
                self.visitors.tell(number, resized=self.has_terminal)
            case "dismiss":
                self.is_dismissed = True
                for name in ("shim.sock", "shim.json") if "files" not in message else ():
                    self._unlink(name)
                self.visitors.tell(number, dismissed=True)
            case _:
                self.visitors.tell(number, unknown=True)

    def _signal(self, number: int) -> bool:
        """Send it while the child is not reaped: its number cannot be anybody else's."""
        if self.exit_record is not None:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True
