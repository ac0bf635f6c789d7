"""Sights as hypothesis makes them: healthy ones, and each cause planted in one of them."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from pyminidock.kernel.attempts import (
    CONNECTED,
    REFUSED,
    SILENT,
    TIMED_OUT,
    UNREACHABLE,
    Attempted,
    Listening,
    Passage,
)
from pyminidock.network.sight import (
    CONTAINER,
    HOST,
    OUTSIDE,
    Asked,
    HostSight,
    Lookup,
    Place,
    Published,
    Sight,
    Subject,
)

OWN = "minidock_abcdef"
ALL = "0.0.0.0"  # noqa: S104
PORTS = st.integers(1, 65535)
_WORDS = st.sampled_from(("web", "db", "cache", "app", "api"))
_ACCEPTED = Passage("ip", "filter", "FORWARD", "policy", "accept")


@st.composite
def places(draw: st.DrawFn, number: int = 0) -> Place:
    third = draw(st.integers(0, 255))
    last = draw(st.integers(2, 254))
    is_user_defined = draw(st.booleans())
    name = f"net{number}" if is_user_defined or number else "bridge"
    return Place(
        name, f"md-{number}", f"10.{number}.{third}.{last}", 16, f"10.{number}.0.1",
        f"eth{number}", f"mv{number}", f"02:42:0a:0{number}:00:{last:02x}",
        is_user_defined=is_user_defined or number > 0,
    )  # fmt: skip


@st.composite
def healthy_ports(draw: st.DrawFn) -> Sight:
    """A request to a published port that is answered."""
    port, inner = draw(PORTS), draw(PORTS)
    protocol = draw(st.sampled_from(("tcp", "udp")))
    origin = draw(st.sampled_from((HOST, OUTSIDE)))
    lan = "192.168.1.5"
    asked_at = lan if origin == OUTSIDE else draw(st.sampled_from(("127.0.0.1", lan)))
    address = draw(st.sampled_from((ALL, asked_at)))
    place = draw(places())
    listening = Listening(
        protocol,
        draw(st.sampled_from((ALL, "::", place.address))),
        inner,
        7,
        9,
        "srv",
    )
    others = draw(st.lists(st.builds(
        Listening, st.just("tcp"), st.sampled_from((ALL, "127.0.0.1")),
        PORTS.filter(lambda one: one != inner),
    ), max_size=2))  # fmt: skip
    wish = Published(address, port, protocol, inner)
    engine = Listening(protocol, address, port, 1, 100, "minidockd")
    target = Subject(
        draw(_WORDS), "c" * 64, places=(place,), published=(wish,), pid=9,
        exposed=draw(st.sampled_from(((), ((inner, protocol),)))),
        listening=(listening, *others),
    )  # fmt: skip
    outcome = CONNECTED if protocol == "tcp" else SILENT
    return Sight(
        Asked("localhost", port, protocol, origin), asked_at, target,
        attempted=Attempted(outcome, passages=(_ACCEPTED,), was_followed=True),
        host=HostSight(("127.0.0.1", lan), (engine,), (100,)), own_tables=(OWN,),
    )  # fmt: skip


@st.composite
def healthy_pairs(draw: st.DrawFn) -> Sight:
    """A request from one container to another that is answered."""
    port = draw(PORTS)
    place = draw(places(1))
    mine = replace(place, address="10.1.255.254", host_link="mv9", mac="02:42:00:00:00:09")
    further = (draw(places(2)),) if draw(st.booleans()) else ()
    listening = Listening("tcp", draw(st.sampled_from((ALL, "::"))), port, 7, 9, "srv")
    target = Subject("srv", "c" * 64, places=(place, *further), listening=(listening,))
    asker = Subject("client", "d" * 64, places=(mine,))
    return Sight(
        Asked("srv", port, "tcp", CONTAINER, "client"), place.address, target, asker,
        Lookup("srv", "127.0.0.11", (place.address,)),
        Attempted(CONNECTED), own_tables=(OWN,),
    )  # fmt: skip


# ── What can be wrong ────────────────────────────────────────────────────────────────────


def _tried(sight: Sight, outcome: str, *more: Passage) -> Sight:
    return replace(sight, attempted=Attempted(
        outcome, passages=(_ACCEPTED, *more), was_followed=True
    ))  # fmt: skip


def _target(sight: Sight, **changed: Any) -> Sight:
    assert sight.target
    return replace(sight, target=replace(sight.target, **changed))


def _sockets(sight: Sight, **changed: Any) -> Sight:
    assert sight.target
    first, *others = sight.target.listening
    moved = (replace(first, **changed),) if changed else ()
    return _target(sight, listening=(*moved, *others))


def _off(sight: Sight) -> Sight:
    assert sight.target
    published = tuple(replace(each, is_live=False) for each in sight.target.published)
    host = replace(sight.host, listening=())
    return replace(_tried(_target(sight, published=published), REFUSED), host=host)


def not_published(sight: Sight) -> Sight:
    return _off(_target(sight, published=()))


def other_address(sight: Sight) -> Sight:
    assert sight.target
    wish = replace(sight.target.published[0], host_address="10.99.0.1")
    return _tried(_target(sight, published=(wish,)), REFUSED)


def port_taken(sight: Sight) -> Sight:
    other = Listening(sight.asked.protocol, ALL, sight.asked.port, 3, 4, "apache")
    sight = _off(_target(sight, state="created", places=(), listening=()))
    host = replace(sight.host, listening=(other,))
    return replace(_tried(sight, CONNECTED), host=host)


def not_running(sight: Sight) -> Sight:
    return _off(_target(sight, state="exited", places=(), listening=()))


def no_listener(sight: Sight) -> Sight:
    return _tried(_sockets(sight), REFUSED)


def loopback_only(sight: Sight) -> Sight:
    return _tried(_sockets(sight, address="127.0.0.1"), REFUSED)


def no_network(sight: Sight) -> Sight:
    return _off(_target(sight, places=(), mode="none"))


def internal_network(sight: Sight) -> Sight:
    assert sight.target
    inner = replace(sight.target.places[0], is_internal=True)
    return _off(_target(sight, places=(inner,)))


def wrong_protocol(sight: Sight) -> Sight:
    assert sight.target
    other = "udp" if sight.asked.protocol == "tcp" else "tcp"
    wishes = tuple(replace(each, protocol=other) for each in sight.target.published)
    return _tried(_target(sight, published=wishes), REFUSED)


def foreign_firewall(sight: Sight) -> Sight:
    drop = Passage("ip", "strict", "forward", "rule", "drop", 5)
    return _tried(sight, TIMED_OUT, drop)


def older_firewall(sight: Sight) -> Sight:
    host = replace(sight.host, older_tables=("filter",))
    return replace(_tried(sight, TIMED_OUT), host=host)


def other_network(sight: Sight) -> Sight:
    assert sight.asker
    away = replace(
        sight.asker.places[0],
        network="elsewhere",
        bridge="md-9",
        address="10.9.0.2",
        gateway="10.9.0.1",
    )
    sight = replace(sight, asker=replace(sight.asker, places=(away,)))
    return _tried(sight, TIMED_OUT)


def name_unknown(sight: Sight) -> Sight:
    assert sight.asker
    assert sight.target
    here, mine = (
        replace(each.places[0], network="bridge", is_user_defined=False)
        for each in (sight.target, sight.asker)
    )
    sight = replace(
        _target(sight, places=(here,)), asker=replace(sight.asker, places=(mine,)),
        lookup=Lookup(sight.asked.name, ""), address="",
    )  # fmt: skip
    return replace(sight, attempted=None)


def lonely_asker(sight: Sight) -> Sight:
    assert sight.asker
    asker = replace(sight.asker, places=(), mode="none")
    return _tried(replace(sight, asker=asker, lookup=None), UNREACHABLE)


def resting_target(sight: Sight) -> Sight:
    lookup = Lookup(sight.asked.name, "127.0.0.11")
    resting = _target(sight, state="exited", places=(), listening=())
    return replace(resting, lookup=lookup, address="", attempted=None)


OF_PORTS = {
    "not-published": not_published,
    "other-address": other_address,
    "port-taken": port_taken,
    "not-running": not_running,
    "no-listener": no_listener,
    "loopback-only": loopback_only,
    "no-network": no_network,
    "internal-network": internal_network,
    "wrong-protocol": wrong_protocol,
    "foreign-firewall": foreign_firewall,
}
OF_PAIRS = {
    "other-network": other_network,
    "name-unknown": name_unknown,
    "no-network": lonely_asker,
    "not-running": resting_target,
    "no-listener": no_listener,
    "loopback-only": loopback_only,
    "foreign-firewall": foreign_firewall,
}
