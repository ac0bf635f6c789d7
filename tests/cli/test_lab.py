"""`minidock lab` brings the course, keeps what people wrote, and says what is missing."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pyminidock.cli.lab import jupyter
from pyminidock.cli.lab_files import NOTES, Copied, sources_in
from pyminidock.cli.lab_files import bring as bring_files

TOUR = "00-tour/lesson.ipynb"
NOTHING = Copied((), ())


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one notebook."""
    lesson = tmp_path / "course" / TOUR
    lesson.parent.mkdir(parents=True)
    lesson.write_text("first")
    return tmp_path / "course"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one's own, not made yet."""
    return tmp_path / "mine" / "deep"


def bring(course: Path, folder: Path) -> Copied:
    """Bring what lies in a course that has no recorded stories."""
    return bring_files(sources_in(course, course / "lessons"), folder)


def test_the_course_is_copied_once(course: Path, folder: Path) -> None:
    assert bring(course, folder) == Copied((TOUR,), ())
    assert (folder / TOUR).read_text() == "first"
    before = (folder / NOTES).stat().st_mtime_ns
    assert bring(course, folder) == NOTHING
    assert (folder / NOTES).stat().st_mtime_ns == before


def test_what_somebody_changed_stays_and_is_named(course: Path, folder: Path) -> None:
    bring(course, folder)
    (folder / TOUR).write_text("mine")
    (course / TOUR).write_text("second")
    for _ in range(2):
        assert bring(course, folder) == Copied((), (TOUR,))
        assert (folder / TOUR).read_text() == "mine"


def test_what_nobody_changed_is_brought_up_to_date(course: Path, folder: Path) -> None:
    bring(course, folder)
    (course / TOUR).write_text("second")
    assert bring(course, folder) == Copied((TOUR,), ())
    assert (folder / TOUR).read_text() == "second"


def test_what_was_moved_away_comes_again(course: Path, folder: Path) -> None:
    bring(course, folder)
    (folder / TOUR).rename(folder / "mine.ipynb")
    assert bring(course, folder) == Copied((TOUR,), ())
    assert (folder / "mine.ipynb").read_text() == "first"


def test_what_lay_there_before_us_is_not_ours(course: Path, folder: Path) -> None:
    (folder / TOUR).parent.mkdir(parents=True)
    (folder / TOUR).write_text("not the course's")
    assert bring(course, folder) == Copied((), (TOUR,))
    (folder / TOUR).write_text("first")  # by chance the same: now it is known as ours
    assert bring(course, folder) == NOTHING
    (course / TOUR).write_text("second")
    assert bring(course, folder) == Copied((TOUR,), ())


@pytest.mark.parametrize("notes", ["", "[]", "{", '{"00-tour/lesson.ipynb": 7}'])
def test_without_readable_notes_nothing_that_is_there_is_touched(
    course: Path, folder: Path, notes: str
) -> None:
    bring(course, folder)
    (folder / NOTES).write_text(notes)
    (course / TOUR).write_text("second")
    assert bring(course, folder) == Copied((), (TOUR,))
    assert (folder / TOUR).read_text() == "first"


def test_a_link_is_somebodys_own_and_is_not_followed(course: Path, folder: Path) -> None:
    (folder / TOUR).parent.mkdir(parents=True)
    (folder / TOUR).symlink_to("/nowhere")
    assert bring(course, folder) == Copied((), (TOUR,))
    assert (folder / TOUR).is_symlink()


def test_what_jupyter_and_python_leave_beside_is_not_copied(
    course: Path, folder: Path
) -> None:
    for name in (".ipynb_checkpoints/lesson.ipynb", "__pycache__/a.pyc"):
        (course / name).parent.mkdir()
        (course / name).write_text("left")
    assert bring(course, folder).new == (TOUR,)


def test_recorded_stories_come_beside_the_notebook_of_their_lesson(
    course: Path, folder: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "lessons/00-tour/trace/run.jsonl"
    trace.parent.mkdir(parents=True)
    trace.write_text("{}")
    (tmp_path / "lessons/00-tour/lesson.md").write_text("no part of it")
    copied = bring_files(sources_in(course, tmp_path / "lessons"), folder)
    assert copied.new == (TOUR, "00-tour/trace/run.jsonl")


def test_notes_are_plain_json(course: Path, folder: Path) -> None:
    bring(course, folder)
    assert list(json.loads((folder / NOTES).read_text())) == [TOUR]


def test_only_root_is_told_that_root_is_allowed(tmp_path: Path) -> None:
    words = jupyter(tmp_path, 8888, "/lab", opens=True)
    assert ("--allow-root" in words) is (os.geteuid() == 0)
    assert "--no-browser" not in words
    assert "--no-browser" in jupyter(tmp_path, 8888, "/lab", opens=False)
    assert not any("token" in word.lower() for word in words)


def lab(*words: str, without: str = "", folder: Path) -> tuple[int, str, str]:
    """Type `minidock lab`, where it is refused before any engine is asked."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({without.split()!r}))\n"
        "from pyminidock.cli.main import main\n"
        f"main(['lab', *{words!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder,
        env={**os.environ, "MINIDOCK_ROOT": str(folder / "root")}, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_without_jupyter_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    code, out, err = lab(without="jupyterlab anywidget", folder=tmp_path)
    assert (code, out) == (125, "")
    assert err.splitlines()[0] == (
        "minidock: JupyterLab is not installed here: no jupyterlab, anywidget"
    )
    assert err.splitlines()[-1].startswith("  try: pip install 'pyminidock[lab]'")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("typed", ["0", "65536", "-1", "http", "8 8"])
def test_a_port_is_a_number_that_a_port_can_be(tmp_path: Path, typed: str) -> None:
    code, _, err = lab(f"--port={typed}", folder=tmp_path)
    assert code == 125
    assert f'invalid argument "{typed}" for "--port" flag' in err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_somebody_has_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, err = lab("--port", str(port), folder=tmp_path)
    assert code == 125
    assert f"port {port} cannot be used: another program has it" in err


def test_where_nothing_can_be_made_the_folder_is_refused_in_one_sentence(
    tmp_path: Path,
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for typed in ("/proc/course", str(tmp_path / "notes.txt")):
        code, _, err = lab(typed, "--no-browser", folder=tmp_path)
        assert code == 125
        assert "the notebooks cannot be put into" in err
        assert "Traceback" not in err


def test_the_server_starts_beside_any_file_and_without_a_grammar_that_takes_longest(
    tmp_path: Path,
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('somebody wrote me')")
    words = jupyter(tmp_path, 8888, "/lab", opens=False)
    done = subprocess.run(
        [*words[:4], "--version"], capture_output=True, text=True, timeout=60, check=False,
        cwd=tmp_path, env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"},
    )  # fmt: skip
    assert done.stdout[0].isdecimal(), done.stderr  # the version of JupyterLab
    loaded = re.findall(r"\| *(\w+)\n", done.stderr)
    assert ("jsonschema" in loaded, "lark" in loaded) == (True, False)
