"""Sockets inside a container's network, held by the engine: where it listens for names.

A socket belongs for all its life to the namespace in which it was made, whoever holds it.
So a thread that is thrown away enters the namespace, makes it, and hands it back; no thread
that stays is ever anywhere else than at home.

    program ── 127.0.0.11:53 ── rule ──► 127.0.0.11:PORT ── the engine

The port is any free one, and a rule leads there: port 53 stays free for whatever name
server the container wants to run itself.  It sees neither more nor less than with Docker:
`ss -ln` shows the two ports, `nft list ruleset` the rule.

Source: man 2 setns; man 7 network_namespaces; moby, libnetwork/resolver_unix.go.
"""

import errno
import os
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TypeVar

from pyminidock.kernel.linux import syscalls

ADDRESS = "127.0.0.11"
PORT = 53
_CLONE_NEWNET = 0x40000000
_WAITING = 128  # connections that nobody has accepted yet
_Made = TypeVar("_Made")


class Desk:
    """Where the questions of one network namespace arrive; closed once, by its holder."""

    def __init__(
        self, namespace: int, datagrams: socket.socket, connections: socket.socket
    ) -> None:
        self._namespace = namespace  # -1: the one that we live in
        self.port = PORT  # at which servers are asked
        self.datagrams, self.connections = datagrams, connections

    def dial(self, address: str, *, is_datagram: bool, is_host: bool) -> socket.socket:
        """Begin to talk to a server, from inside unless `is_host`.  Raises OSError."""
        if is_host or self._namespace < 0:
            return _reaching(address, self.port, is_datagram)
        return inside(self._namespace, lambda: _reaching(address, self.port, is_datagram))

    def close(self) -> None:
        """Let go of everything inside; it does not keep the namespace alive any more."""
        self.datagrams.close()
        self.connections.close()
        if self._namespace >= 0:
            os.close(self._namespace)
            self._namespace = -1


def open_desk(namespace: int, lead: Callable[[int, int], None]) -> Desk:
    """Open a desk in the namespace behind a handle, which stays the caller's.

    `lead(datagrams, connections)` is called inside with the two ports, to lead port 53
    there.  Raises OSError; then nothing is left.
    """
    with ExitStack() as undo:
        own = os.dup(namespace)
        undo.callback(os.close, own)
        desk = inside(own, lambda: _listening(own, ADDRESS, lead))
        undo.pop_all()
    return desk


def desk_here(port: int, address: str = "127.0.0.1") -> Desk:
    """Open a desk at two free ports of our own namespace; servers are asked at `port`."""
    desk = _listening(-1, address, lambda datagrams, connections: None)
    desk.port = port
    return desk


def inside(namespace: int, deed: Callable[[], _Made]) -> _Made:
    """Do something in a network namespace, in a thread of its own.  Raises what it does."""
    made: list[_Made] = []
    failed: list[BaseException] = []

    def enter() -> None:
        try:
            syscalls.setns(namespace, _CLONE_NEWNET)
            made.append(deed())
        except BaseException as failure:
            failed.append(failure)

    thread = threading.Thread(target=enter, name="inside", daemon=True)
    try:
        thread.start()
    except RuntimeError as refusal:  # so many threads may nobody have
        raise OSError(errno.EAGAIN, str(refusal)) from refusal
    thread.join()
    if failed:
        raise failed[0]
    return made[0]


def _listening(namespace: int, address: str, lead: Callable[[int, int], None]) -> Desk:
    with ExitStack() as undo:
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        undo.callback(datagrams.close)
        datagrams.bind((address, 0))
        connections = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK
        )
        undo.callback(connections.close)
        connections.bind((address, 0))
        connections.listen(_WAITING)
        lead(datagrams.getsockname()[1], connections.getsockname()[1])
        undo.pop_all()
    return Desk(namespace, datagrams, connections)


def _reaching(address: str, port: int, is_datagram: bool) -> socket.socket:
    plain, _, scope = address.partition("%")
    family = socket.AF_INET6 if ":" in plain else socket.AF_INET
    kind = socket.SOCK_DGRAM if is_datagram else socket.SOCK_STREAM
    made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    try:
        index = socket.if_nametoindex(scope) if scope else 0
        place = (plain, port, 0, index) if family == socket.AF_INET6 else (plain, port)
        with suppress(BlockingIOError):  # whether it came shows when it is writable
            made.connect(place)
    except BaseException:
        made.close()
        raise
    return made
