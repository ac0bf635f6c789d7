"""The small process beside each container: it holds the streams and outlives the daemon.

    program ══ stdout, stderr, stdin (pipes or a terminal) ══ shim ── shim.sock ── daemon
                                                               │
                                          container.log, shim.json, exit.json

It is forked by the spawner, and its child gives it all handles (`newborn`); from then on it
does four things until the child ends: it copies output into the log and to whoever is
attached, hands input in, passes signals on, and answers on its socket (`messages`).  The
exit status is on disk before anybody is told.

Only the standard library is used and nothing is imported after the fork: fifty shims share
most of their memory with the spawner (1.1 MiB each).
"""

import errno
import fcntl
import gc
import json
import marshal
import os
import select
import signal
import socket
import struct
import time

from pyminidock.kernel.linux import syscalls
from pyminidock.kernel.linux.exhaustion import OF_CONTAINER, OF_SHIM, adjust_badness
from pyminidock.kernel.linux.messages import (
    FRAME,
    LENGTH,
    STDERR,
    STDIN,
    STDOUT,
    Client,
    read,
    spell,
)
from pyminidock.kernel.linux.newborn import (
    LOG,
    MOST_HANDLES,
    SECOND,
    Delivery,
    deliver,
    refuse,
    wait,
    write_file,
)
from pyminidock.kernel.linux.proc import has_executed, name_process

_CHUNK = 65536
_OUTPUT = 8192  # bytes read from the program at once; spelt as a log they are many more
_HEAD = b'{"log":"'
_PLAIN = bytes(set(range(32, 127)) - set(b'"\\') | set(b"\n"))  # in JSON as in the output
_ATTACH_BUFFER = 1 << 20  # bytes waiting for one attached client
_LINGER_S = 600
_LONGEST_MESSAGE = 1 << 20
REHEARSALS = 20  # Python has settled then
_TIOCSWINSZ = 0x5414


def run(control: socket.socket, taken: int) -> None:
    """Be the shim of the next container; never returns.  Called right after the fork.

    `control` is where the newborn gets the request, `taken` where it says so.
    """
    gc.disable()
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    _settle()
    os.setsid()
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    for number in (STDOUT, STDERR):  # a shim that outlives the daemon keeps no pipe of it
        os.dup2(STDIN, number)
    adjust_badness(OF_SHIM)
    ours, its = socket.socketpair()
    ourselves = os.getpid()
    try:
        newborn = syscalls.fork_into_new_pid_namespace()
    except OSError as refusal:  # ENOSPC: so many namespaces may nobody make
        refuse(control, refusal.errno or errno.EAGAIN)
        os._exit(1)
    if newborn == 0:
        ours.close()
        wait(control, taken, its, ourselves)
    for descriptor in (control.detach(), taken, its.detach()):
        os.close(descriptor)
    shim = _take_over(ours)
    if shim is None:  # no container, or none that came to the world
        os.wait()
        os._exit(1)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, 0)
    try:
        shim.serve()
    except BaseException as surprise:  # a bug: leave a note where people will look
        _leave_note(shim.directory, surprise)
        os._exit(1)
    os._exit(0)


def _settle() -> None:
    """Take a name, and hear of children and broken pipes as a shim has to."""
    name_process(b"minidock-shim")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def _take_over(birth: socket.socket) -> "Shim | None":
    """Wait for the child and all handles."""
    message, handles, _, _ = socket.recv_fds(birth, _CHUNK, MOST_HANDLES)
    for descriptor in handles:
        os.set_inheritable(descriptor, False)
    if not message:
        return None
    if message.startswith(SECOND):
        return _send_usher(birth, message.removeprefix(SECOND), handles)
    return Shim(Delivery(marshal.loads(message)), birth, handles)  # noqa: S302  (our child's)


def _send_usher(newborn: socket.socket, word: bytes, handles: list[int]) -> "Shim | None":
    """For exec: let an usher bring the child in, and be its parent when she is gone."""
    newborn.close()
    os.wait()
    ours, hers = socket.socketpair()
    ourselves = os.getpid()
    if os.fork() == 0:
        ours.close()
        adjust_badness(OF_CONTAINER)
        deliver(word, handles, hers, ourselves)
    for descriptor in (*handles, hers.detach()):
        os.close(descriptor)
    shim = _take_over(ours)
    if shim is not None:
        os.wait()
    return shim


