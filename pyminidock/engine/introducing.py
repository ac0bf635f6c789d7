"""How a container and its neighbours hear of each other: files of /etc, and names.

    start        files written, the name server told, OpenNames in front of the birth
    served       there is a program: whatever it has asked by then is answered
    joined       a network more: a line in hosts, names, a server if it is the first
    left         a network less: its line is gone, and its names
    adopted      a new engine answers where an earlier one did
    gone         nobody asks any more

On the default bridge nobody has a name but by `--link`, which is a line in hosts; who
shares the network of another container shares its files, too.

Source: moby, libnetwork/sandbox_dns_unix.go; measured on Docker Engine 26.1.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pyminidock.container.spec import ContainerSpec
from pyminidock.engine import etcfiles, linking
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.errors import MinidockError
from pyminidock.events import NameAsked
from pyminidock.events.base import Emit
from pyminidock.kernel import netcalls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.port import CallFailed, Process
from pyminidock.network import hosts
from pyminidock.network.choice import ordered
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.names import Asker, Place
from pyminidock.network.objects import BRIDGE, HOST, Network
from pyminidock.network.resolvconf import Way

Networks = Mapping[str, Network]
Places = tuple[Endpoint, ...]


def way_of(mode: str, places: Iterable[Endpoint], networks: Networks) -> Way:
    """Say how a container finds names."""
    if mode == HOST:
        return Way.HOST
    named = any(_is_named(each, networks) for each in places)
    return Way.NAMED if named else Way.PLAIN


def _is_named(place: Endpoint, networks: Networks) -> bool:
    network = networks.get(place.network_id)
    is_known = network and network.is_wired and network.is_user_defined
    return bool(is_known and place.is_live)


# ── A start ───────────────────────────────────────────────────────────────────────────────


def start(house: House, kept: Kept, spec: ContainerSpec, places: Places) -> Plan:
    """Write the files of a container that is about to start; give its calls.

    They come behind MakeSandbox.  Raises OSError.
    """
    if spec.network_mode.startswith("container:"):
        return ()  # it has the files of the other one
    networks = house.networks.by_id()
    way = way_of(spec.network_mode, places, networks)
    reach = kept.request.reach
    resolv = etcfiles.resolv_for(reach, way)
    etcfiles.put(Path(spec.directory), {
        "hostname": f"{spec.hostname}\n",
        "hosts": _hosts(house, kept, spec, places),
        **etcfiles.resolv_files(resolv),
    })  # fmt: skip
    if way is not Way.NAMED:
        linking.follow(house, kept.id)
        return ()
    _admit(house, kept, places)
    learn(house)
    return (netcalls.OpenNames(kept.id),)


def sharing(house: House, spec: ContainerSpec) -> ContainerSpec:
    """Let who shares the network of another container share what it is called, too."""
    if not spec.network_mode.startswith("container:"):
        return spec
    with suppress(MinidockError):  # that there is none is told when its network is sought
        other = house.kept(house.life(spec.network_mode.partition(":")[2]).id).spec
        own, its = f"HOSTNAME={spec.hostname}", f"HOSTNAME={other.hostname}"
        return replace(
            spec, names_from=other.directory, hostname=other.hostname,
            domainname=other.domainname,
            environment=tuple(its if each == own else each for each in spec.environment),
        )  # fmt: skip
    return spec


def _hosts(house: House, kept: Kept, spec: ContainerSpec, places: Places) -> str:
    reach = kept.request.reach
    if spec.network_mode == HOST and not reach.extra_hosts:
        return etcfiles.text_of(etcfiles.HOST_HOSTS)
    return hosts.hosts(
        tuple(_addresses(places)), spec.hostname, spec.domainname,
        extra=reach.extra_hosts, links=linking.linked(house, kept),
        gateway=_gateway(house) if reach.extra_hosts else "",
    )  # fmt: skip


def _addresses(places: Iterable[Endpoint]) -> Iterator[str]:
    """Give the addresses of a container, as its hosts file has them."""
    for each in places:
        yield from (one for one in (each.address, each.address6) if one)


def _gateway(house: House) -> str:
    """Give what `host-gateway` means: the host in the default network."""
    with suppress(MinidockError):
        pool = house.networks.find(BRIDGE).pool()
        return pool.gateway if pool else ""
    return ""


def _admit(house: House, kept: Kept, places: Places) -> None:
    """Let the name server know whom a container may ask."""
    networks = house.networks.by_id()
    resolv = etcfiles.resolv_for(kept.request.reach, Way.NAMED)
    leads_out = any(
        each.gateways and not networks[each.network_id].is_internal
        for each in places if each.network_id in networks
    )  # fmt: skip
    house.names.admit(Asker(kept.id, resolv.servers, resolv.is_ndots_said, leads_out))


def serve(house: House, container: str) -> None:
    """Answer a container whose place for questions is open; no other is disturbed."""
    if house.names.knows(container):
        house.kernel.serve_names(container, house.names.clerk(container))


def gone(house: House, container: str, places: Places = ()) -> None:
    """Let go of a container that asks no more; may be called twice.

    `places` are those that it had: its file does not name their addresses any longer.
    """
    if places:
        with suppress(OSError):  # a full disk: the next start writes it anew
            _shorten(house.kept(container).spec, places)
    house.kernel.leave_names(container)
    house.names.dismiss(container)
    learn(house)


# ── While it runs ─────────────────────────────────────────────────────────────────────────


def joining(house: House, kept: Kept, places: Places, new: Endpoint) -> Plan:
    """Give the call for a container that is to have its first network with names."""
    is_first = _is_named(new, house.networks.by_id()) and not house.names.knows(kept.id)
    if is_first:
        _admit(house, kept, (*places, new))
    return (netcalls.OpenNames(kept.id),) if is_first else ()


def stayed(house: House, container: str) -> None:
    """Take back what `joining` did for a container that was not connected after all."""
    places = house.networks.of_container(container)
    if way_of("", places, house.networks.by_id()) is not Way.NAMED:
        gone(house, container)


def joined(house: House, kept: Kept, places: Places, new: Endpoint) -> None:
    """Tell a container that runs of one more network, and the network of it."""
    spec, directory = kept.spec, Path(kept.spec.directory)
    lines = "".join(
        hosts.own_line(one, spec.hostname, spec.domainname) for one in _addresses((new,))
    )
    if lines:
        etcfiles.change(directory, "hosts", lambda text: text + lines)
    if house.names.knows(kept.id):
        _admit(house, kept, (*places, new))
        if not etcfiles.is_edited(directory):
            resolv = etcfiles.resolv_for(kept.request.reach, Way.NAMED)
            etcfiles.put(directory, etcfiles.resolv_files(resolv))
    learn(house)
    serve(house, kept.id)


def left(house: House, kept: Kept, places: Places, old: Endpoint) -> None:
    """Tell a container that runs of one network less; `places` are those that it has."""
    _shorten(kept.spec, (old,))
    if house.names.knows(kept.id):
        _admit(house, kept, places)
    learn(house)


def _shorten(spec: ContainerSpec, places: Places) -> None:
    """Take the lines of places out of a container's own hosts file.  Raises OSError."""

    def shorter(text: str) -> str:
        for one in _addresses(places):
            text = hosts.without(text, one, spec.hostname, spec.domainname)
        return text

    if not spec.network_mode.startswith("container:"):
        etcfiles.change(Path(spec.directory), "hosts", shorter)


