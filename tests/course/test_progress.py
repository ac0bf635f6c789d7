"""What was reached is kept, whole, and by nobody else's name."""

import json
from pathlib import Path
from threading import Thread

import pytest

from pyminidock.course import progress


def test_what_was_reached_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "progress.json"
    assert progress.load(path) == {"version": 1, "levels": {}, "predictions": {}}
    with progress.changing(path) as told:
        told["levels"]["00.1"] = {"done": True}
    assert progress.load(path)["levels"] == {"00.1": {"done": True}}
    assert path.stat().st_mode & 0o077 == 0


def test_threads_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"

    def write(name: str) -> None:
        with progress.changing(path) as told:
            told["levels"][name] = {}

    threads = [Thread(target=write, args=(str(n),)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(progress.load(path)["levels"]) == 20


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"version": 2}', '{"version": "1"}'])
def test_a_file_that_is_not_ours_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "progress.json"
    path.write_text(text)
    with pytest.raises(progress.ProgressUnreadable), progress.changing(path):
        pytest.fail("nothing may be changed")
    assert path.read_text() == text


def test_a_block_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    with progress.changing(path) as told:
        told["levels"]["a"] = {}

    def fail() -> None:
        with progress.changing(path) as told:
            told["levels"].clear()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert json.loads(path.read_text())["levels"] == {"a": {}}


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert progress.place() == Path("/x/pyminidock/progress.json")
    monkeypatch.setenv("MINIDOCK_PROGRESS", "/y/p.json")
    assert progress.place() == Path("/y/p.json")
