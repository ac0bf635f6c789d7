"""A lesson's files are read before anybody plays, and a mistake is told with its place."""

from pathlib import Path

import pytest

from pyminidock.course.lesson import (
    FOLDER,
    Container,
    Lesson,
    LessonMalformed,
    Network,
    NoSuchLesson,
    find_level,
    find_prediction,
    lessons,
    read,
)

GOOD = (FOLDER / "00-tour" / "lesson.toml").read_text()


def written(place: Path, text: str) -> Path:
    folder = place / "07-made-up"
    folder.mkdir()
    (folder / "lesson.toml").write_text(text)
    return folder


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.number)
def test_a_lesson_has_all_that_belongs_to_it(lesson: Lesson) -> None:
    for name in ("lesson.md", "solution.sh", "wrong.sh", "notes.md"):
        assert (lesson.folder / name).is_file(), name
    ids = [level.id for level in lesson.levels]
    assert len(ids) == len(set(ids))
    for level in lesson.levels:
        assert level.id.startswith(f"{lesson.number}.")
        assert level.wrong, f"{level.id} has no near miss"
        assert len(level.causes) != 1
    for asked in lesson.predictions:
        assert asked.id.startswith(f"{lesson.number}.")
        assert all(option.why and option.when for option in asked.options)


@pytest.mark.parametrize(
    ("before", "after", "line_of", "what"),
    [
        ("minutes = 30\n", "", "title", "minutes is missing"),
        ("minutes = 30", 'minutes = "30"', "minutes", "minutes has to be a int"),
        ("par = 1", "para = 1", "[[levels]]", "par is missing"),
        ('title = "Leave', 'titel = 1\ntitle = "Leave', "titel = 1",
         "nothing here is called titel"),
        ('containers = ["c1"]', "containers = [1]", "containers", "containers is a list"),
        ('when = \'output == ""\'', "when = 'output = 1'", "when = 'output = 1'",
         "← at 8: this is no part of a condition"),
        ('ways = ["shell", "two-steps", "through-stdin"]', 'ways = ["shell"]', "ways",
         "a level is solved in two ways"),
        ('"A container that nobody removes', '"x", "A container', "hints",
         "a level has three hints"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_file_and_line(
    tmp_path: Path, before: str, after: str, line_of: str, what: str
) -> None:
    text = GOOD.replace(before, after)
    assert text != GOOD
    folder = written(tmp_path, text)
    with pytest.raises(LessonMalformed) as told:
        read(folder)
    starts = [line.startswith(line_of) for line in text.splitlines()]
    assert f"lesson.toml:{starts.index(True) + 1}: " in told.value.what
    assert what in told.value.what


def test_what_is_no_toml_at_all_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(LessonMalformed, match="line 2"):
        read(written(tmp_path, "a = 1\nb = \n"))


def test_an_unknown_level_is_told_with_those_that_exist() -> None:
    with pytest.raises(NoSuchLesson) as told:
        find_level("99.9")
    assert "00.1" in told.value.why
    with pytest.raises(NoSuchLesson):
        find_prediction("99.x")
    assert find_level("00.1").par == 1


def test_a_place_without_lessons_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(NoSuchLesson) as told:
        lessons(tmp_path / "none")
    assert "MINIDOCK_LESSONS" in told.value.try_next


def test_a_level_may_begin_with_what_is_shut_in_and_with_what_is_not_started() -> None:
    (vault,) = (made for made in find_level("07.13").start if isinstance(made, Network))
    waiting = [made for made in find_level("07.14").start if isinstance(made, Container)]
    assert vault == Network("vault", is_internal=True)
    assert [(made.name, made.is_started) for made in waiting] == [
        ("twin1", True), ("twin2", False)
    ]  # fmt: skip
