"""The small process beside each container: it holds the streams and outlives the daemon.

    program ══ stdout, stderr, stdin (pipes or a terminal) ══ shim ── shim.sock ── daemon
                                                               │
                                          container.log, shim.json, exit.json

It is forked by the spawner, reads its order from the birth socket, forks the child, and
then does four things until the child ends: it copies output into the log and to whoever is
attached, hands input in, passes signals on, and answers on its socket.  The exit status is
on disk before anybody is told.

Messages on shim.sock: 4 bytes length (big-endian) and a JSON object {"op": ...}.

    wait      answered at the end with {"code", "signal", "oom", "finished"}
    signal    {"number"}                       resize    {"rows", "columns"}
    dismiss   the exit record was read; the shim may go
    attach    after the answer the connection carries frames, both ways:
              1 byte stream (0 stdin, 1 stdout, 2 stderr), 3 zero bytes, 4 bytes length;
              an empty stdin frame closes standard input

Only the standard library is used and nothing is imported after the fork: fifty shims share
most of their memory with the spawner (under 1 MiB each).
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
from pyminidock.kernel.linux.child import (
    VERBS,
    Aborted,
    Birth,
    Order,
    live,
    report,
    wait_for_go,
)
from pyminidock.kernel.linux.proc import boot_id, name_process, start_time

STDIN, STDOUT, STDERR = 0, 1, 2
LOG = "container.log"
FRAME = struct.Struct(">BxxxI")
LENGTH = struct.Struct(">I")

_CHUNK = 65536
_ATTACH_BUFFER = 1 << 20  # bytes waiting for one attached client
_LINGER_S = 600
_LONGEST_MESSAGE = 1 << 20
_TIOCSWINSZ = 0x5414


def run(report_socket: int, watchers: list[int], root_mount: int) -> None:
    """Be the shim of one container; never returns.  Called right after the fork.

    `watchers` are sockets of clients that are attached before the program exists.
    """
    gc.disable()
    name_process(b"minidock-shim")
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    for number in (STDOUT, STDERR):  # a shim that outlives the daemon keeps no pipe of it
        os.dup2(STDIN, number)
    shim = None
    try:
        order = Order(marshal.loads(_exactly(report_socket, _length(report_socket))))  # noqa: S302
        wishes: tuple[bytes, bool, bool, bool] = order.calls[0][1]  # type: ignore[assignment]
        directory, has_terminal, keeps_stdin, keeps_log = wishes  # fields of ForkShim
        shim = Shim(directory, has_terminal=has_terminal, keeps_stdin=keeps_stdin)
        for number in watchers:
            shim.clients[number] = Client(socket.socket(fileno=number), is_attached=True)
        _acknowledge(order, report_socket, order.first, os.getpid())
        _be_born(shim, order, report_socket, root_mount)
        if shim.let_go(keeps_log=keeps_log):
            shim.serve()
    except Aborted:
        os._exit(1)
    except BaseException as surprise:  # a bug, or no room on the disk: leave a note
        if shim is not None:
            _leave_note(shim.directory, surprise)
        os._exit(1)
    os._exit(0)


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


def _be_born(shim: "Shim", order: Order, report_socket: int, root_mount: int) -> None:
    """Walk the plan up to ForkInit, fork the child, leave the daemon's socket.

    A shim stays on the host.  The namespaces of a running container are therefore entered
    by an usher, forked for that, who forks the child as its last deed; inside, nobody ever
    sees a process that still holds something of the host.
    """
    verbs = [verb for verb, _ in order.calls]
    init = order.first + verbs.index("ForkInit")
    shim.watch_memory(order.calls)
    birth_end, child_end = socket.socketpair()
    pid = usher = 0
    if "JoinNamespace" in verbs:
        usher = os.fork()
    if usher == 0:
        _walk(order, report_socket)
        pid = os.fork()
        if pid == 0:
            birth_end.close()
            shim.become_streams_of_child()
            birth = Birth(report_socket, child_end.detach(), root_mount, order)
            if "JoinNamespace" in verbs:
                birth.root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            _come_to_life(birth, order, init)
        if "JoinNamespace" in verbs:
            os.write(child_end.fileno(), LENGTH.pack(pid))
            os._exit(0)
    child_end.close()
    if usher:
        pid = _wait_for_usher(usher, birth_end)
    if root_mount >= 0:
        os.close(root_mount)
    shim.adopt(pid, birth_end)
    _acknowledge(order, report_socket, init, pid, str(shim.start_time).encode())
    os.close(report_socket)


def _come_to_life(birth: Birth, order: Order, init: int) -> None:
    """In the child: wait until the shim is ready, then walk the rest; never returns."""
    try:
        wait_for_go(birth.shim)
    except Aborted:
        os._exit(1)
    live(birth, order.calls[init - order.first + 1 :], init + 1)


def _wait_for_usher(usher: int, birth_end: socket.socket) -> int:
    """Get the child's number; as our own descendant it becomes our child."""
    word = birth_end.recv(LENGTH.size)
    os.waitpid(usher, 0)
    if not word:  # refused on the way, and reported there
        raise Aborted
    return int(LENGTH.unpack(word)[0])


