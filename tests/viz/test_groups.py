"""What is read as one where somebody asks only what happened."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from pyminidock import events as e
from pyminidock.events.journal import read_trace, record_kinds
from pyminidock.viz.film import Reel
from pyminidock.viz.groups import ALIKE, LEADS_TO
from tests.viz import buildstory
from tests.viz.films import long

TRACE = Path(__file__).parents[2] / "lessons/00-tour/trace/run.jsonl"


def groups(joined: Sequence[bool]) -> list[int]:
    """Give how many steps each group has."""
    starts = [n for n, joins in enumerate(joined) if not joins] + [len(joined)]
    return [after - start for start, after in itertools.pairwise(starts)]


def test_every_kind_that_makes_groups_is_a_kind_of_event() -> None:
    assert {*ALIKE, *LEADS_TO, *LEADS_TO.values()} <= record_kinds().keys()


def test_a_birth_reads_as_half_as_many_groups_none_of_which_crosses_a_part() -> None:
    frames = list(Reel().frames(read_trace(TRACE.read_text().splitlines()).records))
    joined = ["g" in frame for frame in frames]
    assert len(frames) > 130
    assert len(groups(joined)) < 0.6 * len(frames)
    for before, frame in itertools.pairwise(frames):
        assert "g" not in frame or frame["part"] == before["part"]


def test_what_is_taught_one_by_one_stays_so() -> None:
    frames = list(Reel().frames(read_trace(TRACE.read_text().splitlines()).records))
    for kind in ("namespace.entered", "mounted", "root.pivoted", "program.executed"):
        assert not any("g" in frame for frame in frames if frame["k"] == kind)


def test_what_a_step_wrote_is_one_group_however_much_it_is() -> None:
    frames = list(Reel().frames(long(2_000)))
    joined = ["g" in frame for frame in frames]
    assert len(frames) > 1_900
    assert max(groups(joined)) > 90
    assert len(groups(joined)) < len(frames) / 10


@pytest.mark.parametrize("many", [1, 3])
def test_a_lookup_is_read_with_its_answer_and_the_next_one_by_itself(many: int) -> None:
    asked = [e.LayerProbed("/etc/motd", f"layer {n}", "absent") for n in range(many)]
    lookup = [*asked, e.PathResolved("/etc/motd", ())]
    frames = list(Reel().frames(buildstory.baked([*lookup, *lookup])))
    assert groups(["g" in frame for frame in frames]) == [many + 1, many + 1]
