"""Rules and ports: what every kernel makes of them, and what it refuses."""

import errno
import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pyminidock.kernel.calls import Call
from pyminidock.kernel.port import CallFailed
from pyminidock.kernel.portcalls import BindPort, ReleasePort
from pyminidock.kernel.rules import (
    AddElements,
    Chain,
    Count,
    Decide,
    DropElements,
    Element,
    In,
    MakeTable,
    RemoveTable,
    Rule,
    Set,
    Table,
    is_intact,
)
from tests.contract.stands import Stand

_RULE = Rule("for the test", (In(("iifname",), "names"), Count(), Decide("accept")))
_WAYS = Set("ways", ("ipv4_addr", "inet_service"), ("ipv4_addr", "inet_service"), True)
FIRST, SECOND = Element("names", ("mdtest0",)), Element("names", ("mdtest1",))
WAY = Element("ways", ("127.0.0.1", "80"), ("192.0.2.1", "8080"))


@pytest.fixture
def table(stand: Stand) -> Iterator[Table]:
    """A table that no packet of this machine cares about, made with one element."""
    name = f"minidock_test_{secrets.token_hex(3)}"
    chain = Chain("chain", "filter", "input", 0, (_RULE,))
    table = Table("inet", name, (Set("names", ("ifname",)), _WAYS), (chain,))
    do(stand, MakeTable((table,), (FIRST,)))
    yield table
    do(stand, RemoveTable(("inet",), name))
    assert stand.body.rules(name) == ()


def do(stand: Stand, *plan: Call) -> None:
    stand.body.perform(plan, answer=lambda call, value, at: None)


def elements(stand: Stand, table: Table) -> set[Element]:
    (found,) = stand.body.rules(table.name)
    return {each for each, _ in found.elements}


def test_a_table_is_read_back_as_it_was_made(stand: Stand, table: Table) -> None:
    assert is_intact(stand.body.rules(table.name), (table,), (FIRST,))


def test_a_table_that_is_made_again_takes_the_place_of_the_first(
    stand: Stand, table: Table
) -> None:
    do(stand, MakeTable((table,), (SECOND, WAY)))
    assert is_intact(stand.body.rules(table.name), (table,), (SECOND, WAY))


def test_elements_come_and_go(stand: Stand, table: Table) -> None:
    do(stand, AddElements(table.name, (SECOND, WAY)))
    assert elements(stand, table) == {FIRST, SECOND, WAY}
    do(stand, DropElements(table.name, (FIRST, WAY)))
    assert elements(stand, table) == {SECOND}


def test_what_is_there_can_be_added_and_what_is_not_can_be_dropped(
    stand: Stand, table: Table
) -> None:
    do(stand, AddElements(table.name, (FIRST,)))
    do(stand, DropElements(table.name, (SECOND, FIRST, WAY)))
    assert elements(stand, table) == set()


@pytest.mark.parametrize(
    ("bad", "number"),
    [
        pytest.param(replace(WAY, data=("192.0.2.2", "9")), errno.EEXIST, id="two ways"),
        pytest.param(Element("nope", ("mdtest0",)), errno.ENOENT, id="no such set"),
    ],
)
def test_all_elements_are_added_or_none(
    stand: Stand, table: Table, bad: Element, number: int
) -> None:
    do(stand, AddElements(table.name, (WAY,)))
    with pytest.raises(CallFailed) as refusal:
        do(stand, AddElements(table.name, (SECOND, bad)))
    assert refusal.value.errno == number
    assert elements(stand, table) == {FIRST, WAY}


def test_a_plan_that_fails_takes_its_elements_and_ports_back(
    stand: Stand, table: Table
) -> None:
    port = BindPort("tcp", "127.0.0.1", 47123, "192.0.2.1", 80)
    with pytest.raises(CallFailed) as refusal:
        do(stand, AddElements(table.name, (SECOND,)), port, port)
    assert (refusal.value.index, refusal.value.errno) == (2, errno.EADDRINUSE)
    assert elements(stand, table) == {FIRST}
    do(stand, port)
    do(stand, ReleasePort("tcp", "127.0.0.1", 47123))


def test_a_table_that_is_gone_can_be_removed(stand: Stand) -> None:
    do(stand, RemoveTable(("inet", "bridge"), "minidock_test_nobody"))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_port_is_held_until_it_is_released(stand: Stand, protocol: str) -> None:
    port = BindPort(protocol, "127.0.0.1", 47124, "192.0.2.1", 80)
    for _ in range(2):
        do(stand, port)
        with pytest.raises(CallFailed) as refusal:
            do(stand, replace(port, address="0.0.0.0"))  # noqa: S104
        assert refusal.value.errno == errno.EADDRINUSE
        do(stand, ReleasePort(protocol, "127.0.0.1", 47124))
    do(stand, ReleasePort(protocol, "127.0.0.1", 47124))  # it is free already


def test_protocols_do_not_share_their_ports(stand: Stand) -> None:
    for protocol in ("tcp", "udp", "sctp"):
        do(stand, BindPort(protocol, "127.0.0.1", 47125, "192.0.2.1", 80))
    for protocol in ("tcp", "udp", "sctp"):
        do(stand, ReleasePort(protocol, "127.0.0.1", 47125))


def test_an_address_of_somebody_else_has_no_port_for_us(stand: Stand) -> None:
    with pytest.raises(CallFailed) as refusal:
        do(stand, BindPort("tcp", "203.0.113.9", 47126, "192.0.2.1", 80))
    assert refusal.value.errno == errno.EADDRNOTAVAIL
    assert "no network device of this host" in refusal.value.why
