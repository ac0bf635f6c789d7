"""Several containers on one bridge of the real kernel, without an engine.

    street.house(2, argv)  ──► Process with a cable, address NETWORK.2
    street.ask(process, …) ──► what a second program in it printed

The bridge is made by the test and bears its number, so that no other one is touched.
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyminidock.kernel import netcalls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.port import Process
from tests.contract.plans import (
    SANDBOX,
    Place,
    birth,
    bridging,
    ending,
    joining,
    plug,
    unwiring,
)
from tests.contract.stands import LinuxStand, start

WAIT_S = 20.0
SERVE = ("busybox", "httpd", "-f", "-p", "8080", "-h", "/etc")


def silent(call: Call, value: int, at: float) -> None:
    """Nobody wants to know."""


@dataclass
class Street:
    """One bridge, and who lives along it."""

    stand: LinuxStand
    lives: list[tuple[Process, Place]] = field(default_factory=list)

    def house(
        self, host: int, argv: tuple[str, ...] = SERVE, *, wires: Plan | None = None,
        change: Callable[[Plan], Plan] = lambda plan: plan,
    ) -> Process:  # fmt: skip
        """Start a program at number `host`, or on other `wires`."""
        place = self._place(host)
        if wires is None:
            wires = (netcalls.MakeSandbox(SANDBOX), plug(self.stand.place, host))
        process = start(self.stand, change(birth(place, argv=argv, wires=wires)))
        self.lives.append((process, place))
        if argv == SERVE:
            _await_listener(process)
        return process

    def _place(self, host: int) -> Place:
        base = self.stand.root / f"house{host}-{len(self.lives)}"
        names = {n: base / n for n in ("upper", "work", "merged", "shim")}
        for directory in names.values():
            directory.mkdir(parents=True)
        return replace(
            self.stand.place, upper=str(names["upper"]), work=str(names["work"]),
            merged=str(names["merged"]), directory=str(names["shim"]),
            cgroup=f"{self.stand.place.cgroup}-{len(self.lives)}",
        )  # fmt: skip

    def ask(self, process: Process, *argv: str) -> tuple[str, int]:
        """Run a second program beside the first; what it said, and how it ended."""
        place = next(place for each, place in self.lives if each == process)
        home = Path(place.directory).parent
        shim = home / f"asked{len(list(home.iterdir()))}"
        shim.mkdir()
        plan = joining(place, process, str(shim), argv)
        second = self.stand.body.perform(plan, answer=silent, watchers=1)
        assert second is not None
        said = bytearray()
        streams = self.stand.body.attach(second)
        while (part := streams.read()) is not None:
            said += part[1]
        streams.close()
        status = self.stand.body.wait(second, WAIT_S)
        self.stand.body.dismiss(second)
        assert status is not None
        return said.decode(errors="replace"), status.code

    def fetch(self, process: Process, address: str, port: int = 8080) -> str:
        """Ask an address for the file passwd, from inside; "" where nobody answers."""
        url = f"http://{address}:{port}/passwd"
        said, code = self.ask(process, "busybox", "wget", "-q", "-T", "1", "-O", "-", url)
        return "" if code else said

    def leave(self, process: Process) -> None:
        """End a program, and close its account."""
        place = next(place for each, place in self.lives if each == process)
        self.stand.body.signal(process, 9)
        self.stand.body.wait(process, WAIT_S)
        self.stand.body.dismiss(process)
        self.stand.body.perform(ending(place), answer=silent)
        self.lives = [life for life in self.lives if life[0] != process]
        if (home := Path(place.directory).parent).name.startswith("house"):
            shutil.rmtree(home)

    def do(self, *plan: Call) -> None:
        """Perform calls without a birth."""
        self.stand.body.perform(plan, answer=silent)


def _await_listener(process: Process) -> None:
    """Wait until the server listens on port 8080 (1F90 in this list)."""
    deadline = time.monotonic() + WAIT_S
    heard = (Path(f"/proc/{process.pid}/net/tcp"), Path(f"/proc/{process.pid}/net/tcp6"))
    while not any(":1F90 " in each.read_text() for each in heard):
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def _await_silence(stand: LinuxStand) -> None:
    """Wait for the last cable: the next test may give another one its name."""
    mark = stand.place.cable(0).rstrip("0")
    deadline = time.monotonic() + WAIT_S
    while any(each.name.startswith(mark) for each in stand.body.netfacts().links):
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@contextmanager
def built(stand: LinuxStand) -> Iterator[Street]:
    """Make the bridge; afterwards everybody leaves and it is taken away."""
    street = Street(stand)
    street.do(bridging(stand.place))
    try:
        yield street
    finally:
        for process, _ in tuple(street.lives):
            street.leave(process)
        street.do(*unwiring(stand.place))
        _await_silence(stand)
