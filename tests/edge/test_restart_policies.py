"""An engine is killed, and the next one does with each container what its policy says.

runs            goes on, whatever the policy: its shim kept it
between runs    is started again
ended           is started again by always, by unless-stopped unless it was stopped, by
                on-failure unless it ended with 0
never began     stays as it is
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 60.0
POLICIES = ("no", "always", "unless-stopped", "on-failure")
BACK = {
    "runs": POLICIES,
    "loops": ("always", "unless-stopped", "on-failure"),
    "stopped": ("always", "on-failure"),
    "done": ("always", "unless-stopped"),
    "created": (),
}


@pytest.fixture(scope="module")
def own() -> Iterator[Minidock]:
    """An engine for this module, gone at its end."""
    with tempfile.TemporaryDirectory(prefix="minidock-own-", dir="/var/tmp") as scratch:
        engine = Minidock(Path(scratch, "root"), Path(scratch, "minidock.sock"))
        try:
            yield engine
        finally:
            done = engine.run("system", "reset", "--force")
        assert done.returncode == 0, done.stderr


def said(engine: Minidock, *words: str) -> str:
    done = engine.run(*words)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout.strip()


def daemon_of(engine: Minidock) -> int:
    """The process that serves this root directory, and no other."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"pyminidock.api.daemon" in words and os.fsencode(engine.root) in words:
            return int(place.name)
    raise AssertionError("no engine serves it")


def made(engine: Minidock, what: str, policy: str) -> None:
    """Make one container of each kind."""
    name = f"{what}-{policy}"
    words = ["--network", "none", "--restart", policy, "--name", name, "busybox"]
    match what:
        case "runs":
            said(engine, "run", "-d", *words, "sleep", "1000")
        case "loops":
            said(engine, "run", "-d", *words, "false")
        case "done":
            said(engine, "run", "-d", *words, "true")
        case "stopped":
            said(engine, "run", "-d", *words, "sleep", "1000")
            said(engine, "stop", "-t", "0", name)
        case _:
            said(engine, "create", *words, "true")


def state(engine: Minidock, name: str) -> str:
    return said(
        engine, "inspect", "--format",
        "{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}} {{.State.FinishedAt}}", name,
    )  # fmt: skip


def test_after_a_kill_of_the_engine_each_policy_is_kept(own: Minidock) -> None:
    said(own, "bootstrap", "busybox")
    names = [(what, policy) for what in BACK for policy in POLICIES]
    for what, policy in names:
        made(own, what, policy)
    said(
        own,
        "run",
        "-d",
        "--rm",
        "--network",
        "none",
        "--name",
        "rm",
        "busybox",
        "sleep",
        "9",
    )
    said(own, "pause", "runs-always")
    before = {name: state(own, "-".join(name)) for name in names}
    killed = daemon_of(own)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{killed}").exists(), PATIENCE_S, "it to be gone")
    for what, policy in names:
        name, old = f"{what}-{policy}", before[what, policy]
        if what in ("runs", "created"):
            assert state(own, name) == old, name
        elif policy in BACK[what]:
            wait_until(lambda n=name, o=old: state(own, n) != o, PATIENCE_S, name)  # type: ignore[misc]
        elif what != "loops":
            assert state(own, name) == old, name
    assert state(own, "runs-always").startswith("paused")
    assert state(own, "stopped-always").startswith("running")
    assert state(own, "stopped-unless-stopped").startswith("exited")
    wait_until(lambda: own.run("inspect", "rm").returncode == 1, PATIENCE_S, "rm to go")
