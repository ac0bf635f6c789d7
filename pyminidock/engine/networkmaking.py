"""Networks are made and removed; their story is `network-<id>`.

    create    wish ─► checked ─► a pool, a bridge's name ─► kept         nothing on the host
    remove    nobody runs in it ─► forgotten ─► its bridge is removed
    prune     the same for all that no container has a place in

Source: moby, daemon/network.go and daemon/prune.go.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pyminidock.engine import replugging, rulekeeping
from pyminidock.engine.document import Document
from pyminidock.engine.filters import for_prune
from pyminidock.engine.house import House
from pyminidock.engine.images import telling
from pyminidock.engine.networkbook import NetworkInUse, NoSuchNetwork
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.engine.plugging import places
from pyminidock.engine.voice import Voice
from pyminidock.errors import MinidockError
from pyminidock.events import NetworkCreated, NetworkRemoved, NetworksPruned
from pyminidock.network.objects import Network
from pyminidock.network.wish import NetworkRefused, Wish, check, check_driver, refused
from pyminidock.store.networks import name_taken

PRUNE_FILTERS = ("label", "label!", "until")


class PatternUnknown(NetworkRefused):
    """There is no such configuration to make a network after."""

    status = 404


class Predefined(MinidockError):
    """The network belongs to the engine."""

    status = 403


def create(house: House, wish: Wish, *, via: Via = NOBODY) -> str:
    """Make a network; give its id.

    Raises NetworkRefused, NetworkTaken, PoolTaken, PoolsExhausted, AddressTaken.
    """
    network = house.kernel.new_id()
    story = story_of(network)
    house.recorder.story(story, f"network create {wish.name}")
    try:
        with operation(house, story, "create", via) as voice:
            check(wish)
            made = house.networks.add(_network(house, wish, network), house.foreign_ways)
            voice(NetworkCreated(
                made.id, made.name, _driver(made), tuple(p.subnet for p in made.pools)
            ))  # fmt: skip
    except BaseException:
        house.recorder.end(story)
        raise
    return network


def story_of(network: str) -> str:
    """Name the story of a network."""
    return f"network-{network[:12]}"


def _driver(network: Network) -> str:
    return "null" if network.is_config_only else network.driver


def _network(house: House, wish: Wish, network: str) -> Network:
    """Make the value, as far as it does not depend on other networks."""
    if wish.config_from:
        wish = _from_another(house, wish)
    if any(each.name == wish.name for each in house.networks.all()):
        raise name_taken(wish.name)
    check_driver(wish)
    return Network(
        network, wish.name, wish.driver or "bridge", house.kernel.wall(),
        asked=wish.pools, is_internal=wish.is_internal, is_attachable=wish.is_attachable,
        is_ipv6=wish.is_ipv6, is_config_only=wish.is_config_only,
        config_from=wish.config_from, options=wish.options, labels=wish.labels,
        ipam_options=wish.ipam_options,
    )  # fmt: skip


def _from_another(house: House, wish: Wish) -> Wish:
    """Take what a network that is only a configuration says."""
    named = [
        each for each in house.networks.all()
        if each.name == wish.config_from and each.is_config_only
    ]  # fmt: skip
    if not named:
        raise refused(
            f'configuration network "{wish.config_from}" does not exist',
            "only what was made with --config-only can be a pattern", PatternUnknown,
        )  # fmt: skip
    found = named[0]
    return replace(
        wish, pools=found.asked, options=found.options, is_ipv6=found.is_ipv6,
        is_internal=found.is_internal or wish.is_internal,
        labels=tuple((dict(found.labels) | dict(wish.labels)).items()),
    )  # fmt: skip


# ── Away with them ────────────────────────────────────────────────────────────────────────


def remove(house: House, reference: str, *, via: Via = NOBODY) -> None:
    """Remove a network.  Raises NoSuchNetwork, Predefined, NetworkInUse."""
    found = house.networks.find(reference)
    if found.is_predefined:
        raise Predefined(
            f"{found.name} is a pre-defined network and cannot be removed",
            why="containers that ask for no network are in it, or for none at all",
            try_next="minidock network ls",
            lesson="networks",
        )
    story = story_of(found.id)
    house.recorder.story(story, f"network create {found.name}")
    with operation(house, story, "remove", via) as voice:
        _remove(house, found, voice)
    house.recorder.end(story)


def _remove(house: House, network: Network, voice: Voice) -> None:
    if network.is_config_only and (user := _user(house, network)):
        raise NetworkInUse(
            "error while removing network: configuration network"
            f' "{network.name}" is in use',
            why=f"network {user} was made after it", try_next=f"minidock network rm {user}",
            lesson="networks",
        )  # fmt: skip
    house.networks.remove(network)
    with house.networks.wiring:
        if network.bridge in house.networks.bridges:
            replugging.remove(house, network.bridge, voice)
            house.networks.bridges.discard(network.bridge)
            rulekeeping.forget(house, network, voice)
    voice(NetworkRemoved(network.id, network.name, _driver(network)))


def _user(house: House, network: Network) -> str:
    users = (n.name for n in house.networks.all() if n.config_from == network.name)
    return next(users, "")


def prune(
    house: House, said: Mapping[str, Any] | None = None, *, via: Via = NOBODY
) -> Document:
    """Remove the networks in which no container has a place.  Raises FilterRefused."""
    wanted = for_prune(said or {}, PRUNE_FILTERS)
    gone: list[str] = []
    now = house.kernel.wall()
    with telling(house, "prune", "network prune", via) as voice:
        used = _used(house)
        for network in house.networks.all():
            if network.is_predefined or network.id in used or network.name in used:
                continue
            if not wanted.allows(network.labels, int(network.created), now):
                continue
            with suppress(NetworkInUse, NoSuchNetwork):  # somebody was quicker
                remove(house, network.id)
                gone.append(network.name)
        voice(NetworksPruned(tuple(gone)))
    return {"NetworksDeleted": gone or None}


def _used(house: House) -> set[str]:
    """Name the networks that running containers are in."""
    found: set[str] = set()
    for life in house.lives():
        with suppress(MinidockError):
            found |= {each.network_id for each in places(house.kept(life.id))
                      if each.is_live}  # fmt: skip
    return found
