"""What the README shows is what happens."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock
from tests.reference import program

pytestmark = pytest.mark.edge

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(kind: str, about: str = "") -> str:
    """Give the first block of its kind that says what it is about."""
    blocks: list[str] = re.findall(
        rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL
    )
    return next(text for text in blocks if about in text)


def without_ids(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{12}\b", "ID", text)


def test_the_first_example_of_the_readme_prints_what_it_shows(
    minidock: Minidock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hello").mkdir()
    (tmp_path / "hello/Dockerfile").write_text(block("dockerfile"))
    monkeypatch.chdir(tmp_path)
    printed = []
    for line in block("console").splitlines():
        if line.startswith("$ minidock "):
            words = shlex.split(line, comments=True)[2:]
            done = minidock.run(*words)
            assert (done.returncode, done.stderr) == (0, "")
            printed.append(f"{line}{os.linesep}{done.stdout}")
        elif line.startswith("$ "):
            printed.append(f"{line}\n")
    try:
        assert without_ids("".join(printed)) == without_ids(block("console"))
    finally:
        minidock.run("rmi", "--force", "hello", "alpine")


def test_the_stock_docker_drives_the_engine_as_the_readme_shows(
    minidock: Minidock, tmp_path: Path
) -> None:
    """It runs a container here, and hears of it."""
    commands = f"{Path(sys.executable).parent}:{Path(program('docker')).parent}"
    done = subprocess.run(
        ["sh", "-e", "-c", block("sh", "minidock env")],
        capture_output=True, text=True, timeout=120, check=False,
        env=minidock.environment | {
            "PATH": f"{commands}:{os.environ['PATH']}", "DOCKER_CONFIG": str(tmp_path),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *events = done.stdout.splitlines()
    assert first == "Hello from minidock"
    told = [line.split(" ")[1:3] for line in events]
    heard = [verb for kind, verb in told if kind == "container"]
    assert heard[-5:] == ["create", "attach", "start", "die", "destroy"]


@pytest.mark.parametrize("line", re.findall(r"^minidock .*$", README, re.MULTILINE))
def test_every_command_of_the_readme_is_understood(minidock: Minidock, line: str) -> None:
    """Its flags are known: with --help in front of its words it shows how it is used."""
    words = shlex.split(line, comments=True)[1:]
    verb = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
    depth = 2 if words[0] in ("step", "explain", "trace") else 1
    shown = minidock.run(*verb[:depth], "--help")
    assert shown.returncode == 0, shown.stderr
    for flag in (word for word in words if word.startswith("--")):
        assert flag in shown.stdout
