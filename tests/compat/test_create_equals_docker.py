"""POST /containers/create says what dockerd says, and inspect gives back what was kept.

Each body goes to both engines.  Status, message, warnings and the whole document of
`GET /containers/N/json` have to be equal; what differs on purpose is in the allow-list.
"""

from collections.abc import Iterator

import pytest

from tests.compat.allowlist import AllowList, about_documents, differences
from tests.compat.bodies import Body, body_of, cases
from tests.compat.documents import facts
from tests.compat.observe import Facts
from tests.compat.sides import IMAGE, Side, Sides, both
from tests.minidock_cli import Minidock
from tests.reference import Reference

pytestmark = pytest.mark.compat


def told(side: Side, case: Body) -> Facts:
    """What an engine says to one body, and tells of the container afterwards."""
    made = side.ask("POST", "/containers/create", body_of(case))
    if made.status != 201:
        return facts("create", {"status": made.status, "message": made.json["message"]})
    container = made.json["Id"]
    try:
        found = side.ask("GET", f"/containers/{container}/json")
    finally:
        side.ask("DELETE", f"/containers/{container}?force=1&v=1")
    return {
        **facts("create", {"status": 201, "warnings": made.json["Warnings"]}),
        **facts("inspect", {k: v for k, v in found.json.items() if k != "Name"}),
    }


@pytest.fixture(scope="module")
def sides(reference: Reference, minidock: Minidock) -> Iterator[Sides]:
    with both(reference, minidock) as made:
        yield made


@pytest.fixture(scope="module")
def allowed() -> AllowList:
    return about_documents("create", "inspect")


@pytest.mark.parametrize("name", cases())
def test_create_and_inspect_are_dockers(
    sides: Sides, allowed: AllowList, name: str
) -> None:
    docker, ours = (told(side, cases()[name]) for side in sides)
    assert docker.get(("create", "message")) != '"No such image: twin:latest"'
    found = differences(docker, ours)
    assert "\n".join(map(str, allowed.unexplained(found))) == ""


@pytest.mark.parametrize(
    "query",
    [
        "platform=linux/amd64", "platform=linux/arm64", "platform=zz", "platform=linux",
        "platform=windows", "platform=linux/amd64/v3", "platform=a/b/c/d", "platform=",
        "name=/a", "name=a", "name=b@d", "name=%2Fgood", "name=x%20y", "name=../x",
        "name=" + "a" * 200, "name=", "name=.ab", "name=a-_.",
    ],
)  # fmt: skip
def test_names_and_platforms_are_taken_or_refused_alike(sides: Sides, query: str) -> None:
    def said(side: Side) -> object:
        wish = {"Image": IMAGE, "HostConfig": {"NetworkMode": "none"}}
        made = side.ask("POST", f"/containers/create?{query}", wish)
        if made.status != 201:
            return made.status, made.json["message"]
        found = side.ask("GET", f"/containers/{made.json['Id']}/json").json["Name"]
        side.remove(made.json["Id"])
        return made.status, found if query.startswith("name=") and query > "name=" else ""

    docker, ours = (said(side) for side in sides)
    assert ours == docker


def test_every_rule_about_create_was_needed(allowed: AllowList) -> None:
    if allowed.used:  # the cases ran before, in this process
        assert allowed.stale == []
