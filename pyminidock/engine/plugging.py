"""What a start adds for the network, and what an end gives back.

    plug      wishes ─► addresses ─► bridges ─► calls in front of the fork of the shim
    plugged   the birth succeeded: every endpoint is told
    undo      it failed: the addresses are free again
    unplug    the program ended: every endpoint is told, and its address is free

A `Reach` says where a container can be reached, before and after.  Who publishes ports, or
answers for names, works with the same two lists: `plug` and `unplug` are the places for a
start and an end, `connecting` has those for a container that runs.

Source: moby, daemon/container_operations.go, allocateNetwork() and releaseNetwork().
"""

import errno
from contextlib import suppress
from dataclasses import dataclass, replace

from pyminidock.container.membership import wishes
from pyminidock.container.netmode import is_wired
from pyminidock.container.plan import HOST_NETWORK, OWN_NETWORK
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.states import State
from pyminidock.engine import publishing, rulekeeping
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.memberships import members
from pyminidock.engine.networkbook import NoSuchNetwork
from pyminidock.errors import MinidockError
from pyminidock.events import EndpointMade, EndpointReleased, ignore
from pyminidock.events.base import Emit
from pyminidock.kernel import netcalls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.port import CallFailed, ProcessGone
from pyminidock.network import choice, plan
from pyminidock.network.endpoints import Endpoint, names_of
from pyminidock.network.nat import Published
from pyminidock.network.objects import BRIDGE, HOST, Network

_NOBODYS = "0" * 64  # the id of an endpoint that will never be


class NetworkNotJoined(MinidockError):
    """The container whose network is to be shared does not run."""

    status = 409


class BridgeRefused(MinidockError):
    """The bridge of a network cannot be made."""

    status = 500


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a container can be reached: before, and after; and the calls between."""

    container: str
    before: tuple[Endpoint, ...] = ()
    after: tuple[Endpoint, ...] = ()
    calls: Plan = ()
    entrance: Plan = OWN_NETWORK  # how the program gets into its network
    interfaces: int = 0  # so many have been numbered in this run
    ports: tuple[Published, ...] = ()  # of the host, held from now on


def places(kept: Kept) -> tuple[Endpoint, ...]:
    """Give the places of a container in networks, with or without addresses."""
    return wishes(kept.request) if kept.endpoints is None else kept.endpoints


# ── The start ─────────────────────────────────────────────────────────────────────────────


def preview(house: House, request: CreateRequest, spec: ContainerSpec) -> Reach:
    """Plan the network of a container that is not made; nothing is kept.

    Raises as `plug` does.
    """
    wanted = members(house, request)
    reach = plug(house, spec, wanted, ignore, is_real=False)
    undo(house, reach)
    return reach


def plug(
    house: House, spec: ContainerSpec, wanted: tuple[Endpoint, ...], emit: Emit, *,
    is_real: bool = True,
) -> Reach:  # fmt: skip
    """Give a container its addresses in the networks it wants, and plan the cables.

    Raises NoSuchNetwork, AddressTaken, AddressesExhausted, NetworkNotJoined,
    BridgeRefused; then nothing is kept.
    """
    before = tuple(each.released() for each in wanted)
    if not is_wired(house.machine):
        return Reach(spec.id, before, before)
    if spec.network_mode.startswith("container:"):
        return Reach(
            spec.id, calls=(_shared(house, spec),),
            entrance=(netcalls.JoinSandbox(spec.id),),
        )  # fmt: skip
    made: list[Endpoint] = []
    try:
        for member in before:
            network = _network_of(house, member, spec, is_only=len(before) == 1)
            if is_real and network.name == BRIDGE:
                _settle(house, network)
            identity = house.kernel.new_id() if is_real else _NOBODYS
            made.append(allotted(house, spec, member, network, identity))
        networks = house.networks.by_id()
        ordered = choice.ordered(made, networks)
        wired = [each for each in ordered if networks[each.network_id].is_wired]
        numbered = [
            replace(each, inside=choice.interface(networks[each.network_id], number))
            for number, each in enumerate(wired)
        ]
        for each in numbered:
            if is_real:
                ensure_bridge(house, networks[each.network_id], emit)
            house.networks.occupy(spec.id, each)
        if is_real and numbered:
            known = [networks[each.network_id] for each in numbered]
            rulekeeping.ensure(house, known, emit)
    except BaseException:
        for each in made:
            house.networks.release(spec.id, each.network_id)
        raise
    rest = [each for each in ordered if not networks[each.network_id].is_wired]
    calls: Plan = plan.start_calls(spec.id, numbered, networks) if numbered else ()
    entrance = _entrance(spec, calls)
    calls = (*publishing.admission(house, numbered), *calls)
    return Reach(spec.id, before, (*numbered, *rest), calls, entrance, len(numbered))


def _settle(house: House, network: Network) -> None:
    """Before the first bridge is made, look whether its addresses are still nobody's."""
    if network.bridge not in house.networks.bridges:
        with house.networks.wiring:
            house.networks.settle(house.foreign_ways)


