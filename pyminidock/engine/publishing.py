"""Ports of the host lead to a container from its start to its end.

    publish    wishes ─► ports that are free, held from now on ─► elements for the rules
    withdraw   the elements go, the ports are free again
    restore    after an interruption: those who live get their ports back

A port leads to the address by which the container leaves: that of its first network that
is not internal.  Without one, -p has no effect, as in Docker.

Source: moby, libnetwork/drivers/bridge/port_mapping.go; messages measured on Docker
Engine 26.1.
"""

import errno
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from pyminidock.engine import rulekeeping
from pyminidock.engine.house import House, Kept
from pyminidock.errors import MinidockError
from pyminidock.events import OrphanRemoved, ignore
from pyminidock.events.base import Emit
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.port import CallFailed
from pyminidock.kernel.portcalls import BindPort, ReleasePort
from pyminidock.kernel.rules import AddElements, Element
from pyminidock.network import choice, nat, ports
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.nat import EVERYWHERE, Published
from pyminidock.network.ports import Wish

_TRIES = 10  # for any port that other programs turn out to have
_GO = {
    errno.EADDRINUSE: "address already in use",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EACCES: "permission denied",
}


class PortsRefused(MinidockError):
    """A port of the host cannot be had."""

    status = 500


def publish(
    house: House, kept: Kept, places: Sequence[Endpoint], emit: Emit
) -> tuple[tuple[Published, ...], Plan]:
    """Hold the ports of a container; give them, and what the plan has to add for them.

    Raises PortsRefused; then nothing is held.
    """
    cabled = [each for each in places if each.host_link]
    bound: list[Published] = []
    if way := _way_in(house, cabled):
        try:
            for wish in wished(kept):
                bound += _bind_all(house, kept.id, wish, way, emit)
        except CallFailed as failure:
            _release(house, bound, emit)
            raise _refused(kept, way, failure) from failure
        except _Taken as taken:
            _release(house, bound, emit)
            raise _allocated(kept, way, taken) from None
        except BaseException:
            _release(house, bound, emit)
            raise
    ways = tuple(element for port in bound for element in nat.of_port(port))
    return tuple(bound), (AddElements(house.rules.table, ways),) if ways else ()


def admission(house: House, places: Sequence[Endpoint]) -> Plan:
    """Give what a plan has to add for new places in networks; the tables have to be there.

    It comes before the cables: a port of a bridge that is not admitted may say nothing.
    """
    networks = house.networks.by_id()
    found: dict[Element, None] = {}
    for each in places:
        if network := networks.get(each.network_id):
            found |= dict.fromkeys(rulekeeping.of_network(network))
            found |= dict.fromkeys(rulekeeping.of_place(each, network))
    return (AddElements(house.rules.table, tuple(found)),) if found else ()


def dismiss(house: House, places: Sequence[Endpoint], emit: Emit) -> None:
    """Take away what the rules know of places in networks."""
    networks = house.networks.by_id()
    rulekeeping.drop(house, tuple(
        element for each in places if each.network_id in networks
        for element in rulekeeping.of_place(each, networks[each.network_id])
    ), emit)  # fmt: skip


def withdraw(house: House, container: str, places: Sequence[Endpoint], emit: Emit) -> None:
    """Take away what the rules know of a container, and free its ports."""
    networks = house.networks.by_id()
    bound = house.ports.of(container)
    gone: list[Element] = []
    for each in places:
        if network := networks.get(each.network_id):
            gone += rulekeeping.of_place(each, network)
    for port in bound:
        gone += nat.of_port(port)
    rulekeeping.drop(house, tuple(gone), emit)
    _release(house, bound, emit)


def restore(house: House, kept: Kept) -> None:
    """Hold the ports again of a container that lived on; tell which one is lost."""
    for port in kept.ports:
        try:
            _bind(house, kept.id, port, ignore)
        except (CallFailed, _Taken) as failure:
            story = house.life(kept.id).story
            voice = house.recorder.operation(story, "reconcile")
            voice(OrphanRemoved(
                "port", f"{port.address}:{port.port}/{port.protocol}: {failure}"
            ))  # fmt: skip


def exposed(kept: Kept) -> tuple[str, ...]:
    """Name the ports that a container offers, by its wish or its image's."""
    said = (*kept.request.reach.exposed, *kept.defaults.exposed_ports)
    asked = (each.port for each in kept.request.reach.published)
    return tuple(
        dict.fromkeys(each for port in (*said, *asked) for each in ports.single(port))
    )


