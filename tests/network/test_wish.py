"""What a network may be asked to be; the sentences are Docker's."""

from dataclasses import replace

import pytest

from pyminidock.network.objects import Network, Pool
from pyminidock.network.wish import NetworkRefused, Wish, check, check_driver, check_options

WISH = Wish("n")


@pytest.mark.parametrize(
    ("pool", "fault"),
    [
        (Pool("10.1.2.3/24"), "invalid subnet 10.1.2.3/24: it should be 10.1.2.0/24"),
        (Pool("foo"), "invalid subnet foo: invalid CIDR block notation"),
        (Pool("10.1.2.0/24", range="foo"),
         "invalid ip-range foo: invalid CIDR block notation"),
        (Pool("10.1.2.0/24", range="fd00::/64"),
         "invalid ip-range fd00::/64: parent subnet is an IPv4 block"),
        (Pool("10.1.2.0/24", range="10.1.0.0/16"),
         "invalid ip-range 10.1.0.0/16: CIDR block is bigger than its parent subnet"
         " 10.1.2.0/24"),
        (Pool("10.1.2.0/24", range="10.1.2.5/25"),
         "invalid ip-range 10.1.2.5/25: it should be 10.1.2.0/25"),
        (Pool("10.1.2.0/24", range="10.1.3.0/25"),
         "invalid ip-range 10.1.3.0/25: parent subnet 10.1.2.0/24 doesn't contain"
         " ip-range"),
        (Pool("10.1.2.0/24", gateway="x"), "invalid gateway x: invalid address"),
        (Pool("10.1.2.0/24", gateway="10.1.3.1"),
         "invalid gateway 10.1.3.1: parent subnet 10.1.2.0/24 doesn't contain this"
         " address"),
        (Pool("10.1.2.0/24", auxiliary=(("a", "::1"),)),
         "invalid auxiliary address a: parent subnet is an IPv4 block"),
    ],
)  # fmt: skip
def test_a_pool_that_cannot_be_is_refused(pool: Pool, fault: str) -> None:
    with pytest.raises(NetworkRefused) as found:
        check(replace(WISH, pools=(pool,)))
    assert found.value.what == f"invalid network config:\n{fault}"
    assert found.value.status == 400


def test_several_faults_are_told_at_once() -> None:
    pools = (Pool("foo"), Pool("10.1.2.3/24"))
    with pytest.raises(NetworkRefused) as found:
        check(replace(WISH, pools=pools))
    assert found.value.what.count("\n* ") == 2


@pytest.mark.parametrize(
    ("fields", "status", "what"),
    [
        ({"name": " "}, 400, "invalid name: "),
        ({"name": "host"}, 403, "operation is not permitted on predefined host network "),
        ({"is_ingress": True}, 403, "Ingress network can only be global scope network"),
    ],
)
def test_a_network_that_can_never_be_is_refused(
    fields: dict[str, object], status: int, what: str
) -> None:
    with pytest.raises(NetworkRefused) as found:
        check(replace(WISH, **fields))  # type: ignore[arg-type]
    assert (found.value.status, found.value.what) == (status, what)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"driver": "macvlan"}, 'plugin "macvlan" not found'),
        ({"driver": "null"}, 'only one instance of "null" network is allowed'),
        ({"ipam_driver": "dhcp"}, 'plugin "dhcp" not found'),
        ({"pools": (Pool("10.1.0.0/24"), Pool("10.2.0.0/24"))},
         "bridge driver doesn't support multiple subnets"),
    ],
)  # fmt: skip
def test_a_driver_that_is_not_here_is_refused(fields: dict[str, object], what: str) -> None:
    with pytest.raises(NetworkRefused) as found:
        check_driver(replace(WISH, **fields))  # type: ignore[arg-type]
    assert found.value.what == what


def test_options_are_read_as_go_reads_them() -> None:
    icc = "com.docker.network.bridge.enable_icc"
    check_options(((icc, "F"), ("own.option", "anything")))
    with pytest.raises(NetworkRefused, match=r"strconv\.ParseBool"):
        check_options(((icc, "no"),))
    assert not Network("1", "n", options=((icc, "F"),)).has_icc
    assert Network("1", "n", options=((icc, "1"),)).has_icc
    assert (
        Network("1", "n", options=(("com.docker.network.driver.mtu", "9000"),)).mtu == 9000
    )
    assert not Network("1", "n", is_internal=True).masquerades
