"""One request, made for real: from the host, or from where a container stands.

    socket made inside ─► bound, so that its port is known ─► followed ─► connect

A socket stays in the network in which it was made, so a thread goes in, makes it and comes
back; nothing is forked, and no program of the container has a part in it.

Source: man 2 connect, man 7 ip, man 7 network_namespaces.
"""

import errno
import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from pyminidock.kernel import attempts
from pyminidock.kernel.attempts import Attempt, Attempted
from pyminidock.kernel.linux import sandboxes
from pyminidock.kernel.linux.following import Follower
from pyminidock.kernel.linux.proc import start_time

_AFTERWARDS_S = 0.1  # for who accepts and says something, or hangs up
_MOST_BYTES = 4096
_OUTCOMES = {
    errno.ECONNREFUSED: attempts.REFUSED, errno.ECONNRESET: attempts.RESET,
    errno.ETIMEDOUT: attempts.TIMED_OUT, errno.EHOSTUNREACH: attempts.UNREACHABLE,
    errno.ENETUNREACH: attempts.UNREACHABLE, errno.EPERM: attempts.UNREACHABLE,
}  # fmt: skip


def attempt(wanted: Attempt, namespace: int | None = None) -> Attempted:
    """Make one request from this thread's network, or from the one behind a handle."""
    begun = time.monotonic()
    with ExitStack() as undo:
        try:
            line = undo.enter_context(_socket(wanted, namespace))
        except OSError as refusal:
            return Attempted(_outcome(refusal), destination=_shown(wanted))
        follower = _follow(wanted, line.getsockname()[1])
        if follower:
            undo.enter_context(follower)
        outcome, said = _make(wanted, line)
        elapsed = time.monotonic() - begun
        done = Attempted(
            outcome, _end(line.getsockname()), _shown(wanted), elapsed, said,
            was_followed=follower is not None, older_tables=_older_tables(),
        )  # fmt: skip
        return replace(done, passages=follower.heard()) if follower else done


def attempt_from(wanted: Attempt, pid: int, started: int) -> Attempted:
    """Make it from where a process stands.  Raises ProcessLookupError."""
    try:
        handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ProcessLookupError(errno.ESRCH, f"no process {pid}") from None
    try:
        if start_time(pid) != started:
            raise ProcessLookupError(errno.ESRCH, f"{pid} is another process by now")
        return attempt(wanted, handle)
    finally:
        os.close(handle)


@contextmanager
def _socket(wanted: Attempt, namespace: int | None) -> Iterator[socket.socket]:
    """Make a socket where it shall be, with a port of its own."""
    family = socket.AF_INET6 if ":" in wanted.address else socket.AF_INET
    kind = socket.SOCK_STREAM if wanted.protocol == "tcp" else socket.SOCK_DGRAM
    with ExitStack() as inside:
        if namespace is not None:
            inside.enter_context(sandboxes.standing_in(namespace))
        line = socket.socket(family, kind | socket.SOCK_CLOEXEC)
        inside.close()
    with line:
        line.bind(("", 0))
        line.setblocking(False)
        yield line


def _follow(wanted: Attempt, source_port: int) -> Follower | None:
    if not wanted.table:
        return None
    try:
        return Follower(wanted.table, wanted.protocol, source_port)
    except OSError:  # no nftables here, or somebody else asks at this moment
        return None


def _make(wanted: Attempt, line: socket.socket) -> tuple[str, bytes]:
    """Connect, say what is to be said, and wait a moment for what is answered."""
    try:
        line.connect((wanted.address, wanted.port))
    except BlockingIOError:
        pass
    except OSError as refusal:
        return _outcome(refusal), b""
    if wanted.protocol == "udp":
        return _ask(line, wanted)
    if not select.select([], [line], [], wanted.timeout_s)[1]:
        return attempts.TIMED_OUT, b""
    if number := line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        return _outcome(OSError(number, "")), b""
    return _hear(line, wanted.sends, _AFTERWARDS_S, attempts.CONNECTED)


def _ask(line: socket.socket, wanted: Attempt) -> tuple[str, bytes]:
    """Send a datagram; only a refusal or an answer says that somebody saw it."""
    patience = wanted.timeout_s if wanted.sends else 3 * _AFTERWARDS_S
    return _hear(line, wanted.sends, patience, attempts.SILENT, is_datagram=True)


def _hear(
    line: socket.socket, says: bytes, patience_s: float, silence: str,
    *, is_datagram: bool = False,
) -> tuple[str, bytes]:  # fmt: skip
    try:
        if says or is_datagram:
            line.send(says)
        if not select.select([line], [], [], patience_s)[0]:
            return silence, b""
        said = line.recv(_MOST_BYTES)
    except OSError as refusal:
        return _outcome(refusal), b""
    if said or is_datagram:
        return attempts.ANSWERED, said
    return attempts.RESET, b""  # taken, and hung up without a word


def _older_tables() -> tuple[str, ...]:
    """Name the tables of iptables as it was before nftables: they decide unheard."""
    try:
        with open("/proc/thread-self/net/ip_tables_names", encoding="ascii") as file:
            return tuple(file.read().split())
    except OSError:
        return ()


def _outcome(refusal: OSError) -> str:
    return _OUTCOMES.get(refusal.errno or 0, attempts.UNREACHABLE)


def _end(name: tuple[str, int]) -> str:
    return f"{name[0]}:{name[1]}"


def _shown(wanted: Attempt) -> str:
    return f"{wanted.address}:{wanted.port}"
