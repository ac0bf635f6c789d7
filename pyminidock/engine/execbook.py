"""Which second processes there are, and how long they are remembered.

    created ──► running ──► finished ──► forgotten
       │          one shim each: few        ten minutes later, or when many came after it
       └──► forgotten with the run of its container, like everything of it

A client asks for the exit code after the end, so the end is kept for a while; a container
whose health is asked every second would otherwise fill the memory with answers that nobody
reads.  Times are seconds of the kernel's clock.
"""

from collections import OrderedDict
from dataclasses import dataclass
from math import inf
from threading import Lock

from pyminidock.container.spec import ExecRequest
from pyminidock.engine.lives import Life
from pyminidock.kernel.port import ExitStatus, Process

KEPT_S = 600.0  # Docker: five to ten minutes
MOST_FINISHED = 1024  # of all containers


@dataclass(slots=True)
class Exec:
    """A second process of a container; it ends with the first one at the latest."""

    id: str
    life: Life
    request: ExecRequest
    made: float = 0.0  # when it was asked for
    is_begun: bool = False  # somebody has asked for its start, which may fail
    process: Process | None = None
    exit: ExitStatus | None = None

    @property
    def is_running(self) -> bool:
        """Say whether it has begun, or is about to, and has not ended."""
        return self.is_begun and self.exit is None


class ExecBook:
    """The second processes of one engine; any thread may ask."""

    def __init__(self) -> None:
        self._execs: dict[str, Exec] = {}
        self._finished: OrderedDict[str, float] = OrderedDict()  # by id, when; oldest first
        self._lock = Lock()

    def add(self, made: Exec, now: float) -> None:
        """Remember a second process, and forget what ended long ago."""
        with self._lock:
            self._sweep(now)
            self._execs[made.id] = made

    def find(self, exec_id: str, now: float) -> Exec | None:
        """Find one by its whole id."""
        with self._lock:
            self._sweep(now)
            return self._execs.get(exec_id)

    def unfinished(self, container: str) -> list[Exec]:
        """Give those of a container that run or may still be started, oldest first."""
        with self._lock:
            return [
                each
                for each in self._execs.values()
                if each.life.id == container and each.id not in self._finished
            ]

    def finish(self, ended: Exec, now: float) -> None:
        """Note that one has ended, or could not begin."""
        with self._lock:
            if ended.id in self._execs:
                self._finished[ended.id] = now
            self._sweep(now)

    def forget_unstarted(self, container: str, before: float = inf) -> None:
        """Forget what was asked for before a time and never started."""
        with self._lock:
            for each in list(self._execs.values()):
                is_old = each.made < before and not each.is_begun
                if each.life.id == container and is_old:
                    del self._execs[each.id]

    def forget(self, container: str) -> None:
        """Forget everything of a container that is no more."""
        with self._lock:
            for each in list(self._execs.values()):
                if each.life.id == container:
                    del self._execs[each.id]
                    self._finished.pop(each.id, None)

    def _sweep(self, now: float) -> None:
        while self._finished:
            oldest, when = next(iter(self._finished.items()))
            if now - when < KEPT_S and len(self._finished) <= MOST_FINISHED:
                return
            del self._finished[oldest]
            self._execs.pop(oldest, None)
