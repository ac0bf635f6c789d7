"""The course in a wheel: whoever has no clone has the lessons all the same."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.lessons

REPOSITORY = Path(__file__).parents[2]
LOOK = """
from pathlib import Path
import pyminidock
from pyminidock.cli import lab, trace
from pyminidock.course.lesson import FOLDER, find_level, lessons
assert Path(pyminidock.__file__).parent in FOLDER.parents, FOLDER
print(*[lesson.folder.name for lesson in lessons()])
print(find_level("00.1").title, find_level("10.4").title)
print(len(trace.find("00-tour/run").records) > 20)
print(*lab._notebooks(Path("course")), sep="\\n")
print(*sorted(path.as_posix() for path in Path("course").rglob("*.ipynb")))
"""


def test_an_installed_wheel_has_the_lessons_their_notebooks_and_recorded_stories(
    tmp_path: Path,
) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--disable-pip-version-check", f"--wheel-dir={tmp_path}",
         str(REPOSITORY)],
        check=True, timeout=120,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("pyminidock-*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    said = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=tmp_path, check=True, capture_output=True,
        text=True, timeout=60, env=os.environ | {"PYTHONPATH": str(installed)},
    ).stdout  # fmt: skip
    names = sorted(path.name for path in (REPOSITORY / "lessons").iterdir())
    assert said.splitlines()[0].split() == names
    assert said.splitlines()[2] == "True"
    notebooks = [f"course/{name}/lesson.ipynb" for name in names]
    assert said.splitlines()[-1].split() == [*notebooks, "course/recorded.ipynb"]
