"""Collecting what is to be seen of one request: from the records, and from the kernel.

What is looked at before and after the attempt are counters, so that the packets of this one
request can be told from all that went before.
"""

import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pyminidock.engine import plugging
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.errors import MinidockError
from pyminidock.kernel.attempts import Attempt, Listening
from pyminidock.kernel.netanswers import NetFacts
from pyminidock.kernel.port import Process, ProcessGone
from pyminidock.kernel.rules import Counted, Element
from pyminidock.network import asking, nat, ports
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.sight import HostSight, Lookup, Place, Published, Subject

NAME_SERVER = "127.0.0.11"
_LOOPBACK = "127.0.0.1"

Elements = Mapping[Element, Counted | None]


class NoWayIn(MinidockError):
    """The host has no address at which another machine could ask it."""

    status = 409


@dataclass(frozen=True, slots=True)
class Look:
    """What is counted: the rules' elements, and the host's devices."""

    elements: Elements
    facts: NetFacts


def look(house: House) -> Look:
    """Look at the host's side of all networks."""
    found: dict[Element, Counted | None] = {}
    with suppress(OSError):  # no nftables: then nothing is published by rules
        for table in house.kernel.rules(table_name(house)):
            found |= dict(table.elements)
    return Look(found, house.kernel.netfacts())


def table_name(house: House) -> str:
    """Name the engine's tables."""
    return nat.table_name(house.networks.mark)


# ── Containers ───────────────────────────────────────────────────────────────────────────


def subject(house: House, life: Life, before: Look, after: Look) -> Subject:
    """Give what is to be seen of one container."""
    kept, process = house.kept(life.id), process_of(life)
    routes, listening = NetFacts().routes, tuple[Listening, ...]()
    if process:
        with suppress(ProcessGone):
            listening = house.kernel.listening(process)
            routes = house.kernel.netfacts(process).routes
    owner = _owner(house, kept)
    places = tuple(_places(house, owner, before, after)) if process else ()
    return Subject(
        life.name, life.id, life.state.value, kept.spec.network_mode, kept.error,
        process.pid if process else 0, places,
        tuple(_published(house, owner, places, before.elements, after.elements)),
        exposed(kept), listening, routes,
    )  # fmt: skip


def _owner(house: House, kept: Kept) -> Kept:
    """Give whose network it is: that of another container, if it shares one."""
    kind, _, other = kept.spec.network_mode.partition(":")
    if kind != "container":
        return kept
    try:
        return house.kept(house.life(other).id)
    except MinidockError:
        return kept


def exposed(kept: Kept) -> tuple[tuple[int, str], ...]:
    """Give the ports that the image or the request notes."""
    said = (*kept.request.reach.exposed, *kept.defaults.exposed_ports)
    words = dict.fromkeys(each for port in said for each in ports.single(port))
    pairs = (word.partition("/") for word in words)
    return tuple((int(number), protocol) for number, _, protocol in pairs)


def wishes(house: House, kept: Kept) -> tuple[Published, ...]:
    """Give what a container wishes to publish, as far as it named ports of the host."""
    reach = kept.request.reach
    asked = {each.port: each.hosts for each in reach.published}
    default = house.publish_on
    return tuple(
        Published(address, wish.first, wish.protocol, wish.inside, is_live=False)
        for wish in ports.wishes(asked, (), publishes_all=False)
        for address in ports.addresses(wish.address, default)
        if not wish.is_any and ":" not in address
    )  # fmt: skip


def _published(
    house: House, kept: Kept, places: Sequence[Place], before: Elements, after: Elements
) -> Iterator[Published]:
    """Give the ports that lead here by the rules, then wishes that do not."""
    mine = {place.address for place in places}
    live = [
        _live(element, before.get(element), counted)
        for element, counted in after.items()
        if element.set in ("published", "everywhere") and element.data[0] in mine
    ]
    yield from live
    known = {(each.host_address, each.host_port, each.protocol) for each in live}
    for wish in wishes(house, kept):
        if (wish.host_address, wish.host_port, wish.protocol) not in known:
            yield wish


def _live(element: Element, before: Counted | None, after: Counted | None) -> Published:
    *address, protocol, port = element.key
    return Published(
        address[0] if address else nat.EVERYWHERE[0], int(port), protocol,
        int(element.data[1]), is_live=True,
        packets_before=before.packets if before else 0,
        packets_after=after.packets if after else 0,
    )  # fmt: skip


