"""The course of reading points at what is there, and stays as short as an afternoon."""

from dataclasses import replace

import pytest

from pyminidock import events
from pyminidock.course.tour import (
    MOST_LINES,
    STORIES,
    NoSuchPassage,
    Stop,
    lines_in_all,
    passages,
    read_package,
    tour,
)
from pyminidock.events.base import kind_of

STOPS = tour()
NAMED = pytest.mark.parametrize("stop", STOPS, ids=[stop.title for stop in STOPS])
KINDS = {
    kind_of(each)
    for each in vars(events).values()
    if isinstance(each, type) and issubclass(each, events.Event)
}


def test_what_is_to_be_read_fits_into_an_afternoon() -> None:
    """Whoever made a shown function longer: show less of it, or of another one."""
    counted = lines_in_all(STOPS)
    longest = sorted(counted.items(), key=lambda pair: -pair[1])[:8]
    assert sum(counted.values()) <= MOST_LINES, f"the longest are {longest}"


@NAMED
def test_every_line_that_is_named_is_there(stop: Stop) -> None:
    text = read_package(stop.file).splitlines()
    for passage in passages(stop):
        assert passage.lines == tuple(text[passage.first - 1 : passage.last])
        assert any(line.strip() for line in passage.lines)


@NAMED
def test_every_event_that_is_named_exists(stop: Stop) -> None:
    assert set(stop.kinds) <= KINDS
    assert stop.kinds
    assert stop.story in STORIES


@NAMED
def test_a_reason_is_a_paragraph(stop: Stop) -> None:
    assert 20 <= len(stop.why.split()) <= 90
    assert stop.why.endswith((".", "?"))
    assert stop.why.isprintable()


def test_the_tour_begins_with_events_and_comes_through_all_storeys() -> None:
    assert STOPS[0].file.startswith("events/")
    rooms = [stop.file.partition("/")[0] for stop in STOPS]
    for room in (
        "unionfs",
        "layers",
        "container",
        "kernel",
        "engine",
        "dockerfile",
        "build",
    ):
        assert room in rooms
    stories = [stop.story for stop in STOPS]
    assert sorted(stories, key=STORIES.index) == stories
    assert len({stop.title for stop in STOPS}) == len(STOPS)


STOP = Stop("c", "t", "run", "a.py", ("",), ("mounted",), "why")
TEXT = '''"""An idea."""

LIMIT: int = 3
TABLE = {}


class Box:
    side = 1

    @property
    def inside(self) -> int:

        return self.side


def alone() -> None: ...
'''


@pytest.mark.parametrize(
    ("symbol", "first", "last", "counted"),
    [("", 1, 1, 1), ("LIMIT", 3, 3, 1), ("TABLE", 4, 4, 1), ("Box", 7, 13, 5),
     ("Box.side", 8, 8, 1), ("Box.inside", 10, 13, 3), ("alone", 16, 16, 1)],
)  # fmt: skip
def test_lines_are_found_by_what_they_are_called(
    symbol: str, first: int, last: int, counted: int
) -> None:
    stop = replace(STOP, symbols=(symbol,))
    (found,) = passages(stop, lambda _: TEXT)
    assert (found.first, found.last) == (first, last)
    assert lines_in_all([stop, stop], lambda _: TEXT) == {f"a.py:{symbol}": counted}


@pytest.mark.parametrize("symbol", ["gone", "Box.gone", "alone.inside", "Box.inside.deep"])
def test_a_name_that_is_gone_is_a_mistake(symbol: str) -> None:
    with pytest.raises(NoSuchPassage, match=f"a.py has nothing called {symbol}"):
        passages(replace(STOP, symbols=(symbol,)), lambda _: TEXT)


def test_a_module_without_an_opening_has_none() -> None:
    with pytest.raises(NoSuchPassage, match="an opening"):
        passages(STOP, lambda _: "x = 1\n")
