"""Bytes that no rule could send on: a thread between a port of the host and a container.

    client ──► socket of the host's port ──► pipe ──► connection to the container
               (accepted here)              splice

NAT serves nearly everything; this is for the rest: IPv6 on the host side, a loopback
without route_localnet, a moment in which somebody flushed our table.  Bytes move from
socket to pipe to socket inside the kernel, and are never copied to here.

The program inside sees the engine's host as its client.  Source: man 2 splice, man 7 epoll.
"""

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_READ, _WRITE = select.EPOLLIN, select.EPOLLOUT
_CHUNK = 1 << 16  # what a pipe holds
_PAUSE_S = 0.05
_UDP_PEERS = 256  # conversations that are remembered per port
Target = tuple[str, int]


class Relay:
    """One thread for all ports; begins with the first, ends with `close`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._epoll: select.epoll | None = None
        self._wake = -1
        self._calls: dict[int, Callable[[int], None]] = {}
        self._closing = False

    def serve(self, door: socket.socket, target: Target) -> None:
        """Relay what reaches `door` from now on; the door must not block."""
        with self._lock:
            if self._epoll is None:
                self._begin()
        if door.type & socket.SOCK_STREAM and door.type != socket.SOCK_DGRAM:
            self.watch(door.fileno(), _READ, lambda _: self._accept(door, target))
        else:
            peers: dict[object, socket.socket] = {}
            self.watch(door.fileno(), _READ, lambda _: self._pass_on(door, target, peers))

    def leave(self, door: socket.socket) -> None:
        """Relay nothing new from `door`; what goes on may go on."""
        self.unwatch(door.fileno())

    def close(self) -> None:
        """End the thread, and with it every connection."""
        if self._thread:
            self._closing = True
            os.eventfd_write(self._wake, 1)
            self._thread.join()
            self._thread = None

    def watch(self, descriptor: int, events: int, call: Callable[[int], None]) -> None:
        """Call when something happens on a descriptor."""
        assert self._epoll is not None  # noqa: S101
        known = descriptor in self._calls
        self._calls[descriptor] = call
        (self._epoll.modify if known else self._epoll.register)(descriptor, events)

    def unwatch(self, descriptor: int) -> None:
        """Call no more."""
        self._calls.pop(descriptor, None)
        if self._epoll:
            with suppress(OSError, ValueError):
                self._epoll.unregister(descriptor)

    def _begin(self) -> None:
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._wake, _READ)
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        assert self._epoll is not None  # noqa: S101
        while not self._closing:
            for descriptor, events in self._epoll.poll():
                call = self._calls.get(descriptor)
                if call:
                    with suppress(OSError):  # this connection has ended: others have not
                        call(events)
        for call in list(self._calls.values()):
            owner = getattr(call, "__self__", None)
            if isinstance(owner, _Pair):
                owner.end()
        self._epoll.close()
        os.close(self._wake)

    def _accept(self, door: socket.socket, target: Target) -> None:
        try:
            client, _ = door.accept()
        except OSError as fault:
            if fault.errno in (errno.EMFILE, errno.ENFILE):  # who knocks has to wait
                time.sleep(_PAUSE_S)
            raise
        client.setblocking(False)
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        inside = socket.socket(family, socket.SOCK_STREAM)
        inside.setblocking(False)
        if inside.connect_ex(target) not in (0, errno.EINPROGRESS):
            client.close()
            inside.close()
            return
        _Pair(self, client, inside)

    def _pass_on(
        self, door: socket.socket, target: Target, peers: dict[object, socket.socket]
    ) -> None:
        data, client = door.recvfrom(_CHUNK)
        inside = peers.get(client)
        if inside is None:
            if len(peers) >= _UDP_PEERS:
                oldest = peers.pop(next(iter(peers)))
                self.unwatch(oldest.fileno())
                oldest.close()
            family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
            inside = peers[client] = socket.socket(family, socket.SOCK_DGRAM)
            inside.setblocking(False)
            inside.connect(target)
            answers = inside

            def back(_: int) -> None:
                door.sendto(answers.recv(_CHUNK), client)

            self.watch(inside.fileno(), _READ, back)
        inside.send(data)


class _Way:
    """One direction: from a socket through a pipe to the other socket."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source, self.sink = source, sink
        self.out, self.into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.held = 0  # bytes in the pipe
        self.is_over = False  # the source has said all
        self.is_done = False  # and the sink has heard it

    def move(self) -> None:
        """Move what can be moved without waiting.  Raises OSError at a broken end."""
        while not self.is_done:
            moved = False
            if not self.is_over and self.held < _CHUNK:
                with suppress(BlockingIOError):
                    room = _CHUNK - self.held
                    got = os.splice(self.source.fileno(), self.into, room, flags=3)
                    self.is_over, moved = got == 0, True
                    self.held += got
            if self.held:
                with suppress(BlockingIOError):
                    self.held -= os.splice(self.out, self.sink.fileno(), self.held, flags=3)
                    moved = True
            if self.is_over and not self.held:
                self.is_done = True
                self.sink.shutdown(socket.SHUT_WR)
            if not moved:
                return

    def close(self) -> None:
        os.close(self.out)
        os.close(self.into)


class _Pair:
    """Two sockets that tell each other everything."""

    def __init__(self, relay: Relay, client: socket.socket, inside: socket.socket) -> None:
        self.relay, self.client, self.inside = relay, client, inside
        self.there = _Way(client, inside)
        self.back = _Way(inside, client)
        self.is_connected = False
        relay.watch(inside.fileno(), _WRITE, self.happens)

    def happens(self, events: int) -> None:
        """Move both ways; end when both are through, or one breaks."""
        try:
            if events & select.EPOLLERR:
                raise ConnectionResetError
            if not self.is_connected:
                self.is_connected = True
            self.there.move()
            self.back.move()
        except OSError:
            self.end()
            return
        if self.there.is_done and self.back.is_done:
            self.end()
            return
        self._attend(self.client, self.there, self.back)
        self._attend(self.inside, self.back, self.there)

    def _attend(self, end: socket.socket, reading: _Way, writing: _Way) -> None:
        wants = _READ if not reading.is_over and reading.held < _CHUNK else 0
        wants |= _WRITE if writing.held else 0
        if wants:
            self.relay.watch(end.fileno(), wants, self.happens)
        else:  # epoll would go on and on about an end that has hung up
            self.relay.unwatch(end.fileno())

    def end(self) -> None:
        """Let go of both."""
        for each in (self.client, self.inside):
            self.relay.unwatch(each.fileno())
            each.close()
        self.there.close()
        self.back.close()
