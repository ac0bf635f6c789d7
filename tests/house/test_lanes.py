"""Parts run side by side, and the end says all that matters."""

import doctest
import os
import shutil
import sys
from pathlib import Path

import pytest

from tools import lanes
from tools.lanes import Part, parts

TWICE = """\
FAILED tests/edge/test_a.py::test_one - AssertionError: too early
── edge: asked a second time, alone:
  tests/edge/test_a.py::test_one
  tests/edge/test_a.py::test_two[a b]
.F
FAILED tests/edge/test_a.py::test_two[a b] - assert 1 == 2
"""


def part(name: str, program: str) -> Part:
    return Part(name, [sys.executable, "-I", "-S", "-c", program])


def test_every_target_of_the_old_list_is_there_and_repeated_on_other_pythons() -> None:
    made = [each.name for each in parts("make", [("3.13", "/p"), ("3.14", "/q")])]
    assert sorted(made) == sorted(
        [
            "check", "unit", "stories", "mutants", "edge", "edge-vm", "compat", "lessons",
            "browser", "unit on 3.13", "unit on 3.14", "edge on 3.13", "edge on 3.14",
        ]
    )  # fmt: skip


def test_a_part_runs_on_the_python_that_it_is_named_after() -> None:
    made = {each.name: each.command for each in parts("gmake", [("3.13", "/p")])}
    words = ["gmake", "--no-print-directory", "unit", "VENV=.venv-3.13", "PYTHON=/p"]
    assert made["unit on 3.13"] == words
    assert made["unit"] == words[:3]


def test_what_builds_networks_has_them_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    alone = [each.name for each in parts("make", []) if each.command[0] == "unshare"]
    assert sorted(alone) == ["browser", "compat", "edge", "lessons"]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert all(each.command[0] == "make" for each in parts("make", []))


def test_parts_run_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each opens a pipe that waits for the other."""
    os.mkfifo(tmp_path / "pipe")
    path = str(tmp_path / "pipe")
    made = [part("reader", f"print(open({path!r}).read())"),
            part("writer", f"open({path!r}, 'w').write('met')")]  # fmt: skip
    assert lanes.run(made, lanes=2) == 0
    said = capsys.readouterr().out
    assert "── reader begins\n── writer begins\n" in said
    assert "\nmet\n" in said


def test_the_end_names_every_part_and_the_last_words_of_those_that_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = [part("one", "raise SystemExit('it broke')"), part("two", "print('fine')")]
    assert lanes.run(made, lanes=1) == 1
    said = capsys.readouterr().out
    assert "── the last words of one\nit broke\n── The parts\none " in said
    *_, one, two, total = [line.split() for line in said.splitlines()]
    assert (one[:2], two[:2], total[:2]) == (
        ["one", "failed"], ["two", "passed"], ["all", "failed"],
    )  # fmt: skip


def test_a_test_that_was_asked_twice_is_named_whether_it_passed_then_or_not() -> None:
    failed = Part("edge", (), TWICE, code=1, seconds=61.2)
    assert failed.row().splitlines() == [
        "edge               failed     61 s",
        "    failed: tests/edge/test_a.py::test_two[a b] - assert 1 == 2",
        "    asked a second time: tests/edge/test_a.py::test_one",
        "    asked a second time: tests/edge/test_a.py::test_two[a b]",
    ]


@pytest.mark.parametrize(
    "line", ["ERROR tests/a.py - no such module", "NOTHING SKIPS: 3 tests were deselected"]
)
def test_errors_and_complaints_are_named(line: str) -> None:
    row = Part("unit", (), f"....\n{line}\n", code=1).row()
    assert row.endswith(f"\n    failed: {line.split(' ', 2 if 'SKIPS' in line else 1)[-1]}")


def test_the_examples_in_the_tool_hold() -> None:
    assert doctest.testmod(lanes).failed == 0
