"""The stories that lessons bring along open whole, say what they are, and hide nothing."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

import pytest

import pyminidock
from pyminidock import events
from pyminidock.cli.trace import find
from pyminidock.course.lesson import FOLDER
from pyminidock.course.tour import read_package
from pyminidock.engine import sources
from pyminidock.errors import MinidockError
from pyminidock.events.base import kind_of
from pyminidock.viz.film import Reel
from tools.record_traces import STORIES

PACKAGE = Path(pyminidock.__file__).parent
FILES = sorted(FOLDER.glob("*/trace/*.jsonl"))
EACH = pytest.mark.parametrize(
    "file", FILES, ids=[f"{each.parts[-3]}/{each.stem}" for each in FILES]
)
CLASSES = {
    name: each
    for name, each in vars(events).items()
    if isinstance(each, type) and issubclass(each, events.Event)
}
KINDS = {kind_of(each) for each in CLASSES.values()}
TELLING = ("emit", "tell", "voice")  # what a decision is told with


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


@cache
def tellings(path: str) -> dict[int, str]:
    """Give, for each line of a file that tells: the kind of event it names, or ""."""
    calls = (node for node in ast.walk(ast.parse(read_package(path))) if is_telling(node))
    return {call.lineno: "".join(kinds_named_in(call)) for call in calls}


def is_telling(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether it calls `emit`, `runner.tell` and the like."""
    return isinstance(node, ast.Call) and name_of(node.func) in TELLING


def kinds_named_in(call: ast.Call) -> Iterator[str]:
    """Give the kind of what is told, if it is made in the same breath."""
    for told in call.args[:1]:
        made = CLASSES.get(name_of(told.func)) if isinstance(told, ast.Call) else None
        if made:
            yield kind_of(made)


def name_of(node: ast.expr) -> str:
    """Give `b` of `a.b` and of `b`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def effects_of(backend: str) -> dict[str, str]:
    """Give, for each kind of effect, the place in the code that performs it."""
    return {
        kind_of(effect): f"{Path(file).relative_to(PACKAGE).as_posix()}:{line}"
        for effect, (file, line) in sources.performers(backend).items()
    }


@EACH
def test_each_line_that_a_recorded_story_names_tells_that_event_today(file: Path) -> None:
    trace = find(str(file))
    effects, stale = effects_of(trace.header.backend), []
    for kind, src in sorted({(each.kind, each.src) for each in trace.records if each.src}):
        path, _, number = src.rpartition(":")
        told = tellings(path).get(int(number))
        if src != effects[kind] if kind in effects else told not in {kind, ""}:
            stale.append(f"{src} does not tell {kind}")
    assert not stale, f"lines have moved: run `make traces`, as root\n{stale}"


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