def _walk(order: Order, report_socket: int) -> None:
    """Perform the calls between ForkShim and ForkInit."""
    namespaces: dict[str, int] = {}
    for index, (verb, words) in enumerate(order.calls[1:], order.first + 1):
        try:
            if order.fail_at[0] == index:
                raise OSError(order.fail_at[1], "failed on purpose")
            if verb == "ForkInit":
                break
            if verb == "JoinNamespace":
                _open_namespaces(order.calls, namespaces)
                syscalls.setns(namespaces[words[0]], words[1])  # type: ignore[index, arg-type]
            elif verb in ("EnterNamespace", "JoinCgroup"):
                VERBS[verb](None, *words)
            else:
                raise OSError(errno.EINVAL, verb)
        except OSError as refusal:
            report(report_socket, index, error=refusal.errno or errno.EIO)
            raise Aborted from None
        _acknowledge(order, report_socket, index, 0)
    for descriptor in namespaces.values():
        os.close(descriptor)


def _open_namespaces(calls: tuple, namespaces: dict[str, int]) -> None:  # type: ignore[type-arg]
    """Open the handles of all namespaces to be joined, of one verified process.

    All at once and first: the number is verified once, and /proc is the host's only now.
    """
    for verb, words in calls:
        if verb == "JoinNamespace" and words[0] not in namespaces:
            kind, _, pid, started = words
            path = f"/proc/{pid}/ns/{syscalls.NAMESPACE_FILES[kind]}"
            namespaces[kind] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if start_time(pid) != started:
                raise ProcessLookupError(errno.ESRCH, "the number belongs to another now")


def _acknowledge(
    order: Order, descriptor: int, index: int, value: int, detail: bytes = b""
) -> None:
    report(descriptor, index, value=value, detail=detail)
    if order.lockstep:
        wait_for_go(descriptor)


def _length(descriptor: int) -> int:
    (length,) = LENGTH.unpack(_exactly(descriptor, LENGTH.size))
    return int(length)


