"""H-61: held inside open(2) for long, by glass and by both ways to watch.

Meanwhile the others of the container go on; SIGKILL ends who is held at once, and to let go
lets it finish.  Whoever holds may be killed: nobody stays in state D, no mount is dead.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pyminidock.client.handles import Client
from pyminidock.client.http import SocketTransport
from pyminidock.client.watch import GateHandle
from pyminidock.errors import MinidockError
from tests.edge.glasshouse import wait_for
from tests.edge.test_adopted_streams import kill_engine
from tests.edge.test_watch_holds import DIES_WITHIN_S, OPENED, reading, state_of
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.edge
WAYS = {
    "glass": ("glass=on", "layer.probed path=/etc/group answer=file"),
    **{way: (f"watch={way}", opened) for way, opened in OPENED.items()},
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Who holds."""
    return str(request.param)


@pytest.fixture
def container(minidock: Minidock, way: str) -> Iterator[str]:
    """A container that does nothing; gives its id."""
    how = "--storage-opt", WAYS[way][0]
    made = minidock.run("run", "-d", *how, minidock.image, "sleep", "100000")
    assert made.returncode == 0, made.stderr
    yield made.stdout.strip()
    minidock.run("rm", "-f", made.stdout.strip())


@pytest.fixture
def gate(minidock: Minidock, container: str, way: str) -> Iterator[GateHandle]:
    """A gate at which whoever opens /etc/group is held."""
    client = Client(SocketTransport(minidock.host))
    made = client.gate(f"run-{container[:12]}", WAYS[way][1])
    yield made
    with suppress(MinidockError, OSError):  # an engine that was killed does not hear it
        made.close()


@pytest.fixture
def for_s(at_length: Callable[[int], int]) -> int:
    """Say how long to hold: 3 s, half a minute at half length, ten minutes at full."""
    return {10: 30, 20: 600}.get(at_length(20), 3)


def held_pid(gate: GateHandle) -> int:
    """Wait until `cat` is held; whoever else comes by goes on."""
    for record in gate.held():
        if record.data["command"] == "cat":
            return int(str(record.data["pid"]))
        gate.resume()
    raise AssertionError("the gate was closed")


def serving(container: str) -> int:
    """Find the process that serves or watches the container: it has its layers open."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name = (process / "comm").read_text().strip()
            if name in ("minidock-watch", "minidock-glass") and any(
                container in str(each.readlink()) for each in (process / "fd").iterdir()
            ):
                return int(process.name)
    raise AssertionError(f"nobody serves {container}")


def all_go_on(minidock: Minidock, container: str) -> bool:
    said = minidock.run("exec", container, "cat", "/etc/passwd")
    return (said.returncode, said.stdout[:5]) == (0, "root:")


def ended(held: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = held.communicate(timeout=60)
    return held.returncode, said[:5]


def test_held_for_long_it_can_be_killed_or_let_go(
    minidock: Minidock, container: str, gate: GateHandle, for_s: int
) -> None:
    held = reading(minidock, container)
    pid, end = held_pid(gate), time.monotonic() + for_s
    while time.monotonic() < end:
        assert all_go_on(minidock, container)
        assert held.poll() is None
        time.sleep(for_s / 10)
    gate.resume()
    assert ended(held) == (0, "root:")
    assert state_of(pid) in ("", "Z")
    held = reading(minidock, container)
    pid = held_pid(gate)
    begin = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: state_of(pid) in ("", "Z"))
    assert time.monotonic() - begin < DIES_WITHIN_S
    assert ended(held) == (137, "")


def test_who_is_held_by_one_that_is_killed_goes_on_or_gets_a_clean_error(
    minidock: Minidock, container: str, gate: GateHandle, way: str
) -> None:
    held = reading(minidock, container)
    pid = held_pid(gate)
    os.kill(serving(container), signal.SIGKILL)
    assert ended(held) == ((1, "") if way == "glass" else (0, "root:"))
    assert state_of(pid) in ("", "Z")
    if way == "glass":
        other = minidock.run("exec", container, "cat", "/etc/passwd")
        assert other.returncode != 0
        assert "Traceback" not in other.stderr
    else:
        assert all_go_on(minidock, container)
    gate.close()
    assert minidock.run("rm", "-f", container).returncode == 0
    assert container not in Path("/proc/self/mountinfo").read_text()


def test_an_engine_that_is_killed_lets_who_was_held_go_on(
    minidock: Minidock, container: str, gate: GateHandle
) -> None:
    held = reading(minidock, container)
    pid = held_pid(gate)
    kill_engine(minidock)
    wait_for(lambda: state_of(pid) in ("", "Z"))
    held.communicate(timeout=60)
    assert all_go_on(minidock, container)
