"""A container joins a network, or leaves it, while it runs or while it rests.

    rests    the wish is kept, and plugged in at the next start
    runs     an address, a cable, and the way out if that changes

Whoever publishes ports or answers for names hooks in here: `Reach` has the endpoints before
and after, in both directions.

Source: moby, daemon/container_operations.go, ConnectToNetwork(), DisconnectFromNetwork();
messages measured on Docker Engine 26.1.
"""

from dataclasses import replace

from pyminidock.container.netmode import is_wired
from pyminidock.container.states import State
from pyminidock.engine import introducing, plugging, publishing, rulekeeping
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.memberships import check_member
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.plugging import Reach, places
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import NetworkJoined, NetworkLeft
from pyminidock.kernel.port import Process
from pyminidock.network import choice, plan
from pyminidock.network.endpoints import Endpoint, names_of
from pyminidock.network.objects import HOST, NONE, Network
from pyminidock.store.records import NoSuchContainer


class ConnectRefused(MinidockError):
    """The container cannot be in this network, or is in it already."""

    status = 403


class ModesConflict(ConnectRefused):
    """What the container was made for excludes this network."""

    status = 400


class NotConnected(ConnectRefused):
    """There is no place to give back; Docker counts this as a failure of its own."""

    status = 500


class EndpointMissing(MinidockError):
    """Nobody of this name is in the network."""

    status = 404


class CablesMissing(MinidockError):
    """Nobody can lay a cable here."""

    status = 501


def connect(
    house: House, network: str, container: str, wish: Endpoint | None = None, *,
    via: Via = NOBODY,
) -> None:  # fmt: skip
    """Make a container a member of a network.

    Raises NoSuchNetwork, NoSuchContainer, ConnectRefused, EndpointRefused, AddressTaken,
    AddressesExhausted, CallFailed.
    """
    life = house.life(container)
    found = house.networks.find(network)
    asked = replace(wish or Endpoint(found.name), network=found.name, was_connected=True)
    with (
        operation(house, life.story, "connect", via) as voice,
        life.only("connect", voice),
    ):
        kept = house.kept(life.id)
        process = _running(life)
        _check(house, kept, found, is_running=process is not None)
        check_member(found, asked)
        asked = replace(asked, names=_names(kept, found, asked))
        if process is None:
            if len(_without(kept, found)) == len(places(kept)):  # else it stays as it was
                house.amend(life, endpoints=(*places(kept), asked))
            voice(NetworkJoined(found.id, found.name, found.driver, life.id))
        else:
            _refuse_twice(kept, found)
            _plug(house, life, process, found, asked, voice)


def _names(kept: Kept, network: Network, asked: Endpoint) -> tuple[str, ...]:
    return names_of(network, kept.id, kept.name, asked.aliases, kept.spec.hostname)


def _running(life: Life) -> Process | None:
    is_there = life.state in (State.RUNNING, State.PAUSED)
    return life.process if is_there else None


def _without(kept: Kept, network: Network) -> tuple[Endpoint, ...]:
    return tuple(each for each in places(kept) if each.network != network.name)


def _check(house: House, kept: Kept, network: Network, *, is_running: bool) -> None:
    """Refuse what the mode of the container does not allow.  Raises ConnectRefused."""
    mode = kept.spec.network_mode
    if not is_wired(house.machine):
        raise CablesMissing(
            f"network {network.name} cannot be reached without root",
            why="a bridge of the host and a cable to it are made by root",
            try_next="minidock doctor", lesson="networks",
        )  # fmt: skip
    if network.name == HOST:
        raise _refused(
            "container cannot be disconnected from host network or connected to host"
            " network",
            "a program has its network for life; the host's is chosen at the creation",
        )
    if mode == HOST or mode.startswith("container:"):
        raise _refused(
            "container sharing network namespace with another container or host cannot be"
            " connected to any other network",
            "its devices are somebody else's",
        )
    others = [each.network for each in places(kept)]
    if (network.name == NONE and others) or NONE in others:
        raise _refused(
            "container cannot be connected to multiple networks with one of the networks"
            " in private (none) mode",
            "it was to have the loopback device only",
        )


def _refuse_twice(kept: Kept, network: Network) -> None:
    if any(each.network == network.name and each.is_live for each in places(kept)):
        raise _refused(
            f"endpoint with name {kept.name} already exists in network {network.name}",
            "one cable to a network is enough",
            ConnectRefused,
        )


