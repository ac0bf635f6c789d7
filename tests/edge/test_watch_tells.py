"""What a live program does to its files is told while it runs on the kernel's overlay."""

import json
from collections.abc import Iterator

import pytest

from pyminidock.client.handles import Client
from pyminidock.client.http import SocketTransport
from tests.edge.glasshouse import wait_for
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge


@pytest.fixture
def client(minidock: Minidock) -> Client:
    return Client(SocketTransport(minidock.host))


@pytest.fixture
def container(minidock: Minidock) -> Iterator[str]:
    """A watched container that does nothing; gives its id."""
    made = minidock.run("run", "-d", "--watch", minidock.image, "sleep", "1000")
    assert made.returncode == 0, made.stderr
    yield made.stdout.strip()
    minidock.run("rm", "-f", made.stdout.strip())


def told(minidock: Minidock, container: str) -> list[tuple[str, str, dict[str, object]]]:
    """Give kind, evidence and facts of all that was told of a container."""
    said = minidock.run("trace", "show", f"run-{container[:12]}", "--json").stdout
    records = [json.loads(line) for line in said.splitlines()[1:]]
    return [(each["kind"], each["evidence"], each["data"]) for each in records]


def test_a_program_that_is_gone_at_once_was_called_by_its_own_name(
    minidock: Minidock,
) -> None:
    """All of its file is busybox, and before it was the child that built the walls."""
    made = minidock.run("run", "-d", "--watch", minidock.image, "cat", "/etc/passwd")
    container = made.stdout.strip()
    minidock.run("wait", container)
    wait_for(lambda: "watch.ended" in {kind for kind, *_ in told(minidock, container)})
    named = [
        data["command"]
        for kind, _, data in told(minidock, container)
        if kind == "file.noticed" and data["path"] == "/etc/passwd"
    ]
    assert named == ["cat"]
    minidock.run("rm", container)


def deeds(minidock: Minidock, container: str) -> set[tuple[object, object]]:
    return {
        (data["deed"], data["path"])
        for kind, _, data in told(minidock, container)
        if kind == "file.noticed"
    }


def test_reading_changing_and_removing_are_told_with_the_layer_that_answered(
    minidock: Minidock, container: str
) -> None:
    words = "cat /etc/hostname /etc/passwd; echo one >> /etc/group; rm -r /var; mkdir /var"
    assert minidock.run("exec", container, "sh", "-c", words).returncode == 0
    wait_for(lambda: ("created", "/var") in deeds(minidock, container))
    wanted = {
        ("opened", "/etc/passwd"), ("opened", "/etc/group"), ("changed", "/etc/group"),
        ("closed", "/etc/group"), ("removed", "/var"), ("created", "/var"),
    }  # fmt: skip
    assert wanted <= deeds(minidock, container)
    heard = told(minidock, container)
    seen = {
        (kind, data.get("path")): (evidence, data)
        for kind, evidence, data in heard
        if kind in ("path.resolved", "path.copied.up", "opaque.made", "whiteout.made")
    }
    evidence, raised = seen["path.copied.up", "/etc/group"]
    assert evidence == "explained"
    assert [raised["layer"]] == seen["path.resolved", "/etc/passwd"][1]["layers"]
    assert raised["extent"] == "content"
    assert ("opaque.made", "/var") in seen
    assert ("whiteout.made", "/var") in seen


def test_it_is_said_what_nobody_sees(minidock: Minidock, container: str) -> None:
    (began,) = [
        data for kind, _, data in told(minidock, container) if kind == "watch.began"
    ]
    assert began["method"] == "fanotify"
    assert "names that do not exist" in began["unseen"]  # type: ignore[operator]


def test_nobody_is_told_of_the_walls_that_we_build(
    minidock: Minidock, container: str
) -> None:
    wait_for(lambda: ("executed", "/bin/busybox") in deeds(minidock, container))
    assert {path for _, path in deeds(minidock, container)} == {"/bin/busybox"}


def test_glass_and_watch_exclude_each_other(minidock: Minidock) -> None:
    done = minidock.run("run", "--glass", "--watch", minidock.image, "true")
    assert done.returncode == 125
    assert "conflicting options: --glass and --watch" in done.stderr
