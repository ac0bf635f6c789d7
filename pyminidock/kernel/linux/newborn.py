"""The process that waits to become a container's first one, and does all that is done once.

    spawner ── fork ──► shim ── clone(new PID namespace) ──► newborn ── exec ──► program
                         ▲                                      │ takes the request, reads
                         │                                      │ the plan, opens streams,
                         └────────── number, handles ───────────┘ socket and log

Both are made before they are needed, and the newborn has used its tools by then (`child`):
a copied page costs as much as a system call, and a birth would copy hundreds.  What the
newborn reads and opens goes with its memory, so that the shim stays small.

`exec` needs a process outside, which enters the container's namespaces with the PID
namespace last, so that nobody inside ever sees one that still holds something of the host.
The newborn cannot be that one: it hands the request to the shim, which forks an *usher*,
and the usher forks the second process.  A container that is born among the processes of
another, or of the host, comes in the same way; it walks its own birth from there on.
"""

import errno
import marshal
import os
import struct
from collections.abc import Mapping

from pyminidock.kernel.linux import containerlog, sockets, syscalls
from pyminidock.kernel.linux.birth import (
    Aborted,
    Birth,
    Order,
    handed_over,
    report,
    wait_for_go,
)
from pyminidock.kernel.linux.child import VERBS, live, tell_shim
from pyminidock.kernel.linux.filesystems import Stock
from pyminidock.kernel.linux.proc import boot_id, name_process, start_time
from pyminidock.kernel.linux.trees import borrow

MOST_HANDLES = 72  # of one message: birth socket, a line to the shim, up to 64 watchers

_LENGTH = struct.Struct(">I")
_CHUNK = 65536


class Delivery:
    """What the shim is handed: the child's number, and handles in a fixed order.

    `handles` are directory and listener, then as the flags say: log, stdin, stdout and
    stderr, the daemon's line for questions, and the sockets of those who watch from the
    start.
    """

    pid: int
    has_terminal: bool
    has_stdin: bool
    log: containerlog.Wish | tuple[()]  # empty: there is none
    is_log_new: bool
    cgroups: tuple[bytes, ...]  # one counts whom it killed for memory; the likeliest first

    def __init__(self, message: dict[str, object]) -> None:
        vars(self).update(message)


def deliver(
    word: bytes, handles: list[int], shim: sockets.Socket, shim_pid: int, ahead: str = "",
    stock: Stock | None = None,
) -> None:  # fmt: skip
    """See one request through, as newborn or as usher; never returns.

    `ahead` is a namespace that was entered before the plan asks for it, `stock` what else
    was made by then.
    """
    watchers, is_birth = (int(number) for number in word.split())  # see pair.BIRTH
    try:
        order = Order(marshal.loads(_exactly(handles[0], _length(handles[0]))))  # noqa: S302
        place = Birthplace(order, handles[0], -1, handles[1 : watchers + 2], shim_pid)
        place.is_birth, place.is_usher = bool(is_birth), stock is None
        kept = place.keeps(ahead)
        if is_birth and order.lockstep:
            wait_for_go(handles[0])
            place.sandbox, place.tree = handed_over(handles[0])
        birth = place.prepare(shim, kept)
        if birth is not None:
            if stock and not order.lockstep:
                birth.stock = stock
            place.walk_on(birth)
    except Aborted:
        os._exit(1)
    except OSError as refusal:  # no room on the disk, or no directory
        report(handles[0], -1, error=refusal.errno or errno.EIO)
        os._exit(1)
    os._exit(0)


def _await_accounts(birth: Birth) -> None:
    """Wait until the accounts are open; the tree may be stacked while we enter them.

    Raises Aborted, and the shim is told: it has taken over already.
    """
    try:
        wait_for_go(birth.report)
    except Aborted:
        tell_shim(birth)
        raise
    birth.is_waiting = True


