"""What lessons show where no engine can run is what today's engine would tell."""

from collections.abc import Iterable

import pytest

from pyminidock.course.lesson import FOLDER
from pyminidock.events.journal import Record, read_trace
from tools.record_traces import STORIES, an_engine, record

pytestmark = pytest.mark.edge

# A program may end before it was looked at; a build in the same moment may not.
_BY_CHANCE = ("isolation.observed", "isolation.unobserved")


def told(records: Iterable[Record]) -> set[tuple[str, str]]:
    """Give each kind of event with the line of the engine that told it."""
    return {(each.kind, each.src) for each in records if each.kind not in _BY_CHANCE}


@pytest.mark.parametrize("lesson", STORIES)
def test_recorded_stories_name_the_lines_that_tell_them_today(lesson: str) -> None:
    """If not, the source lens shows something else: `make traces` records them anew."""
    with an_engine() as engine:
        made = record(lesson, engine)
    for name, text in made.items():
        file = FOLDER / lesson / "trace" / f"{name}.jsonl"
        kept = read_trace(file.read_text(encoding="ascii").splitlines())
        assert told(kept.records) == told(read_trace(text.splitlines()).records), name
