"""Bridges, sandboxes and cables on every kernel: what is there then, and what never is."""

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from pyminidock.kernel import netcalls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.netcalls import FindSandbox, JoinSandbox, MakeSandbox, RemoveLink
from pyminidock.kernel.port import CallFailed, Process
from tests.contract.plans import (
    NETWORK,
    SANDBOX,
    Place,
    birth,
    bridging,
    cabling,
    joining,
    plug,
    unwiring,
    wiring,
)
from tests.contract.stands import Stand, assert_as_before, end, start


def do(stand: Stand, *plan: Call) -> None:
    """Perform a plan in which nobody is born."""
    stand.body.perform(plan, answer=lambda call, value, at: None)


@pytest.fixture
def wired(stand: Stand) -> Iterator[Stand]:
    """A stand with a bridge, which is gone afterwards."""
    before = stand.picture()
    do(stand, bridging(stand.place))
    yield stand
    stand.clear()
    do(stand, *unwiring(stand.place))
    assert_as_before(stand, before)


def born(stand: Stand) -> Process:
    """A container with a cable to the bridge."""
    return start(stand, birth(stand.place, wires=wiring(stand.place)))


def test_a_start_with_a_cable_is_answered_call_by_call(wired: Stand) -> None:
    plan = birth(wired.place, wires=wiring(wired.place))
    end(wired, start(wired, plan))
    assert tuple(call for call, _ in wired.heard) == plan


def test_in_lockstep_too_it_lives_in_the_network_that_was_wired(wired: Stand) -> None:
    plan = birth(wired.place, wires=wiring(wired.place))
    process = start(wired, plan, lockstep=True)
    inside = wired.body.netfacts(process)
    end(wired, process)
    assert [link.name for link in inside.links] == ["lo", "eth0"]


def test_the_program_finds_its_device_its_address_and_its_way_out(wired: Stand) -> None:
    process = born(wired)
    inside = wired.body.netfacts(process)
    lo, eth0 = inside.links
    end(wired, process)
    assert (lo.name, lo.is_up) == ("lo", True)
    assert (eth0.name, eth0.kind, eth0.mac) == ("eth0", "veth", "02:42:64:40:00:02")
    assert (eth0.mtu, eth0.is_up, eth0.has_carrier) == (1400, True, True)
    assert eth0.addresses == (f"{NETWORK}.2/24",)
    ways = [(way.destination, way.device, way.gateway) for way in inside.routes]
    assert set(ways) == {
        ("0.0.0.0/0", "eth0", f"{NETWORK}.1"),
        (f"{NETWORK}.0/24", "eth0", ""),
    }


def test_the_host_sees_a_bridge_and_one_port(wired: Stand) -> None:
    process = born(wired)
    facts, inside = wired.body.netfacts(), wired.body.netfacts(process)
    end(wired, process)
    bridge, port = facts.link(wired.place.bridge), facts.link(wired.place.cable(2))
    assert bridge is not None
    assert port is not None
    assert (bridge.kind, bridge.mac, bridge.mtu) == ("bridge", "02:42:64:40:00:01", 1400)
    assert bridge.addresses == (f"{NETWORK}.1/24",)
    assert (port.kind, port.master, port.is_up) == ("veth", bridge.name, True)
    assert port.addresses == ()
    assert port.peer_index == inside.links[1].index
    assert any(way.destination == f"{NETWORK}.0/24" for way in facts.routes)


def test_a_cable_goes_with_the_last_who_lived_at_its_end(wired: Stand) -> None:
    before = wired.picture()
    process = born(wired)
    end(wired, process)
    wired.clear()
    assert_as_before(wired, before)


def test_a_second_program_lives_in_the_same_network(wired: Stand) -> None:
    first = born(wired)
    second = start(wired, joining(wired.place, first, wired.second))
    same = [
        dict(wired.body.observe(each).namespaces)["network"] for each in (first, second)
    ]
    end(wired, first)
    wired.body.wait(second, 20.0)
    wired.body.dismiss(second)
    assert same[0] == same[1]


def test_a_container_joins_the_network_of_another_one(wired: Stand) -> None:
    first = born(wired)
    hold = FindSandbox(SANDBOX, first.pid, first.start_time)
    place = replace(wired.place, directory=wired.second)
    second = start(wired, birth(place, wires=(hold,)))
    same = [
        dict(wired.body.observe(each).namespaces)["network"] for each in (first, second)
    ]
    for each in (second, first):
        wired.body.signal(each, 9)
        wired.body.wait(each, 20.0)
        wired.body.dismiss(each)
    assert same[0] == same[1]


