"""What is read of a container again and again, for all who watch it at the same time.

The first who watches begins the reading, in a thread; the last who leaves ends it.  Each
reading has a number, so that nobody sees one twice, and who is slow sees the latest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

from pyminidock.kernel.port import Usage


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read at one moment: seconds since 1970; None: nothing ran."""

    at: float
    usage: Usage | None


Read = Callable[[], Sample | None]
"""Reads once; None: there is nothing to read any more."""


class Samples:
    """The readings of one container."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._watchers = self._count = 0
        self._last: Sample | None = None
        self._turn = 0  # of the thread that reads: an older one ends

    def enter(self, read: Read, every_s: float) -> int:
        """Begin to watch; gives the number of the last reading before."""
        with self._changed:
            self._watchers += 1
            if self._watchers == 1:
                self._turn += 1
                work = (read, every_s, self._turn)
                Thread(target=self._run, args=work, name="stats", daemon=True).start()
            return self._count

    def leave(self) -> None:
        """Watch no more, and wake whoever waits."""
        with self._changed:
            self._watchers -= 1
            self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait ask again whether they still want to."""
        with self._changed:
            self._changed.notify_all()

    def after(self, seen: int, is_closed: Callable[[], bool]) -> tuple[int, Sample] | None:
        """Wait for a reading later than the `seen` one; None: there will be none."""
        with self._changed:
            self._changed.wait_for(
                lambda: is_closed() or self._count > seen or self._turn < 0
            )
            if is_closed() or self._count <= seen or self._last is None:
                return None
            return self._count, self._last

    def _run(self, read: Read, every_s: float, turn: int) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._is_wanted(turn), every_s)
                if not self._is_wanted(turn):
                    return
            found = read()
            with self._changed:
                if found is None:
                    self._turn = -1
                elif self._is_wanted(turn):
                    self._last = found
                    self._count += 1
                self._changed.notify_all()
                if found is None:
                    return

    def _is_wanted(self, turn: int) -> bool:
        return self._watchers > 0 and self._turn == turn
