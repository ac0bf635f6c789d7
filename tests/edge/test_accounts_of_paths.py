"""`explain path`, of a real container: it answers as the kernel's mount and `diff` do."""

import json
from typing import Any

import pytest

from tests.minidock_cli import Minidock, minidock

__all__ = ["minidock"]

pytestmark = pytest.mark.edge

SCRIPT = "echo hi >/new; echo x >>/etc/passwd; rm /bin/vi; rm -r /root; mkdir /root"


def said(engine: Minidock, *words: str) -> str:
    done = engine.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_layers_copies_and_records_of_four_paths(minidock: Minidock) -> None:
    said(minidock, "create", "--name", "other", "busybox", "true")
    said(minidock, "run", "--name", "paths", "busybox", "sh", "-c", SCRIPT)
    try:

        def told(path: str, *more: str) -> dict[str, Any]:
            words = ("explain", "path", "--json", *more, "paths", path)
            answer: dict[str, Any] = json.loads(said(minidock, *words))
            return answer

        passwd, new, vi, shell = map(told, ("/etc/passwd", "/new", "/bin/vi", "/bin/sh"))
        assert [each["letter"] for each in (passwd, new, vi, shell)] == ["C", "A", "D", ""]
        diff = set(said(minidock, "diff", "paths").splitlines())
        assert {"C /etc/passwd", "A /new", "D /bin/vi"} <= diff
        hidden = next(each for each in passwd["holdings"] if each["role"] == "hidden")
        assert passwd["is_copied"]
        assert passwd["copy_bytes"] == hidden["size_bytes"] > 0
        assert (vi["kind"], vi["committed"]) == ("absent", "whiteout")
        assert "other" in shell["shared_by"]
        assert told("/bin/sh", "--rules", "aufs")["holdings"] == shell["holdings"]
        assert "diff says D, deleted" in said(
            minidock, "explain", "path", "paths", "/bin/vi"
        )
    finally:
        said(minidock, "rm", "paths", "other")
