"""A watched program, held inside open(2): others go on, it can be killed or let go."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from pyminidock.client.handles import Client
from pyminidock.client.http import SocketTransport
from pyminidock.client.watch import GateHandle
from pyminidock.errors import MinidockError
from pyminidock.events.journal import Record
from tests.edge.glasshouse import wait_for
from tests.edge.test_adopted_streams import engine_of, kill_engine
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge
DIES_WITHIN_S = 1.0
OPENED = {
    "fanotify": "file.noticed deed=opened path=/etc/group",
    "seccomp": "call.noticed call=openat path=/etc/group",
}
EXECUTED = {
    "fanotify": "file.noticed deed=executed path=/bin/busybox",
    "seccomp": "call.noticed call=execve path=/bin/cat",
}


@pytest.fixture
def client(minidock: Minidock) -> Client:
    return Client(SocketTransport(minidock.host))


@pytest.fixture(params=["fanotify", "seccomp"])
def method(request: pytest.FixtureRequest) -> str:
    """Who watches."""
    return str(request.param)


@pytest.fixture
def container(minidock: Minidock, method: str) -> Iterator[str]:
    """A watched container that does nothing; gives its id."""
    how = ("--storage-opt", f"watch={method}")
    made = minidock.run("run", "-d", *how, minidock.image, "sleep", "1000")
    assert made.returncode == 0, made.stderr
    yield made.stdout.strip()
    minidock.run("rm", "-f", made.stdout.strip())


def holding(client: Client, container: str, words: str) -> GateHandle:
    return client.gate(f"run-{container[:12]}", words)


def reading(minidock: Minidock, container: str) -> subprocess.Popen[str]:
    """Start a program in the container that opens /etc/group."""
    return subprocess.Popen(
        minidock.words("exec", container, "cat", "/etc/group"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=minidock.environment,
    )  # fmt: skip


def first_held(gate: GateHandle) -> Record:
    for record in gate.held():
        return record
    raise AssertionError("the gate was closed")


def watcher_of(container: str) -> int:
    """Find the process that watches a container: it has its layers open."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "comm").read_text() != "minidock-watch\n":
                continue
            if any(
                container in str(each.readlink()) for each in (process / "fd").iterdir()
            ):
                return int(process.name)
    raise AssertionError("nobody watches it")


def state_of(pid: object) -> str:
    """Give the letter of a process, S or D for one that waits; "" if it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def test_held_in_open_while_others_go_on_and_then_let_go(
    minidock: Minidock, client: Client, container: str, method: str
) -> None:
    with closing(holding(client, container, OPENED[method])) as gate:
        held = reading(minidock, container)
        event = first_held(gate)
        assert (event.data["command"], event.evidence) == ("cat", "observed")
        other = minidock.run("exec", container, "cat", "/etc/passwd")
        assert (other.returncode, other.stdout[:5]) == (0, "root:")
        assert held.poll() is None
    said, _ = held.communicate(timeout=60)
    assert held.returncode == 0
    assert said.startswith("root:")


def test_a_held_program_dies_of_its_signal(
    minidock: Minidock, client: Client, container: str, method: str
) -> None:
    with closing(holding(client, container, OPENED[method])) as gate:
        held = reading(minidock, container)
        pid = int(str(first_held(gate).data["pid"]))
        begin = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: state_of(pid) in ("", "Z"))
        assert time.monotonic() - begin < DIES_WITHIN_S
        held.communicate(timeout=60)
        assert held.returncode == 137


def test_a_program_is_held_before_it_becomes_another_one(
    minidock: Minidock, client: Client, container: str, method: str
) -> None:
    with closing(holding(client, container, EXECUTED[method])) as gate:
        held = reading(minidock, container)
        event = first_held(gate)
        name = Path(f"/proc/{event.data['pid']}/comm").read_text().strip()
        assert name == event.data["command"] != "cat"
    held.communicate(timeout=60)
    assert held.returncode == 0


def test_a_dead_watcher_holds_nobody(
    minidock: Minidock, client: Client, container: str, method: str
) -> None:
    with closing(holding(client, container, OPENED[method])) as gate:
        held = reading(minidock, container)
        pid = first_held(gate).data["pid"]
        os.kill(watcher_of(container), signal.SIGKILL)
        said, _ = held.communicate(timeout=60)
        assert (held.returncode, said[:5]) == (0, "root:")
        assert state_of(pid) == ""
    assert minidock.run("exec", container, "cat", "/etc/group").returncode == 0
    trace = ("trace", "show", f"run-{container[:12]}", "--json")
    wait_for(lambda: '"watch.ended"' in minidock.run(*trace).stdout)
    assert '"was_lost": true' in minidock.run(*trace).stdout.replace('":true', '": true')


def test_a_dead_engine_holds_nobody_and_the_next_one_hears_the_watcher(
    minidock: Minidock, client: Client, container: str, method: str
) -> None:
    assert minidock.run("exec", container, "touch", "/done").returncode == 0
    script = "while [ ! -e /go ]; do sleep 0.1; done; cat /etc/group > /done"
    minidock.run("exec", "-d", container, "sh", "-c", script)
    gate = holding(client, container, OPENED[method])
    minidock.run("exec", container, "touch", "/go")
    pid = int(str(first_held(gate).data["pid"]))
    assert state_of(pid)
    kill_engine(minidock)
    with suppress(MinidockError, OSError):  # nobody is there to hear it
        gate.close()
    wait_for(lambda: state_of(pid) in ("", "Z"))
    said = minidock.run("exec", container, "cat", "/done", "/etc/shadow")
    assert said.stdout.startswith("root:")
    trace = ("trace", "show", f"run-{container[:12]}", "--json")
    wait_for(lambda: '"/etc/shadow"' in minidock.run(*trace).stdout)
    assert engine_of(minidock)