def test_a_running_container_is_connected_and_disconnected(wired: Stand) -> None:
    process = born(wired)
    hold, *_ = plan = cabling(wired.place, process)
    do(wired, *plan[:2])
    names = [link.name for link in wired.body.netfacts(process).links]
    do(wired, hold, *plan[2:])
    left = [link.name for link in wired.body.netfacts(process).links]
    end(wired, process)
    assert (names, left) == (["lo", "eth0", "eth1"], ["lo", "eth0"])
    assert wired.body.netfacts().link(wired.place.cable(3)) is None


def test_the_way_out_is_changed_and_taken_away(wired: Stand) -> None:
    process = born(wired)
    hold = FindSandbox(SANDBOX, process.pid, process.start_time)
    told = []
    for gateway in (f"{NETWORK}.9", ""):
        do(wired, hold, netcalls.Route(SANDBOX, gateway, ""))
        routes = wired.body.netfacts(process).routes
        told.append([way.gateway for way in routes if way.destination == "0.0.0.0/0"])
    end(wired, process)
    assert told == [[f"{NETWORK}.9"], []]


def test_what_is_gone_is_removed_already(wired: Stand) -> None:
    process = born(wired)
    hold = FindSandbox(SANDBOX, process.pid, process.start_time)
    pull = netcalls.Unplug(SANDBOX, "eth0", wired.place.cable(2))
    do(wired, hold, pull, pull, RemoveLink(wired.place.cable(2)))
    names = [link.name for link in wired.body.netfacts(process).links]
    end(wired, process)
    assert names == ["lo"]


def test_a_sandbox_nobody_joined_goes_with_its_plan(wired: Stand) -> None:
    before = wired.picture()
    do(wired, *wiring(wired.place))
    assert_as_before(wired, before)


def test_a_start_that_fails_after_its_cables_leaves_none(wired: Stand) -> None:
    before = wired.picture()
    plan = birth(wired.place, wires=wiring(wired.place), argv=("/nowhere",))
    with pytest.raises(CallFailed):
        start(wired, plan)
    assert_as_before(wired, before)


def test_a_number_that_another_process_has_by_now_is_refused(wired: Stand) -> None:
    process = born(wired)
    with pytest.raises(CallFailed) as refusal:
        do(wired, FindSandbox(SANDBOX, process.pid, process.start_time + 1))
    end(wired, process)
    assert refusal.value.errno == errno.ESRCH


def bent(**changed: object) -> Callable[[Place], Plan]:
    """A sandbox, and a cable with one thing another way."""
    return lambda place: (MakeSandbox(SANDBOX), replace(plug(place), **changed))  # type: ignore[arg-type]


BAD: dict[str, tuple[Callable[[Place], Plan], int]] = {
    "a bridge whose name is taken": (lambda p: (bridging(p),), errno.EEXIST),
    "a bridge with too long a name": (
        lambda p: (replace(bridging(p), name="a" * 16),), errno.EINVAL,
    ),
    "a bridge that is called like a path": (
        lambda p: (replace(bridging(p), name="a/b"),), errno.EINVAL,
    ),
    "a bridge with an address that is none": (
        lambda p: (replace(bridging(p), name=f"{p.bridge}x", addresses=("here",)),),
        errno.EINVAL,
    ),
    "a cable to no bridge": (bent(bridge="nowhere0"), errno.ENODEV),
    "a cable to what is no bridge": (bent(bridge="lo"), errno.EOPNOTSUPP),
    "a cable whose end is taken outside": (
        lambda p: (*wiring(p), replace(plug(p), inside="eth1")), errno.EEXIST,
    ),
    "a cable whose end is taken inside": (
        lambda p: (*wiring(p), replace(plug(p), host_link=p.cable(4))), errno.EEXIST,
    ),
    "a cable whose end has too long a name": (bent(inside="e" * 16), errno.EINVAL),
    "a gateway out of reach": (bent(gateway="10.9.9.9"), errno.ENETUNREACH),
    "a cable without a sandbox": (lambda p: (plug(p),), errno.EBADF),
    "a way out of no sandbox": (lambda p: (netcalls.Route(SANDBOX, "", ""),), errno.EBADF),
    "a child in no sandbox": (
        lambda p: birth(p, wires=(RemoveLink("nowhere0"),)), errno.EBADF,
    ),
    "a sandbox joined by the engine": (lambda p: (JoinSandbox(SANDBOX),), errno.EINVAL),
    "the network of nobody": (
        lambda p: (FindSandbox(SANDBOX, (1 << 22) - 1, 1),), errno.ENOENT,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_teaches_and_leaves_nothing(wired: Stand, name: str) -> None:
    make, code = BAD[name]
    before = wired.picture()
    with pytest.raises(CallFailed) as refusal:
        do(wired, *make(wired.place))
    failed = refusal.value
    assert failed.errno == code
    assert failed.lesson == "networks"
    assert all((failed.what, failed.why, failed.try_next))
    assert_as_before(wired, before)
