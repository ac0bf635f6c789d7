"""What the README shows is what happens."""

import os
import re
import shlex
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


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
