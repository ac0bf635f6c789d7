"""Where one stands in a story, and the ways to move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock import events as e
from pyminidock.cli.stepper_draw import shell_command
from pyminidock.cli.stepper_look import content_of, window
from pyminidock.cli.stepper_source import chunks, matches
from pyminidock.cli.stepper_walk import Walk, living
from pyminidock.client.pagefiles import read_source
from pyminidock.viz.painters.text import Line, Span
from pyminidock.viz.things import Namespace, Process
from pyminidock.viz.world import fold_all
from tests.viz.story import BIRTH, HOST_PID, STORY, recorded

RECORDS = recorded()


@pytest.fixture
def walk() -> Walk:
    walk = Walk()
    walk.add(RECORDS, follow=False)
    return walk


def test_a_position_shows_the_world_after_so_many_steps(walk: Walk) -> None:
    for position in (0, 1, 30, len(STORY), 12):
        walk.go(position)
        assert walk.world == fold_all(RECORDS[:position])
        assert walk.record == (RECORDS[position - 1] if position else None)
    walk.go(10_000)
    assert walk.is_at_end
    walk.go(-3)
    assert walk.position == 0


def test_parts_of_the_story_are_walked_forward_and_back(walk: Walk) -> None:
    ends = []
    while not walk.is_at_end:
        walk.next_span()
        ends.append(walk.position)
    assert ends == [4, 8, 8 + len(BIRTH), 8 + len(BIRTH) + 3, len(STORY) - 2, len(STORY)]
    back = []
    while walk.position:
        walk.previous_span()
        back.append(walk.position)
    assert back == [*ends[-2::-1], 0]


def test_at_the_first_depth_one_goes_by_what_is_read_as_one(walk: Walk) -> None:
    there = [walk.position]
    while not walk.is_at_end:
        walk.next()
        there.append(walk.position)
    assert len(there) < len(STORY)
    back = [walk.position]
    while walk.position:
        walk.previous()
        back.append(walk.position)
    assert back == there[::-1]


def test_deeper_every_step_is_one(walk: Walk) -> None:
    walk.depth = 2
    for position in range(1, len(STORY) + 1):
        walk.next()
        assert walk.position == position
    for position in range(len(STORY) - 1, -1, -1):
        walk.previous()
        assert walk.position == position


def test_a_group_is_entered_anywhere_and_stops_within_it_count(walk: Walk) -> None:
    first = next(n for n, joins in enumerate(walk.joined) if joins)
    walk.go(first)
    begin, last = walk.group()
    assert begin == first < last
    walk.previous()
    assert walk.position == first - 1
    walk.go(first)
    walk.toggle_break()
    walk.go(first - 1)
    walk.next()
    assert walk.position == first


def test_a_search_finds_words_kinds_and_commands_and_goes_around_the_end(
    walk: Walk,
) -> None:
    assert walk.search("PIVOT_ROOT . .")
    assert walk.record
    assert walk.record.kind == "root.pivoted"
    assert walk.search("namespace")
    there = walk.position
    assert not walk.search("no such words")
    assert not walk.search("   ")
    assert walk.position == there
    walk.go(walk.last)
    assert walk.search("busybox is a stand-in")
    assert walk.position == 2


def test_who_stands_at_the_end_of_a_live_story_stays_there_and_nobody_else_is_moved() -> (
    None
):
    walk = Walk()
    walk.add(RECORDS[:5], follow=True)
    assert walk.position == 5
    walk.go(2)
    walk.add(RECORDS[5:9], follow=True)
    assert (walk.position, walk.last) == (2, 9)


def test_the_stepper_s_own_gates_are_no_steps_of_the_story() -> None:
    walk = Walk()
    walk.add(recorded([e.UmaskSet(0), e.GateHeld("g", 1, "x"), e.UmaskSet(1)]), follow=True)
    assert walk.last == 2


def test_a_break_is_set_on_a_kind_and_taken_back(walk: Walk) -> None:
    walk.go(26)
    assert walk.toggle_break() == "mounted"
    walk.go(27)
    assert walk.is_break()
    walk.toggle_break()
    assert not walk.is_break()
    walk.go(0)
    assert walk.toggle_break() == ""


def test_what_is_held_is_known_by_its_number_not_its_place() -> None:
    walk = Walk()
    later = recorded(start=500)
    walk.add(later[:14], follow=True)
    walk.held = later[13]
    assert walk.held_at == 14
    walk.held = later[20]
    assert walk.held_at == 0, "its record has not arrived yet"


def test_the_process_to_look_at_is_the_newborn_then_the_shim(walk: Walk) -> None:
    walk.go(walk.last)
    assert living(walk.world) is None
    forked = next(n for n, x in enumerate(STORY, 1) if isinstance(x, e.InitForked))
    walk.go(forked)
    process = living(walk.world)
    assert process
    assert process.pid == HOST_PID
    walk.go(forked - 1)
    process = living(walk.world)
    assert process
    assert process.role == "shim"


def test_looking_at_the_newest_or_another_world_does_not_move(walk: Walk) -> None:
    walk.go(20)
    walk.compared = 9
    assert walk.newest() == fold_all(RECORDS)
    assert walk.other() == fold_all(RECORDS[:9])
    assert walk.position == 20


@given(st.lists(st.sampled_from(["+", "-", "S", "s", "E", "H", "/"]), max_size=40))
def test_however_one_walks_the_world_is_the_one_of_the_position(keys: list[str]) -> None:
    walk = Walk()
    walk.add(RECORDS, follow=False)
    for key in keys:
        match key:
            case "+":
                walk.go(walk.position + 1)
            case "-":
                walk.go(walk.position - 1)
            case "S":
                walk.next_span()
            case "s":
                walk.previous_span()
            case "E":
                walk.go(walk.last)
            case "H":
                walk.go(0)
            case _:
                walk.search("mount")
    assert walk.world == fold_all(RECORDS[: walk.position])


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("root.pivoted", 1), ("*", len(STORY)), ("mounted", 6), ("mounted target=/dev", 1),
     ("path.masked by=null", 3), ("spec.resolved capabilities=CAP_KILL", 1),
     ("path.made.readonly was_present=false", 1), ("mounted moon=1", 0)],
)  # fmt: skip
def test_a_pattern_means_the_events_that_a_gate_would_hold(
    pattern: str, count: int
) -> None:
    assert sum(matches(pattern, record) for record in RECORDS) == count


def test_records_are_handed_over_in_chunks() -> None:
    assert [len(chunk) for chunk in chunks(RECORDS[:7], 3)] == [3, 3, 1]


def test_a_shell_enters_what_is_its_own_so_far_and_no_more() -> None:
    spaces = {"mount": Namespace("own"), "pid": Namespace("own"), "user": Namespace("host")}
    process = Process("p", "init", "", 1, 1, pid=77, namespaces=spaces)
    assert shell_command(process, is_pivoted=False) == [
        "nsenter", "--target", "77", "--mount", "--pid", "--", "sh",
    ]  # fmt: skip
    assert shell_command(process, is_pivoted=True)[-1] == "/bin/sh"


@pytest.mark.parametrize(
    "path",
    ["../pyproject.toml", "/etc/passwd", "viz/../../README.md", "x.txt", "no/such.py", "",
     "viz/\udcff.py", "..py", "viz//keys.py"],
)  # fmt: skip
def test_a_trace_cannot_make_the_source_lens_read_other_files(path: str) -> None:
    assert read_source(path) is None


def test_the_source_lens_reads_this_package() -> None:
    assert "The one key table" in (read_source("viz/keys.py") or "")


def test_a_window_keeps_the_heading_and_what_changed() -> None:
    lines: list[Line] = [(Span("title", "title"),), *((Span(str(n)),) for n in range(50))]
    lines[31] = (Span("Δ ", "changed"), Span("here"))
    shown = ["".join(s.text for s in line) for line in window(lines, 8)]
    assert len(shown) == 8
    assert shown[0] == "title"
    assert "Δ here" in shown
    assert shown[-1] == "  ⋮ 27 above and 17 below"
    assert window(lines[:5], 8) == lines[:5]


def test_painted_lines_are_shown_as_they_are() -> None:
    lines = [(Span("  [bold]", "hit"), Span(" x ")), (Span(""),), (Span("$y"),)]
    for light in (True, False):
        assert content_of(lines, light=light).plain == "  [bold] x \n\n$y"
