"""Who goes first: which interface is eth0, and which network is the way out.

    1  a network that leads out of the host, before an internal one
    2  one with more ways out: IPv4 and IPv6 before one of them
    3  the name that comes first in the alphabet

At a start the interfaces are numbered in this order.  Whoever comes later gets the next
number, and a number is not given out again while the container runs.

Source: moby, libnetwork/sandbox.go, Endpoint.Less(); measured on Docker Engine 26.1.
"""

from collections.abc import Iterable, Mapping, Sequence

from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import PREFIX, Network


def ordered(
    endpoints: Iterable[Endpoint], networks: Mapping[str, Network]
) -> list[Endpoint]:
    """Put endpoints into the order in which they are plugged; `networks` by their ids."""

    def rank(each: Endpoint) -> tuple[bool, int, str]:
        network = networks.get(each.network_id)
        is_internal = bool(network and network.is_internal)
        return is_internal, -each.gateways, each.network

    return sorted(endpoints, key=rank)


def ways_out(
    endpoints: Sequence[Endpoint], networks: Mapping[str, Network]
) -> tuple[str, str]:
    """Give the gateways, IPv4 and IPv6, by which a container leaves; "" for none."""
    leading = [
        each for each in ordered(endpoints, networks)
        if each.network_id in networks and not networks[each.network_id].is_internal
    ]  # fmt: skip
    return (
        next((each.gateway for each in leading if each.gateway), ""),
        next((each.gateway6 for each in leading if each.gateway6), ""),
    )


def mac_of(address: str) -> str:
    """Make the hardware address that belongs to an IPv4 address.

    >>> mac_of("172.17.0.2")
    '02:42:ac:11:00:02'
    """
    return ":".join(("02", "42", *(f"{int(part):02x}" for part in address.split("."))))


def interface(network: Network, number: int) -> str:
    """Name the interface inside.

    >>> interface(Network("1", "n"), 0)
    'eth0'
    """
    return f"{network.option(PREFIX) or 'eth'}{number}"
