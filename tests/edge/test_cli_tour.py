"""The tour of the source is fired by what really happens, and leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.cli.tour_draw import Leaf
from pyminidock.cli.tour_live import Live
from pyminidock.client.connect import connect
from pyminidock.client.handles import Client
from pyminidock.course.tour import passages, tour
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

STOPS = tour()


@pytest.fixture
def client(minidock: Minidock) -> Iterator[Client]:
    with connect(minidock.root, f"unix://{minidock.host}", start=False) as client:
        yield client


def left(minidock: Minidock) -> str:
    shown = (("ps", "-aq"), ("images", "-q", "--filter", "reference=minidock-tour"))
    return "".join(minidock.run(*words).stdout for words in shown)


def test_every_event_that_the_tour_names_is_told_by_a_live_engine(
    client: Client, minidock: Minidock
) -> None:
    before = left(minidock)
    with Live(client, holds=False) as live:
        for stop in STOPS:
            assert live.go_to(stop), stop.title
            told = {
                record.kind for record in client.story(live.name_of(stop.story)).records
            }
            assert set(stop.kinds) <= told, stop.title
    assert left(minidock) == before


def test_the_engine_comes_to_the_stops_in_their_order(client: Client) -> None:
    with Live(client, holds=False) as live:
        seen = [(stop.story, live.go_to(stop)) for stop in STOPS]
    for story in ("run", "build", "again"):
        numbers = [found.number for name, found in seen if name == story and found]
        assert numbers == sorted(numbers)


def test_most_stops_show_the_line_that_spoke(client: Client) -> None:
    with Live(client, holds=False) as live:
        leaves = [Leaf(1, 1, stop, passages(stop), live.go_to(stop)) for stop in STOPS]
    shown = [
        leaf.stop.title
        for leaf in leaves
        if any(each.first <= leaf.marked <= each.last for each in leaf.passages)
    ]
    assert len(shown) * 2 > len(STOPS), shown


def test_who_reads_live_holds_the_engine_at_the_line(
    client: Client, minidock: Minidock
) -> None:
    before = left(minidock)
    with Live(client, holds=True) as live:
        for stop in STOPS[:18]:
            seen = live.go_to(stop)
        assert seen
        assert seen.record.kind == "root.pivoted"
        assert seen.is_held
        assert "busybox" not in str(
            Path(f"/proc/{seen.pid}/exe").readlink()
        )  # no program yet
        root = Path(f"/proc/{seen.pid}/root")
        assert (root / "bin/busybox").exists()
        assert len(minidock.run("ps", "-aq").stdout.split()) == len(before.split()) + 1
    assert not root.exists()
    assert left(minidock) == before


def test_into_a_pipe_the_whole_tour_is_printed(minidock: Minidock) -> None:
    before = left(minidock)
    printed = minidock.run("tour")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "not told here" not in printed.stdout
    for number, stop in enumerate(STOPS, 1):
        assert f" {number} of {len(STOPS)} · {stop.chapter}" in printed.stdout
        assert f"\n{stop.title}\n" in printed.stdout
    assert printed.stdout.count("\nfired by step ") == len(STOPS)
    assert max(map(len, printed.stdout.splitlines())) <= 100
    assert left(minidock) == before
