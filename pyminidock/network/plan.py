"""Networks and endpoints become calls: bridges, sandboxes, cables, ways out.

    start        MakeSandbox · Plug · Plug …          in front of the fork of the shim
    connect      FindSandbox · Plug · Route
    disconnect   FindSandbox · Unplug · Route

Names on the host carry six digits of the root directory's hash, so two engines, and a real
Docker, live side by side:

    md<h6>-0            the bridge of the default network
    md<h6>-<6 of id>    that of another one
    mv<h6><7 of id>     the host's end of a cable, by the endpoint's id
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence

from pyminidock.kernel.netcalls import (
    FindSandbox,
    MakeBridge,
    MakeSandbox,
    NetCall,
    Plug,
    Route,
    Unplug,
)
from pyminidock.kernel.port import Process
from pyminidock.network.choice import mac_of, ways_out
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import BRIDGE, BRIDGE_NAME, Network

NetPlan = tuple[NetCall, ...]
_LONGEST = 15  # bytes of a device's name


def mark_of(root: str) -> str:
    """Give the six digits that all names of one engine carry; `root` is a host path.

    >>> len(mark_of("/var/lib/minidock"))
    6
    """
    return hashlib.sha256(root.encode()).hexdigest()[:6]


def bridge_prefix(mark: str) -> str:
    """Give how the names of an engine's bridges begin."""
    return f"md{mark}-"


def cable_prefix(mark: str) -> str:
    """Give how the names of the host's ends of its cables begin."""
    return f"mv{mark}"


def bridge_name(mark: str, network: Network, taken: Collection[str] = ()) -> str:
    """Name the bridge of a network; as it was asked for, or by its id."""
    if asked := network.option(BRIDGE_NAME):
        return asked
    if network.name == BRIDGE:
        return f"{bridge_prefix(mark)}0"
    for begin in range(len(network.id) - 6):
        name = f"{bridge_prefix(mark)}{network.id[begin : begin + 6]}"
        if name not in taken:
            return name
    raise AssertionError("every part of an id is taken")


def cable_name(mark: str, endpoint: str) -> str:
    """Name the host's end of a cable by the id of its endpoint."""
    return f"{cable_prefix(mark)}{endpoint}"[:_LONGEST]


def bridge_call(network: Network) -> MakeBridge:
    """Plan the switch of a network, with the host's own addresses in it.

    Its hardware address is its own: else it would be that of a port, and change with it.
    """
    addresses = tuple(f"{pool.gateway}/{pool.prefix}" for pool in network.pools)
    four = network.pool(4)
    mac = mac_of(four.gateway) if four and four.gateway else ""
    return MakeBridge(network.bridge, mac, addresses, network.mtu, network.is_ipv6)


def start_calls(
    sandbox: str, endpoints: Sequence[Endpoint], networks: Mapping[str, Network]
) -> NetPlan:
    """Plan a sandbox with all its cables; the first one that leads out is the way out."""
    out, out6 = ways_out(endpoints, networks)
    calls: list[NetCall] = [MakeSandbox(sandbox)]
    for each in endpoints:
        is_out, is_out6 = each.gateway == out, each.gateway6 == out6
        calls.append(plug_call(
            sandbox, each, networks[each.network_id],
            out if is_out else "", out6 if is_out6 else "",
        ))  # fmt: skip
    return tuple(calls)


def plug_call(
    sandbox: str, endpoint: Endpoint, network: Network, out: str = "", out6: str = ""
) -> Plug:
    """Plan one cable."""
    return Plug(
        sandbox, network.bridge, endpoint.host_link, endpoint.inside, endpoint.mac,
        endpoint.addresses, out, out6, network.mtu, is_hairpin=True,
        is_isolated=not network.has_icc,
    )  # fmt: skip


def connect_calls(
    sandbox: str, process: Process, new: Endpoint, others: Sequence[Endpoint],
    networks: Mapping[str, Network],
) -> NetPlan:  # fmt: skip
    """Plan one more cable into a container that runs, and its way out if that changes."""
    before, after = ways_out(others, networks), ways_out((*others, new), networks)
    return (
        FindSandbox(sandbox, process.pid, process.start_time),
        plug_call(sandbox, new, networks[new.network_id]),
        *((Route(sandbox, *after),) if after != before else ()),
    )


def disconnect_calls(
    sandbox: str, process: Process, old: Endpoint, others: Sequence[Endpoint],
    networks: Mapping[str, Network],
) -> NetPlan:  # fmt: skip
    """Plan that a cable is taken out of a container that runs."""
    before, after = ways_out((*others, old), networks), ways_out(others, networks)
    return (
        FindSandbox(sandbox, process.pid, process.start_time),
        Unplug(sandbox, old.inside, old.host_link),
        *((Route(sandbox, *after),) if after != before else ()),
    )
