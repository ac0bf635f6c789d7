"""A network that is asked for: what the words mean, and which of them cannot be.

    wish ─► check ─► Network, as far as it can be said without knowing the others

Source: moby, api/types/network/ipam.go, ValidateIPAM(); libnetwork/drivers/bridge/
bridge_linux.go, parseNetworkGenericOptions().  Messages measured on Docker Engine 26.1.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyminidock.errors import MinidockError
from pyminidock.network.objects import (
    BRIDGE_NAME,
    DEFAULT_BRIDGE,
    DRIVERS,
    FALSE,
    HOST_BINDING,
    ICC,
    MASQUERADE,
    MTU,
    OF_BRIDGE,
    PREDEFINED,
    TRUE,
    Net,
    Pairs,
    Pool,
)

_FLAGS = (ICC, MASQUERADE, DEFAULT_BRIDGE, f"{OF_BRIDGE}.inhibit_ipv4")
_MOST_LINK_BYTES = 15


class NetworkRefused(MinidockError):
    """The network that is asked for cannot be."""

    status = 400


class NotPermitted(NetworkRefused):
    """Docker calls this one forbidden."""

    status = 403


class DriverUnknown(NetworkRefused):
    """Nobody here knows how to make such a network."""

    status = 404


class NotPossible(NetworkRefused):
    """Docker counts this as a failure of its own."""

    status = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; "" means "not said"."""

    name: str
    driver: str = ""
    pools: tuple[Pool, ...] = ()
    is_internal: bool = False
    is_attachable: bool = False
    is_ingress: bool = False
    is_ipv6: bool = False
    is_config_only: bool = False
    config_from: str = ""
    scope: str = ""
    options: Pairs = ()
    labels: Pairs = ()
    ipam_driver: str = ""
    ipam_options: Pairs | None = ()


def check(wish: Wish) -> None:
    """Refuse what can never be.  Raises NetworkRefused."""
    if not wish.name.strip():
        raise refused("invalid name: ", "a network has a name")
    if wish.name in (*PREDEFINED, "default"):  # a mode that is no network
        raise refused(
            f"operation is not permitted on predefined {wish.name} network ",
            "the engine has it already, and it cannot be made twice", NotPermitted,
        )  # fmt: skip
    if faults := [fault for pool in wish.pools for fault in _faults(pool, wish.is_ipv6)]:
        told = faults[0] if len(faults) == 1 else "\n".join(f"* {f}" for f in faults)
        raise refused(f"invalid network config:\n{told}", "addresses are read strictly")
    if wish.is_ingress:
        raise refused(
            "Ingress network can only be global scope network",
            "it belongs to a swarm, and this engine is one machine", NotPermitted,
        )  # fmt: skip
    if wish.scope in ("swarm", "global"):
        raise refused(
            "cannot create a swarm scoped network when swarm is not active",
            "this engine is one machine", NotPermitted,
        )  # fmt: skip


def check_driver(wish: Wish) -> None:
    """Refuse a driver that nobody has.  Raises NetworkRefused."""
    driver = wish.driver or "bridge"
    if driver == "overlay":
        raise refused(
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm '
            'join" to connect this node to swarm and try again.',
            "an overlay reaches over several machines, and this engine is one",
            NotPermitted,
        )  # fmt: skip
    if driver not in DRIVERS:
        raise refused(
            f'plugin "{driver}" not found', "the drivers here are bridge, host and null",
            DriverUnknown,
        )  # fmt: skip
    if driver != "bridge" and not wish.is_config_only:
        raise refused(
            f'only one instance of "{driver}" network is allowed',
            "the engine has it already", NotPermitted,
        )  # fmt: skip
    if wish.ipam_driver not in ("", "default"):
        if wish.ipam_driver == "null":
            raise refused("ipv4 pool is empty", "a bridge needs addresses")
        raise refused(
            f'plugin "{wish.ipam_driver}" not found', "addresses are given out here alone",
            DriverUnknown,
        )  # fmt: skip
    fours = [pool for pool in wish.pools if _version(pool.subnet) == 4]
    if len(fours) > 1:
        raise refused(
            "bridge driver doesn't support multiple subnets",
            "a bridge has one pool of each family", NotPossible,
        )  # fmt: skip


