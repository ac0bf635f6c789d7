"""Many clients start, stop, look into and read from containers, and we say what is left.

Run in namespaces of its own (`tests.edge.private`).  Arguments: how many operations, by how
many clients.  The engine is a process of its own behind its socket, as users have it.
Standard output is JSON: the names of what came and did not go, the engine's memory as a
line through time, and how long operations took.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import leaks
from tests.edge.leak_runs import memory_kib
from tests.rawapi import ask
from tests.reference import wait_until

STUDENT_95 = 1.99  # two-sided, for some 80 degrees of freedom
SAMPLES = 80
WARM_UP = 30  # operations of each client before anything is measured
_LOOP = ["sh", "-c", "while :; do echo line; sleep 1; done"]


class Client:
    """One client with a container of its own, which goes round and round."""

    def __init__(self, socket: Path, number: int) -> None:
        self._socket, self._name = socket, f"worker-{number}"
        self.spans: list[float] = []
        self.faults: list[str] = []
        body = {"Image": "busybox", "Cmd": _LOOP, "HostConfig": {"NetworkMode": "none"}}
        self._ask("POST", f"/containers/create?name={self._name}", body, (201,))

    def work(self, operations: int) -> None:
        """Do so many operations, in turn."""
        path = f"/containers/{self._name}"
        for number in range(operations):
            begun = time.monotonic()
            match number % 5:
                case 0:
                    self._ask("POST", f"{path}/start", None, (204,))
                case 1 | 3:
                    self._second(path)
                case 2:
                    told = self._ask("GET", f"{path}/logs?stdout=1&tail=5", None, (200,))
                    if b"line" not in told:
                        self.faults.append(f"the log says {told!r}")
                case 4:
                    self._ask("POST", f"{path}/stop?t=0", None, (204,))
            self.spans.append(time.monotonic() - begun)

    def leave(self) -> None:
        """Remove the container."""
        self._ask("DELETE", f"/containers/{self._name}?force=1", None, (204,))

    def _second(self, path: str) -> None:
        wish = {"Cmd": ["echo", "hi"], "AttachStdout": True}
        made = self._ask("POST", f"{path}/exec", wish, (201,))
        begun = f"/exec/{json.loads(made)['Id']}/start"
        told = self._ask("POST", begun, {"Detach": False}, (200,))
        if b"hi\n" not in told:
            self.faults.append(f"exec says {told!r}")

    def _ask(self, method: str, path: str, body: object, wanted: tuple[int, ...]) -> bytes:
        told = ask(self._socket, method, f"/v1.45{path}", body)
        if told.status not in wanted:
            self.faults.append(f"{method} {path}: {told.status} {told.body[:200]!r}")
        return told.body


@contextmanager
def engine(root: Path, socket: Path) -> Iterator[int]:
    """Have an engine as a process; give its pid."""
    words = ["--root", str(root), "--socket", str(socket)]
    with (root.parent / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-I", "-m", "pyminidock.api.daemon", *words], stderr=log
        )
    try:
        wait_until(socket.exists, 30, "the engine to listen")
        yield daemon.pid
    finally:
        daemon.terminate()
        daemon.wait(30)


def line_through(values: list[float]) -> dict[str, float]:
    """Fit a line; its slope from the first to the last value, with the 95 % interval."""
    places = [float(number) for number in range(len(values))]
    slope, base = statistics.linear_regression(places, values)
    rests = [
        value - base - slope * place for place, value in zip(places, values, strict=True)
    ]
    spread = sum((place - statistics.fmean(places)) ** 2 for place in places)
    error = (sum(rest**2 for rest in rests) / max(1, len(values) - 2) / spread) ** 0.5
    whole = len(values) - 1
    return {"slope": slope * whole, "within": STUDENT_95 * error * whole}


def main(operations: int, clients: int) -> None:
    """Warm up, look, work, look again."""
    with tempfile.TemporaryDirectory(prefix="minidock-many-", dir="/var/tmp") as directory:
        root, socket = Path(directory) / "root", Path(directory) / "socket"
        with engine(root, socket) as daemon:
            measured = _measure(root, socket, daemon, operations, clients)
    json.dump(measured, sys.stdout)


def _measure(
    root: Path, socket: Path, daemon: int, operations: int, clients: int
) -> dict[str, Any]:
    told = ask(socket, "POST", "/minidock/bootstrap", {"name": "busybox"})
    assert told.status == 200, told.body

    _work([Client(socket, number) for number in range(clients)], WARM_UP)
    helpers = _spawners()

    def take() -> leaks.Snapshot:
        seen = leaks.snapshot(root, ignore=("journal",), pids=(daemon,), helpers=helpers)
        return Counter({k: n for k, n in seen.items() if not k.startswith("keyring ")})

    before = leaks.at_rest(take)
    workers = [Client(socket, number) for number in range(clients)]
    memory: list[float] = []
    is_over = threading.Event()

    def sample() -> None:
        while not is_over.wait(0.05):
            memory.append(float(sum(map(memory_kib, (daemon, *helpers)))))

    sampler = threading.Thread(target=sample)
    sampler.start()
    each = -(-operations // clients // 5) * 5  # whole rounds, so that each ends stopped
    _work(workers, each)
    is_over.set()
    sampler.join()
    left = leaks.settled(before, take)
    half = memory[len(memory) // 2 :]
    step = max(1, len(half) // SAMPLES)
    spans = sorted(span for worker in workers for span in worker.spans)
    return {
        "operations": len(spans),
        "faults": [fault for worker in workers for fault in worker.faults],
        "left": left,
        "lost": leaks.compare(take(), before),
        "memory": line_through(half[::step]) | {"last": half[-1]},
        "p50_ms": 1000 * spans[len(spans) // 2],
        "p99_ms": 1000 * spans[int(len(spans) * 0.99)],
    }


def _work(workers: list[Client], operations: int) -> None:
    """Let all of them work at once, and remove what they had."""
    threads = [threading.Thread(target=each.work, args=(operations,)) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in workers:
        each.leave()


def _spawners() -> tuple[int, ...]:
    """The spawner of the engine, which is nobody's child; in here there is only one."""
    named = Path("/proc").glob("[0-9]*/comm")
    found = [
        int(each.parent.name) for each in named if each.read_text() == "minidock-spawn\n"
    ]
    assert found
    return tuple(found)


if __name__ == "__main__":
    os.umask(0o022)
    main(int(sys.argv[1]), int(sys.argv[2]))
