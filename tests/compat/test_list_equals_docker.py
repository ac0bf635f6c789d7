"""GET /containers/json shows what dockerd shows, in its order, through every filter.

The same containers are made on both engines, one after the other.  Rows are compared leaf
by leaf; for filters the names in their order count, and the words of a refusal.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from tests.compat.allowlist import about_documents, differences
from tests.compat.documents import facts
from tests.compat.sides import IMAGE, Side, Sides, both
from tests.minidock_cli import Minidock
from tests.reference import Reference, wait_until

pytestmark = pytest.mark.compat

Wish = dict[str, Any]
CONTAINERS: dict[str, Wish] = {
    "list-one": {"Labels": {"a": "1"}, "ExposedPorts": {"80/tcp": {}},
                 "Cmd": ["sh", "-c", "echo 'a b' $X"]},
    "list-two": {"Labels": {"a": "2"}},
    "list-three": {"Cmd": ["sh", "-c", "echo hi >/f; exit 3"]},
    "list-four": {"Cmd": ["true"]},
    "list-five": {"HostConfig": {"Binds": ["/etc:/hostetc:ro"]}},
    "list-six": {"HostConfig": {"Mounts": [{"Type": "tmpfs", "Target": "/m"}]}},
}  # fmt: skip
STARTED = {"list-two": "running", "list-three": "exited", "list-four": "exited"}

QUERIES = [
    "", "all=1", "limit=2", "limit=-1", "limit=0", "limit=x", "limit=1.5", "all=1&limit=2",
    "since=list-two", "before=list-two", "since=nope", "all=0", "all=false", "all=x",
    "size=1&limit=1", "limit=", "size=x",
]  # fmt: skip
FILTERS: list[dict[str, Any]] = [
    {"status": ["exited"]}, {"status": ["created", "running"]}, {"status": ["zz"]},
    {"status": ["removing"]}, {"status": ["paused", "dead", "restarting"]},
    {"status": []}, {"status": {"exited": False}}, {"exited": ["3"]}, {"exited": ["x"]},
    {"exited": ["0", "3"]}, {"exited": ["-1"]}, {"name": ["o"]}, {"name": ["^/list-two$"]},
    {"name": ["^list-t"]}, {"name": ["/list-t"]}, {"name": ["("]},
    {"name": ["one", "list-two"]}, {"name": [""]}, {"id": ["zz"]}, {"id": [""]},
    {"label": ["a"]}, {"label": ["a=1"]}, {"label": ["a=1", "a=2"]}, {"label": ["b"]},
    {"label": {"a=2": True}}, {"label!": ["a"]}, {"ancestor": [IMAGE]},
    {"ancestor": [f"{IMAGE}:latest"]}, {"ancestor": ["nope"]}, {"ancestor": ["BAD:x:y"]},
    {"before": ["list-two"]}, {"since": ["list-two"]}, {"before": ["nope"]},
    {"since": ["nope"]}, {"before": ["list-four"], "since": ["list-one"]},
    {"expose": ["80"]}, {"expose": ["80/tcp"]},
    {"expose": ["80-90/tcp"]}, {"expose": ["x"]}, {"publish": ["80"]}, {"publish": ["x"]},
    {"publish": ["8080-x"]}, {"health": ["healthy"]}, {"health": ["none"]},
    {"health": ["starting"]}, {"health": ["zz"]}, {"is-task": ["true"]},
    {"is-task": ["false"]}, {"is-task": ["x"]}, {"isolation": ["default"]},
    {"isolation": ["zz"]}, {"network": ["none"]}, {"network": ["x"]},
    {"volume": ["/hostetc"]}, {"volume": ["/etc"]}, {"volume": ["/m"]},
    {"volume": ["zz"]}, {"zz": ["a"]}, {}, {"until": ["1h"]},
    {"name": ["list-one"], "status": ["created"]},
]  # fmt: skip
RAW = ["x", "[]", '{"a":1}', '{"name":"x"}', '{"name":{"x":1}}', "", "{}", "null",
       '{"name":["one"]} x', '{"name":null}']  # fmt: skip


@pytest.fixture(scope="module")
def sides(reference: Reference, minidock: Minidock) -> Iterator[Sides]:
    with both(reference, minidock) as made:
        try:
            for side in made:
                for name, wish in CONTAINERS.items():
                    side.make(name, starts=name in STARTED, **wish)
                for name, state in STARTED.items():
                    wait_until(partial(is_in, side, name, state), 60, f"{name}: {state}")
            yield made
        finally:
            for side in made:
                side.remove(*CONTAINERS)


def is_in(side: Side, name: str, state: str) -> bool:
    found = side.ask("GET", f"/containers/{name}/json").json["State"]
    return bool(found["Status"] == state)


def shown(side: Side, query: str) -> Any:
    """The names of ours in the order of the answer, or the refusal."""
    answer = side.ask("GET", f"/containers/json?{query}")
    if answer.status != 200:
        return answer.status, answer.json["message"]
    names = [row["Names"][0] for row in answer.json]
    return [name for name in names if name.startswith("/list-")]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_shows_the_same_containers(sides: Sides, query: str) -> None:
    docker, ours = (shown(side, query) for side in sides)
    assert ours == docker


@pytest.mark.parametrize("said", FILTERS, ids=json.dumps)
@pytest.mark.parametrize("everything", ["", "&all=1"])
def test_filters_let_the_same_containers_pass(
    sides: Sides, said: dict[str, Any], everything: str
) -> None:
    query = f"filters={quote(json.dumps(said))}{everything}"
    docker, ours = (shown(side, query) for side in sides)
    assert ours == docker


@pytest.mark.parametrize("text", RAW)
def test_filters_that_cannot_be_read_are_refused_alike(sides: Sides, text: str) -> None:
    docker, ours = (shown(side, f"all=1&filters={quote(text)}") for side in sides)
    assert ours == docker


def test_an_id_or_its_beginning_is_a_filter(sides: Sides) -> None:
    for side in sides:
        full = side.ask("GET", "/containers/list-one/json").json["Id"]
        for text in (full, full[:6]):
            said = quote(json.dumps({"id": [text]}))
            assert shown(side, f"all=1&filters={said}") == ["/list-one"], side.name


@pytest.mark.parametrize("size", ["", "&size=1"])
def test_every_row_is_dockers(sides: Sides, size: str) -> None:
    """Status texts tell how long ago something was, so their numbers are taken out."""

    def rows(side: Side) -> Any:
        found = side.ask("GET", f"/containers/json?all=1{size}").json
        ours = [row for row in found if row["Names"][0] in {f"/{n}" for n in CONTAINERS}]
        for row in ours:
            row["Status"] = re.sub(r"^(Up|Exited \(\d+\)) .*", r"\1", row["Status"])
        return ours

    docker, ours = (facts("list", rows(side)) for side in sides)
    found = differences(docker, ours)
    assert "\n".join(map(str, about_documents("list").unexplained(found))) == ""


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("size", ["", "?size=1"])
def test_every_container_is_inspected_as_docker_does(
    sides: Sides, name: str, size: str
) -> None:
    docker, ours = (
        facts("inspect", side.ask("GET", f"/containers/{name}/json{size}").json)
        for side in sides
    )
    found = differences(docker, ours)
    assert "\n".join(map(str, about_documents("inspect").unexplained(found))) == ""
