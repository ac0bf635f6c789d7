"""What the kernel says about its network: devices, routes, and who was seen on the wire.

Addresses are written with their prefix, destinations too ("0.0.0.0/0" is everything).
Source: man 7 rtnetlink.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much went through a device, as it counts itself."""

    received_bytes: int = 0
    received_packets: int = 0
    received_errors: int = 0
    received_dropped: int = 0
    sent_bytes: int = 0
    sent_packets: int = 0
    sent_errors: int = 0
    sent_dropped: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """One network device of a namespace."""

    index: int
    name: str
    kind: str = ""  # bridge, veth, …; empty: none that was made
    mac: str = ""
    mtu: int = 0
    is_up: bool = False  # somebody raised it
    has_carrier: bool = False  # and it leads somewhere
    master: str = ""  # the bridge whose port it is
    peer_index: int = 0  # of the other end of a veth, in whatever namespace that is
    addresses: tuple[str, ...] = ()
    traffic: Traffic = Traffic()


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One way out of a namespace, of its main table."""

    destination: str
    device: str
    gateway: str = ""
    source: str = ""
    metric: int = 0


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who has an address on a wire, as far as the kernel found out."""

    address: str
    device: str
    mac: str = ""
    state: str = ""  # reachable, stale, delay, probe, failed, incomplete, permanent, noarp


@dataclass(frozen=True, slots=True)
class NetFacts:
    """One network namespace as it is now."""

    links: tuple[Link, ...] = ()
    routes: tuple[RouteEntry, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()

    def link(self, name: str) -> Link | None:
        """Give the device of this name.

        >>> NetFacts((Link(1, "lo"),)).link("lo").index
        1
        """
        return next((each for each in self.links if each.name == name), None)
