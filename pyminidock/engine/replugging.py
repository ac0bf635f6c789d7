"""Networks after an interruption: what an earlier engine left, and what somebody broke.

    expect    who lived with the last engine keeps its addresses until its end is known
    forget    it does not live any more: its addresses are free
    repair    it lives, and its bridge or its cable is gone: both are made again
    listen    from the first bridge on: whatever goes is made again
    tidy      bridges and cables of ours that belong to nobody are removed

A device is ours if its name carries our mark; others are never touched.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.plugging import ensure_bridge, places
from pyminidock.errors import MinidockError
from pyminidock.events import ignore
from pyminidock.events.base import Emit
from pyminidock.kernel import netcalls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.netanswers import Link, NetFacts
from pyminidock.kernel.port import CallFailed
from pyminidock.network import choice, plan
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import Network


def expect(house: House, kept: Kept) -> None:
    """Keep the addresses of a container that may live."""
    for each in kept.endpoints or ():
        if each.is_live and house.networks.get(each.network_id):
            house.networks.occupy(kept.id, each)


def forget(house: House, kept: Kept) -> Kept:
    """Free the addresses of a container that does not live; give its record."""
    for each in kept.endpoints or ():
        house.networks.release(kept.id, each.network_id)
    if not any(each.is_live for each in kept.endpoints or ()):
        return kept
    after = replace(
        kept, endpoints=tuple(each.released() for each in places(kept)), ports=()
    )
    house.keep(after, is_durable=False)
    return after


def repair(house: House, life: Life, emit: Emit) -> bool:
    """Make bridges and cables again that a container which runs has lost.

    False: all was well, or nothing could be done; it goes on without, as it did.
    """
    process = life.process
    wired = [each for each in places(house.kept(life.id)) if each.host_link]
    if process is None or not wired:
        return False
    facts, networks = house.kernel.netfacts(), house.networks.by_id()
    broken: list[tuple[Endpoint, Network]] = []
    for each in wired:
        network = networks.get(each.network_id)
        link = facts.link(each.host_link)
        if network is None:
            continue
        bridge = facts.link(network.bridge)
        if not _is_well(bridge):
            _let_go(house, network, bridge or _renamed(facts, network))
            link = None
        if link is None or not link.is_up or link.master != network.bridge:
            broken.append((each, network))
    if not broken:
        return False
    others = [each for each in wired if each.network_id in networks]
    with suppress(MinidockError):
        calls: list[netcalls.NetCall] = [
            netcalls.FindSandbox(life.id, process.pid, process.start_time)
        ]
        for each, network in broken:
            ensure_bridge(house, network, emit)
            calls.append(netcalls.Unplug(life.id, each.inside, each.host_link))
            calls.append(plan.plug_call(life.id, each, network))
        calls.append(netcalls.Route(life.id, *choice.ways_out(others, networks)))
        house.kernel.perform(tuple(calls), emit=emit)
        return True
    return False


def _is_well(bridge: Link | None) -> bool:
    return bridge is not None and bridge.is_up


def _let_go(house: House, network: Network, bridge: Link | None) -> None:
    """Know that a bridge is no more; what is left of it makes room for a new one."""
    house.networks.bridges.discard(network.bridge)
    if bridge is not None:
        remove(house, bridge.name)


def _renamed(facts: NetFacts, network: Network) -> Link | None:
    """Find a bridge of ours under a name that somebody gave it: by its own two addresses.

    It would take what is for the new one, and nobody would ever remove it.
    """
    made = plan.bridge_call(network)
    return next((
        link for link in facts.links
        if made.mac and (link.kind, link.mac) == ("bridge", made.mac)
        and set(made.addresses) & set(link.addresses)
    ), None)  # fmt: skip


def listen(house: House) -> Callable[[], None]:
    """Make again whatever somebody takes away; what is given ends that."""
    return house.kernel.watch_links(partial(_heard, house))


def _heard(house: House, name: str) -> None:
    """A device went away, or got another name; "": some may have."""
    devices = house.networks.devices()
    meant = devices.get(name, set()) if name else set().union(*devices.values())
    for container in sorted(meant):
        if house.is_closed:
            return
        _mend(house, container)


def _mend(house: House, container: str) -> None:
    """Look after one container, when nobody else is changing it."""
    with suppress(MinidockError):  # it is gone, or held at a gate: so be it
        life = house.life(container)
        voice = house.recorder.operation(life.story, "repair")
        with life.only("repair", voice, lambda: not life.is_running) as is_mine:
            if is_mine:
                repair(house, life, voice)


def tidy(house: House) -> tuple[str, ...]:
    """Remove devices of ours that belong to nobody; give their names."""
    book = house.networks
    facts = house.kernel.netfacts()
    bridges = {network.bridge for network in book.all() if network.is_wired}
    cables = {each.host_link for network in book.all()
              for each in book.live(network.id).values()}  # fmt: skip
    book.bridges |= {
        link.name for link in facts.links
        if link.kind == "bridge" and link.name in bridges and _is_ours(house, link.name)
    }  # fmt: skip
    if book.bridges and book.hears_no_more is None:
        book.hears_no_more = book.listen()
    orphans = tuple(
        link.name for link in facts.links
        if _is_ours(house, link.name) and link.name not in bridges | cables
    )  # fmt: skip
    return tuple(name for name in orphans if remove(house, name))


def _is_ours(house: House, name: str) -> bool:
    mark = house.networks.mark
    return name.startswith((plan.bridge_prefix(mark), plan.cable_prefix(mark)))


def remove(house: House, name: str, emit: Emit = ignore) -> bool:
    """Remove a device of the host; False if the kernel refuses that."""
    calls: Plan = (netcalls.RemoveLink(name),)
    with suppress(CallFailed):
        house.kernel.perform(calls, emit=emit)
        return True
    return False


def leave(house: House) -> None:
    """Remove the bridges in which nobody runs: the engine goes, and leaves no device."""
    book = house.networks
    if book.hears_no_more:
        book.hears_no_more()
    for network in book.all():
        with book.wiring:
            is_idle = network.bridge in book.bridges and not book.live(network.id)
            if is_idle and remove(house, network.bridge):
                book.bridges.discard(network.bridge)
