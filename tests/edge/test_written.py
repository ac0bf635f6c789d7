"""What a real container wrote: as `docker diff` says, where it says, also after --rm."""

import json
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock, minidock

__all__ = ["minidock"]

pytestmark = pytest.mark.edge

SCRIPT = (
    "echo hi >/new; echo more >>/etc/passwd; rm /bin/vi; mkdir -p /a/b; mv /etc/group /g;"
    " rm -r /root; mkdir /root; echo x >/tmp/in-memory"
)
TMPFS = ("--tmpfs", "/tmp")  # noqa: S108  (inside)


def said(engine: Minidock, *words: str) -> str:
    done = engine.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_is_what_diff_says_and_lies_where_it_says(minidock: Minidock) -> None:
    said(minidock, "run", "--name", "wrote", *TMPFS, "busybox", "sh", "-c", SCRIPT)
    try:
        told = json.loads(said(minidock, "explain", "written", "--json", "wrote"))
        letters = {"added": "A", "changed": "C", "deleted": "D", "same": "C"}
        found = {(letters[each["change"]], each["path"]) for each in told["entries"]}
        assert found == {
            (line[0], line[2:]) for line in said(minidock, "diff", "wrote").splitlines()
        }
        assert (Path(told["upper"]) / "new").read_text() == "hi\n"
        assert (Path(told["upper"]) / "bin/vi").is_char_device()
        assert told["in_memory"] == ["/tmp"]  # noqa: S108  (inside)
        shown = said(minidock, "explain", "written", "wrote")
        assert "⊘ deleted  /bin/vi" in shown
        assert "What it writes below /tmp is in memory" in shown
    finally:
        said(minidock, "rm", "wrote")


def test_a_recorded_run_tells_it_when_the_container_is_long_gone(
    minidock: Minidock,
) -> None:
    said(minidock, "run", "--rm", "busybox", "sh", "-c", "echo hi >/new")
    story = [json.loads(line) for line in said(
        minidock, "trace", "export", "--json", "last"
    ).splitlines()]  # fmt: skip
    kinds = [each.get("kind", "") for each in story]
    wrote = story[kinds.index("container.wrote")]
    assert kinds.index("container.wrote") > kinds.index("container.exited")
    assert wrote["evidence"] == "observed"
    assert wrote["data"]["names"] == [["added", "/new", "file", "0644", 3]]
    said(minidock, "run", "--rm", "busybox", "true")
    assert "container.wrote" not in said(minidock, "trace", "export", "--json", "last")


def test_a_build_tells_its_files_as_the_layer_they_become(
    minidock: Minidock, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox\nRUN echo 1 >/built\n")
    said(minidock, "build", "--quiet", "--tag", "wrote:1", str(tmp_path))
    told = said(minidock, "trace", "export", "--json", "last")
    assert '"kind":"file.changed"' in told
    assert '"kind":"container.wrote"' not in told
    said(minidock, "rmi", "wrote:1")
