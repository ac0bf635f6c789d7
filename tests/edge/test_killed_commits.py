"""Wherever an engine dies in a commit or a copy, its container goes on, and is whole."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.store.failpoints import POINTS
from tests.compat.archives import Wish, tar
from tests.compat.sides import IMAGE, Side
from tests.edge.daemon_crashes import Engine
from tests.minidock_cli import tmpfs
from tests.reference import busybox_tar, wait_until

COMMIT = [point for point in POINTS if point.startswith("commit.")]


class Lab:
    """Engines on one root, one after the other, each told where to die."""

    def __init__(self, place: Path) -> None:
        self._engine, self._has_begun = Engine(place), False
        self.side = Side("ours", self._engine.socket)

    def wake(self, point: str = "") -> None:
        """Have an engine that runs, and dies at `point`; containers go on meanwhile."""
        self.rest()
        self._engine.begin(point)
        self._has_begun = True

    def rest(self) -> None:
        """Have none, whether the last one has died or lives."""
        if self._has_begun:
            self._engine.end()

    def state(self) -> str:
        """Ask how the container is."""
        return str(self.side.ask("GET", "/containers/co/json").json["State"]["Status"])


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with tmpfs("minidock-commits-") as scratch:
        found = Lab(scratch)
        found.wake()
        side = found.side
        tree = busybox_tar(scratch / "twin.tar").read_bytes()
        made = side.ask("POST", f"/images/create?fromSrc=-&repo={IMAGE}", tree)
        assert made.status == 200, made
        loop = "echo made > /made; while :; do echo tick; sleep 0.01; done"
        side.make("co", starts=True, Cmd=["sh", "-c", loop])
        yield found
        found.wake()
        side.remove("co")
        found.rest()


def asked(side: Side, method: str, path: str, body: bytes = b"") -> int:
    """Ask something of which the engine may die; give the status, or 0."""
    try:
        return side.ask(method, path, body).status
    except (OSError, http.client.HTTPException):
        return 0


@pytest.mark.parametrize("point", COMMIT)
def test_a_container_goes_on_wherever_its_commit_was_killed(lab: Lab, point: str) -> None:
    lab.wake(point)
    assert asked(lab.side, "POST", "/commit?container=co&repo=made") == 0
    lab.wake()
    assert lab.state() == "running"
    before = ticks(lab)
    wait_until(lambda: ticks(lab) > before, 60, "the program to print on")
    images = json.loads(lab.side.ask("GET", "/images/json?all=1").body)
    for image in images:
        assert lab.side.ask("GET", f"/images/{image['Id']}/get").status == 200
    assert asked(lab.side, "POST", "/commit?container=co&repo=made") == 201
    lab.side.ask("DELETE", "/images/made?force=1")


def ticks(lab: Lab) -> int:
    """Count what the program has printed."""
    logs = lab.side.ask("GET", "/containers/co/logs?stdout=1").body
    return logs.count(b"tick")


def test_a_container_that_was_paused_by_somebody_stays_so(lab: Lab) -> None:
    lab.wake("commit.layer")
    assert lab.side.ask("POST", "/containers/co/pause").status == 204
    assert asked(lab.side, "POST", "/commit?container=co&repo=made") == 0
    lab.wake()
    assert lab.state() == "paused"
    assert lab.side.ask("POST", "/containers/co/unpause").status == 204


@pytest.mark.parametrize("point", [each for each in POINTS if each.startswith("copy.")])
def test_a_file_is_there_or_not_wherever_its_copy_was_killed(lab: Lab, point: str) -> None:
    lab.wake(point)
    wish = Wish("big", said="x" * 3_000_000)
    assert asked(lab.side, "PUT", "/containers/co/archive?path=/tmp", tar(wish)) == 0
    lab.wake()
    script = "cd /tmp; find . -type f -exec wc -c {} +; rm -f big"
    found = lab.side.inside("co", script)
    assert found in ("", "3000000 ./big\n")
    assert lab.state() == "running"
