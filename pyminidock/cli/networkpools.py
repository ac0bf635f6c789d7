"""Pools of a network, of four lists that people type: who says which range is where.

    --subnet 10.1.0.0/16 --subnet fd00::/64 --gateway 10.1.0.1 --ip-range 10.1.2.0/24

Source: docker/cli, cli/command/network/create.go, consolidateIpam().
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from pyminidock.cli.failures import ERROR, WordsRefused


def pools(
    subnets: Sequence[str], ranges: Sequence[str], gateways: Sequence[str],
    auxiliary: Mapping[str, str],
) -> list[dict[str, Any]]:  # fmt: skip
    """Give one pool for each subnet.  Raises WordsRefused.

    >>> pools(["10.1.0.0/16"], [], ["10.1.0.9"], {})
    [{'Subnet': '10.1.0.0/16', 'Gateway': '10.1.0.9'}]
    """
    if len(subnets) < max(len(ranges), len(gateways)):
        raise _refused("every ip-range or gateway must have a corresponding subnet")
    made: dict[str, dict[str, Any]] = {}
    for subnet in subnets:
        for other in made:
            if _holds(other, subnet) or _holds(subnet, other):
                raise _refused("multiple overlapping subnet configuration is not supported")
        made[subnet] = {"Subnet": subnet}
    for area in ranges:
        _put(made, "IPRange", area, "range", "ranges")
    for gateway in gateways:
        _put(made, "Gateway", gateway, "gateway", "gateways")
    for name, address in auxiliary.items():
        found = [subnet for subnet in made if _holds(subnet, address)]
        if not found:
            raise _refused(f"no matching subnet for aux-address {address}")
        made[found[0]].setdefault("AuxiliaryAddresses", {})[name] = address
    return list(made.values())


def _put(
    made: dict[str, dict[str, Any]], field: str, value: str, what: str, many: str
) -> None:
    """Put a value into the pool that holds it."""
    for subnet, pool in made.items():
        if _holds(subnet, value):
            if before := pool.get(field):
                link = "on" if field == "IPRange" else "for"
                raise _refused(
                    f"cannot configure multiple {many} ({value}, {before}) {link} the same"
                    f" subnet ({subnet})"
                )
            pool[field] = value
            return
    raise _refused(f"no matching subnet for {what} {value}")


def _holds(subnet: str, value: str) -> bool:
    """Say whether a subnet has an address, or the beginning of another subnet, in it."""
    try:
        area = ipaddress.ip_network(subnet, strict=False)
    except ValueError as fault:
        raise _refused(f"invalid subnet: invalid CIDR address: {subnet}") from fault
    if "/" in value:
        try:
            begin = ipaddress.ip_interface(value).ip
        except ValueError as fault:
            raise _refused(f"invalid CIDR address: {value}") from fault
        return begin in area
    try:
        return ipaddress.ip_address(value) in area
    except ValueError:
        return False


def _refused(what: str) -> WordsRefused:
    return WordsRefused(
        what, why="a range, a gateway and a kept address lie in a subnet that is said, too",
        try_next="minidock network create --subnet 10.89.0.0/24 --gateway 10.89.0.1 NAME",
        exit_code=ERROR,
    )  # fmt: skip
