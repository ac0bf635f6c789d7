"""The stories that lessons bring along open whole, say what they are, and hide nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from pyminidock import events
from pyminidock.cli.trace import find
from pyminidock.course.lesson import FOLDER
from pyminidock.course.tour import read_package
from pyminidock.errors import MinidockError
from pyminidock.events.base import kind_of
from pyminidock.viz.film import Reel
from tools.record_traces import STORIES

FILES = sorted(FOLDER.glob("*/trace/*.jsonl"))
EACH = pytest.mark.parametrize(
    "file", FILES, ids=[f"{each.parts[-3]}/{each.stem}" for each in FILES]
)
KINDS = {
    kind_of(each)
    for each in vars(events).values()
    if isinstance(each, type) and issubclass(each, events.Event)
}


def test_there_is_a_file_for_each_story_and_no_other() -> None:
    wanted = [(lesson, name) for lesson, made in STORIES.items() for name in made]
    assert [(each.parts[-3], each.stem) for each in FILES] == sorted(wanted)


@EACH
def test_a_recorded_story_opens_to_its_end(file: Path) -> None:
    trace = find(str(file))
    assert trace.damage is None
    assert trace.header.backend == "linux-root"
    assert {record.kind for record in trace.records} <= KINDS
    frames = list(Reel().frames(trace.records))
    assert len(frames) == len(trace.records)
    assert all(frame["say"][0] for frame in frames)
    assert file.stat().st_size < 100_000


@EACH
def test_each_line_that_a_recorded_story_names_can_be_shown(file: Path) -> None:
    for src in {record.src for record in find(str(file)).records if record.src}:
        path, _, number = src.rpartition(":")
        assert read_package(path).splitlines()[int(number) - 1].strip()


def test_a_story_of_a_lesson_is_found_without_an_engine(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pyminidock", "trace", "show", "00-tour/run"]
    shown = subprocess.run(
        words, capture_output=True, text=True, check=True, cwd=FOLDER.parent,
        env={"MINIDOCK_ROOT": str(tmp_path / "none"), "PATH": ""},
    ).stdout  # fmt: skip
    assert "[REPLAY of REAL]" in shown.splitlines()[0]
    assert "The new tree becomes /" in shown
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("name", ["00-tour/none", "none/run", "../00-tour/run", "/etc/run"])
def test_a_story_that_no_lesson_brings_is_no_file(name: str) -> None:
    with pytest.raises(MinidockError, match="no such file"):
        find(name)