def _entrance(spec: ContainerSpec, wiring: Plan) -> Plan:
    """Say how the program gets into its network."""
    if wiring:
        return (netcalls.JoinSandbox(spec.id),)
    return HOST_NETWORK if spec.network_mode == HOST else OWN_NETWORK


def _network_of(
    house: House, member: Endpoint, spec: ContainerSpec, *, is_only: bool
) -> Network:
    """Find the network of a place: the one it knows already, or else by its name."""
    if member.network_id:
        found = house.networks.get(member.network_id)
        if found is None:
            name, mode = member.network, spec.network_mode
            is_told_so = name == mode and not is_only
            raise NoSuchNetwork(
                f"could not find a network matching network mode {mode}: network {name}"
                " not found"
                if is_told_so
                else f"network {member.network_id} not found",
                why="it was removed while the container did not run",
                try_next=f"minidock network create {name}",
                lesson="networks",
            )
        return found
    return house.networks.find(member.network)


def allotted(
    house: House, spec: ContainerSpec, member: Endpoint, network: Network, identity: str
) -> Endpoint:
    """Give a place its id, addresses and names."""
    wish = replace(
        member, network=network.name, network_id=network.id,
        names=names_of(network, spec.id, spec.name, member.aliases, spec.hostname),
    )  # fmt: skip
    made = house.networks.allot(spec.id, wish, identity)
    if not network.is_wired:
        return made
    mac = member.wants_mac or (choice.mac_of(made.address) if made.address else "")
    return replace(made, mac=mac, host_link=plan.cable_name(house.networks.mark, made.id))


def _check_shared(house: House, spec: ContainerSpec, other: str) -> None:
    """Refuse to share with oneself, and to set what is the host's.

    Raises NetworkNotJoined.
    """
    if other == spec.id:
        raise NetworkNotJoined(
            "cannot join own network",
            why="a network is there before whoever joins it",
            try_next="docker run --network container:ANOTHER",
            lesson="networks",
        )
    settings = [key for key, _ in spec.sysctls if key.startswith("net.")]
    if settings and _is_hosts(house, other):
        raise NetworkNotJoined(
            f'sysctl "{settings[0]}" not allowed in host network namespace',
            why=f"container {other[:12]} has the network of the host, whose setting it is",
            try_next=f"docker run --network container:{other[:12]}, without --sysctl",
            lesson="networks",
        )


def _is_hosts(house: House, container: str) -> bool:
    """Say whether a container has the host's own network, be it by another one."""
    mode = house.kept(container).spec.network_mode
    kind, _, name = mode.partition(":")
    if kind != "container":
        return mode == HOST
    return _is_hosts(house, house.life(name).id)


