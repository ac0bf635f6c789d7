"""Networks over a simulated kernel: made, joined, left, taken back, found again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.engine import connecting, inspect, networkmaking, networks, replugging, run
from pyminidock.engine.house import House
from pyminidock.engine.networkbook import NetworkInUse, NoSuchNetwork
from pyminidock.engine.starting import StartRefused
from pyminidock.errors import MinidockError
from pyminidock.kernel import netcalls
from pyminidock.kernel.model.body import ModelBody
from pyminidock.network.endpoints import Endpoint
from pyminidock.network.objects import Pool
from pyminidock.network.wish import Wish
from tests.engine.houses import (
    WISH,
    finish,
    house_over,
    kinds,
    prepared,
    started,
)

ALONE = Pool("10.1.2.0/24")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def make(house: House, name: str, *pools: Pool, **more: object) -> str:
    return networkmaking.create(house, Wish(name, pools=pools, **more))  # type: ignore[arg-type]


def links(house: House) -> set[str]:
    return {each.name for each in house.kernel.netfacts().links} - {"lo"}


def places(house: House, container: str) -> dict[str, str]:
    told = inspect.inspect(house, container)["NetworkSettings"]["Networks"]
    return {name: each["IPAddress"] for name, each in told.items()}


def test_three_networks_are_always_there_and_no_device_for_them(house: House) -> None:
    assert [each["Name"] for each in networks.list_(house)] == ["bridge", "host", "none"]
    assert not links(house)


def test_a_network_has_a_story_from_its_making_to_its_removal(house: House) -> None:
    made = make(house, "web")
    story = networkmaking.story_of(made)
    assert kinds(house, story) == ["network.created"]
    networkmaking.remove(house, "web")
    assert kinds(house, story)[-1] == "network.removed"
    with pytest.raises(NoSuchNetwork):
        house.networks.find("web")


def test_a_bridge_comes_with_the_first_container_and_goes_with_its_network(
    house: House,
) -> None:
    make(house, "web", ALONE)
    assert not links(house)
    life = started(house, replace(WISH, network_mode="web"))
    bridge = house.networks.find("web").bridge
    assert bridge in links(house)
    with pytest.raises(NetworkInUse, match="has active endpoints"):
        networkmaking.remove(house, "web")
    finish(house, life)
    networkmaking.remove(house, "web")
    assert bridge not in links(house)


def test_a_run_tells_its_place_before_its_start_and_gives_it_back_before_its_end(
    house: House,
) -> None:
    life = started(house, replace(WISH, network_mode="bridge"))
    finish(house, life)
    told = [
        each for each in kinds(house, life.story)
        if each in ("endpoint.made", "container.started", "endpoint.released",
                    "container.exited")
    ]  # fmt: skip
    assert told == [
        "endpoint.made", "container.started", "endpoint.released", "container.exited",
    ]  # fmt: skip


def test_addresses_belong_to_runs(house: House) -> None:
    first = started(house, replace(WISH, name="one", network_mode="bridge"))
    second = started(house, replace(WISH, name="two", network_mode="bridge"))
    assert places(house, "one") == {"bridge": "172.17.0.2"}
    assert places(house, "two") == {"bridge": "172.17.0.3"}
    finish(house, first)
    assert places(house, "one") == {"bridge": ""}
    third = started(house, replace(WISH, network_mode="bridge"))
    assert places(house, third.id) == {"bridge": "172.17.0.2"}
    run.start(house, "one")
    assert places(house, "one") == {"bridge": "172.17.0.4"}
    for each in (second, third, first):
        finish(house, each)


def test_a_container_joins_and_leaves_while_it_runs(house: House) -> None:
    make(house, "web", ALONE)
    life = started(house, replace(WISH, name="app", network_mode="bridge"))
    connecting.connect(house, "web", "app", Endpoint("web", wants="10.1.2.9"))
    assert places(house, "app") == {"bridge": "172.17.0.2", "web": "10.1.2.9"}
    inside = {each.inside for each in house.networks.of_container(life.id)}
    assert inside == {"eth0", "eth1"}
    with pytest.raises(MinidockError, match="already exists in network web"):
        connecting.connect(house, "web", "app")
    connecting.disconnect(house, "web", "app")
    assert places(house, "app") == {"bridge": "172.17.0.2"}
    connecting.connect(house, "web", "app")
    numbers = {each.inside for each in house.networks.of_container(life.id)}
    assert numbers == {"eth0", "eth2"}  # a number is not given out again
    finish(house, life)


def test_a_container_that_rests_keeps_the_wish(house: House) -> None:
    make(house, "web", ALONE)
    container = run.create(house, replace(WISH, name="app", network_mode="bridge"))
    connecting.connect(house, "web", "app", Endpoint("web", wants="10.1.2.9"))
    assert places(house, "app") == {"bridge": "", "web": ""}
    run.start(house, container)
    assert places(house, "app")["web"] == "10.1.2.9"
    finish(house, house.life("app"))


def test_a_start_that_fails_gives_the_addresses_back(house: House) -> None:
    make(house, "web", ALONE)
    started(house, replace(WISH, name="one", network_mode="web"))
    container = run.create(house, replace(WISH, network_mode="web"))
    connecting.connect(house, "bridge", container)
    connecting.disconnect(house, "web", container)
    connecting.connect(house, "web", container, Endpoint("web", wants="10.1.2.2"))
    with pytest.raises(StartRefused, match="Address already in use"):
        run.start(house, container)
    assert not house.networks.of_container(container)
    finish(house, house.life("one"))


def test_a_network_that_nobody_knows_is_refused_at_the_start(house: House) -> None:
    container = run.create(house, replace(WISH, network_mode="nowhere"))
    with pytest.raises(StartRefused, match=r"^network nowhere not found$") as found:
        run.start(house, container)
    assert (found.value.status, found.value.exit_code) == (404, 128)


def test_who_lives_keeps_its_address_over_a_new_engine(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        make(first, "web", ALONE)
        life = started(first, replace(WISH, name="app", network_mode="web"))
        before = places(first, "app")
        resting = started(first, replace(WISH, name="rests", network_mode="web"))
        finish(first, resting)
    with house_over(tmp_path, body) as second:
        assert places(second, "app") == before
        (member,) = networks.inspect(second, "web")["Containers"].values()
        assert member["Name"] == "app"
        other = started(second, replace(WISH, network_mode="web"))
        assert places(second, other.id) == {"web": "10.1.2.3"}
        finish(second, other)
        finish(second, second.life(life.id))


def test_a_new_engine_makes_a_bridge_again_and_removes_what_nobody_owns(
    tmp_path: Path,
) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as first:
        make(first, "web", ALONE)
        started(first, replace(WISH, name="app", network_mode="web"))
        bridge = first.networks.find("web").bridge
        mark = first.networks.mark
        first.kernel.perform((
            netcalls.RemoveLink(bridge),
            netcalls.MakeBridge(f"md{mark}-orphan", "", (), 1500, False),
            netcalls.MakeBridge("virbr0", "", (), 1500, False),
        ))  # fmt: skip
    with house_over(tmp_path, body) as second:
        assert bridge in links(second)
        assert f"md{mark}-orphan" not in links(second)
        assert "virbr0" in links(second)  # another program's
        assert places(second, "app") == {"web": "10.1.2.2"}
        finish(second, second.life("app"))


def test_an_engine_that_goes_leaves_no_device(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as house:
        life = started(house, replace(WISH, network_mode="bridge"))
        assert links(house)
        finish(house, life)

    with house_over(tmp_path, body) as again:
        assert not links(again)
        assert not replugging.tidy(again)


def test_prune_takes_what_nobody_runs_in(house: House) -> None:
    make(house, "used", ALONE)
    make(house, "idle", labels=(("keep", "1"),))
    make(house, "gone")
    life = started(house, replace(WISH, network_mode="used"))
    told = networkmaking.prune(house, {"label!": ["keep"]})
    assert told == {"NetworksDeleted": ["gone"]}
    assert networkmaking.prune(house) == {"NetworksDeleted": ["idle"]}
    finish(house, life)


def test_the_default_network_gives_way_to_whoever_came_meanwhile(house: House) -> None:
    other = netcalls.MakeBridge("docker0", "", ("172.17.0.1/16",), 1500, False)
    house.kernel.perform((other,))
    life = started(house, replace(WISH, network_mode="bridge"))
    assert places(house, life.id) == {"bridge": "172.18.0.2"}
    assert house.networks.find("bridge").pools[0].subnet == "172.18.0.0/16"
    finish(house, life)
