"""Our engine in this process: the same five calls that a client makes, without a socket."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyminidock.container.spec import CreateRequest
from pyminidock.engine import kernels, run
from pyminidock.engine.house import House
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.port import Process
from pyminidock.layers.bootstrap import bootstrap

EXPECTED = b"hi\n"

# Where each stretch of a start ends: the kind of the last event that belongs to it.
PHASES = (
    ("create", "container.created"),
    ("accounts", "cgroup.limited"),
    ("stacked root", "overlay.prepared"),
    ("shim", "shim.forked"),
    ("first process", "init.forked"),
    ("namespaces", "loopback.raised"),
    ("mounts and devices", "root.pivoted"),
    ("walls", "birth.ready"),
    ("powers, exec", "program.executed"),
    ("program runs", "container.exited"),
    ("removal", "container.removed"),
)


class Silence:
    """A kernel that tells nothing: what tracing costs is the difference."""

    def __init__(self, kernel: object) -> None:
        self._kernel = kernel

    def __getattr__(self, name: str) -> object:
        return getattr(self._kernel, name)

    def perform(self, plan: Plan, **_: object) -> Process | None:
        """Perform without an event."""

        def answer(call: Call, value: int, at: float) -> None:
            return None

        body = self._kernel.body  # type: ignore[attr-defined]
        watchers = _.get("watchers", 0)
        process: Process | None = body.perform(plan, answer=answer, watchers=watchers)
        return process


class Ours:
    """One engine on a root directory of its own."""

    def __init__(self, house: House) -> None:
        self.house = house

    @classmethod
    @contextmanager
    def started(cls, place: Path, *, traced: bool = True) -> Iterator["Ours"]:
        """Make the engine with its busybox root; `traced` False: effects are not told."""
        kernel = kernels.choose("linux-root", place)
        house = House(place, kernel if traced else Silence(kernel))  # type: ignore[arg-type]
        bootstrap(house.store)
        try:
            yield cls(house)
        finally:
            house.close()

    def once(self, command: tuple[str, ...]) -> float:
        """Create, attach, start, read, wait, remove; seconds."""
        began = time.perf_counter()
        container = run.create(
            self.house, CreateRequest("busybox", command=command, network_mode="none")
        )
        place = run.attach(self.house, container)
        run.start(self.house, container)
        streams = place.streams()
        assert streams is not None
        output = b""
        while frame := streams.read():
            output += frame[1]
        streams.close()
        place.close()
        status = run.wait(self.house, container)
        run.remove(self.house, container)
        took = time.perf_counter() - began
        assert status is not None
        assert status.code == 0
        assert output == EXPECTED, output
        return took

    def idle(self, count: int, command: tuple[str, ...] = ("sleep", "600")) -> list[str]:
        """Start so many containers that do not end; their ids."""
        ids = []
        for _ in range(count):
            request = CreateRequest("busybox", command=command, network_mode="none")
            ids.append(run.create(self.house, request))
            run.start(self.house, ids[-1])
        return ids

    def phases(self, command: tuple[str, ...], runs: int) -> dict[str, list[float]]:
        """Where the milliseconds go, by the time stamps of the story's own events."""
        found: dict[str, list[float]] = {name: [] for name, _ in PHASES}
        for _ in range(runs):
            self.once(command)
            self.house.recorder.flush()
            trace = self.house.journals.read(self.house.journals.last())
            last = 0.0
            times = {record.kind: record.t for record in trace.records}
            for name, kind in PHASES:
                if kind in times:
                    found[name].append((times[kind] - last) * 1000)
                    last = times[kind]
        return {name: values for name, values in found.items() if values}


def spread(values: list[float]) -> tuple[float, float]:
    """Minimum and median."""
    return min(values), statistics.median(values)