def _refused(
    what: str, why: str, kind: type[ConnectRefused] | None = None
) -> ConnectRefused:
    return (kind or ModesConflict)(
        what, why=why, try_next="minidock inspect CONTAINER", lesson="networks"
    )


def _plug(  # noqa: PLR0913, PLR0917  (who, which program, where, and how)
    house: House, life: Life, process: Process, network: Network, asked: Endpoint,
    voice: Voice,
) -> None:  # fmt: skip
    """Plug a container that runs into one more network."""
    kept = house.kept(life.id)
    made = plugging.allotted(house, kept.spec, asked, network, house.kernel.new_id())
    made = replace(made, inside=choice.interface(network, kept.interfaces))
    reach = Reach(life.id, places(kept), (*places(kept), made))
    try:
        if network.is_wired:
            plugging.ensure_bridge(house, network, voice)
            house.networks.occupy(life.id, made)
            others = [each for each in reach.before if each.host_link]
            rulekeeping.ensure(house, (network,), voice)
            admitted = publishing.admission(house, (made,))
            cables = plan.connect_calls(
                life.id, process, made, others, house.networks.by_id()
            )
            names = introducing.joining(house, kept, reach.before, made)
            house.kernel.perform((*admitted, *cables, *names), emit=voice)
    except BaseException:
        house.networks.release(life.id, network.id)
        introducing.stayed(house, life.id)
        raise
    ports = publishing.follow(house, kept, reach.after, voice)
    house.amend(
        life,
        endpoints=reach.after,
        interfaces=kept.interfaces + 1,
        ports=ports,
        offers=publishing.offered(house, kept, reach.after),
    )
    introducing.joined(house, kept, reach.before, made)
    voice(plugging.made(life.id, made, network))


# ── Out of it ─────────────────────────────────────────────────────────────────────────────


def disconnect(
    house: House, network: str, container: str, *, force: bool = False, via: Via = NOBODY
) -> None:
    """Take a container out of a network; with `force` also one that is not there any more.

    Raises NoSuchNetwork, NoSuchContainer, ConnectRefused, CallFailed.
    """
    found = house.networks.find(network)
    life = _member(house, container, force=force)
    with (
        operation(house, life.story, "disconnect", via) as voice,
        life.only("disconnect", voice),
    ):
        kept = house.kept(life.id)
        process = _running(life)
        if process is not None and kept.spec.network_mode == HOST:
            _check(house, kept, replace(found, name=HOST), is_running=True)
        if found.name == HOST:
            _check(house, kept, found, is_running=process is not None)
        old = next((e for e in places(kept) if e.network == found.name), None)
        if old is None:
            raise _refused(
                f"container {life.id} is not connected to"
                f" {'' if process else 'the '}network {found.name}",
                "it has no place there that could be given back",
                NotConnected,
            )
        reach = Reach(life.id, places(kept), _without(kept, found))
        if process is not None and old.is_live:
            _unplug(house, life, process, old, reach, voice)
            ports = publishing.follow(house, kept, reach.after, voice)
            house.amend(
                life,
                endpoints=reach.after,
                ports=ports,
                offers=publishing.offered(house, kept, reach.after),
            )
            introducing.left(house, kept, reach.after, old)
            voice(plugging.released(life.id, old, found))
        else:
            house.amend(life, endpoints=reach.after)
        voice(NetworkLeft(found.id, found.name, found.driver, life.id))


def _member(house: House, container: str, *, force: bool) -> Life:
    """Find a container; with `force` Docker looks among the endpoints instead."""
    try:
        return house.life(container)
    except NoSuchContainer as missing:
        if not force:
            raise
        raise EndpointMissing(
            f"endpoint {container} not found", why=missing.why,
            try_next="minidock ps --all", lesson="networks",
        ) from missing  # fmt: skip


def _unplug(  # noqa: PLR0913, PLR0917  (who, which program, what, and what is left)
    house: House, life: Life, process: Process, old: Endpoint, reach: Reach, voice: Voice
) -> None:
    if old.host_link:
        others = [each for each in reach.after if each.host_link]
        house.kernel.perform(
            plan.disconnect_calls(
                life.id, process, old, others, house.networks.by_id()
            ), emit=voice,
        )  # fmt: skip
        publishing.dismiss(house, (old,), voice)
    house.networks.release(life.id, old.network_id)
