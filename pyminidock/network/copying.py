"""The wiring of one request as a plan for a throw-away host: as it is, and with a cure.

    sight ──► Copy ──► Rehearsal        the same bridges, cables, addresses and rules
               └─ cured(cause) ──►      and exactly one thing otherwise

What is proved is the wiring: in the place of each process stands a socket that waits where
that process waited.  Addresses are the real ones; the names of devices are the copy's own.
"""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pyminidock.kernel.attempts import Attempt, Listening, Rehearsal, Server
from pyminidock.kernel.netcalls import MakeBridge, MakeSandbox, NetCall, Plug
from pyminidock.kernel.rules import Chain, Decide, Element, Is, MakeTable, Rule, Table
from pyminidock.network import nat
from pyminidock.network.causes import Cause
from pyminidock.network.sight import CONTAINER, HOST, OUTSIDE, Place, Published, Sight

TARGET, ASKER, OTHERS = "target", "asker", ""
_LAN = "copy-lan"
_TABLE = "copy"
_LOOPBACK = "127."
_ANY = nat.EVERYWHERE[0]
_STAND_IN = Place(
    "copy", "", "172.31.255.2", 24, "172.31.255.1", "eth0", "", "02:42:00:00:00:02"
)


@dataclass(frozen=True, slots=True)
class Copy:
    """What is copied; `wants_port` is where the request shall be taken inside."""

    origin: str
    address: str
    port: int
    protocol: str
    target: tuple[Place, ...] = ()
    asker: tuple[Place, ...] = ()
    published: tuple[Published, ...] = ()
    listening: tuple[Listening, ...] = ()
    strangers: tuple[Listening, ...] = ()  # other programs' sockets on the host
    is_dropped: bool = False  # by another program's rule


def copied(sight: Sight) -> Copy:
    """Take the facts that matter over."""
    target, asker = sight.target, sight.asker
    live = tuple(each for each in (target.published if target else ()) if each.is_live)
    dropped = sight.dropped_by
    holder = sight.other_holder
    return Copy(
        sight.asked.origin, sight.address, sight.asked.port, sight.asked.protocol,
        target.places if target else (), asker.places if asker else (), live,
        tuple(each for each in (target.listening if target else ())
              if (not each.address.startswith("127.0.0.11") and ":" not in each.address)
              or each.address == "::"),
        (holder,) if holder else (),
        bool(dropped and dropped.table not in sight.own_tables),
    )  # fmt: skip


# ── Cures: exactly one thing otherwise ───────────────────────────────────────────────────


def cured(sight: Sight, cause: Cause) -> Copy:
    """Give the copy without the cause."""
    cure = _CURES.get(cause.name)
    return cure(sight, copied(sight)) if cure else copied(sight)


def _publish(sight: Sight, copy: Copy) -> Copy:
    port = _inner_port(sight)
    copy = replace(copy, target=copy.target or (_STAND_IN,))
    wish = Published(_bound(copy.address), copy.port, copy.protocol, port)
    return _waits(replace(copy, published=(*copy.published, wish)), port)


def _publish_here(sight: Sight, copy: Copy) -> Copy:
    wish = next(w for w in sight.wishes if w.protocol == copy.protocol)
    moved = replace(wish, host_address=_bound(copy.address), is_live=True)
    return replace(copy, published=(*copy.published, moved))


def _run(sight: Sight, copy: Copy) -> Copy:
    """Let the containers have what they have when they run."""
    if sight.asked.origin == CONTAINER:
        shared = copy.target or copy.asker or (_STAND_IN,)
        place = _beside(shared[0])
        copy = replace(copy, target=copy.target or (place,))
        copy = replace(copy, asker=copy.asker or (_beside(copy.target[0]),))
        if not {p.network for p in copy.asker} & {p.network for p in copy.target}:
            copy = replace(copy, asker=(*copy.asker, _beside(copy.target[0])))
        return _waits(replace(copy, address=copy.target[0].address), copy.port)
    copy = replace(copy, target=copy.target or (_STAND_IN,), strangers=())
    wish = sight.way_in or next(iter(sight.wishes), None)
    if wish is None:
        return _publish(sight, copy)
    here = replace(wish, host_address=_bound(copy.address), protocol=copy.protocol)
    return _waits(replace(copy, published=(here,)), wish.container_port)


