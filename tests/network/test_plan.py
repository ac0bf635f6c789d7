"""Endpoints become cables in one order, and every name on the host carries our mark."""

from dataclasses import replace

from pyminidock.kernel import netcalls
from pyminidock.kernel.port import Process
from pyminidock.network import plan
from pyminidock.network.choice import mac_of, ordered, ways_out
from pyminidock.network.endpoints import Endpoint, names_of
from pyminidock.network.objects import Network, Pool

ONE = Network("1" * 64, "one", bridge="md-1",
              pools=(Pool("10.1.0.0/16", gateway="10.1.0.1"),))  # fmt: skip
TWO = Network("2" * 64, "two", bridge="md-2",
              pools=(Pool("10.2.0.0/16", gateway="10.2.0.1"),))  # fmt: skip
SHUT = Network("3" * 64, "shut", bridge="md-3", is_internal=True,
               pools=(Pool("10.3.0.0/16", gateway="10.3.0.1"),))  # fmt: skip
ALL = {each.id: each for each in (ONE, TWO, SHUT)}
PROCESS = Process(42, 4242, "boot", 41, "/root")


def endpoint(network: Network, last: int = 2, inside: str = "eth0") -> Endpoint:
    (pool,) = network.pools
    address = f"{pool.gateway.rpartition('.')[0]}.{last}"
    return Endpoint(
        network.name, network.id, id=f"{last:064x}", address=address, prefix=16,
        gateway=pool.gateway, mac=mac_of(address), inside=inside,
        host_link=plan.cable_name("abcdef", f"{network.id[0]}{last:063x}"),
    )  # fmt: skip


def test_the_first_name_of_those_that_lead_out_comes_first() -> None:
    members = [endpoint(each) for each in (SHUT, TWO, ONE)]
    assert [each.network for each in ordered(members, ALL)] == ["one", "two", "shut"]
    assert ways_out(members, ALL) == ("10.1.0.1", "")
    assert ways_out(members[:1], ALL) == ("", "")


def test_a_start_lays_all_cables_and_one_way_out() -> None:
    members = [endpoint(ONE), endpoint(TWO, inside="eth1"), endpoint(SHUT, inside="eth2")]
    made, *cables = plan.start_calls("c" * 64, members, ALL)
    assert made == netcalls.MakeSandbox("c" * 64)
    assert [each.gateway for each in cables if isinstance(each, netcalls.Plug)] == [
        "10.1.0.1", "", "",
    ]  # fmt: skip


def test_who_joins_takes_the_way_out_only_if_its_name_comes_first() -> None:
    later = plan.connect_calls("c", PROCESS, endpoint(TWO), [endpoint(ONE)], ALL)
    assert [type(each).__name__ for each in later] == ["FindSandbox", "Plug"]
    sooner = plan.connect_calls("c", PROCESS, endpoint(ONE), [endpoint(TWO)], ALL)
    assert sooner[-1] == netcalls.Route("c", "10.1.0.1", "")


def test_who_leaves_hands_the_way_out_on() -> None:
    calls = plan.disconnect_calls("c", PROCESS, endpoint(ONE), [endpoint(TWO)], ALL)
    assert calls[-1] == netcalls.Route("c", "10.2.0.1", "")
    last = plan.disconnect_calls("c", PROCESS, endpoint(ONE), [], ALL)
    assert last[-1] == netcalls.Route("c", "", "")


def test_every_name_on_the_host_is_marked_and_fits() -> None:
    mark = plan.mark_of("/var/lib/minidock")
    default = Network("a" * 64, "bridge")
    assert plan.bridge_name(mark, default) == f"md{mark}-0"
    own = plan.bridge_name(mark, ONE)
    assert own == f"md{mark}-111111"
    other = replace(ONE, id="1111112" + "0" * 57)
    assert plan.bridge_name(mark, other, {own}) == f"md{mark}-111112"
    for name in (own, plan.cable_name(mark, "f" * 64)):
        assert len(name) <= 15
    asked = replace(ONE, options=(("com.docker.network.bridge.name", "own0"),))
    assert plan.bridge_name(mark, asked) == "own0"


def test_a_network_without_icc_isolates_its_cables() -> None:
    options = (("com.docker.network.bridge.enable_icc", "false"),)
    assert plan.plug_call("c", endpoint(ONE), replace(ONE, options=options)).is_isolated
    assert not plan.plug_call("c", endpoint(ONE), ONE).is_isolated


def test_a_released_place_keeps_its_wishes_and_nothing_else() -> None:
    place = replace(endpoint(ONE), wants="10.1.0.2", aliases=("www",))
    rests = place.released()
    assert (rests.wants, rests.aliases, rests.network_id) == ("10.1.0.2", ("www",), ONE.id)
    assert not any((rests.id, rests.address, rests.mac, rests.inside, rests.host_link))


def test_a_name_is_asked_for_in_networks_that_somebody_made() -> None:
    said = names_of(ONE, "c" * 64, "web", ("www",), "box")
    assert said == ("web", "www", "c" * 12, "box")
    assert names_of(Network("1", "bridge"), "c" * 64, "web", (), "box") == ()
