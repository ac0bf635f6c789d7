"""The watcher of one container: started before its birth, gone with its first process.

    engine ── starts ─► forks ─► watches, tells on a line of its own
                          └ ends, so the engine waits for nobody it could lose

An engine may come and go: who was held goes on, and the next one may listen.  The watcher
may be killed: the kernel then lets everybody go on, unseen.

Descriptors come from the engine: a directory of the stacked tree, and a socket that
listens; on standard input the layers, as JSON.
"""

import json
import os
import select
import socket
import sys
import time
from contextlib import suppress

from pyminidock.events import Event, FilesMissed
from pyminidock.kernel.glass.disk import Disk
from pyminidock.kernel.linux import userns
from pyminidock.kernel.linux.proc import name_process
from pyminidock.kernel.watch.calls import Calls
from pyminidock.kernel.watch.explaining import Explaining
from pyminidock.kernel.watch.files import Files
from pyminidock.kernel.watch.line import GONE, Line
from pyminidock.unionfs.branches import Stack
from pyminidock.unionfs.whiteout import TRUSTED, USER

_NICE = 5  # a third of a processor's time if the watched want all: executing waits for us
_PATIENCE_S = 30.0  # for an engine that has started us, and is not heard


class Watcher:
    """What is watched, who listens, and for how long."""

    def __init__(self, files: Files | Calls, line: Line) -> None:
        self._files, self._line = files, line
        self._program = -1  # a pidfd; -1: nobody has told us yet
        self._lonely = time.monotonic() + _PATIENCE_S
        self._is_over = False
        files.hold()  # until it is known whether somebody wants to hold

    def serve(self) -> None:
        """Tell until the first process has ended, or nobody can want it any more."""
        while not self._is_over:
            for word in self._line.turn(self._wait()):
                self._obey(word)
            if self._line.missed and self._line.tell([FilesMissed(self._line.missed)]):
                self._line.missed = 0
            if self._program < 0 and not self._line.engine:
                self._is_over = time.monotonic() > self._lonely
        self._files.flow()
        self._files.drain()
        self._line.end()

    def _wait(self) -> set[int]:
        """Wait for anybody, and do at once what the kernel wants."""
        files = self._files
        reads, writes = self._line.descriptors()
        own = files.descriptors()
        program = [self._program] if self._program >= 0 else []
        poll = select.poll()
        for descriptor in {*reads, *own, *program}:
            is_written = descriptor in writes
            poll.register(descriptor, select.POLLIN | (select.POLLOUT if is_written else 0))
        told = poll.poll(files.patience_s() * 1000)
        ready = {number for number, event in told if event & ~select.POLLOUT}
        files.turn(ready)
        self._line.send()
        self._is_over = self._program in ready
        return ready

    def _obey(self, words: list[str]) -> None:
        match words:
            case ["hold"]:
                self._files.hold()
            case ["flow"]:
                self._files.flow()
            case ["go", number]:
                self._files.go(int(number))
            case ["born", pid]:
                self._bear(int(pid))
            case ["end"]:
                self._is_over = True
            case _ if words == GONE:
                self._files.flow()
                self._lonely = time.monotonic()
        if self._line.engine:
            self._files.strangers = {self._line.engine}

    def _bear(self, pid: int) -> None:
        self._files.bear()
        if self._program < 0:
            try:
                self._program = os.pidfd_open(pid)
            except ProcessLookupError:
                self._is_over = True


def main() -> None:
    """Watch one container; the errno of what went wrong is the exit code."""
    order = json.load(sys.stdin)
    line = Line(socket.socket(fileno=order["line"]))

    def tell(events: list[Event], number: int) -> None:
        if not line.tell(events, number) and number:
            files.go(number)

    try:
        explaining = Explaining(_stack(order))
        explaining.know(_names_of(order["upper"]))
        files: Files | Calls
        if order["guards"] >= 0:
            files = Calls(socket.socket(fileno=order["guards"]), explaining, tell)
        else:
            files = Files(order["tree"], explaining, tell)
    except OSError as refusal:
        sys.exit(refusal.errno or 1)
    line.tell([files.describe()])
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    name_process(b"minidock-watch")
    _step_back()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    files.strangers = {order["engine"]}
    Watcher(files, line).serve()
    os._exit(0)


def _step_back() -> None:
    """Let the watched go first where processors are scarce; man 7 sched, "Autogrouping"."""
    os.nice(_NICE)
    with suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as group:
        group.write(str(_NICE))


def _stack(order: dict[str, list[str]]) -> Stack:
    spelling = USER if userns.is_single_user() else TRUSTED
    places = [*([order["upper"]] if order["upper"] else []), *order["lower"]]
    disks = [
        Disk(str(place), name, spelling, is_upper=number == 0 and bool(order["upper"]))
        for number, (place, name) in enumerate(zip(places, order["names"], strict=True))
    ]
    return Stack(tuple(disks), bool(order["upper"]))


def _names_of(upper: str) -> list[str]:
    """List all that the container has changed before."""
    found: list[str] = []
    for directory, inner, files in os.walk(upper, onerror=None):
        place = directory.removeprefix(upper)
        found += [f"{place}/{name}" for name in (*inner, *files)]
    return found


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
