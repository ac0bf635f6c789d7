"""The book of ports: which of the host's belong to which container.

It knows what this engine has given out; what other programs have only the kernel knows.
Any port is counted upward for each address and protocol, and never back before it has come
around: so a port that was just given back is not given to somebody else at once.

Source: moby, libnetwork/portallocator/portallocator.go.
"""

from collections.abc import Iterator
from threading import Lock

from pyminidock.network.nat import Published
from pyminidock.network.ports import Wish

Key = tuple[str, str, int]  # protocol, address, port


class PortBook:
    """Any thread may ask."""

    def __init__(self) -> None:
        self._held: dict[Key, tuple[str, Published]] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._lock = Lock()

    def take(self, container: str, port: Published) -> bool:
        """Note a port as a container's; False: it is somebody's already."""
        key = (port.protocol, port.address, port.port)
        with self._lock:
            if key in self._held:
                return False
            self._held[key] = container, port
            return True

    def drop(self, port: Published) -> None:
        """Forget a port."""
        with self._lock:
            self._held.pop((port.protocol, port.address, port.port), None)

    def candidates(self, wish: Wish, address: str) -> Iterator[int]:
        """Give the ports that may be tried, each one once."""
        if not wish.is_any:
            yield from range(wish.first, wish.last + 1)
            return
        place = (wish.protocol, address)
        size = wish.last - wish.first + 1
        for _ in range(size):
            with self._lock:
                number = self._last.get(place, wish.first - 1) + 1
                number = wish.first if number > wish.last else number
                self._last[place] = number
            yield number

    def of(self, container: str) -> tuple[Published, ...]:
        """Give the ports of a container."""
        with self._lock:
            return tuple(port for owner, port in self._held.values() if owner == container)

    def all(self) -> tuple[Published, ...]:
        """Give every port."""
        with self._lock:
            return tuple(port for _, port in self._held.values())
