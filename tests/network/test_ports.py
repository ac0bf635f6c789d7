"""Which ports of the host are wanted, in which order, and how they are told."""

import pytest

from pyminidock.network import ports
from pyminidock.network.nat import Published
from pyminidock.network.ports import ANY, Hosts, Wish

LOCAL = "127.0.0.1"


def wanted(
    published: dict[str, Hosts | None], *exposed: str, all_: bool = False
) -> list[Wish]:
    return list(ports.wishes(published, exposed, publishes_all=all_))


@pytest.mark.parametrize(
    ("host", "bounds"),
    [
        ("8080", (8080, 8080)),
        ("8000-8010", (8000, 8010)),
        ("", ANY),
        ("0", ANY),
    ],
)
def test_what_a_word_about_the_host_means(host: str, bounds: tuple[int, int]) -> None:
    (wish,) = wanted({"80/udp": ((LOCAL, host),)})
    assert (wish.protocol, wish.inside, wish.address) == ("udp", 80, LOCAL)
    assert (wish.first, wish.last) == bounds


def test_larger_ports_are_bound_first_and_any_ones_last() -> None:
    found = wanted({
        "80/tcp": (("", "8080"), ("", "")), "81/tcp": (("", "9090"),),
        "53/udp": (("", ""),), "53/tcp": (("", ""),),
    })  # fmt: skip
    assert [(each.first, each.inside, each.protocol) for each in found] == [
        (9090, 81, "tcp"), (8080, 80, "tcp"), (ANY[0], 80, "tcp"), (ANY[0], 53, "tcp"),
        (ANY[0], 53, "udp"),
    ]  # fmt: skip


def test_what_is_only_exposed_is_not_published() -> None:
    assert wanted({}, "80/tcp") == []
    assert wanted({"80/tcp": None}) == []


def test_all_that_is_exposed_can_be_published_but_not_twice() -> None:
    found = wanted({"80/tcp": (("", "8080"),)}, "80/tcp", "443/tcp", all_=True)
    assert [(each.inside, each.first) for each in found] == [(80, 8080), (443, ANY[0])]


@pytest.mark.parametrize(
    ("asked", "publish_on", "bound"),
    [
        ("", LOCAL, (LOCAL,)),
        ("", "0.0.0.0", ("0.0.0.0", "::")),  # noqa: S104
        ("", "192.0.2.7", ("192.0.2.7",)),
        ("0.0.0.0", LOCAL, ("0.0.0.0",)),  # noqa: S104
        ("::1", "0.0.0.0", ("::1",)),  # noqa: S104
    ],
)
def test_a_port_is_bound_where_it_is_said_or_where_the_engine_publishes(
    asked: str, publish_on: str, bound: tuple[str, ...]
) -> None:
    assert ports.addresses(asked, publish_on) == bound


def test_a_list_tells_each_place_of_a_port_and_what_is_only_offered() -> None:
    bound = (
        Published("tcp", "::", 8080, "172.17.0.2", 80),
        Published("tcp", LOCAL, 9090, "172.17.0.2", 80),
    )
    told = ports.rows(bound, ("443/tcp", "7000-7001/udp"))
    assert [(row["PrivatePort"], row.get("PublicPort"), row.get("IP")) for row in told] == [
        (80, 8080, "::"), (80, 9090, LOCAL), (443, None, None), (7000, None, None),
        (7001, None, None),
    ]  # fmt: skip
