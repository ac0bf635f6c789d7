"""In a terminal tables are drawn and long ways are watched; a pipe gets neither."""

from pathlib import Path

import pytest

from tests.edge.terminal import PATIENCE_S, terminal
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge


def test_a_table_is_drawn_in_a_terminal(minidock: Minidock) -> None:
    with terminal(minidock, "images", size=(30, 100)) as seen:
        seen.await_text(rb"\x1b\[1mREPOSITORY")
        seen.await_text(b"busybox")
        assert seen.client.wait(PATIENCE_S) == 0
    piped = minidock.run("images").stdout
    assert "\x1b" not in piped
    assert piped.startswith("REPOSITORY   TAG")


def test_a_template_is_never_drawn(minidock: Minidock) -> None:
    with terminal(
        minidock, "images", "busybox", "--format", r"table {{.Repository}}\t{{.Tag}}"
    ) as seen:
        assert b"\x1b" not in seen.await_text(rb"REPOSITORY[^\n]*\r\nbusybox +latest")


def test_a_long_way_is_watched_in_a_terminal(minidock: Minidock, tmp_path: Path) -> None:
    archive = str(tmp_path / "image.tar")
    with terminal(minidock, "save", "-o", archive, "busybox") as seen:
        seen.await_text(b"saving")
        assert seen.client.wait(PATIENCE_S) == 0
    with terminal(minidock, "load", "-i", archive) as seen:
        seen.await_text(b"loading")
        seen.await_text(b"Loaded image: busybox:latest")
    piped = minidock.run("load", "-i", archive)
    assert (piped.stdout, piped.stderr) == ("Loaded image: busybox:latest\n", "")