def _places(house: House, kept: Kept, before: Look, after: Look) -> Iterator[Place]:
    for each in plugging.places(kept):
        network = house.networks.get(each.network_id)
        if network is None or not each.address or not network.is_wired:
            continue
        bridge, cable = (after.facts.link(n) for n in (network.bridge, each.host_link))
        earlier = before.facts.link(each.host_link)
        yield replace(
            _place(each), bridge=network.bridge, is_internal=network.is_internal,
            is_user_defined=network.is_user_defined, has_icc=network.has_icc,
            is_bridge_up=bool(bridge and bridge.is_up),
            is_cable_up=bool(cable and cable.is_up and cable.master == network.bridge),
            host_address=_host_address(after, network.bridge),
            received_before=earlier.traffic.sent_packets if earlier else 0,
            received_after=cable.traffic.sent_packets if cable else 0,
        )  # fmt: skip


def _place(each: Endpoint) -> Place:
    return Place(
        each.network, "", each.address, each.prefix, each.gateway, each.inside,
        each.host_link, each.mac,
    )  # fmt: skip


def _host_address(seen: Look, bridge: str) -> str:
    link = seen.facts.link(bridge)
    addresses = [a.partition("/")[0] for a in (link.addresses if link else ())]
    return next((each for each in addresses if ":" not in each), "")


def meant(house: House, port: int, protocol: str, seen: Look) -> Life | None:
    """Find the container that has to do with a port of the host.

    By the rules, else by its wish, else by what it exposes; who runs comes first.
    """
    ranked: list[tuple[int, bool, float, Life]] = []
    for life in house.lives():
        kept = house.kept(life.id)
        if kept.build:
            continue
        mine = {each.address for each in plugging.places(kept) if each.address}
        leads = any(
            element.set in ("published", "everywhere") and element.data[0] in mine
            and element.key[-1] == str(port) for element in seen.elements
        )  # fmt: skip
        wants = any(wish.host_port == port for wish in wishes(house, kept))
        notes = any(number == port for number, _ in exposed(kept))
        inside = any(
            int(each.port.partition("/")[0].partition("-")[0]) == port
            for each in kept.request.reach.published
        )
        rank = 8 * (leads and life.is_running) + 4 * wants + 2 * notes + inside
        if rank:
            ranked.append((rank, life.is_running, kept.started or kept.created, life))
    return max(ranked, key=lambda row: row[:3])[3] if ranked else None


# ── Names and addresses ──────────────────────────────────────────────────────────────────


def lookup(house: House, asker: Life, name: str, *, has_server: bool) -> Lookup:
    """Ask for a name from inside a container, as its programs would."""
    file = house.directory(asker.id) / "hosts"
    with suppress(OSError):
        if found := asking.in_hosts(file.read_text("utf-8"), name):
            return Lookup(name, "", found)
    process = asker.process
    if not has_server or process is None:
        return Lookup(name)
    asked = Attempt(NAME_SERVER, 53, "udp", asking.question(name), 1.0)
    told = house.kernel.attempt(asked, process)
    return Lookup(name, NAME_SERVER, asking.addresses(told.said))


def lan_address(house: House, facts: NetFacts) -> str:
    """Give the address at which other machines know this host.  Raises NoWayIn."""
    ours = {network.bridge for network in house.networks.all()}
    out = [route.device for route in facts.routes if route.destination == "0.0.0.0/0"]
    links = sorted(facts.links, key=lambda link: link.name not in out)
    for link in links:
        if link.name in ours or (link.kind == "bridge" and link.name.startswith("md")):
            continue
        for address in link.addresses:
            found = ipaddress.ip_interface(address).ip
            if found.version == 4 and not found.is_loopback:
                return str(found)
    raise NoWayIn(
        "this host has no address that another machine could ask",
        why="it has its loopback and the bridges of its containers, and nothing else",
        try_next="minidock explain port PORT --from host",
        lesson="networks",
    )


def device_of(address: str, seen: Look) -> str:
    """Name the host's device that has this address; "" if none has."""
    return next((
        link.name for link in seen.facts.links
        if address in [each.partition("/")[0] for each in link.addresses]
    ), "")  # fmt: skip


def host_sight(house: House, seen: Look, older_tables: tuple[str, ...]) -> HostSight:
    """Give what the host has to do with it."""
    addresses = tuple(
        address.partition("/")[0] for link in seen.facts.links for address in link.addresses
    )
    return HostSight(
        addresses or (_LOOPBACK,), house.kernel.listening(), (os.getpid(),),
        neighbours=seen.facts.neighbours, older_tables=older_tables,
    )  # fmt: skip


def process_of(life: Life) -> Process | None:
    """Give the first process of a container, if it has one."""
    return life.process if life.is_running else None
