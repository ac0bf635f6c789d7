"""Which pool is next, which address is lowest, and who is refused."""

import ipaddress

import pytest

from pyminidock.network.ipam import (
    DEFAULT_POOLS,
    AddressesExhausted,
    AddressTaken,
    PoolsExhausted,
    PoolTaken,
    allot,
    check_pool,
    complete,
    next_pool,
)
from pyminidock.network.objects import Network, Pool


def test_there_are_31_default_pools_in_dockers_order() -> None:
    assert len(DEFAULT_POOLS) == 31
    assert [str(each) for each in DEFAULT_POOLS[:2]] == ["172.17.0.0/16", "172.18.0.0/16"]
    assert str(DEFAULT_POOLS[14]) == "172.31.0.0/16"
    assert str(DEFAULT_POOLS[15]) == "192.168.0.0/20"
    assert str(DEFAULT_POOLS[30]) == "192.168.240.0/20"


def test_a_pool_that_came_back_waits_for_its_turn() -> None:
    assert next_pool([], []).subnet == "172.17.0.0/16"
    assert next_pool([], [], last="172.17.0.0/16").subnet == "172.18.0.0/16"
    assert next_pool([], [], last="192.168.240.0/20").subnet == "172.17.0.0/16"


def test_what_the_host_knows_a_way_to_is_nobodys_pool() -> None:
    foreign = [ipaddress.ip_network("172.16.0.0/12"), ipaddress.ip_network("fd00::/8")]
    assert next_pool([], foreign).subnet == "192.168.0.0/20"


def test_a_host_that_knows_ways_to_all_pools_gets_none() -> None:
    with pytest.raises(PoolsExhausted, match="non-overlapping IPv4 address pool") as found:
        next_pool(DEFAULT_POOLS, [])
    assert found.value.try_next


def test_two_networks_never_share_an_address() -> None:
    taken = Network("1", "one", pools=(Pool("10.1.0.0/16"),))
    with pytest.raises(PoolTaken, match=r"^Pool overlaps with other one") as found:
        check_pool(Pool("10.1.128.0/24"), [taken])
    assert "one" in found.value.why
    check_pool(Pool("10.2.0.0/16"), [taken])
    check_pool(Pool("fd00::/64"), [taken])


@pytest.mark.parametrize(
    ("pool", "gateway"),
    [
        (Pool("10.1.2.0/24"), "10.1.2.1"),
        (Pool("10.1.2.0/24", range="10.1.2.128/25"), "10.1.2.128"),
        (Pool("10.1.2.0/24", gateway="10.1.2.254"), "10.1.2.254"),
        (Pool("10.7.0.0/31"), "10.7.0.0"),
        (Pool("fd00:1::/64"), "fd00:1::1"),
    ],
)
def test_a_gateway_is_chosen_where_none_was_said(pool: Pool, gateway: str) -> None:
    assert complete(pool).gateway == gateway


def test_a_kept_address_cannot_be_the_hosts() -> None:
    with pytest.raises(AddressTaken, match=r"secondary ip address \(x:10\.1\.2\.1\)"):
        complete(Pool("10.1.2.0/24", auxiliary=(("x", "10.1.2.1"),)))


def test_the_lowest_free_address_is_given_out_and_given_out_again() -> None:
    pool = Pool("10.1.2.0/29", gateway="10.1.2.1", auxiliary=(("x", "10.1.2.3"),))
    network, used = Network("1", "n", pools=(pool,)), set[str]()
    for expected in ("10.1.2.2", "10.1.2.4", "10.1.2.5", "10.1.2.6"):
        found = allot(network, pool, used)
        assert found == expected
        used.add(found)
    with pytest.raises(AddressesExhausted, match="no available IPv4 addresses"):
        allot(network, pool, used)
    used.remove("10.1.2.4")
    assert allot(network, pool, used) == "10.1.2.4"


@pytest.mark.parametrize("wanted", ["10.1.2.1", "10.1.2.0", "10.1.2.255", "10.1.2.9"])
def test_an_address_that_somebody_has_is_refused(wanted: str) -> None:
    pool = Pool("10.1.2.0/24", gateway="10.1.2.1")
    with pytest.raises(AddressTaken, match=r"^Address already in use$"):
        allot(Network("1", "n", pools=(pool,)), pool, {"10.1.2.9"}, wanted)


def test_an_address_may_be_wanted_outside_of_the_range_that_is_given_out() -> None:
    pool = Pool("10.1.2.0/24", range="10.1.2.128/25", gateway="10.1.2.128")
    network = Network("1", "n", pools=(pool,))
    assert allot(network, pool, set(), "10.1.2.5") == "10.1.2.5"
    assert allot(network, pool, set()) == "10.1.2.129"


def test_a_subnet_may_be_named_by_an_address_in_it() -> None:
    pool = complete(Pool("2001:389::1/64"))
    assert (pool.subnet, pool.prefix, pool.version) == ("2001:389::1/64", 64, 6)
    assert pool.gateway == "2001:389::1"
