"""Who hangs on what, for a map: networks, cables, ports, and what the devices counted.

Who is in which network, and which port leads where, is what the engine keeps; what a device
counted is what the kernel says of it now, seen from the host: in is what came from inside.
"""

from collections.abc import Mapping
from typing import Any

from pyminidock.container.netmode import network_of
from pyminidock.container.states import State
from pyminidock.engine import listing
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.kernel.netanswers import NetFacts
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import Network

Document = dict[str, Any]
_AWAKE = (State.RUNNING, State.PAUSED)


def told(house: House) -> Document:
    """Tell the whole map, as it is now."""
    facts = house.kernel.netfacts()
    running = {life.id: life for life in house.lives() if life.state in _AWAKE}
    wired = [
        network
        for network in house.networks.all()
        if network.is_wired and (network.is_user_defined or facts.link(network.bridge))
    ]
    wired.sort(key=lambda network: (network.is_user_defined, network.created))
    return {
        "backend": house.machine.backend,
        "networks": [_network(house, each, facts, running) for each in wired],
        "ports": _ports(house),
        "lone": [
            {"container": life.name, "mode": _mode(house, life, running)}
            for life in running.values()
            if not any(each.address for each in house.networks.of_container(life.id))
        ],
    }  # fmt: skip


def _network(
    house: House, network: Network, facts: NetFacts, running: Mapping[str, Life]
) -> Document:
    live = house.networks.live(network.id)
    ends = sorted(
        (running[container].name, container, each) for container, each in live.items()
        if container in running
    )  # fmt: skip
    return {
        "name": network.name,
        "bridge": network.bridge if facts.link(network.bridge) else "",
        "subnets": [pool.subnet for pool in network.pools],
        "gateways": [pool.gateway for pool in network.pools if pool.gateway],
        "has_names": network.is_user_defined,
        "is_internal": network.is_internal,
        "is_closed": not network.has_icc,
        "traffic": _traffic(facts, network.bridge),
        "ends": [_end(name, id, each, facts) for name, id, each in ends],
    }


def _end(name: str, id: str, endpoint: Endpoint, facts: NetFacts) -> Document:
    """Tell of one cable; that a container is also called by its id goes without saying."""
    names = [each for each in endpoint.names if each != id[:12]]
    addresses = [each for each in (endpoint.address, endpoint.address6) if each]
    return {
        "container": name, "inside": endpoint.inside, "host_link": endpoint.host_link,
        "addresses": addresses, "mac": endpoint.mac, "names": names,
        "state": "running", "traffic": _traffic(facts, endpoint.host_link),
    }  # fmt: skip


def _traffic(facts: NetFacts, device: str) -> Document | None:
    """Tell what a device counted; nothing where there is none."""
    link = facts.link(device)
    if link is None:
        return None
    counted = link.traffic
    return {
        "in_bytes": counted.received_bytes, "in_packets": counted.received_packets,
        "out_bytes": counted.sent_bytes, "out_packets": counted.sent_packets,
    }  # fmt: skip


def _ports(house: House) -> list[Document]:
    """Tell which port of the host leads where, as `ps` does."""
    found = [
        {"protocol": row["Type"], "address": row.get("IP") or "",
         "port": row["PublicPort"], "container": told["Names"][0].lstrip("/"),
         "to_port": row["PrivatePort"]}
        for told in listing.list_(house)
        for row in told["Ports"]
        if row.get("PublicPort")
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each["port"], each["protocol"], each["address"]))


def _mode(house: House, life: Life, running: Mapping[str, Life]) -> str:
    """Say why a container has no cable: none, host, or container:NAME."""
    mode = network_of(house.kept(life.id).request)
    if mode.startswith("container:"):
        other = mode.removeprefix("container:")
        named = (life.name for life in running.values() if other in (life.name, life.id))
        return f"container:{next(named, other[:12])}"
    return "host" if mode == "host" else "none"
