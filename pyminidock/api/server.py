"""A Unix socket on which the router answers: one thread for each client.

The kernel says who is at the other end, and only the engine's own user, root and the
members of root's group are served.  There is a bound on connections, because each costs a
thread and a descriptor; some descriptors are kept in reserve, so that even when all are
used up a client hears "503" instead of nothing (and the accept loop does not spin).
"""

import errno
import os
import select
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from pyminidock.api.address import Address, listen
from pyminidock.api.bounds import Bounds
from pyminidock.api.connection import Conversation
from pyminidock.api.failures import Answers
from pyminidock.api.hangups import HangUps
from pyminidock.api.message import Peer
from pyminidock.errors import MinidockError

RESERVE = 16  # descriptors; others may take one as soon as it is let go
_SO_PEERGROUPS = 59  # Linux, include/uapi/asm-generic/socket.h
_MOST_BYTES = 1024  # that Python's getsockopt takes: 256 groups
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_BACKLOG_S = 0.1  # how long to wait when not even the reserve can be had


class TooManyConnections(MinidockError):
    """The engine serves as many connections as it allows."""

    status = 503


class ForeignUser(MinidockError):
    """The socket belongs to somebody else."""

    status = 403


def serve(router: Answers, path: Path, *, bounds: Bounds | None = None) -> "Server":
    """Answer on the Unix socket `path`, in threads of its own, until `stop`.

    Raises AddressTaken, AddressUnsafe.
    """
    return Server(router, listen(path), bounds or Bounds())


class Server:
    """A listening socket and the conversations that came of it."""

    def __init__(self, router: Answers, address: Address, bounds: Bounds) -> None:
        self._router, self._address, self._bounds = router, address, bounds
        self._hangups = HangUps()
        self._reserve = [_spare() for _ in range(RESERVE)]
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._open: dict[socket.socket, tuple[threading.Thread, Peer]] = {}
        self._last_active = time.monotonic()
        self._accepting = threading.Thread(target=self._accept, name="accept", daemon=True)
        self._accepting.start()

    def idle_s(self) -> float:
        """Tell how many seconds ago the last client left; 0 while there is one."""
        with self._lock:
            return 0.0 if self._open else time.monotonic() - self._last_active

    def stop(self, *, timeout_s: float = 5.0) -> None:
        """Take no more clients, let answers under way arrive, then close what is left.

        A live stream or a hijacked connection ends at once: it could go on for ever.
        """
        if not self._accepting.is_alive():
            return  # stopped before
        os.eventfd_write(self._wake, 1)
        self._accepting.join()
        self._address.remove()
        deadline = time.monotonic() + timeout_s
        with self._lock:
            conversations = dict(self._open)
        for connection in conversations:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # no further request
        for connection, (thread, _) in conversations.items():
            thread.join(timeout=min(_BACKLOG_S, max(deadline - time.monotonic(), 0)))
            if thread.is_alive():
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread, _ in conversations.values():
            thread.join(timeout=max(deadline - time.monotonic(), 0))
        self._hangups.close()
        os.close(self._wake)
        for descriptor in self._reserve:
            os.close(descriptor)

    def _accept(self) -> None:
        """Take clients until somebody stops us."""
        poll = select.poll()
        poll.register(self._address.listener, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            if self._wake in {number for number, _ in poll.poll()}:
                return
            try:
                connection, _ = self._address.listener.accept()
            except OSError as refusal:
                if refusal.errno in (errno.EMFILE, errno.ENFILE):
                    self._apologise()
                continue
            self._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        """Give a client a thread of its own, if there is room."""
        peer = _peer(connection)
        talk = Conversation(connection, peer, self._router, self._bounds, self._hangups)
        with self._lock:
            users = Counter(peer.uid for _, peer in self._open.values())
            is_full = (
                len(self._open) >= self._bounds.connections
                or users[peer.uid] >= self._bounds.connections_per_user
            )
            if not is_full:
                thread = threading.Thread(
                    target=self._converse, args=(connection, peer, talk), daemon=True
                )
                self._open[connection] = (thread, peer)
        if is_full:
            _turn_away(connection, talk)
            return
        try:
            thread.start()
        except RuntimeError:  # the machine has no thread left
            with self._lock:
                del self._open[connection]
            _turn_away(connection, talk)

    def _converse(self, connection: socket.socket, peer: Peer, talk: Conversation) -> None:
        try:
            if peer.uid in (0, os.geteuid()) or self._address.group in _groups(connection):
                talk.run()
            else:
                talk.refuse(_foreign(peer.uid))
        finally:
            with self._lock:
                del self._open[connection]
                self._last_active = time.monotonic()
            connection.close()

    def _apologise(self) -> None:
        """All descriptors are used: spend one of the reserve on saying so."""
        if not self._reserve:
            time.sleep(_BACKLOG_S)  # nothing to spend: others have to close first
        else:
            os.close(self._reserve.pop())
            with suppress(OSError):
                connection, _ = self._address.listener.accept()
                talk = Conversation(
                    connection, Peer(), self._router, self._bounds, self._hangups
                )
                _turn_away(connection, talk)
        with suppress(OSError):
            while len(self._reserve) < RESERVE:
                self._reserve.append(_spare())


def _turn_away(connection: socket.socket, talk: Conversation) -> None:
    """Say 503 without waiting for anything: this is the accept loop."""
    refusal = TooManyConnections(
        "the engine has too many connections",
        why="each connection costs it a thread and a descriptor",
        try_next="close some clients, or try again in a moment",
    )
    talk.refuse(refusal, linger_s=0.0)
    connection.close()


def _foreign(uid: int) -> ForeignUser:
    return ForeignUser(
        f"user {uid} may not use this engine",
        why="whoever can start containers can read every file of the engine's user",
        try_next="start an engine of your own: minidock doctor",
    )


def _peer(connection: socket.socket) -> Peer:
    """Ask the kernel who connected.  Source: man 7 unix, SO_PEERCRED."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(told)
    return Peer(uid, pid)


def _groups(connection: socket.socket) -> set[int]:
    """Ask the kernel in which groups whoever connected is; who is in too many, is in none.

    Source: Linux, net/core/sock.c: sk_getsockopt(), SO_PEERGROUPS.
    """
    own = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    found = {_CREDENTIALS.unpack(own)[2]}
    with suppress(OSError):
        others = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_BYTES)
        found |= set(struct.unpack(f"{len(others) // 4}i", others))
    return found


def _spare() -> int:
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
