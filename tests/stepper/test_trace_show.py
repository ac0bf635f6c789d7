"""A story as text: every line says which step, when, how we know, and what."""

from dataclasses import replace

import pytest

from pyminidock import events as e
from pyminidock.cli.trace_show import NothingToldThere, json_lines, legend, text_lines
from pyminidock.events.journal import Trace, read_trace
from pyminidock.viz.painters.text import columns
from tests.viz.story import HEADER, STORY, recorded

TRACE = Trace(HEADER, recorded())


def test_the_first_line_names_the_story_and_says_that_it_is_a_replay() -> None:
    first, *rest = text_lines(TRACE)
    assert first == "run busybox echo hi   [REPLAY of REAL]  2026-01-01T00:00:00Z"
    assert len(rest) == len(STORY)


def test_a_line_has_number_time_evidence_and_sentence_by_depth_of_the_step() -> None:
    lines = list(text_lines(TRACE))
    assert lines[1] == "   1   0.001 ∴ A client asks: POST /containers/create?name=web"
    assert lines[9] == "   9   0.009 ✓   An account for resources is opened: memory"
    assert any("◌   A filter judges every system call" in line for line in lines)


def test_deeper_steps_are_indented_more() -> None:
    one, two, three = recorded([e.LoopbackRaised()] * 3)
    nest = (replace(one, parent=0), replace(two, parent=1), replace(three, parent=2))
    indents = [line[15:].index("The") for line in list(text_lines(Trace(HEADER, nest)))[1:]]
    assert indents == [0, 2, 4]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_asked(depth: int, width: int) -> None:
    for line in text_lines(TRACE, depth=depth, width=width):
        assert columns(line) <= width


def test_the_plain_linux_lines_are_whole() -> None:
    lines = list(text_lines(TRACE, width=40, shows_linux=True))
    linux = [line.partition("# ")[2] for line in lines if line.lstrip().startswith("# ")]
    assert linux == [record.linux for record in TRACE.records if record.linux]


def test_a_line_of_source_leads_to_the_steps_it_told() -> None:
    told = [r for r in TRACE.records if r.src == "layers/snapshots.py:60"]
    assert told
    assert len(list(text_lines(TRACE, at="layers/snapshots.py:60"))) == 1 + len(told)
    assert len(list(text_lines(TRACE, at="layers/snapshots.py"))) == 1 + len(told)
    numbers = [int(line[:4]) for line in list(text_lines(TRACE, at="engine/run.py"))[1:]]
    assert [TRACE.records[n - 1].src for n in numbers] == ["engine/run.py:80"] * len(
        numbers
    )


def test_a_line_that_told_nothing_is_refused_with_one_that_did() -> None:
    with pytest.raises(NothingToldThere) as refusal:
        list(text_lines(TRACE, at="engine/run.py:1"))
    assert refusal.value.try_next.endswith("--at engine/run.py:80")
    with pytest.raises(NothingToldThere):
        list(json_lines(TRACE, at="moon.py"))


def test_the_json_lines_are_the_trace_again() -> None:
    assert read_trace(json_lines(TRACE)) == TRACE
    some = read_trace(json_lines(TRACE, at="engine/run.py"))
    assert {record.src for record in some.records} == {"engine/run.py:80"}


def test_a_cut_recording_says_so_at_its_end() -> None:
    cut_short = replace(TRACE, damage="line 9: it is no JSON\x1b[2J")
    assert list(text_lines(cut_short))[-1] == (
        r"the recording is cut here: line 9: it is no JSON\x1b[2J"
    )


def test_the_legend_explains_every_mark() -> None:
    for mark in "∴✓◉≡◌◂":
        assert mark in legend()
