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
_LAN, _STRANGER = "copy-lan", "copy-stranger"  # whose cable no rule guards
_CABLES = "cp-"  # how the names of the host's cable ends begin
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
    is_by_port: bool = True  # of the host; else the container's own address is asked
    is_local: bool = False  # the target has the host's own network
    lan: str = ""  # the device by which other machines come; "": a name of the copy's own
    own_table: str = ""  # the engine's; with it, all tables of others are copied, too


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
        bool(dropped and dropped.table not in sight.own_tables), sight.is_by_port,
        bool(target and target.mode == "host"), sight.host.way_in,
    )  # fmt: skip


def watched(sight: Sight) -> Copy:
    """Take over, besides, what other programs' rules do: for a request from elsewhere.

    Devices have their real names in it, as rules speak of them.
    """
    return replace(copied(sight), own_table=sight.own_tables[0])


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
    if not sight.is_by_port:
        shared = copy.target or copy.asker or (_STAND_IN,)
        place = _beside(shared[0])
        copy = replace(copy, target=copy.target or (place,))
        copy = replace(copy, asker=copy.asker or (_beside(copy.target[0]),))
        if not {p.network for p in copy.asker} & {p.network for p in copy.target}:
            copy = replace(copy, asker=(*copy.asker, _beside(copy.target[0])))
        return _waits(replace(copy, address=copy.target[0].address), copy.port)
    beside = _beside(copy.asker[0]) if copy.asker else _STAND_IN
    copy = replace(copy, target=copy.target or (beside,), strangers=())
    if copy.origin == CONTAINER and not copy.asker:
        copy = replace(copy, asker=(_beside(copy.target[0]),))
    wish = sight.way_in or next(iter(sight.wishes), None)
    if wish is None:
        return _publish(sight, copy)
    here = replace(wish, host_address=_bound(copy.address), protocol=copy.protocol)
    return _waits(replace(copy, published=(here,)), wish.container_port)


def _open(sight: Sight, copy: Copy) -> Copy:
    """Let internal networks be ordinary ones."""
    if not sight.is_by_port:
        return _join(sight, copy)
    target, asker = (
        tuple(replace(each, is_internal=False, gateway=each.host_address or each.gateway)
              for each in places) for places in (copy.target, copy.asker)
    )  # fmt: skip
    return _run(sight, replace(copy, target=target, asker=asker))


def _join(sight: Sight, copy: Copy) -> Copy:
    """Let the asker be in a network of the one that is asked, and ask its address there."""
    place = copy.target[0]
    port = sight.container_port or copy.port
    copy = replace(copy, address=place.address, port=port)
    mine = {each.network for each in copy.asker}
    if place.network not in mine:
        copy = replace(copy, asker=(*copy.asker, _beside(place)))
    return _waits(copy, copy.port)


def _listen(sight: Sight, copy: Copy) -> Copy:
    others = [e.port for e in copy.listening if e.protocol == copy.protocol
              and not e.is_loopback]  # fmt: skip
    if others and not sight.is_by_port:
        return replace(copy, port=others[0])
    if others and sight.way_in:
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
        if mine or _needs_sandbox(copy, sandbox):
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
    if not copy.address.startswith(_LOOPBACK):
        calls = _lan(copy, calls)
    own = copy.own_table or _TABLE
    tables = (*nat.tables(own, _CABLES), *((_strict(copy),) if copy.is_dropped else ()))
    mark = f"{_TABLE}_mark" if copy.own_table else ""
    return Rehearsal(
        (*calls, MakeTable(tables, tuple(elements))), tuple(_servers(copy)), asker,
        Attempt(copy.address, copy.port, copy.protocol, b"?", 0.5, mark), copy.own_table,
    )  # fmt: skip


def _needs_sandbox(copy: Copy, sandbox: str) -> bool:
    """Say whether a side without a place stands apart from the host all the same."""
    if sandbox == TARGET:
        return not copy.is_local
    return copy.origin == CONTAINER


def _bridges(copy: Copy) -> dict[str, MakeBridge]:
    """Give the switch of each network, by the network's name."""
    found: dict[str, MakeBridge] = {}
    for place in (*copy.target, *copy.asker):
        host = place.host_address or place.gateway
        own = (f"{host}/{place.prefix}",) if host else ()
        name = place.bridge if copy.own_table else f"copy-{len(found)}"
        found.setdefault(place.network, MakeBridge(name, "", own, 0, is_ipv6=False))
    return found


def _plug(sandbox: str, number: int, place: Place, bridge: str) -> Plug:
    gateway = "" if place.is_internal or number else place.gateway
    return Plug(
        sandbox, bridge, f"{_CABLES}{sandbox}-{number}", f"eth{number}",
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
    inside = [place.address for place in (*copy.target, *copy.asker)]
    if copy.address in (*own, *inside, ""):
        return calls
    address = f"{copy.address}/24"
    return [MakeBridge(_lan_name(copy), "", (address,), 0, is_ipv6=False), *calls]


def _lan_name(copy: Copy) -> str:
    return (copy.own_table and copy.lan) or _LAN


def _neighbour(copy: Copy) -> list[NetCall]:
    net = ipaddress.ip_network(f"{copy.address}/24", strict=False)
    free = next(str(each) for each in net.hosts() if str(each) != copy.address)
    return [MakeSandbox(OUTSIDE), Plug(
        OUTSIDE, _lan_name(copy), _STRANGER, "eth0", "02:42:00:00:02:01", (f"{free}/24",),
        copy.address, "", 0,
    )]  # fmt: skip


def _strict(copy: Copy) -> Table:
    """Give a table of somebody else's, that drops the request where it passes."""
    hook = "output" if copy.origin == HOST else "input" if copy.is_local else "forward"
    is_bridged = not copy.is_by_port
    rule = Rule("drop it", (
        Is("meta l4proto", copy.protocol), *_to_target(copy), Decide("drop")
    ))  # fmt: skip
    chain = Chain("strict", "filter", hook, 0, (rule,))
    return Table("bridge" if is_bridged else "inet", "strangers", (), (chain,))


def _to_target(copy: Copy) -> tuple[Is, ...]:
    return (Is("ip daddr", copy.target[0].address),) if copy.target else ()


def _servers(copy: Copy) -> Iterator[Server]:
    for each in copy.listening:
        if copy.target or copy.is_local or not each.takes("-"):
            address = _ANY if each.address == "::" else each.address
            yield Server(TARGET, each.protocol, address, each.port)
    for each in copy.strangers:
        address = _ANY if each.address == "::" else each.address
        yield Server(OTHERS, each.protocol, address, each.port)