def rehearse() -> None:
    """Play the life of a shim before the first fork, with nobody in the other roles.

    Python rewrites its instructions and fills caches when code runs for the first times.
    Done here, those pages are shared; done later, every shim would have copies of its own,
    a fifth of its memory.
    """
    for _ in range(REHEARSALS):
        _settle()
        child, birth = socket.socketpair()
        daemon, line = socket.socketpair()
        out, out_end = os.pipe2(os.O_CLOEXEC)
        err, err_end = os.pipe2(os.O_CLOEXEC)
        part: dict[str, object] = dict.fromkeys(
            ("has_terminal", "has_stdin", "has_log", "is_log_new"), False
        )
        part["pid"], part["cgroups"] = os.getpid(), ()
        place = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        listener = socket.socket(socket.AF_UNIX)
        handles = [place, listener.fileno(), out, err, line.fileno()]
        socket.send_fds(child, [marshal.dumps(part)], handles)
        shim = _take_over(birth)
        assert shim is not None  # noqa: S101  (it was sent just now)
        shim.log = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
        os.write(out_end, b'one line\nand "another"\n')
        shim.play(child, daemon)
        for end in (child, daemon, line, listener):
            end.close()
        for descriptor in (out, out_end, err, err_end, place, shim.log):
            os.close(descriptor)


def _leave_note(directory: int, surprise: BaseException) -> None:
    """Write what went wrong and where into shim.log, beside the container's files."""
    places = []
    step = surprise.__traceback__
    while step is not None:
        places.append(f"{step.tb_frame.f_code.co_name}:{step.tb_lineno}")
        step = step.tb_next
    text = f"shim {os.getpid()}: {surprise!r} at {' > '.join(places)}\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    os.write(os.open("shim.log", flags, 0o600, dir_fd=directory), text.encode())


