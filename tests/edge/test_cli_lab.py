"""`minidock lab` becomes a JupyterLab that answers, and leaves the engine as it was."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge


@contextmanager
def lab(minidock: Minidock, folder: Path, *words: str) -> Iterator[tuple[str, list[str]]]:
    """Open a lab; give its address, and what else was said; end it as `kill` does."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    with (folder.parent / "said.txt").open("w+") as said:
        server = subprocess.Popen(
            minidock.words("lab", str(folder), "--print-url", *words), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
            env={**minidock.environment, "HOME": str(home)},
        )  # fmt: skip
        try:
            assert server.stdout
            address = server.stdout.readline().strip()
            wait_until(lambda: status(address) == 200, 60, "JupyterLab")
            said.seek(0)
            yield address, said.read().splitlines()
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)
        assert server.returncode == 0


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


def test_a_lab_answers_who_has_the_token_and_leaves_the_engine(
    minidock: Minidock, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    with lab(minidock, folder) as (address, said):
        assert said[0].startswith("linux-root: ")
        assert said[1] == "The engine runs, and has busybox and alpine."
        assert any(line.startswith("You are root") for line in said) is (os.geteuid() == 0)
        assert folder.is_dir()
        page, token = address.split("?token=")
        server = page.partition("/lab")[0]
        assert status(f"{server}/api/contents") == 403
        assert status(f"{server}/api/contents?token={token}") == 200
        listed = Path("/proc").glob("[0-9]*/cmdline")
        assert not any(token in words_of(each) for each in listed)
    assert {"busybox", "alpine"} <= set(minidock.run("images").stdout.split())
    minidock.run("rmi", "alpine")


def words_of(process: Path) -> str:
    try:
        return process.read_text(errors="replace")
    except OSError:  # it ended
        return ""


@pytest.mark.parametrize("fault", ["no directory", "no such backend"])
def test_where_no_engine_can_run_the_lab_opens_all_the_same(
    minidock: Minidock, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Minidock(tmp_path / "root", tmp_path / "socket")
    if fault == "no directory":
        (tmp_path / "root").write_text("a file, where a directory has to be")
    else:
        monkeypatch.setenv("MINIDOCK_BACKEND", "glass-and-steel")
    with lab(broken, tmp_path / "mine", "--port", "8899") as (address, said):
        assert address.startswith("http://127.0.0.1:8899/lab/tree/recorded.ipynb?token=")
        assert (tmp_path / "mine/recorded.ipynb").is_file()
        assert (tmp_path / "mine/00-tour/trace/run.jsonl").is_file()
        assert any("labelled REPLAY" in line for line in said)
    assert json.loads(minidock.run("doctor", "--json").stdout)["backend"] == "linux-root"