def wished(kept: Kept) -> tuple[Wish, ...]:
    """Say which ports of the host a container wants."""
    reach = kept.request.reach
    return ports.wishes(
        {each.port: each.hosts for each in reach.published}, exposed(kept),
        publishes_all=reach.publishes_all,
    )  # fmt: skip


# ── One port ──────────────────────────────────────────────────────────────────────────────


class _Taken(Exception):
    """The engine has given the port to another container."""

    def __init__(self, address: str, wish: Wish) -> None:
        super().__init__(f"{address}:{wish.first}")
        self.address, self.wish = address, wish


def _way_in(house: House, places: Sequence[Endpoint]) -> Endpoint | None:
    """Find the place to which ports lead."""
    networks = house.networks.by_id()
    ways = choice.ways_out(places, networks)
    for each in choice.ordered(places, networks):
        if (each.gateway and each.gateway == ways[0]) or (
            each.gateway6 and each.gateway6 == ways[1]
        ):
            return each
    return None


def _bind_all(
    house: House, container: str, wish: Wish, way: Endpoint, emit: Emit
) -> list[Published]:
    """Bind one wish at every address that it stands for; the same port at each."""
    network = house.networks.get(way.network_id)
    own = network.host_binding if network and not network.is_predefined else ""
    bound: list[Published] = []
    for address in ports.addresses(wish.address, own or house.publish_on):
        narrowed = wish
        if bound:  # the same port there, too
            narrowed = replace(wish, first=bound[0].port, last=bound[0].port)
        try:
            bound.append(_choose(house, container, narrowed, address, way, emit))
        except (CallFailed, _Taken):
            if bound and address == EVERYWHERE[1] and not wish.address:
                continue  # a host without IPv6
            _release(house, bound, emit)
            raise
    return bound


def _choose(  # noqa: PLR0913, PLR0917  (which port, of whom, and where to)
    house: House, container: str, wish: Wish, address: str, way: Endpoint, emit: Emit
) -> Published:
    tries = 0
    target = way.address or way.address6
    for number in house.ports.candidates(wish, address):
        port = Published(wish.protocol, address, number, target, wish.inside)
        try:
            _bind(house, container, port, emit)
        except _Taken:
            continue
        except CallFailed as failure:
            tries += 1
            if failure.errno != errno.EADDRINUSE or not wish.is_open or tries >= _TRIES:
                raise
            continue
        return port
    raise _Taken(address, wish)


def _bind(house: House, container: str, port: Published, emit: Emit) -> None:
    """Hold a port.  Raises _Taken, CallFailed."""
    if not house.ports.take(container, port):
        raise _Taken(
            port.address, Wish(port.protocol, port.to_port, "", port.port, port.port)
        )
    call = BindPort(port.protocol, port.address, port.port, port.to_address, port.to_port)
    try:
        house.kernel.perform((call,), emit=emit)
    except BaseException:
        house.ports.drop(port)
        raise


def _release(house: House, bound: Sequence[Published], emit: Emit) -> None:
    calls: Plan = tuple(
        ReleasePort(each.protocol, each.address, each.port) for each in bound
    )
    if calls:
        with suppress(CallFailed):
            house.kernel.perform(calls, emit=emit)
    for each in bound:
        house.ports.drop(each)


# ── Refusals ──────────────────────────────────────────────────────────────────────────────


def _prefix(kept: Kept, way: Endpoint) -> str:
    return (
        "driver failed programming external connectivity on endpoint "
        f"{kept.name} ({way.id}): "
    )


def _allocated(kept: Kept, way: Endpoint, taken: _Taken) -> PortsRefused:
    wish, address = taken.wish, taken.address
    said = f"Bind for {address}:{wish.first} failed: port is already allocated"
    if wish.is_open:
        said = "all ports are allocated"
    return PortsRefused(
        _prefix(kept, way) + said,
        why="another container of this engine has that port of the host",
        try_next="minidock ps, and -p with another number, or none at all",
        lesson="ports",
    )


def _refused(kept: Kept, way: Endpoint, failure: CallFailed) -> PortsRefused:
    call = failure.call
    assert isinstance(call, BindPort)  # noqa: S101  (nothing else is performed there)
    version = 6 if ":" in call.address else 4
    shown = f"[{call.address}]" if version == 6 else call.address
    told = _GO.get(failure.errno, failure.what)
    said = (
        f"Error starting userland proxy: listen {call.protocol}{version} "
        f"{shown}:{call.port}: bind: {told}"
    )
    return PortsRefused(
        _prefix(kept, way) + said, why=failure.why,
        try_next=f"ss -lntup 'sport = :{call.port}', or -p with another port",
        lesson="ports",
    )  # fmt: skip
