"""What Binder reads is executable, pinned as the lab is, and opens without an engine."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from pyminidock.cli.trace import find

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_a_script_of_binder_can_be_executed_and_is_shell(name: str) -> None:
    script = BINDER / name
    assert os.access(script, os.X_OK)
    listed = subprocess.check_output(["git", "ls-files", "-s", script], cwd=ROOT, text=True)
    assert listed.startswith("100755 ")
    assert script.read_text().startswith("#!/bin/bash\n")
    subprocess.run(["bash", "-n", script], check=True)


def test_start_becomes_what_it_is_given() -> None:
    words = [str(BINDER / "start"), "printf", "%s|", "two words", "$HOME"]
    assert subprocess.check_output(words, text=True) == "two words|$HOME|"
    failed = subprocess.run([str(BINDER / "start"), "sh", "-c", "exit 7"], check=False)
    assert failed.returncode == 7


def test_binder_has_the_pins_of_the_lab() -> None:
    """If not: `make lock`."""
    locked = (ROOT / "requirements/lab.lock").read_text()
    pins = re.findall(r"^([a-z0-9][^ ]*==.*?) \\$", locked, re.MULTILINE)
    assert (BINDER / "requirements.txt").read_text().splitlines() == pins
    assert any(pin.startswith("jupyterlab==") for pin in pins)


def test_binder_asks_debian_for_what_makes_an_image() -> None:
    assert "busybox-static" in (BINDER / "apt.txt").read_text().split()


def test_each_recorded_story_of_binders_notebook_is_there() -> None:
    told = json.loads((BINDER / "recorded.ipynb").read_text())
    sources = ["".join(cell["source"]) for cell in told["cells"]]
    shown = re.findall(r"^%minidock trace show (\S+)$", "\n".join(sources), re.MULTILINE)
    assert len(shown) == 7
    for name in shown:
        assert find(name).records
    assert all(not cell.get("outputs") for cell in told["cells"])
