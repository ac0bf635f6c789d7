"""Where a container can be reached, in Docker's shape: its place in each network.

    created    what was asked for
    running    addresses, gateway, names, and the sandbox in which they are
    ended      what was asked for, and which networks those were

Source: moby, daemon/inspect.go, getInspectData(); measured with dockerd 26.1.5.
"""

import hashlib

from pyminidock.container.states import State
from pyminidock.engine.document import Document
from pyminidock.engine.house import Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.plugging import places
from pyminidock.engine.publishing import exposed
from pyminidock.network import ports
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import BRIDGE


def network_settings(kept: Kept, life: Life | None = None) -> Document:
    """Tell where it can be reached."""
    told = networks(kept, life)
    default = told.get(BRIDGE, _endpoint(Endpoint(BRIDGE)))
    return {
        "Bridge": "",
        "SandboxID": _sandbox(kept),
        "SandboxKey": _key(kept, life),
        "Ports": _ports(kept, life),
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": default["EndpointID"],
        "Gateway": default["Gateway"],
        "GlobalIPv6Address": default["GlobalIPv6Address"],
        "GlobalIPv6PrefixLen": default["GlobalIPv6PrefixLen"],
        "IPAddress": default["IPAddress"],
        "IPPrefixLen": default["IPPrefixLen"],
        "IPv6Gateway": default["IPv6Gateway"],
        "MacAddress": default["MacAddress"],
        "Networks": told,
    }


def _ports(kept: Kept, life: Life | None) -> Document:
    """Tell the ports that lead to it, and those that it offers, as long as it runs."""
    if life is None or life.state not in (State.RUNNING, State.PAUSED):
        return {}
    return dict(ports.port_map(kept.ports, exposed(kept)))


def _sandbox(kept: Kept) -> str:
    """Name its network namespace: another one at each start; none that it only shares."""
    if not kept.started or ":" in kept.spec.network_mode:
        return ""
    return hashlib.sha256(f"{kept.id}:{kept.started}".encode()).hexdigest()


def _key(kept: Kept, life: Life | None) -> str:
    """Give the file by which the namespace can be entered; ours is in /proc only."""
    is_there = life is not None and life.state in (State.RUNNING, State.PAUSED)
    process = life.process if life is not None and is_there else None
    is_own = ":" not in kept.spec.network_mode
    return f"/proc/{process.pid}/ns/net" if process and is_own else ""


def networks(kept: Kept, life: Life | None = None) -> Document:
    """Tell its places in networks, by name; of one that does not live, what it wishes."""
    is_over = life is not None and life.state not in (State.RUNNING, State.PAUSED)
    return {
        each.network: _endpoint(each.released() if is_over else each)
        for each in sorted(places(kept), key=lambda each: each.network)
    }


def _endpoint(endpoint: Endpoint) -> Document:
    addresses = {
        "IPv4Address": endpoint.wants,
        "IPv6Address": endpoint.wants6,
        "LinkLocalIPs": list(endpoint.link_local),
    }
    said = {name: value for name, value in addresses.items() if value}
    was = endpoint.was_connected
    return {
        "IPAMConfig": said or ({} if was else None),
        "Links": list(endpoint.links) or None,
        "Aliases": list(endpoint.aliases) or ([] if was else None),
        "MacAddress": _mac(endpoint),
        "NetworkID": endpoint.network_id,
        "EndpointID": endpoint.id,
        "Gateway": endpoint.gateway,
        "IPAddress": endpoint.address,
        "IPPrefixLen": endpoint.prefix,
        "IPv6Gateway": endpoint.gateway6,
        "GlobalIPv6Address": endpoint.address6,
        "GlobalIPv6PrefixLen": endpoint.prefix6,
        "DriverOpts": dict(endpoint.options) or ({} if was else None),
        "DNSNames": list(endpoint.names) or None,
    }


def _mac(endpoint: Endpoint) -> str:
    """Give its hardware address; after a run Docker does not tell that which was asked."""
    if endpoint.is_live:
        return endpoint.mac
    return "" if endpoint.network_id else endpoint.wants_mac
