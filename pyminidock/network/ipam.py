"""Which addresses are free: pools for networks, addresses for containers.

    pools       the default ones, in order; the next one is behind the last that was given
                out, so that a network which comes back does not meet old connections
    addresses   the lowest free one; that of the network and the broadcast are nobody's

Source: moby, libnetwork/ipam/allocator.go and libnetwork/ipamutils/utils.go; measured on
Docker Engine 26.1: a freed address is given out again at once, a freed pool is not.
"""

import ipaddress
from collections.abc import Collection, Iterable, Iterator

from pyminidock.errors import MinidockError
from pyminidock.network.objects import Net, Network, Pool


class PoolTaken(MinidockError):
    """The addresses of a network would be those of another one."""

    status = 403


class PoolsExhausted(MinidockError):
    """Every default pool is in use, here or elsewhere on the host."""

    status = 404


class AddressTaken(MinidockError):
    """Somebody has this address."""

    status = 403


class NeighbourTaken(AddressTaken):
    """An address that shall be kept is the host's own; Docker's own failure."""

    status = 500


class AddressesExhausted(MinidockError):
    """Nobody else fits into the network."""

    status = 500


def _split(subnet: str, prefix: int) -> Iterator[Net]:
    return ipaddress.ip_network(subnet).subnets(new_prefix=prefix)


DEFAULT_POOLS: tuple[Net, ...] = (
    *(ipaddress.ip_network(f"172.{n}.0.0/16") for n in range(17, 32)),
    *_split("192.168.0.0/16", 20),
)


def next_pool(taken: Iterable[Net], foreign: Iterable[Net], last: str = "") -> Pool:
    """Choose the default pool behind `last` that overlaps nothing.  Raises PoolsExhausted.

    `taken` are pools of networks, `foreign` those that the host knows ways to.

    >>> next_pool([], [ipaddress.ip_network("172.17.0.0/16")]).gateway
    '172.18.0.1'
    """
    used = (*taken, *foreign)
    names = [str(each) for each in DEFAULT_POOLS]
    begin = names.index(last) + 1 if last in names else 0
    for subnet in (*DEFAULT_POOLS[begin:], *DEFAULT_POOLS[:begin]):
        if not any(overlap(subnet, each) for each in used):
            return complete(Pool(str(subnet)))
    raise no_pool()


def no_pool() -> PoolsExhausted:
    """Make the refusal of a network for which no default pool is left."""
    return PoolsExhausted(
        "could not find an available, non-overlapping IPv4 address pool among the defaults"
        " to assign to the network",
        why="there are 31 of them, and each is used by a network or a route of the host",
        try_next="minidock network create --subnet 10.89.0.0/24 NAME",
        lesson="networks",
    )


def no_ipv6() -> PoolsExhausted:
    """Make the refusal of a network with IPv6 for which nobody chose a pool."""
    return PoolsExhausted(
        "could not find an available, non-overlapping IPv6 address pool among the defaults"
        " to assign to the network",
        why="there are no default pools of IPv6: whoever wants it chooses one",
        try_next="minidock network create --ipv6 --subnet fd00:89::/64 NAME",
        lesson="networks",
    )


def overlap(one: Net, other: Net) -> bool:
    """Say whether two pools share an address."""
    return one.version == other.version and one.overlaps(other)


def check_pool(pool: Pool, networks: Iterable[Network]) -> None:
    """Refuse a pool that another network has a part of.  Raises PoolTaken."""
    for network in networks:
        for other in network.pools:
            if overlap(pool.net, other.net):
                raise PoolTaken(
                    "Pool overlaps with other one on this address space",
                    why=f"network {network.name} has {other.subnet}",
                    try_next="minidock network create NAME, which chooses a free one",
                    lesson="networks",
                )


def complete(pool: Pool) -> Pool:
    """Choose a gateway where none was said.  Raises AddressTaken for a bad neighbour.

    >>> complete(Pool("10.1.2.0/24", range="10.1.2.128/25")).gateway
    '10.1.2.128'
    """
    kept = dict(pool.auxiliary)
    gateway = pool.gateway or lowest(pool, ())
    for name, address in kept.items():
        if address == gateway:
            raise NeighbourTaken(
                f"failed to allocate secondary ip address ({name}:{address}):"
                " Address already in use",
                why="it is the host's own in this network",
                try_next="minidock network create --gateway ADDRESS …",
                lesson="networks",
            )
    return Pool(pool.subnet, pool.range, gateway, pool.auxiliary)


def lowest(pool: Pool, used: Collection[str]) -> str:
    """Give the lowest address that is free; "" if there is none."""
    area = ipaddress.ip_network(pool.range or pool.subnet, strict=False)
    for number in range(int(area.network_address), int(area.broadcast_address) + 1):
        address = ipaddress.ip_address(number) if area.version == 4 else (
            ipaddress.IPv6Address(number)
        )  # fmt: skip
        if not _is_nobodys(pool.net, address) and str(address) not in used:
            return str(address)
    return ""


def _is_nobodys(net: Net, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Say whether an address means the network itself, or everybody in it."""
    if net.version == 6:
        return address == net.network_address
    if net.prefixlen >= 31:
        return False
    return address in (net.network_address, net.broadcast_address)


def reserved(pool: Pool) -> set[str]:
    """Name the addresses that no container gets."""
    return {pool.gateway, *(address for _, address in pool.auxiliary)} - {""}


def allot(network: Network, pool: Pool, used: Collection[str], wanted: str = "") -> str:
    """Give an address to a container: the one it wants, or the lowest that is free.

    Raises AddressTaken, AddressesExhausted.
    """
    taken = {*used, *reserved(pool)}
    if wanted:
        address = ipaddress.ip_address(wanted)
        if str(address) in taken or _is_nobodys(pool.net, address):
            raise AddressTaken(
                "Address already in use",
                why=f"{wanted} belongs to the network {network.name} itself, or to another"
                " container",
                try_next=f"minidock network inspect {network.name}",
                lesson="networks",
            )
        return str(address)
    if address_ := lowest(pool, taken):
        return address_
    raise AddressesExhausted(
        f"no available IPv{pool.version} addresses on this network's address pools:"
        f" {network.name} ({network.id})",
        why=f"all of {pool.range or pool.subnet} is in use",
        try_next="minidock network create --subnet …/16 NAME",
        lesson="networks",
    )


def is_within(pool: Pool, address: str) -> bool:
    """Say whether an address lies in a pool.

    >>> is_within(Pool("10.1.2.0/24"), "10.1.3.1")
    False
    """
    try:
        return ipaddress.ip_address(address) in pool.net
    except ValueError:
        return False
