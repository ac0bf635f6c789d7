"""An engine that is killed in the middle of a birth, on the real kernel.

The engine runs as a process of its own, holds a container between two steps of its birth,
and gets SIGKILL.  The newborn must be gone at once, and after the next start of an engine
nothing of the birth may be left: no process, no account, no file, no change to the record.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyminidock.container.accounts import cgroup_of
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import kernels, run
from pyminidock.engine.house import House
from pyminidock.layers.bootstrap import bootstrap
from pyminidock.store.opening import open_store
from tests.engine.houses import kinds, state_of
from tests.engine.studio import DEADLINE_S

pytestmark = pytest.mark.edge

HELD = """
import sys, threading
from pathlib import Path
from pyminidock.engine import kernels, run
from pyminidock.engine.house import House

if __name__ == "__main__":
    root, container, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    house = House(root, kernels.choose("linux-root", root))
    gate = house.recorder.gate(house.life(container).story, kind)
    threading.Thread(target=run.start, args=(house, container), daemon=True).start()
    held = gate.next_held(20)
    house.recorder.flush()
    print("held at", held.kind if held else "nothing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "root"
    place.mkdir()
    store = open_store(place)
    bootstrap(store)
    store.close()
    return place


def accounts(root: Path, container: str) -> set[str]:
    """Give the accounts of this container, and of the engine of this root above them."""
    ours = Path("/sys/fs/cgroup").glob(f"*/{cgroup_of(str(root / 'containers/x'), '')}*")
    return {str(path) for path in ours} | {
        str(path) for path in Path("/sys/fs/cgroup").glob(f"*/minidock-*/{container}")
    }


def newborns(container: str) -> list[int]:
    """Give the processes that live in an account of this container."""
    return [
        int(pid)
        for path in Path("/sys/fs/cgroup").glob(f"*/minidock-*/{container}/cgroup.procs")
        for pid in path.read_text().split()
    ]


@pytest.mark.parametrize(
    "kind", ["cgroup.created", "shim.forked", "root.pivoted", "birth.ready"]
)
def test_a_killed_engine_leaves_nothing_of_a_birth_behind(root: Path, kind: str) -> None:
    first = House(root, kernels.choose("linux-root", root))
    wish = CreateRequest("busybox", command=("sleep", "60"), network_mode="none")
    container = run.create(first, wish)
    first.close()
    before = state_of(root)
    assert accounts(root, container) == set()
    with subprocess.Popen(
        [sys.executable, "-c", HELD, root, container, kind],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
    ) as engine:  # fmt: skip
        assert engine.stdout is not None
        assert engine.stdout.readline() == f"held at {kind}\n".encode()
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
    deadline = time.monotonic() + DEADLINE_S
    while newborns(container):  # nobody tells us: the kernel takes them down
        assert time.monotonic() < deadline, newborns(container)
        os.sched_yield()
    second = House(root, kernels.choose("linux-root", root))
    try:
        assert second.life(container).state.value == "created"
        now = state_of(root)
        config = f"containers/{container}/config.json"
        assert {p: now[p] for p in now if p != config} == {
            p: before[p] for p in before if p != config
        }
        assert not [path for path in accounts(root, container) if container in path]
        assert "orphan.removed" in kinds(second, second.life(container).story)
        run.start(second, container)  # and it can still be started
        run.remove(second, container, force=True)
    finally:
        second.close()
    assert accounts(root, container) == set()
