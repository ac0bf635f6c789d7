"""Networks after an interruption: what an earlier engine left, and what somebody broke.

    expect    who lived with the last engine keeps its addresses until its end is known
    forget    it does not live any more: its addresses are free
    repair    it lives, and its bridge or its cable is gone: both are made again
    tidy      bridges and cables of ours that belong to nobody are removed

A device is ours if its name carries our mark; others are never touched.
"""

from contextlib import suppress
from dataclasses import replace

from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.plugging import ensure_bridge, places
from pyminidock.errors import MinidockError
from pyminidock.events import ignore
from pyminidock.events.base import Emit
from pyminidock.kernel import netcalls
from pyminidock.kernel.calls import Plan
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
        if facts.link(network.bridge) is None:
            house.networks.bridges.discard(network.bridge)
        if link is None or link.master != network.bridge:
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
    for network in book.all():
        with book.wiring:
            is_idle = network.bridge in book.bridges and not book.live(network.id)
            if is_idle and remove(house, network.bridge):
                book.bridges.discard(network.bridge)