def _exactly(descriptor: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(descriptor, min(size, _CHUNK))
        if not part:
            raise Aborted
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Client:
    """One connection to shim.sock."""

    def __init__(self, connection: socket.socket, *, is_attached: bool = False) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.is_attached = is_attached
        self.is_waiting = False

    def send(self, data: bytes) -> None:
        """Queue bytes and write what goes at once."""
        self.outgoing += data
        self.flush()

    def flush(self) -> None:
        """Write what the socket takes.  Raises OSError when the other side is gone."""
        while self.outgoing:
            try:
                sent = self.connection.send(self.outgoing)
            except BlockingIOError:
                return
            del self.outgoing[:sent]

    def answer(self, message: dict[str, object]) -> None:
        """Send one JSON message."""
        body = json.dumps(message).encode()
        self.send(LENGTH.pack(len(body)) + body)


class Shim:
    """The state of one shim: streams, the child, its clients."""

    def __init__(self, directory: bytes, *, has_terminal: bool, keeps_stdin: bool) -> None:
        self.directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.has_terminal = has_terminal
        self.pid = self.start_time = 0
        self.streams: dict[int, int] = {}  # descriptor we read -> STDOUT or STDERR
        self.stdin = -1
        self.pending_stdin = bytearray()
        self.stdin_ends = False
        self.child_ends: tuple[int, int, int] = (-1, -1, -1)
        self.clients: dict[int, Client] = {}
        self.log = -1
        self.is_log_new = False
        self.memory_cgroups: tuple[bytes, ...] = ()
        self.exit_record: dict[str, object] | None = None
        if not has_terminal:
            self._make_pipes(keeps_stdin=keeps_stdin)

    def _make_pipes(self, *, keeps_stdin: bool) -> None:
        if keeps_stdin:
            stdin, self.stdin = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(self.stdin, False)
        else:
            stdin = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        err_read, err_write = os.pipe2(os.O_CLOEXEC)
        self.streams = {out_read: STDOUT, err_read: STDERR}
        self.child_ends = (stdin, out_write, err_write)

    def become_streams_of_child(self) -> None:
        """In the child: take the far ends of the pipes as standard streams."""
        for number, descriptor in enumerate(self.child_ends):
            if descriptor >= 0:
                os.dup2(descriptor, number)

    def adopt(self, pid: int, birth: socket.socket) -> None:
        """In the shim: remember the child and let go of its ends."""
        self.pid, self.start_time, self.birth = pid, start_time(pid), birth
        for descriptor in self.child_ends:
            if descriptor >= 0:
                os.close(descriptor)

    def watch_memory(self, calls: tuple) -> None:  # type: ignore[type-arg]
        """Remember where the kernel will count processes that it killed for memory."""
        self.memory_cgroups = tuple(
            words[0] for verb, words in calls if verb == "JoinCgroup"
        )

    def let_go(self, *, keeps_log: bool) -> bool:
        """Open the socket, write shim.json, and tell the child to live.

        First the child walks to its last report; a live container must always have a shim
        that can be found, so the second go is given after shim.json is on disk.
        False: the child failed on its way, and nothing is left of the attempt.
        """
        self.birth.send(b"g")
        self.listener = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC
        )
        self._unlink("shim.sock")  # of an earlier life of this container
        # A path over 107 bytes does not fit into an address; one through a handle does.
        self.listener.bind(f"/proc/self/fd/{self.directory}/shim.sock")
        os.chmod("shim.sock", 0o600, dir_fd=self.directory)
        self.listener.listen(64)
        self.listener.setblocking(False)
        self._write_file("shim.json", {
            "version": 1, "boot_id": boot_id(),
            "shim_pid": os.getpid(), "shim_start_time": start_time(os.getpid()),
            "pid": self.pid, "start_time": self.start_time,
        })  # fmt: skip
        if keeps_log:
            self._open_log()
        if self.has_terminal and not self._receive_terminal():
            return self._withdraw()
        self.birth.send(b"g")
        return True

    def _open_log(self) -> None:
        """Append to the log of earlier lives, or begin it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self.log = os.open(LOG, flags | os.O_EXCL, 0o640, dir_fd=self.directory)
            self.is_log_new = True
        except FileExistsError:
            self.log = os.open(LOG, flags, 0o640, dir_fd=self.directory)

    def _receive_terminal(self) -> bool:
        """Get the master end of the terminal from the child."""
        word, masters, _, _ = socket.recv_fds(self.birth, 1, 1)
        if word != b"t" or not masters:
            return False
        os.set_inheritable(masters[0], False)
        os.set_blocking(masters[0], False)
        self.stdin = masters[0]
        self.streams = {masters[0]: STDOUT}
        return True

    def _withdraw(self) -> bool:
        os.waitpid(self.pid, 0)
        for name in ("shim.sock", "shim.json", *([LOG] if self.is_log_new else [])):
            self._unlink(name)
        return False

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self.directory)
        except FileNotFoundError:
            return

    def _write_file(
        self, name: str, content: dict[str, object], *, sync: bool = False
    ) -> None:
        """Temp file, then rename: a reader never sees half a file."""
        temporary = name + ".tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=self.directory)
        os.write(descriptor, json.dumps(content).encode())
        if sync:
            os.fsync(descriptor)
        os.close(descriptor)
        os.rename(temporary, name, src_dir_fd=self.directory, dst_dir_fd=self.directory)
        if sync:
            os.fsync(self.directory)

    # ── The loop ─────────────────────────────────────────────────────────────────────────

    def serve(self) -> None:
        """Copy, answer and wait until the child ended and the daemon knows it."""
        child = os.pidfd_open(self.pid)
        failed = self.birth.fileno()
        while self.exit_record is None:
            ready = self._poll(extra=(child, failed))
            if failed in ready and self._child_failed():
                self._withdraw()
                return
            if failed in ready:
                failed = -1
            self._handle(ready)
            if child in ready:
                self._reap()
        deadline = time.monotonic() + _LINGER_S
        while not self.is_dismissed and time.monotonic() < deadline:
            self._handle(self._poll(timeout_s=deadline - time.monotonic()))

    is_dismissed = False

    def _child_failed(self) -> bool:
        """The socket to the child ended by exec, or the child sent its last word."""
        try:
            return self.birth.recv(1) == b"!"
        except OSError:
            return False

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
            data = os.read(number, _CHUNK)
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
        """Docker's json-file: one object per line, text with its line feed, UTC time."""
        seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        tail = (
            f',"stream":"{"stdout" if stream == STDOUT else "stderr"}",'
            f'"time":"{stamp}.{nanoseconds:09d}Z"}}\n'
        )
        lines = data.decode("utf-8", "replace").splitlines(keepends=True)
        text = "".join(
            '{"log":' + json.dumps(line, ensure_ascii=False) + tail for line in lines
        )
        try:
            os.write(self.log, text.encode())
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
            "oom": self._ran_out_of_memory(),
            "finished": time.time(),
        }
        self._write_file("exit.json", self.exit_record, sync=True)
        for number, client in list(self.clients.items()):
            if client.is_waiting:
                self._tell(number, client, self.exit_record)
            if client.is_attached:
                self._send(number, client, FRAME.pack(STDOUT, 0))

    def _has_output(self, number: int) -> bool:
        return bool(select.select([number], [], [], 0)[0])

    def _ran_out_of_memory(self) -> bool:
        for path in self.memory_cgroups:
            for name in (b"/memory.oom_control", b"/memory.events"):
                try:
                    with open(path + name, "rb") as file:
                        lines = file.read().split(b"\n")
                except OSError:
                    continue
                if any(
                    line.startswith(b"oom_kill ") and line != b"oom_kill 0"
                    for line in lines
                ):
                    return True
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

    def _tell(self, number: int, client: Client, message: dict[str, object]) -> None:
        try:
            client.answer(message)
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
                message = json.loads(body)
                self._obey(number, client, message)
            except (ValueError, KeyError, TypeError, AttributeError):
                self._drop(number)
                return
        if client.is_attached:
            self._take_frames(client)

    def _obey(self, number: int, client: Client, message: dict[str, object]) -> None:
        match message["op"]:
            case "wait":
                if self.exit_record is not None:
                    self._tell(number, client, self.exit_record)
                client.is_waiting = True
            case "attach":
                client.is_attached = True
                self._tell(number, client, {"tty": self.has_terminal})
                if self.exit_record is not None:
                    self._send(number, client, FRAME.pack(STDOUT, 0))
            case "signal":
                self._tell(number, client, {"sent": self._signal(message["number"])})
            case "resize":
                size = struct.pack("HHHH", message["rows"], message["columns"], 0, 0)
                if self.has_terminal and self.exit_record is None:
                    fcntl.ioctl(self.stdin, _TIOCSWINSZ, size)
                self._tell(number, client, {"resized": self.has_terminal})
            case "dismiss":
                self.is_dismissed = True
                for name in ("shim.sock", "shim.json"):
                    self._unlink(name)
                self._tell(number, client, {"dismissed": True})
            case unknown:
                self._tell(number, client, {"unknown": unknown})

    def _signal(self, number: object) -> bool:
        """Send it while the child is not reaped: its number cannot be anybody else's."""
        if self.exit_record is not None or not isinstance(number, int):
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
