"""Ports in the story of a container, over the simulated kernel."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.container.asked import PortBinding, Reach
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import inspect, rulekeeping, run
from pyminidock.engine.house import House
from pyminidock.engine.starting import StartRefused
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.rules import is_intact
from tests.engine.houses import (
    WISH,
    body_of,
    finish,
    house_over,
    kinds,
    prepared,
    started,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An engine over a machine of its own."""
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def publishing(*hosts: tuple[str, str], port: str = "80/tcp") -> CreateRequest:
    reach = Reach(exposed=(port,), published=(PortBinding(port, hosts),))
    return replace(WISH, network_mode="default", reach=reach)


def ports(house: House) -> set[tuple[str, str, int]]:
    return set(body_of(house).world.ports)


def is_whole(house: House) -> bool:
    found = house.kernel.rules(house.rules.table)
    return is_intact(found, house.rules.tables, rulekeeping.wanted(house))


def test_a_port_is_held_from_the_start_to_the_end(house: House) -> None:
    life = started(house, publishing(("", "8080")))
    assert ports(house) == {("tcp", "127.0.0.1", 8080)}
    told = inspect.inspect(house, life.id)["NetworkSettings"]["Ports"]
    assert told == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    assert is_whole(house)
    finish(house, life)
    assert ports(house) == set()
    assert inspect.inspect(house, life.id)["NetworkSettings"]["Ports"] == {}
    assert is_whole(house)
    story = kinds(house, life.story)
    assert story.index("port.bound") < story.index("endpoint.plugged")
    assert "port.released" in story


def test_a_port_of_another_container_is_refused_and_nothing_is_left(house: House) -> None:
    started(house, publishing(("", "8080")))
    before = body_of(house).world.rules
    second = run.create(house, publishing(("", "9090"), ("", "8080")))
    with pytest.raises(StartRefused, match="8080 failed: port is already allocated") as no:
        run.start(house, second)
    assert (no.value.status, no.value.exit_code) == (500, 128)
    assert ports(house) == {("tcp", "127.0.0.1", 8080)}
    assert body_of(house).world.rules == before
    assert house.kept(second).state == "created"


def test_any_port_is_the_next_one(house: House) -> None:
    for _ in range(2):
        started(house, publishing(("", "")))
    assert {port for _, _, port in ports(house)} == {32768, 32769}


def test_rules_that_were_flushed_are_made_again(house: House) -> None:
    started(house, publishing(("", "8080")))
    body_of(house).flush()
    assert is_whole(house)
    assert body_of(house).world.rules


def test_an_engine_of_nobody_leaves_no_rule(tmp_path: Path) -> None:
    body = ModelBody()
    with house_over(prepared(tmp_path), body) as house:
        finish(house, started(house, publishing(("", "8080"))))
        assert body.world.rules
    assert body.world.rules == {}
    assert body.world.ports == {}


def test_a_container_without_a_cable_publishes_nothing(house: House) -> None:
    wish = replace(publishing(("", "8080")), network_mode="none")
    life = started(house, wish)
    assert ports(house) == set()
    assert inspect.inspect(house, life.id)["NetworkSettings"]["Ports"] == {}
