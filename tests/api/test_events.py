"""GET /events over a house whose kernel is simulated."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyminidock.api.message import Request, Response
from pyminidock.api.routes import Router
from pyminidock.engine import images, removing
from tests.api.studio import WAIT_S, Studio, studio


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Studio]:
    stage = studio(tmp_path / "root")
    yield stage
    stage.house.close()


def ask(
    stage: Studio, method: str, path: str, body: object = None, **query: str
) -> Response:
    headers = {"content-type": "application/json"}
    sent = json.dumps(body or {}).encode()
    return Router(stage.house).handle(Request(method, path, query, headers, sent))


def past(stage: Studio, **query: str) -> list[dict[str, Any]]:
    """Ask for everything up to a moment that has passed."""
    now = str(stage.house.kernel.wall())
    answer = ask(stage, "GET", "/events", since="0.1", until=now, **query)
    assert answer.status == 200
    assert ("Content-Type", "application/json") in answer.headers
    assert not isinstance(answer.body, bytes)
    return [json.loads(line) for line in answer.body]


def actions(found: list[dict[str, Any]]) -> list[str]:
    return [each["Action"] for each in found]


def a_life(stage: Studio, name: str, **fields: object) -> str:
    body = {"Image": "busybox", "Cmd": ["sh"], "Labels": {"tier": name}, **fields}
    made = ask(stage, "POST", "/containers/create", body, name=name)
    assert isinstance(made.body, bytes)
    container: str = json.loads(made.body)["Id"]
    assert ask(stage, "POST", f"/containers/{container}/start").status == 204
    stage.finish(container, 3)
    stage.house.life(container).until(
        lambda: stage.house.life(container).busy == "", WAIT_S
    )
    stage.house.life(container).until(
        lambda: stage.house.kept(container).state == "exited", WAIT_S
    )
    assert ask(stage, "DELETE", f"/containers/{container}").status == 204
    return container


def test_a_life_is_told_from_create_to_destroy(stage: Studio) -> None:
    container = a_life(stage, "web")
    found = past(stage)
    told = ["create", "connect", "start", "disconnect", "die", "destroy"]
    assert actions(found) == told
    own = [each for each in found if each["Type"] == "container"]
    for each in own:
        assert each["Actor"]["ID"] == each["id"] == container
        attributes = each["Actor"]["Attributes"]
        assert {
            **attributes,
            "image": "busybox",
            "name": "web",
            "tier": "web",
        } == attributes
        assert list(attributes) == sorted(attributes)
    assert own[2]["Actor"]["Attributes"]["exitCode"] == "3"
    assert [each["timeNano"] for each in found] == sorted(
        each["timeNano"] for each in found
    )


def test_filters_narrow_down_what_is_told(stage: Studio) -> None:
    a_life(stage, "web")
    a_life(stage, "shop")
    assert actions(past(stage, filters='{"event":{"die":true}}')) == ["die", "die"]
    found = past(stage, filters='{"label":["tier=shop"],"type":["container"]}')
    assert {each["Actor"]["Attributes"]["name"] for each in found} == {"shop"}


def test_names_of_images_come_and_go(stage: Studio) -> None:
    images.tag(stage.house, "busybox", "other:1")
    removing.remove(stage.house, "other:1")
    removing.prune(stage.house)
    found = past(stage)
    assert [(each["Type"], each["Action"]) for each in found] == [
        ("image", "tag"), ("image", "untag"), ("image", "prune"),
    ]  # fmt: skip
    assert found[0]["Actor"]["Attributes"] == {"name": "other:1"}
    assert found[1]["Actor"]["Attributes"] == {"name": found[1]["id"]}
    assert found[2]["Actor"] == {"ID": "", "Attributes": {"reclaimed": "0"}}


def test_what_comes_is_told_live_until_the_listener_goes(stage: Studio) -> None:
    answer = ask(stage, "GET", "/events")
    body = answer.body
    assert not isinstance(body, bytes)
    heard: list[bytes] = []
    reading = threading.Thread(target=lambda: heard.extend(body))
    reading.start()
    images.tag(stage.house, "busybox", "other:1")
    body.close()
    reading.join(WAIT_S)
    assert not reading.is_alive()
    assert stage.house.bulletin.listeners == 0


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"since": "2", "until": "1"}, 400,
         "`since` time (2) cannot be after `until` time (1)"),
        ({"since": "2020-01-01T00:00:00Z"}, 500,
         'strconv.ParseInt: parsing "2020-01-01T00:00:00Z": invalid syntax'),
        ({"since": "1.x"}, 500, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ({"until": "99999999999999999999"}, 500,
         'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
        ({"filters": "zz"}, 400, "invalid filter"),
        ({"filters": "[]"}, 400, "invalid filter"),
        ({"filters": '{"event":"die"}'}, 400, "invalid filter"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_dockers_words(
    stage: Studio, query: dict[str, str], status: int, said: str
) -> None:
    answer = ask(stage, "GET", "/events", **query)
    assert answer.status == status
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body)["message"] == said
    assert stage.house.bulletin.listeners == 0