def _open(sight: Sight, copy: Copy) -> Copy:
    """Let internal networks be ordinary ones."""
    if sight.asked.origin == CONTAINER:
        return _join(sight, copy)
    places = tuple(replace(each, is_internal=False) for each in copy.target)
    return _run(sight, replace(copy, target=places))


def _join(sight: Sight, copy: Copy) -> Copy:
    """Let the asker be in a network of the one that is asked, and ask its address there."""
    place = copy.target[0]
    copy = replace(copy, address=place.address)
    mine = {each.network for each in copy.asker}
    if place.network not in mine:
        copy = replace(copy, asker=(*copy.asker, _beside(place)))
    return _waits(copy, copy.port)


def _listen(sight: Sight, copy: Copy) -> Copy:
    others = [e.port for e in copy.listening if e.protocol == copy.protocol
              and not e.is_loopback]  # fmt: skip
    if others and (sight.asked.origin == CONTAINER or sight.is_direct):
        return replace(copy, port=others[0])
    if others and sight.way_in and not sight.is_direct:
        way = replace(sight.way_in, container_port=others[0])
        rest = tuple(each for each in copy.published if each != sight.way_in)
        return replace(copy, published=(*rest, way))
    return _waits(copy, sight.container_port)


def _everywhere(sight: Sight, copy: Copy) -> Copy:
    return replace(copy, listening=tuple(
        replace(each, address=_ANY) if each.is_loopback else each for each in copy.listening
    ))  # fmt: skip


def _speak(sight: Sight, copy: Copy) -> Copy:
    """Publish for the protocol that is spoken, if anybody inside speaks it; else speak."""
    wish = next(iter(sight.wishes), None)
    inner = wish.container_port if wish else copy.port
    speaks = any((e.port, e.protocol) == (inner, copy.protocol) for e in copy.listening)
    if wish and speaks:
        new = replace(wish, protocol=copy.protocol, host_address=_bound(copy.address))
        return replace(copy, published=(*copy.published, new))
    other = "udp" if copy.protocol == "tcp" else "tcp"
    copy = replace(copy, protocol=other)
    return _waits(copy, inner)


def _undrop(_: Sight, copy: Copy) -> Copy:
    return replace(copy, is_dropped=False)


_CURES: dict[str, Callable[[Sight, Copy], Copy]] = {
    "not-published": _publish, "other-address": _publish_here, "port-taken": _run,
    "not-running": _run, "no-network": _run, "internal-network": _open,
    "other-network": _join, "name-unknown": _join, "no-listener": _listen,
    "loopback-only": _everywhere, "wrong-protocol": _speak, "foreign-firewall": _undrop,
}  # fmt: skip


def _waits(copy: Copy, port: int) -> Copy:
    """See to it that somebody waits on the port: a stand-in where nobody does."""
    for each in copy.listening:
        is_there = (each.port, each.protocol) == (port, copy.protocol)
        if is_there and any(each.takes(place.address) for place in copy.target):
            return copy
    new = Listening(copy.protocol, _ANY, port)
    return replace(copy, listening=(*copy.listening, new))


def _inner_port(sight: Sight) -> int:
    target, spoken = sight.target, sight.asked.protocol
    waits = [e.port for e in (target.listening if target else ())
             if e.protocol == spoken and not e.is_loopback]  # fmt: skip
    notes = [port for port, kind in (target.exposed if target else ()) if kind == spoken]
    best = [port for port in notes if port in waits]
    return next(iter((*best, *waits, *notes)), sight.asked.port)


def _bound(address: str) -> str:
    return address or _ANY


def _beside(place: Place) -> Place:
    """Give a free address next to a place."""
    net = ipaddress.ip_network(f"{place.address}/{place.prefix}", strict=False)
    taken = {place.address, place.host_address, place.gateway}
    free = next(str(each) for each in net.hosts() if str(each) not in taken)
    mac = "02:42:" + ipaddress.ip_address(free).packed.hex(":")
    return replace(place, address=free, mac=mac, inside="", host_link="")


# ── As a plan ────────────────────────────────────────────────────────────────────────────