class Shim:
    """The state of one shim: streams, the child, its clients."""

    is_dismissed = False

    def __init__(
        self, delivery: Delivery, birth: socket.socket, handles: list[int]
    ) -> None:
        self.pid, self.has_terminal = delivery.pid, delivery.has_terminal
        self.is_log_new, self.cgroups = delivery.is_log_new, delivery.cgroups
        self.birth = birth  # to the child, until it is the program
        self.directory, listener, *rest = handles
        self.listener = socket.socket(fileno=listener)
        self.listener.setblocking(False)
        self.log = rest.pop(0) if delivery.has_log else -1
        self.stdin = rest.pop(0) if delivery.has_stdin else -1
        if self.stdin >= 0:
            os.set_blocking(self.stdin, False)
        self.streams: dict[int, int] = {}  # descriptor we read -> STDOUT or STDERR
        if not self.has_terminal:
            self.streams = {rest.pop(0): STDOUT, rest.pop(0): STDERR}
        line, *watchers = rest
        self.clients = {line: Client(socket.socket(fileno=line))}
        for number in watchers:
            self.clients[number] = Client(socket.socket(fileno=number), is_attached=True)
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
            self._handle(self._poll(timeout_s=deadline - time.monotonic()))

    def _let_live(self) -> None:
        try:
            self.birth.send(b"g")
        except BrokenPipeError:  # the child has failed already, and its last word says so
            return

    def _is_done(self) -> bool:
        """The daemon knows how it ended, and whoever is attached has got all of it."""
        return self.is_dismissed and not any(c.outgoing for c in self.clients.values())

    def play(self, child: socket.socket, daemon: socket.socket) -> None:
        """Rehearse one life up to the first question of a daemon; see `rehearse`."""
        daemon.send(spell({"op": "wait"}))
        self.birth.send(b"g")
        program = os.pidfd_open(self.pid)
        self._handle(self._poll(extra=(program, self.birth.fileno()), timeout_s=0))
        child.recv(1)
        child.close()
        self._hear_child()
        for descriptor in (program, self.directory, *self.streams):
            os.close(descriptor)
        self.listener.close()
        for client in self.clients.values():
            client.connection.close()

    def _hear_child(self) -> bytes:
        """Take what the child says before it becomes the program.

        "t" comes with the master end of its terminal, "!" is its last word, and the end of
        the file means that the program has taken over (or that the child was killed).
        """
        try:
            word, masters, _, _ = socket.recv_fds(self.birth, 1, 1)
        except ConnectionResetError:  # it ended with our go unread
            word, masters = b"", []
        if word == b"t":
            os.set_inheritable(masters[0], False)
            os.set_blocking(masters[0], False)
            self.stdin = masters[0]
            self.streams = {masters[0]: STDOUT}
        elif not word:
            self.birth.close()
            self._hold_mounts()
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
        for name in ("shim.sock", "shim.json", *([LOG] if self.is_log_new else [])):
            self._unlink(name)

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self.directory)
        except FileNotFoundError:
            return

    def _poll(
        self, *, extra: tuple[int, ...] = (), timeout_s: float | None = None
    ) -> set[int]:
        poll = select.poll()
        for descriptor in extra:
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        poll.register(self.listener, select.POLLIN)
        if not self._is_congested():
            for stream in self.streams:
                poll.register(stream, select.POLLIN)
        if self.pending_stdin and self.stdin >= 0:
            events = select.POLLOUT | (select.POLLIN if self.stdin in self.streams else 0)
            poll.register(self.stdin, events)
        for number, client in self.clients.items():
            wants = select.POLLOUT if client.outgoing else 0
            if len(self.pending_stdin) < _ATTACH_BUFFER:
                wants |= select.POLLIN
            poll.register(number, wants)
        return {
            number
            for number, _ in poll.poll(None if timeout_s is None else timeout_s * 1000)
        }

    def _is_congested(self) -> bool:
        """Whether somebody attached cannot keep up: then the program has to wait."""
        return any(
            len(client.outgoing) > _ATTACH_BUFFER for client in self.clients.values()
        )

    def _handle(self, ready: set[int]) -> None:
        for number in ready & self.streams.keys():
            self._copy_output(number)
        if self.stdin in ready:
            self._copy_input()
        if self.listener.fileno() in ready:
            self._welcome()
        for number in ready & self.clients.keys():
            self._serve_client(number)

    def _copy_output(self, number: int) -> bool:
        """Read once from a stream of the program; False at its end."""
        try:
            data = os.read(number, _OUTPUT)
        except BlockingIOError:
            return True
        except OSError:  # EIO: the last process closed the terminal
            data = b""
        if not data:
            del self.streams[number]
            if number != self.stdin:
                os.close(number)
            return False
        stream = self.streams[number]
        if self.log >= 0:
            self._write_log(stream, data)
        frame = FRAME.pack(stream, len(data)) + data
        for key, client in list(self.clients.items()):
            if client.is_attached:
                self._send(key, client, frame)
        return True

    def _write_log(self, stream: int, data: bytes) -> None:
        """Docker's json-file: one object per line, text with its line feed, UTC time.

        Most output has nothing to escape but its line feeds, and one `replace` spells it:
        the memory of thousands of little strings would stay with the shim.
        """
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        name = "stdout" if stream == STDOUT else "stderr"
        tail = f'","stream":"{name}","time":"{stamp}.{nanoseconds:09d}Z"}}\n'.encode()
        between = b"\\n" + tail + _HEAD
        is_whole = data.endswith(b"\n")
        text, end = (data[:-1], b"\\n" + tail) if is_whole else (data, tail)
        if text.translate(None, _PLAIN):
            text = between.join(map(_escaped, text.split(b"\n")))
        else:
            text = text.replace(b"\n", between)
        try:
            os.writev(self.log, (_HEAD, text, end))
        except OSError:  # a full disk must not stop the program
            return

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
        for number in list(self.streams):
            os.set_blocking(number, False)
            while number in self.streams and self._has_output(number):
                if not self._copy_output(number):
                    break
        self.exit_record = {
            "version": 1,
            "code": 128 - code if code < 0 else code,
            "signal": -code if code < 0 else 0,
            "oom": int(self._ran_out_of_memory()),
            "executed": int(executed),
            "finished": time.time(),
        }
        write_file(self.directory, "exit.json", self.exit_record, sync=True)
        for number, client in list(self.clients.items()):
            if client.is_waiting:
                self._tell(number, client, **self.exit_record)
            if client.is_attached:
                self._send(number, client, FRAME.pack(STDOUT, 0))

    def _has_output(self, number: int) -> bool:
        return bool(select.select([number], [], [], 0)[0])

    def _ran_out_of_memory(self) -> bool:
        for path in self.cgroups:
            for name in (b"/memory.oom_control", b"/memory.events"):
                try:
                    with open(path + name, "rb") as file:
                        lines = file.read().split(b"\n")
                except OSError:
                    continue
                return any(
                    line.startswith(b"oom_kill ") and line != b"oom_kill 0"
                    for line in lines
                )
        return False

    # ── Clients ──────────────────────────────────────────────────────────────────────────

    def _welcome(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        size = struct.calcsize("3i")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        _, uid, _ = struct.unpack("3i", credentials)
        if uid not in (0, os.getuid()):
            connection.close()
            return
        self.clients[connection.fileno()] = Client(connection)

    def _send(self, number: int, client: Client, data: bytes) -> None:
        try:
            client.send(data)
        except OSError:
            self._drop(number)

    def _tell(self, number: int, client: Client, **fields: float) -> None:
        try:
            client.answer(**fields)
        except OSError:
            self._drop(number)

    def _drop(self, number: int) -> None:
        client = self.clients.pop(number, None)
        if client is not None:
            client.connection.close()

    def _serve_client(self, number: int) -> None:
        client = self.clients[number]
        try:
            client.flush()
            data = client.connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(number)
            return
        client.incoming += data
        if client.is_attached:
            self._take_frames(client)
        else:
            self._take_messages(number, client)

    def _take_messages(self, number: int, client: Client) -> None:
        while len(client.incoming) >= LENGTH.size and not client.is_attached:
            (length,) = LENGTH.unpack_from(client.incoming)
            if length > _LONGEST_MESSAGE:
                self._drop(number)
                return
            if len(client.incoming) < LENGTH.size + length:
                return
            body = bytes(client.incoming[LENGTH.size : LENGTH.size + length])
            del client.incoming[: LENGTH.size + length]
            try:
                message = read(body)
                self._obey(number, client, message)
            except (ValueError, KeyError, TypeError, AttributeError):
                self._drop(number)
                return
        if client.is_attached:
            self._take_frames(client)

    def _obey(self, number: int, client: Client, message: dict[str, str]) -> None:
        match message["op"]:
            case "wait":
                if self.exit_record is not None:
                    self._tell(number, client, **self.exit_record)
                client.is_waiting = True
            case "attach":
                client.is_attached = True
                self._tell(number, client, tty=self.has_terminal)
                if self.exit_record is not None:
                    self._send(number, client, FRAME.pack(STDOUT, 0))
            case "signal":
                self._tell(number, client, sent=self._signal(int(message["number"])))
            case "resize":
                rows, columns = int(message["rows"]), int(message["columns"])
                size = struct.pack("HHHH", rows, columns, 0, 0)
                if self.has_terminal and self.exit_record is None:
                    fcntl.ioctl(self.stdin, _TIOCSWINSZ, size)
                self._tell(number, client, resized=self.has_terminal)
            case "dismiss":
                self.is_dismissed = True
                for name in ("shim.sock", "shim.json"):
                    self._unlink(name)
                self._tell(number, client, dismissed=True)
            case _:
                self._tell(number, client, unknown=True)

    def _signal(self, number: int) -> bool:
        """Send it while the child is not reaped: its number cannot be anybody else's."""
        if self.exit_record is not None:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _take_frames(self, client: Client) -> None:
        while len(client.incoming) >= FRAME.size:
            _, length = FRAME.unpack_from(client.incoming)
            if len(client.incoming) < FRAME.size + length:
                return
            data = client.incoming[FRAME.size : FRAME.size + length]
            del client.incoming[: FRAME.size + length]
            if length:
                self.pending_stdin += data
            else:
                self.stdin_ends = True
        if self.stdin >= 0:
            self._copy_input()


def _escaped(line: bytes) -> bytes:
    text = json.dumps(line.decode("utf-8", "replace"), ensure_ascii=False)
    return text[1:-1].encode()
