"""Places in networks that are asked for, against the networks that there are.

Source: moby, daemon/container_operations.go, validateEndpointSettings(); messages measured
on Docker Engine 26.1.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pyminidock.container.membership import wishes
from pyminidock.container.spec import CreateRequest
from pyminidock.engine.house import House
from pyminidock.engine.networkbook import NetworkAmbiguous, NoSuchNetwork
from pyminidock.errors import MinidockError
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.ipam import is_within
from pyminidock.network.objects import Network


class EndpointRefused(MinidockError):
    """The network cannot give what is asked of it."""

    status = 400


def members(house: House, request: CreateRequest) -> tuple[Endpoint, ...]:
    """Give the places of a container to be; networks that are known by their names.

    A network that nobody knows is no fault yet: the start will say so.
    Raises EndpointRefused.
    """
    found = []
    for asked in wishes(request):
        try:
            network = house.networks.find(asked.network)
        except (NoSuchNetwork, NetworkAmbiguous):
            _refuse(list(_malformed(asked)), asked.network)
            found.append(asked)
            continue
        wish = replace(asked, network=network.name)
        if network.is_user_defined:
            _refuse(list(_faults(network, wish)), network.name)
        found.append(wish)
    return tuple(found)


def check_member(network: Network, wish: Endpoint) -> None:
    """Refuse a wish that a network cannot fulfil.  Raises EndpointRefused."""
    _refuse(list(_faults(network, wish)))


def _refuse(faults: Sequence[str], network: str = "") -> None:
    """Say all that is wrong at once.  Raises EndpointRefused."""
    if not faults:
        return
    prefix = f"invalid config for network {network}: " if network else ""
    told = faults[0] if len(faults) == 1 else "\n".join(f"* {each}" for each in faults)
    raise EndpointRefused(
        f"{prefix}invalid endpoint settings:\n{told}",
        why="an address is chosen in networks whose subnet was chosen, too",
        try_next="minidock network create --subnet 10.89.0.0/24 NAME",
        lesson="networks",
    )


def _faults(network: Network, wish: Endpoint) -> Iterator[str]:
    if not network.is_user_defined:
        if wish.wants or wish.wants6:
            yield "user specified IP address is supported on user defined networks only"
        if wish.aliases:
            yield (
                "network-scoped alias is supported only for containers in user defined"
                " networks"
            )
    yield from _malformed(wish)
    for version, address in ((4, wish.wants), (6, wish.wants6)):
        asked = (pool for pool in network.asked if pool.subnet)
        chosen = [pool for pool in asked if pool.version == version]
        if address and not chosen:
            yield (
                "user specified IP address is supported only when connecting to networks"
                " with user configured subnets"
            )
        elif address and not any(is_within(pool, address) for pool in chosen):
            yield f"no configured subnet or ip-range contain the IP address {address}"


def _malformed(wish: Endpoint) -> Iterator[str]:
    """Say which address is none, whatever the network."""
    for version, address in ((4, wish.wants), (6, wish.wants6)):
        if address and _version(address) != version:
            yield f"invalid IPv{version} address: {address}"
    for address in wish.link_local:
        if not _version(address):
            yield f"invalid link-local IP address: {address}"


def _version(address: str) -> int:
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0