def rehearsal(copy: Copy) -> Rehearsal:
    """Write a copy as a plan, with one request."""
    places = {TARGET: copy.target, ASKER: copy.asker}
    bridges = _bridges(copy)
    calls: list[NetCall] = list(bridges.values())
    elements: list[Element] = []
    for name, call in bridges.items():
        inner = any(p.is_internal for p in (*copy.target, *copy.asker) if p.network == name)
        elements += nat.of_bridge(nat.BridgeRules(call.name, is_internal=inner))
    for sandbox, mine in places.items():
        if mine or sandbox == TARGET or copy.origin == CONTAINER:
            calls.append(MakeSandbox(sandbox))
        for number, place in enumerate(mine):
            plug = _plug(sandbox, number, place, bridges[place.network].name)
            calls.append(plug)
            elements += nat.of_endpoint(
                nat.Admitted(plug.bridge, plug.host_link, plug.mac, place.address)
            )
    elements += _ways(copy)
    asker = ASKER if copy.origin == CONTAINER else ""
    if copy.origin == OUTSIDE:
        asker = OUTSIDE
        calls += _neighbour(copy)
    if not copy.address.startswith(_LOOPBACK) and copy.origin != CONTAINER:
        calls = _lan(copy, calls)
    tables = (*nat.tables(_TABLE), *((_strict(copy),) if copy.is_dropped else ()))
    return Rehearsal(
        (*calls, MakeTable(tables, tuple(elements))), tuple(_servers(copy)), asker,
        Attempt(copy.address, copy.port, copy.protocol, b"?", 0.5),
    )  # fmt: skip


def _bridges(copy: Copy) -> dict[str, MakeBridge]:
    """Give the switch of each network, by the network's name."""
    found: dict[str, MakeBridge] = {}
    for place in (*copy.target, *copy.asker):
        host = place.host_address or place.gateway
        own = (f"{host}/{place.prefix}",) if host else ()
        name = f"copy-{len(found)}"
        found.setdefault(place.network, MakeBridge(name, "", own, 0, is_ipv6=False))
    return found


def _plug(sandbox: str, number: int, place: Place, bridge: str) -> Plug:
    gateway = "" if place.is_internal or number else place.gateway
    return Plug(
        sandbox, bridge, f"cp-{sandbox}-{number}", f"eth{number}",
        place.mac or f"02:42:00:00:01:{number:02x}", (f"{place.address}/{place.prefix}",),
        gateway, "", 0, is_isolated=not place.has_icc,
    )  # fmt: skip


def _ways(copy: Copy) -> Iterator[Element]:
    """Give the elements of the ports that are published."""
    reachable = [each for each in copy.target if not each.is_internal]
    for each in copy.published if reachable else ():
        yield from nat.of_port(nat.Published(
            each.protocol, each.host_address or _ANY, each.host_port,
            reachable[0].address, each.container_port,
        ))  # fmt: skip


def _lan(copy: Copy, calls: list[NetCall]) -> list[NetCall]:
    """Give the host the address that was asked, if it has it by no network of the copy."""
    own = [
        a.partition("/")[0] for c in calls if isinstance(c, MakeBridge) for a in c.addresses
    ]
    inside = [place.address for place in copy.target]
    if copy.address in (*own, *inside, ""):
        return calls
    address = f"{copy.address}/24"
    return [MakeBridge(_LAN, "", (address,), 0, is_ipv6=False), *calls]


def _neighbour(copy: Copy) -> list[NetCall]:
    net = ipaddress.ip_network(f"{copy.address}/24", strict=False)
    free = next(str(each) for each in net.hosts() if str(each) != copy.address)
    return [MakeSandbox(OUTSIDE), Plug(
        OUTSIDE, _LAN, "cp-outside", "eth0", "02:42:00:00:02:01", (f"{free}/24",),
        copy.address, "", 0,
    )]  # fmt: skip


def _strict(copy: Copy) -> Table:
    """Give a table of somebody else's, that drops the request where it passes."""
    hook = "output" if copy.origin == HOST else "forward"
    is_bridged = copy.origin == CONTAINER
    rule = Rule("drop it", (
        Is("meta l4proto", copy.protocol), *_to_target(copy), Decide("drop")
    ))  # fmt: skip
    chain = Chain("strict", "filter", hook, 0, (rule,))
    return Table("bridge" if is_bridged else "inet", "strangers", (), (chain,))


def _to_target(copy: Copy) -> tuple[Is, ...]:
    return (Is("ip daddr", copy.target[0].address),) if copy.target else ()


def _servers(copy: Copy) -> Iterator[Server]:
    for each in copy.listening:
        if copy.target or not each.takes("-"):
            address = _ANY if each.address == "::" else each.address
            yield Server(TARGET, each.protocol, address, each.port)
    for each in copy.strangers:
        address = _ANY if each.address == "::" else each.address
        yield Server(OTHERS, each.protocol, address, each.port)