class Birthplace:
    """One birth: the order, the daemon's socket, and what is being prepared."""

    def __init__(
        self, order: Order, daemon: int, tree: int, connections: list[int], shim_pid: int
    ) -> None:
        self.order, self.daemon, self.tree, self.sandbox = order, daemon, tree, -1
        self.connections, self.shim_pid = connections, shim_pid
        wishes: tuple[bytes, bool, bool, containerlog.Wish] = order.calls[0][1]  # type: ignore[assignment]
        directory, self.has_terminal, self.keeps_stdin, self.log = wishes
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        self.directory = os.open(directory, flags)
        self.is_birth = self.is_usher = False
        self.borrowed: dict[bytes, int] = {}  # trees of other containers, by their source
        self.after_init = 0  # the number of the call after ForkInit
        self.streams: tuple[int, ...] = ()  # the program's, as long as it has no terminal

    def keeps(self, ahead: str) -> str:
        """Go back to the host's namespace unless the plan wants another, unseen.

        Who walks step by step shall see it come at its step, and not before.
        """
        flag = syscalls.CLONE_FLAGS.get(ahead, 0)
        is_wanted = ("EnterNamespace", (ahead, flag)) in self.order.calls
        if not ahead or (is_wanted and not self.order.lockstep):
            return ahead
        if not self.order.lockstep and any(v == "JoinSandbox" for v, _ in self.order.calls):
            return ""  # soon another takes its place
        path = f"/proc/{self.shim_pid}/ns/{syscalls.NAMESPACE_FILES[ahead]}"
        host = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        syscalls.setns(host, flag)
        os.close(host)
        return ""

    def prepare(self, shim: sockets.Socket, ahead: str) -> Birth | None:
        """Acknowledge the shim, walk up to ForkInit, hand over.

        Gives what a newborn needs to walk on.  An usher gets None: the process that it has
        forked has what it needs, and walks.
        """
        order, verbs = self.order, [verb for verb, _ in self.order.calls]
        self._acknowledge(order.first, self.shim_pid)
        # The host's: an usher soon stands in another mount namespace.
        proc, boot = os.open("/proc", os.O_PATH | os.O_CLOEXEC), boot_id()
        ours, self.streams = self._pipes()
        listener = self._listen()
        self._walk()
        init = order.first + verbs.index("ForkInit")
        birth = Birth(self.daemon, shim.fileno(), self.tree, order, ahead)
        birth.sandbox, birth.held = self.sandbox, self.borrowed
        self.after_init = init + 1
        if self.is_usher:
            pid, go = self._fork_inside(birth)
        else:  # the number that the host knows us by
            pid, go = int(os.readlink("self", dir_fd=proc)), -1
        started = start_time(pid, proc)
        self._acknowledge(init, pid, str(started).encode())
        if self.is_usher:
            os.write(go, b"g")  # it walks to DieWithParent, and waits there for the shim
        # The shim takes over only after this: every live container has one to be found.
        write_file(self.directory, "shim.json", {
            "version": 1, "boot_id": boot, "shim_pid": self.shim_pid,
            "shim_start_time": start_time(self.shim_pid, proc),
            "pid": pid, "start_time": started,
        })  # fmt: skip
        self._hand_over(shim, pid, listener, ours)
        return None if self.is_usher else birth

    def walk_on(self, birth: Birth) -> None:
        """Walk from ForkInit to the program; never returns.  Raises Aborted, OSError."""
        for number, descriptor in enumerate(self.streams):
            os.dup2(descriptor, number)
        if self.is_birth and not self.order.lockstep:
            _await_accounts(birth)
        live(birth, self.after_init)

    def _fork_inside(self, birth: Birth) -> tuple[int, int]:
        """Fork the process inside; give its number, and where it waits for a go."""
        if not self.is_birth:  # else its root is still to come
            birth.root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        waiting, go = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            os.close(go)
            self._come_to_life(birth, waiting)
        return pid, go

    def _come_to_life(self, birth: Birth, waiting: int) -> None:
        """In the process inside: wait until it was announced, then walk; never returns."""
        try:
            wait_for_go(waiting)
            name_process(b"minidock-birth")
            os.setsid()
            self.walk_on(birth)
        except Aborted:
            os._exit(1)

    def _hand_over(
        self, shim: sockets.Socket, pid: int, listener: int, streams: tuple[int, ...]
    ) -> None:
        """Give the shim all that it needs from now on."""
        log: tuple[int, ...] = ()
        is_new = False
        if self.log:
            log, is_new = containerlog.open_file(self.directory, self.log[0])
        joined = (words for verb, words in self.order.calls if verb == "JoinCgroup")
        accounts = [path for (path,) in joined if isinstance(path, bytes)]
        message = {
            "pid": pid, "has_terminal": self.has_terminal,
            "has_stdin": self.keeps_stdin and not self.has_terminal,
            "log": self.log, "is_log_new": is_new,
            "cgroups": tuple(sorted(accounts, key=lambda path: b"/memory/" not in path)),
        }  # fmt: skip
        handles = [self.directory, listener, *log, *streams, *self.connections]
        sockets.send_handles(shim, marshal.dumps(message), handles)

    def _acknowledge(self, index: int, value: int, detail: bytes = b"") -> None:
        report(self.daemon, index, value=value, detail=detail)
        if self.order.lockstep:
            wait_for_go(self.daemon)

    def _pipes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Make the streams: the shim's ends, and the child's three."""
        if self.has_terminal:  # the child makes it, inside
            return (), ()
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        err_read, err_write = os.pipe2(os.O_CLOEXEC)
        if not self.keeps_stdin:
            return (out_read, err_read), (0, out_write, err_write)  # 0 is /dev/null here
        stdin_read, stdin_write = os.pipe2(os.O_CLOEXEC)
        return (stdin_write, out_read, err_read), (stdin_read, out_write, err_write)

    def _listen(self) -> int:
        """Open shim.sock; a path over 107 bytes fits an address only through a handle."""
        listener = sockets.Socket(sockets.AF_UNIX)
        for name in ("shim.sock", "exit.json"):  # of an earlier life
            try:
                os.unlink(name, dir_fd=self.directory)
            except FileNotFoundError:
                continue
        listener.bind(f"/proc/self/fd/{self.directory}/shim.sock")
        os.chmod("shim.sock", 0o600, dir_fd=self.directory)
        listener.listen(64)
        return listener.detach()

    def _walk(self) -> None:
        """Perform the calls between ForkShim and ForkInit."""
        namespaces: dict[str, int] = {}
        order = self.order
        for index, (verb, words) in enumerate(order.calls[1:], order.first + 1):
            try:
                if order.fail_at[0] == index:
                    raise OSError(order.fail_at[1], "failed on purpose")
                if verb == "ForkInit":
                    break
                if verb == "JoinNamespace":
                    _open_namespaces(order, namespaces)
                    syscalls.setns(namespaces[words[0]], words[1])  # type: ignore[index, arg-type]
                elif verb == "EnterNamespace" and self.is_usher:
                    syscalls.unshare(int(str(words[1])))  # for her child
                elif verb == "EnterNamespace" and words[0] == "pid":
                    _require_first()  # it was made with us
                elif verb == "JoinCgroup":
                    VERBS[verb](None, *words)
                elif verb == "BorrowTree":
                    self._borrow(*words)  # type: ignore[arg-type]
                else:
                    raise OSError(errno.EINVAL, verb)
            except OSError as refusal:
                report(self.daemon, index, error=refusal.errno or errno.EIO)
                raise Aborted from None
            self._acknowledge(index, 0)
        for descriptor in namespaces.values():
            os.close(descriptor)

    def _borrow(self, pid: int, started: int, path: bytes) -> None:
        """Take a tree of another container along, under the name that Bind has for it."""
        self.borrowed[b"/proc/%d/root%s" % (pid, path)] = borrow(pid, started, path)


def _require_first() -> None:
    """Believe in the new PID namespace only when it knows us as its first process."""
    if os.getpid() != 1:
        raise OSError(errno.EINVAL, "not the first process")


def _open_namespaces(order: Order, namespaces: dict[str, int]) -> None:
    """Open the handles of all namespaces to be joined, of one verified process.

    All at once and first: the number is verified once, and /proc is the host's only now.
    """
    for verb, words in order.calls:
        if verb == "JoinNamespace" and words[0] not in namespaces:
            kind, _, pid, started = words
            path = f"/proc/{pid}/ns/{syscalls.NAMESPACE_FILES[str(kind)]}"
            namespaces[str(kind)] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if start_time(int(str(pid))) != started:
                raise ProcessLookupError(errno.ESRCH, "the number belongs to another now")


def write_file(
    directory: int, name: str, content: Mapping[str, float | str], *, sync: bool = False
) -> None:
    """Write a JSON object of numbers and plain words: temp file, then rename.

    A reader never sees half a file.

    `sync`: it is on disk, and not only in memory, before this returns.
    """
    temporary = name + ".tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=directory)
    os.write(descriptor, b"{%s}" % b", ".join(map(_spelled, content.items())))
    if sync:
        os.fsync(descriptor)
    os.close(descriptor)
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    if sync:
        os.fsync(directory)


def _spelled(item: tuple[str, float | str]) -> bytes:
    name, value = item
    return (
        f'"{name}": "{value}"'.encode()
        if isinstance(value, str)
        else (f'"{name}": {value!r}'.encode())
    )


def _length(descriptor: int) -> int:
    (length,) = _LENGTH.unpack(_exactly(descriptor, _LENGTH.size))
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
