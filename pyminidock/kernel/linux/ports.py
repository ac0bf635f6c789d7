"""Ports of the host that are held for containers, each by a socket of the engine.

A rule could send packets on without any socket.  But then another program could bind the
port, would be told that it has it, and never be heard from: so we take it ourselves.

Source: man 2 bind, man 7 ip; moby, cmd/docker-proxy.
"""

import socket
import threading

from pyminidock.kernel.linux.relay import Relay
from pyminidock.kernel.portcalls import BindPort, ReleasePort

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_BACKLOG = 128
Key = tuple[str, str, int]


class Ports:
    """All that this engine holds, by protocol, address and port."""

    def __init__(self) -> None:
        self._held: dict[Key, socket.socket] = {}
        self._lock = threading.Lock()
        self._relay = Relay()

    def bind(self, call: BindPort) -> None:
        """Take a port.  Raises OSError: EADDRINUSE, EADDRNOTAVAIL, EACCES."""
        if call.protocol not in _KINDS:
            return
        family = socket.AF_INET6 if ":" in call.address else socket.AF_INET
        door = socket.socket(family, _KINDS[call.protocol])
        try:
            if family == socket.AF_INET6:
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if call.protocol == "tcp":
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((call.address, call.port))
            door.setblocking(False)
            if call.protocol == "tcp":
                door.listen(_BACKLOG)
        except OSError:
            door.close()
            raise
        with self._lock:
            self._held[call.protocol, call.address, call.port] = door
        self._relay.serve(door, (call.to_address, call.to_port))

    def release(self, call: ReleasePort) -> None:
        """Give a port back."""
        with self._lock:
            door = self._held.pop((call.protocol, call.address, call.port), None)
        if door is not None:
            self._relay.leave(door)
            door.close()

    def close(self) -> None:
        """Give all of them back; rules go on serving."""
        with self._lock:
            doors, self._held = list(self._held.values()), {}
        for door in doors:
            self._relay.leave(door)
            door.close()
        self._relay.close()