def learn(house: House) -> None:
    """Let the name server know who is where now, and what everybody is called."""
    house.names.learn(_book(house))


def _book(house: House) -> Iterator[Place]:
    networks = house.networks.by_id()
    for life in house.lives():
        places = house.networks.of_container(life.id)
        for each in ordered(places, networks):
            if _is_named(each, networks) and each.names:
                yield Place(
                    life.id, each.network_id, networks[each.network_id].name, each.names,
                    each.address, each.address6, tuple(_links(each)),
                )  # fmt: skip


def _links(place: Endpoint) -> Iterator[tuple[str, str]]:
    """Read the links of a place: the word of who asks, and the name of the other."""
    for link in place.links:
        name, _, alias = link.partition(":")
        yield alias or name, name


def renamed(house: House, container: str, before: str) -> None:
    """Let neighbours know a container by its new name."""
    kept = house.kept(container)

    def called(each: Endpoint) -> Endpoint:
        names = (kept.name if name == before else name for name in each.names)
        return replace(each, names=tuple(dict.fromkeys(names)))

    for each in house.networks.of_container(container):
        house.networks.occupy(container, called(each))
    if kept.endpoints is not None:
        endpoints = tuple(map(called, kept.endpoints))
        house.amend(house.life(container), is_durable=False, endpoints=endpoints)
    learn(house)


# ── After an interruption ─────────────────────────────────────────────────────────────────


def adopted(house: House, life: Life, process: Process, emit: Emit) -> None:
    """Answer a container that an earlier engine has answered."""
    kept = house.kept(life.id)
    networks, places = house.networks.by_id(), house.networks.of_container(life.id)
    if way_of(kept.spec.network_mode, places, networks) is not Way.NAMED:
        return
    _admit(house, kept, places)
    learn(house)
    find = netcalls.FindSandbox(life.id, process.pid, process.start_time)
    plan: Plan = (find, netcalls.OpenNames(life.id))
    with suppress(CallFailed):  # it has ended meanwhile
        house.kernel.perform(plan, emit=emit)
        serve(house, life.id)


def tell(house: House, event: NameAsked) -> None:
    """Tell a question in the story of its container, if there is one still."""
    with suppress(MinidockError):
        house.recorder.operation(house.life(event.container).story, "names")(event)
