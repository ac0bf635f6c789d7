"""One container's place in one network: what was wished for, and what it got.

    wish    address, MAC, aliases, links, options     kept as long as it is a member
    got     id, addresses, gateway, interface         from the start of a run to its end

A container that rests keeps its places and none of its addresses: whoever starts meanwhile
may get them, and it gets others.

Source: moby, api/types/network/endpoint.go; daemon/container_operations.go, releaseNetwork.
"""

from dataclasses import dataclass, replace
from typing import Self

from pyminidock.network.objects import Network, Pairs


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place in a network.  Without an `id` nothing is plugged in."""

    network: str  # by name, as it was called
    network_id: str = ""
    # What was wished for:
    wants: str = ""  # an IPv4 address
    wants6: str = ""
    wants_mac: str = ""
    link_local: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    options: Pairs = ()
    was_connected: bool = False  # by `network connect`, not by its creation
    # What it got:
    id: str = ""
    address: str = ""
    prefix: int = 0
    gateway: str = ""
    address6: str = ""
    prefix6: int = 0
    gateway6: str = ""
    mac: str = ""
    inside: str = ""  # the interface in the container
    host_link: str = ""  # the other end of its cable
    names: tuple[str, ...] = ()  # by which it is known to others

    @property
    def is_live(self) -> bool:
        """Whether it belongs to a run that is going on."""
        return bool(self.id)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give its addresses with their prefixes."""
        both = ((self.address, self.prefix), (self.address6, self.prefix6))
        return tuple(f"{address}/{prefix}" for address, prefix in both if address)

    @property
    def gateways(self) -> int:
        """Count the ways out that it could be."""
        return bool(self.gateway) + bool(self.gateway6)

    def released(self) -> Self:
        """Give the place as it is when nothing is plugged in."""
        return replace(
            self, id="", address="", prefix=0, gateway="", address6="", prefix6=0,
            gateway6="", mac="", inside="", host_link="",
        )  # fmt: skip


def names_of(
    network: Network, container: str, name: str, aliases: tuple[str, ...], hostname: str
) -> tuple[str, ...]:
    """Name it as others in the network may: none but its name where nobody asks.

    >>> names_of(Network("1", "n"), "ab" * 32, "web", ("www", "web"), "abababababab")
    ('web', 'www', 'abababababab')
    """
    if not network.is_user_defined:
        return ()
    said = (name, *aliases, container[:12], hostname)
    return tuple(dict.fromkeys(each for each in said if each))
