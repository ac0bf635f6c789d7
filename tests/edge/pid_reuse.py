"""Give a foreign process the number that a container had, and ask for the container's end.

Run in namespaces of its own (`tests.edge.private`), where the next number can be chosen.
Standard output is JSON: what each way of asking did, and whether the foreigner lives.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM

from pyminidock.container.spec import CreateRequest
from pyminidock.engine import run
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.port import Process
from pyminidock.kernel.recording import Recording
from pyminidock.layers.bootstrap import bootstrap
from tests.reference import wait_until

_NEXT = Path("/proc/sys/kernel/ns_last_pid")  # man 5 proc_sys_kernel


def foreigner(pid: int) -> int:
    """Start a process with this number; it sleeps until it is ended."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        _NEXT.write_text(str(pid - 1), "ascii")
        child = os.fork()
        if child == 0:
            time.sleep(1000)
            os._exit(0)
        if child == pid:
            return child
        os.kill(child, SIGKILL)  # somebody was faster
        os.waitpid(child, 0)
    raise TimeoutError(f"the number {pid} was not to be had")


def lives(pid: int) -> bool:
    """Say whether a child of ours goes on."""
    return os.waitpid(pid, os.WNOHANG) == (0, 0)


def refused(act: object) -> str:
    """Do something; give the name of its refusal."""
    try:
        act()  # type: ignore[operator]
    except MinidockError as refusal:
        return type(refusal).__name__
    return "done"


def begin(house: House) -> tuple[str, Process]:
    """Start a container that goes on."""
    container = run.create(house, CreateRequest("busybox", command=("sleep", "1000")))
    run.start(house, container)
    process = house.life(container).process
    assert process is not None
    wait_until(lambda: house.kept(container).state == "running", 10, "its record")
    return container, process


def end_without_a_word(process: Process) -> None:
    """Kill a shim; its program goes with it, and nobody writes anything down."""
    os.kill(process.shim_pid, SIGKILL)
    wait_until(lambda: not Path(f"/proc/{process.pid}").exists(), 10, "the program to end")


def while_the_engine_lives(house: House) -> dict[str, object]:
    """The engine has seen the end; then the number is given away."""
    container, process = begin(house)
    end_without_a_word(process)
    life = house.life(container)
    life.until(life.outcome("not-running"), 10)
    alien = foreigner(process.pid)
    told: dict[str, object] = {
        "kill": refused(lambda: run.kill(house, container, SIGTERM)),
        "signal": refused(lambda: house.kernel.signal(process, SIGKILL)),
        "observe": refused(lambda: house.kernel.observe(process)),
        "remove": refused(lambda: run.remove(house, container, force=True)),
        "lives": lives(alien),
    }
    _end(alien)
    return told


def while_no_engine_lives(root: Path, house: House) -> dict[str, object]:
    """The record says that it runs, under a number that is another one's by now."""
    container, process = begin(house)
    house.close()
    end_without_a_word(process)
    alien = foreigner(process.pid)
    again = House(root, Recording(LinuxBody(root)))
    told: dict[str, object] = {
        "state": again.life(container).state.value,
        "kill": refused(lambda: run.kill(again, container, SIGTERM)),
        "signal": refused(lambda: again.kernel.signal(process, SIGKILL)),
        "remove": refused(lambda: run.remove(again, container, force=True)),
        "lives": lives(alien),
    }
    _end(alien)
    again.close()
    return told


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def main() -> None:
    """Do both."""
    with tempfile.TemporaryDirectory(prefix="minidock-reuse-", dir="/var/tmp") as directory:
        root = Path(directory)
        house = House(root, Recording(LinuxBody(root)))
        bootstrap(house.store)
        told = [while_the_engine_lives(house), while_no_engine_lives(root, house)]
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
