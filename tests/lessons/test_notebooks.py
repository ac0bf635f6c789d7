"""The notebooks are what their lessons say today, twice in a row, and strictly."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyminidock.course import notebook
from pyminidock.course.lesson import Lesson, lessons
from pyminidock.course.notebook import NORMAL, WIDGET

LESSONS = lessons()
# The checker of notebooks would compile a grammar of addresses that no notebook asks for,
# two processor seconds in each new process (pyminidock.cli.lab_server says more).
SOONER = "import sys; sys.modules['rfc3987_syntax'] = None\n"
PYTEST = f"{SOONER}import pytest; sys.exit(pytest.main(sys.argv[1:]))"
NUMBERS = [lesson.number for lesson in LESSONS]


@pytest.fixture(scope="module", params=LESSONS, ids=NUMBERS)
def lesson(request: pytest.FixtureRequest) -> Lesson:
    found: Lesson = request.param
    return found


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with notebook.fresh_engine() as found:
        yield found


@pytest.fixture(scope="module")
def committed(lesson: Lesson) -> Any:
    return notebook.load(notebook.place_of(lesson))


@pytest.fixture(scope="module")
def built(lesson: Lesson, environment: dict[str, str]) -> Any:
    return run_apart(lesson, environment)


def run_apart(lesson: Lesson, environment: dict[str, str]) -> Any:
    """Run a lesson in a process of its own: this one may have a loop that runs already."""
    program = (
        "import nbformat; from pyminidock.course import notebook, lesson\n"
        "[found] = [each for each in lesson.lessons() if each.number == sys.argv[1]]\n"
        "made = notebook.freeze(notebook.run(found, {}))\n"
        "nbformat.write(made, sys.argv[2])\n"
    )
    path = Path(environment["MINIDOCK_PROGRESS"]).with_name(f"{lesson.number}.ipynb")
    done = subprocess.run(
        [sys.executable, "-c", SOONER + program, lesson.number, str(path)],
        env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return notebook.load(path)


def test_a_build_equals_what_is_committed(committed: Any, built: Any) -> None:
    told = notebook.differences(committed, built)
    assert not told, "\n".join([*told, "if meant: make notebooks"])
    assert notebook.refusals(built) == []


def test_the_committed_one_needs_no_kernel_and_holds_no_state(committed: Any) -> None:
    assert "widgets" not in committed.metadata
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if WIDGET in output.get("data", {})]
    assert len(outputs) > len(code) / 2
    pages = [str(output["data"].get("text/html", "")) for output in outputs if
             "data" in output]  # fmt: skip
    assert not [page for page in pages if "<script" in page or "<svg" in page]
    assert [page for page in pages if page.startswith("<figure")]
    assert [page for page in pages if "<details><summary>" in page]


@pytest.mark.usefixtures("built")
def test_run_again_on_the_same_engine_each_cell_prints_what_is_kept(
    lesson: Lesson, environment: dict[str, str], tmp_path: Path
) -> None:
    config = "".join(
        f"[regex{place}]\nregex: {pattern}\nreplace: {word}\n"
        for place, (pattern, word) in enumerate(NORMAL)
    )
    (tmp_path / "sanitize.cfg").write_text(config)
    copy = tmp_path / "lesson.ipynb"
    shutil.copy(notebook.place_of(lesson), copy)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", PYTEST, "-q", "-c", os.devnull, "--rootdir", str(tmp_path),
         "--nbval", "--nbval-current-env", "--nbval-cell-timeout", "120",
         "--nbval-sanitize-with", "sanitize.cfg", "lesson.ipynb"],
        cwd=tmp_path, env=os.environ | environment | {"PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
