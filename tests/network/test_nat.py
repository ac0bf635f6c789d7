"""What the rules say, without a kernel: the elements of a network, an endpoint, a port."""

import re

import pytest

from pyminidock.kernel.rules import In, SendTo, text_of
from pyminidock.network import nat
from pyminidock.network.nat import Admitted, BridgeRules, Published

TABLES = nat.tables("minidock_0a1b2c", "mv0a1b2c")
WEB = Admitted("br0", "mv1", "02:42:ac:11:00:02", "172.17.0.2", "fd00::2")


def sets_of(elements: object) -> set[str]:
    assert isinstance(elements, tuple)
    return {each.set for each in elements}


def test_a_network_is_masqueraded_unless_it_says_otherwise() -> None:
    assert sets_of(nat.of_bridge(BridgeRules("br0"))) == {"bridges", "same", "masqueraded"}
    plain = BridgeRules("br0", is_masqueraded=False)
    assert sets_of(nat.of_bridge(plain)) == {"bridges", "same"}


def test_an_internal_network_is_never_masqueraded() -> None:
    inner = BridgeRules("br0", is_internal=True)
    assert sets_of(nat.of_bridge(inner)) == {"bridges", "same", "internal"}


def test_an_endpoint_is_known_by_cable_mac_and_address() -> None:
    told = [f"{each.family} {each.set} {each}" for each in nat.of_endpoint(WEB)]
    assert told == [
        "inet endpoints br0 . 172.17.0.2",
        "bridge endpoints mv1 . 02:42:ac:11:00:02 . 172.17.0.2",
        "inet endpoints6 br0 . fd00::2",
        "bridge endpoints6 mv1 . 02:42:ac:11:00:02 . fd00::2",
    ]


@pytest.mark.parametrize(
    ("address", "element"),
    [
        ("127.0.0.1", "published 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353"),
        ("0.0.0.0", "everywhere udp . 53 : 172.17.0.2 . 5353"),  # noqa: S104
    ],
)
def test_a_port_is_one_way_of_a_map(address: str, element: str) -> None:
    (found,) = nat.of_port(Published("udp", address, 53, "172.17.0.2", 5353))
    assert f"{found.set} {found}" == element


@pytest.mark.parametrize("address", ["::", "::1"])
def test_version_6_of_the_host_needs_no_rule(address: str) -> None:
    assert nat.of_port(Published("tcp", address, 80, "172.17.0.2", 80)) == ()


def test_every_set_that_a_rule_names_is_there_and_has_its_fields() -> None:
    for table in TABLES:
        keys = {each.name: each.key for each in table.sets}
        for chain in table.chains:
            for rule in chain.rules:
                for each in rule.statements:
                    if isinstance(each, In):
                        assert len(each.fields) == len(keys[each.set])
                    if isinstance(each, SendTo):
                        assert len(each.fields) == len(keys[each.map])


def test_every_element_fits_its_set() -> None:
    sets = {(t.family, each.name): each for t in TABLES for each in t.sets}
    port = nat.of_port(Published("tcp", "127.0.0.1", 80, "172.17.0.2", 80))
    for each in (*nat.of_bridge(BridgeRules("br0")), *nat.of_endpoint(WEB), *port):
        home = sets[each.family, each.set]
        assert (len(each.key), len(each.data)) == (len(home.key), len(home.data))


def test_every_rule_says_what_it_is_for() -> None:
    for table in TABLES:
        for chain in table.chains:
            comments = [rule.comment for rule in chain.rules]
            assert len(set(comments)) == len(comments)
            assert all(0 < len(comment) < 64 for comment in comments)


def test_whatever_is_dropped_is_counted() -> None:
    """`explain` shows by whose counter a packet was lost."""
    text = "\n".join(map(text_of, TABLES))
    drops = re.findall(r".*drop comment.*", text)
    assert drops
    assert all("counter drop" in line for line in drops)