def check_options(options: Pairs) -> None:
    """Refuse options that mean nothing.  Raises NetworkRefused.

    Docker reads them when the pool is chosen, which is lost to the next network then.
    """
    for fault in _option_faults(dict(options)):
        raise refused(fault, "the option is read when the network is made")


def _option_faults(options: dict[str, str]) -> Iterator[str]:
    for name, value in options.items():
        if name == MTU and not re.fullmatch(r"[+-]?[0-9]{1,9}", value):
            yield (
                f"failed to parse {name} value: {value} (strconv.Atoi: parsing "
                f'"{value}": invalid syntax)'
            )
        if name in _FLAGS and value not in (*TRUE, *FALSE):
            yield (
                f"failed to parse {name} value: {value} (strconv.ParseBool: parsing "
                f'"{value}": invalid syntax)'
            )
        if name == HOST_BINDING and not _version(value):
            yield f"failed to parse {name} value: {value} (nil ip)"
    if len(options.get(BRIDGE_NAME, "").encode()) > _MOST_LINK_BYTES:
        yield "numerical result out of range"


def _faults(pool: Pool, is_ipv6: bool) -> Iterator[str]:
    """Say what is wrong with one pool."""
    subnet = _net(pool.subnet)
    if subnet is None:
        yield f"invalid subnet {pool.subnet}: invalid CIDR block notation"
        return
    if subnet.version == 6 and not is_ipv6:
        return
    if str(subnet) != _spelt(pool.subnet):
        yield f"invalid subnet {pool.subnet}: it should be {subnet}"
    if pool.range:
        yield from _range_faults(pool.range, subnet)
    if pool.gateway:
        yield from _address_faults("gateway", pool.gateway, pool.gateway, subnet)
    for name, address in pool.auxiliary:
        yield from _address_faults("auxiliary address", name, address, subnet)


def _range_faults(text: str, subnet: Net) -> Iterator[str]:
    area = _net(text)
    if area is None:
        yield f"invalid ip-range {text}: invalid CIDR block notation"
        return
    if area.version != subnet.version:
        yield f"invalid ip-range {text}: parent subnet is an IPv{subnet.version} block"
        return
    if area.prefixlen < subnet.prefixlen:
        yield (
            f"invalid ip-range {text}: CIDR block is bigger than its parent subnet {subnet}"
        )
    if str(area) != _spelt(text):
        yield f"invalid ip-range {text}: it should be {area}"
    if not subnet.overlaps(area):
        yield f"invalid ip-range {text}: parent subnet {subnet} doesn't contain ip-range"


def _address_faults(what: str, name: str, text: str, subnet: Net) -> Iterator[str]:
    version = _version(text)
    if not version:
        yield f"invalid {what} {name}: invalid address"
    elif version != subnet.version:
        yield f"invalid {what} {name}: parent subnet is an IPv{subnet.version} block"
    elif ipaddress.ip_address(text) not in subnet:
        yield (
            f"invalid {what} {name}: parent subnet {subnet} doesn't contain this address"
        )


def _net(text: str) -> Net | None:
    if not re.fullmatch(r"[0-9a-fA-F.:]+/[0-9]{1,3}", text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _spelt(text: str) -> str:
    address, _, prefix = text.partition("/")
    return f"{ipaddress.ip_address(address)}/{prefix}"


def _version(text: str) -> int:
    """Give 4 or 6; 0 for what is neither address nor subnet."""
    try:
        return ipaddress.ip_address(text.partition("/")[0]).version
    except ValueError:
        return 0


def refused(
    what: str, why: str, kind: type[NetworkRefused] = NetworkRefused
) -> NetworkRefused:
    """Make a refusal of a network."""
    return kind(what, why=why, try_next="minidock network create NAME", lesson="networks")
