"""One request over a simulated kernel: what is told of it, and what is not touched."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.container.asked import PortBinding, Reach
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import tracing
from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.tracing import RequestUnclear, Wanted
from pyminidock.kernel.attempts import Listening
from pyminidock.kernel.model.body import ModelBody
from pyminidock.kernel.port import NotHere
from tests.engine.houses import WISH, finish, house_over, kinds, prepared, started

PORT = PortBinding("80/tcp", (("", "8080"),))
PUBLISHED = replace(WISH, network_mode="bridge", reach=Reach(published=(PORT,)))


@pytest.fixture
def body() -> ModelBody:
    return ModelBody()


@pytest.fixture
def house(tmp_path: Path, body: ModelBody) -> Iterator[House]:
    with house_over(prepared(tmp_path), body) as made:
        yield made


def serving(
    house: House, body: ModelBody, address: str, wish: CreateRequest = PUBLISHED
) -> Life:
    life = started(house, wish)
    body.listen(Listening("tcp", address, 80, 7, 9, "httpd"), process=life.process)
    return life


def test_a_request_that_arrives_is_told_hop_by_hop(house: House, body: ModelBody) -> None:
    life = serving(house, body, "0.0.0.0")  # noqa: S104
    told = tracing.trace(house, Wanted(8080))
    assert told["arrived"]
    assert told["cause"] is None
    assert told["container"]["name"] == life.name
    assert [hop["place"] for hop in told["hops"]] == [
        "client", "host port", "bridge", "cable", "interface", "process",
    ]  # fmt: skip
    assert kinds(house, life.story)[-7:] == ["hop.passed"] * 6 + ["request.arrived"]


def test_a_request_that_dies_is_told_up_to_where_it_dies(
    house: House, body: ModelBody
) -> None:
    life = serving(house, body, "127.0.0.1")
    told = tracing.trace(house, Wanted(8080))
    assert told["cause"]["name"] == "loopback-only"
    assert told["hops"][-1]["state"] == "dies"
    assert kinds(house, life.story)[-6:] == ["hop.passed"] * 5 + ["request.died"]


def test_a_port_that_nobody_knows_is_published_by_nobody(house: House) -> None:
    told = tracing.trace(house, Wanted(4711))
    assert told["cause"]["name"] == "not-published"
    assert told["container"] is None


def test_a_container_that_rests_is_found_by_what_it_wished(
    house: House, body: ModelBody
) -> None:
    life = serving(house, body, "0.0.0.0")  # noqa: S104
    finish(house, life)
    told = tracing.trace(house, Wanted(8080))
    assert told["cause"]["name"] == "not-running"
    assert told["container"]["name"] == life.name


def test_between_containers_it_has_to_be_said_whom_is_asked(house: House) -> None:
    asker = started(house, replace(WISH, network_mode="bridge"))
    with pytest.raises(RequestUnclear):
        tracing.trace(house, Wanted(80, origin=asker.name))


def test_a_model_of_a_machine_proves_nothing(house: House, body: ModelBody) -> None:
    serving(house, body, "127.0.0.1")
    with pytest.raises(NotHere):
        tracing.trace(house, Wanted(8080, proves=True))