def _shared(house: House, spec: ContainerSpec) -> netcalls.FindSandbox:
    """Take hold of the network of another container, which has to run."""
    name = spec.network_mode.partition(":")[2]
    other = house.life(name)
    process = other.process
    _check_shared(house, spec, other.id)
    if other.state not in (State.RUNNING, State.PAUSED) or process is None:
        raise NetworkNotJoined(
            f"cannot join network of a non running container: {other.id}",
            why="a network namespace lives as long as a process in it",
            try_next=f"minidock start {other.name}",
            lesson="networks",
        )
    return netcalls.FindSandbox(spec.id, process.pid, process.start_time)


def ensure_bridge(house: House, network: Network, emit: Emit) -> None:
    """Make the bridge of a network, unless it is there.  Raises BridgeRefused."""
    book = house.networks
    with book.wiring:
        if network.bridge in book.bridges:
            return
        try:
            house.kernel.perform((plan.bridge_call(network),), emit=emit)
        except CallFailed as failure:
            link = house.kernel.netfacts().link(network.bridge)
            is_there = failure.errno == errno.EEXIST and link and link.kind == "bridge"
            if not is_there:
                raise BridgeRefused(
                    f"failed to create the bridge {network.bridge} of network"
                    f" {network.name}: {failure.what}",
                    why=failure.why, try_next="minidock doctor", lesson="networks",
                ) from failure  # fmt: skip
        else:
            book.bridges.add(network.bridge)
            if book.hears_no_more is None:
                book.hears_no_more = book.listen()


def plugged(house: House, reach: Reach, emit: Emit) -> None:
    """Tell every endpoint of a container that was born."""
    networks = house.networks.by_id()
    for each in sorted(reach.after, key=lambda e: e.network):
        if network := networks.get(each.network_id):
            emit(made(reach.container, each, network))


def made(container: str, each: Endpoint, network: Network) -> EndpointMade:
    """Make the event of an endpoint."""
    address = next(iter(each.addresses), "")
    return EndpointMade(
        network.id, network.name, network.driver, container, each.id, address, each.mac,
        each.gateway, each.inside,
    )  # fmt: skip


def undo(house: House, reach: Reach) -> None:
    """Take the addresses back from a container that was not born."""
    publishing.withdraw(house, reach.container, reach.after, ignore)
    for each in reach.after:
        if each.is_live:
            house.networks.release(reach.container, each.network_id)


# ── The end ───────────────────────────────────────────────────────────────────────────────


def unplug(house: House, life: Life, emit: Emit) -> Reach:
    """Take back what a container had, and tell so; its cables died with its namespace."""
    kept = house.kept(life.id)
    before = places(kept)
    networks = house.networks.by_id()
    publishing.withdraw(house, life.id, before, emit)
    for each in before:
        if not each.is_live:
            continue
        house.networks.release(life.id, each.network_id)
        if network := networks.get(each.network_id):
            emit(released(life.id, each, network))
    return Reach(life.id, before, tuple(each.released() for each in before))


def released(container: str, each: Endpoint, network: Network) -> EndpointReleased:
    """Make the event of an endpoint that is given back."""
    address = next(iter(each.addresses), "")
    return EndpointReleased(
        network.id, network.name, network.driver, container, each.id, address
    )


def cut(house: House, reach: Reach) -> None:
    """Take the cables away where somebody else still lives in the namespace."""
    wired = [each.host_link for each in reach.before if each.host_link]
    if wired and any(_shares(house, life, reach.container) for life in house.lives()):
        links: Plan = tuple(map(netcalls.RemoveLink, wired))
        with suppress(CallFailed, ProcessGone):
            house.kernel.perform(links, emit=ignore)


def _shares(house: House, life: Life, container: str) -> bool:
    with suppress(MinidockError):
        mode = house.kept(life.id).spec.network_mode
        name = mode.partition(":")[2] if mode.startswith("container:") else ""
        return bool(name) and life.is_running and house.life(name).id == container
    return False
