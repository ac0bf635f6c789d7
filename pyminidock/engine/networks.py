"""Networks in Docker's shape: the list with its filters, and one of them in whole.

What makes and removes networks is in `networkmaking`, who is in them in `connecting`.

Source: moby, api/server/router/network, daemon/network/filter.go; measured on Docker
Engine 26.1.
"""

import re
from collections.abc import Mapping
from typing import Any

from pyminidock.engine.document import moment
from pyminidock.engine.filters import Filters
from pyminidock.engine.house import House
from pyminidock.engine.networkbook import no_such_network
from pyminidock.errors import MinidockError
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import Network, Pool

Document = dict[str, Any]
FILTERS = ("dangling", "driver", "id", "label", "name", "scope", "type")


# ── The list ──────────────────────────────────────────────────────────────────────────────


def list_(house: House, said: Mapping[str, Any] | None = None) -> list[Document]:
    """List the networks that pass the filters, without who is in them.

    Raises FilterRefused.
    """
    wanted = Filters(said or {}, FILTERS)
    _check(wanted)
    return [
        document(house, network) for network in house.networks.all()
        if _passes(house, network, wanted)
    ]  # fmt: skip


def _check(wanted: Filters) -> None:
    """Refuse values that mean nothing.  Raises FilterRefused."""
    for kind in wanted.values("type"):
        if kind not in ("builtin", "custom"):
            raise wanted.refused(f"invalid filter: 'type'='{kind[:80]}'")
    for value in wanted.values("dangling"):
        if value not in ("true", "1", "false", "0"):
            raise wanted.refused(
                'invalid value for filter \'dangling\', must be "true" (or "1"), or'
                ' "false" (or "0")'
            )


def _passes(house: House, network: Network, wanted: Filters) -> bool:
    fitting = {
        "name": lambda value: _fits(value, network.name),
        "id": lambda value: _fits(value, network.id),
        "driver": lambda value: value == network.driver,
        "scope": lambda value: value == network.scope,
        "type": lambda value: (value == "builtin") is network.is_predefined,
    }
    if not all(
        any(map(fits, wanted.values(name)))
        for name, fits in fitting.items() if wanted.has(name) and wanted.values(name)
    ):  # fmt: skip
        return False
    if not wanted.allows(network.labels, 0, 0.0):
        return False
    dangling = wanted.flag("dangling")
    if dangling is None:
        return True
    return dangling is not network.is_predefined  # Docker asks before it looks who is in


def _fits(pattern: str, text: str) -> bool:
    """Say whether a text has a part that fits a pattern, or begins with it.

    Source: moby, api/types/filters/parse.go, Match().
    """
    try:
        return bool(re.search(pattern[:256], text))
    except re.error:
        return text.startswith(pattern)


# ── One of them ───────────────────────────────────────────────────────────────────────────


def inspect(
    house: House, reference: str, *, scope: str = "", verbose: bool = False
) -> Document:
    """Tell everything of one network.  Raises NoSuchNetwork, NetworkAmbiguous."""
    found = house.networks.find(reference)
    if scope and scope != found.scope:
        raise no_such_network(reference)
    told = document(house, found)
    told["Containers"] = {
        container: _member(house, container, each)
        for container, each in sorted(house.networks.live(found.id).items())
    }
    return told


def document(house: House, network: Network) -> Document:
    """Give a network in Docker's shape, without who is in it."""
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": moment(network.created),
        "Scope": network.scope,
        "Driver": "null" if network.is_config_only else network.driver,
        "EnableIPv6": network.is_ipv6,
        "IPAM": {
            "Driver": network.ipam_driver,
            "Options": None if network.ipam_options is None else dict(network.ipam_options),
            "Config": _pools(network),
        },
        "Internal": network.is_internal,
        "Attachable": network.is_attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": network.config_from},
        "ConfigOnly": network.is_config_only,
        "Containers": {},
        "Options": dict(network.options),
        "Labels": dict(network.labels),
    }


def _pools(network: Network) -> list[Document] | None:
    """Tell of each family what was asked for, or else what was chosen."""
    told = [_pool(pool) for pool in network.asked]
    asked = {pool.version for pool in network.asked}
    told += [
        {"Subnet": pool.subnet, "Gateway": pool.gateway}
        for pool in network.pools if pool.version not in asked
    ]  # fmt: skip
    return told or None


def _pool(pool: Pool) -> Document:
    said = {
        "Subnet": pool.subnet, "IPRange": pool.range, "Gateway": pool.gateway,
        "AuxiliaryAddresses": dict(pool.auxiliary),
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def _member(house: House, container: str, each: Endpoint) -> Document:
    try:
        name = house.kept(container).name
    except MinidockError:  # removed meanwhile
        name = ""
    return {
        "Name": name,
        "EndpointID": each.id,
        "MacAddress": each.mac,
        "IPv4Address": f"{each.address}/{each.prefix}" if each.address else "",
        "IPv6Address": f"{each.address6}/{each.prefix6}" if each.address6 else "",
    }
