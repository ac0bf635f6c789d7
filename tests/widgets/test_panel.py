"""The panel of a level, without a page and without an engine."""

from contextlib import nullcontext
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pyminidock.course import levels, progress
from pyminidock.course.goal import Verdict
from pyminidock.course.lesson import find_level
from pyminidock.course.levels import Checked
from pyminidock.widgets.card import Card
from pyminidock.widgets.panel import WordUnknown, _static_level, panel


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep its name."""
        self.found.add(tag)


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "progress.json"
    monkeypatch.setenv("MINIDOCK_PROGRESS", str(path))
    return path


def test_the_cause_that_is_asked_for_is_not_told() -> None:
    card = panel("10.4").card
    assert card["goals"][-1]["text"] == 'said("10.4")'
    assert [option["id"] for option in card["causes"]["options"]] == [
        "no-trap", "shell-form", "grace"
    ]  # fmt: skip
    assert "why" not in card["causes"]["options"][0]
    assert "solution" not in card or not card["solution"]


def test_hints_come_when_they_are_pressed_and_the_solution_last() -> None:
    made = panel("00.1")
    for number in range(1, 4):
        made.hear({"t": "hint"}).join()
        assert len(made.card["hints"]) == number
        assert made.card["solution"] == ""
    made.hear({"t": "hint"}).join()
    assert "echo 42" in made.card["solution"]
    assert made.card["buttons"][1]["off"]


def test_a_cause_is_written_down_and_one_that_is_none_is_refused(path: Path) -> None:
    made = panel("10.4")
    made.hear({"t": "cause", "id": "grace"}).join()
    assert progress.load(path)["levels"]["10.4"]["said"] == "grace"
    made.hear({"t": "cause", "id": "<script>"}).join()
    assert progress.load(path)["levels"]["10.4"]["said"] == "grace"
    assert "has no cause" in made.card["status"]


@pytest.mark.parametrize("told", [None, [], "check", {}, {"t": "format"}, {"t": 7}])
def test_what_nobody_can_press_does_nothing(told: object) -> None:
    made = panel("00.1")
    before = dict(made.card)
    made.hear(told).join()
    assert made.card == before


def test_a_check_does_not_repeat_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards of one level stand below each other: one begins it, one judges it."""
    missing = Verdict("answer runs", ok=False, why="there is no image answer")
    monkeypatch.setattr(f"{panel.__module__}.connect", lambda: nullcontext(None))
    monkeypatch.setattr(
        levels, "check", lambda _, level: Checked(level, (missing,), None, 0)
    )
    begun, checked = panel("00.1").card, panel("00.1", "check").card
    assert begun["task"]
    assert not checked["task"]
    assert begun["title"] != checked["title"]
    assert begun["task"] not in _static_level(checked)
    assert missing.why in _static_level(checked)


def test_a_wrong_cause_is_told_why_it_is_not_the_one(path: Path) -> None:
    level = find_level("10.4")
    levels.name_cause(level, "grace")
    known = progress.load(path)["levels"]["10.4"]
    why = next(cause.why for cause in level.causes if cause.id == "grace")
    wrong = Verdict("said", ok=False, why="that is not it")
    assert levels._explained(level, known, wrong).why == f"that is not it: {why}"
    assert levels._explained(level, {}, wrong) == wrong
    right = Verdict("said", ok=True)
    assert levels._explained(level, known, right) == right


def test_a_word_that_is_none_is_refused() -> None:
    with pytest.raises(WordUnknown, match="cannot solve"):
        panel("00.1", "solve")


def test_the_static_version_is_text_whatever_it_says() -> None:
    """H-44: in the card of a level."""
    hostile = "<img src=x onerror=alert(1)></section><script>"
    made: Card = panel("10.4")
    goal = made.card["goals"][0] | {"why": hostile, "text": hostile}
    card = {**made.card, "goals": [goal], "status": hostile, "hints": [hostile]}
    reader = Tags()
    reader.feed(_static_level(card))
    assert reader.found <= {"section", "p", "strong", "ul", "ol", "li", "code", "br"}
