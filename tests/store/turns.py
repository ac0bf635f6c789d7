"""One thread at a time, and a number decides which: races that can be run again.

Threads that meet at random find a race once and never again.  Here each thread stops before
every act that others can see, a file made or moved, the guard taken, and hands on to a
thread that a seeded generator picks.  The same seed is the same interleaving.
"""

import random
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from pyminidock.store.files import Files


class Turns:
    """Who may run; also the guard of a store, since who waits for it cannot be picked."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._changed = threading.Condition()
        self._ready: list[int] = []  # threads that could run, in the order of their start
        self._waiting: list[int] = []  # for the guard
        self._running = 0
        self._owner, self._depth = 0, 0
        self.order: list[int] = []

    def run(self, *deeds: Callable[[], object]) -> list[Exception]:
        """Run all deeds interleaved; give what they raised, in the order of the deeds."""
        raised: dict[int, Exception] = {}
        threads = [
            threading.Thread(target=self._thread, args=(number, deed, raised))
            for number, deed in enumerate(deeds, start=1)
        ]
        self._ready = list(range(1, len(deeds) + 1))
        for number, thread in enumerate(threads, start=1):
            thread.name = f"turn-{number}"
            thread.start()
        with self._changed:
            self._pick()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), f"nobody moves any more: {self.order}"
        return [raised[number] for number in sorted(raised)]

    def step(self) -> None:
        """Let somebody else go first, perhaps."""
        me = _number()
        if me:
            with self._changed:
                self._pick()
                self._changed.wait_for(lambda: self._running == me)

    def __enter__(self) -> "Turns":
        me = _number()
        if self._owner != me or not self._depth:
            self.step()
            with self._changed:
                while self._depth:
                    self._ready.remove(me)
                    self._waiting.append(me)
                    self._pick()
                    self._changed.wait_for(lambda: self._running == me)
                self._owner = me
        self._depth += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._depth -= 1
        if not self._depth:
            with self._changed:
                self._owner = 0
                self._ready = sorted(self._ready + self._waiting)
                self._waiting = []

    def _thread(
        self, number: int, deed: Callable[[], object], raised: dict[int, Exception]
    ) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._running == number)
        try:
            deed()
        except Exception as error:
            raised[number] = error
        finally:
            with self._changed:
                self._ready.remove(number)
                self._pick()

    def _pick(self) -> None:
        self._running = self._random.choice(self._ready) if self._ready else 0
        self.order.append(self._running)
        self._changed.notify_all()


class TurningFiles(Files):
    """A disk at which threads take turns; it syncs nothing, for nobody cuts the power."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def create(self, path: Path) -> int:
        """Create, after a turn."""
        self._turns.step()
        return super().create(path)

    def sync(self, descriptor: int) -> None:
        """Wait for a turn in place of the disk."""
        self._turns.step()

    def link(self, path: Path, name: Path) -> None:
        """Link, after a turn."""
        self._turns.step()
        super().link(path, name)

    def rename(self, path: Path, target: Path) -> None:
        """Rename, after a turn."""
        self._turns.step()
        super().rename(path, target)

    def remove(self, path: Path) -> None:
        """Remove, after a turn."""
        self._turns.step()
        super().remove(path)

    def sync_directory(self, path: Path) -> None:
        """Wait for a turn in place of the disk."""
        self._turns.step()


def _number() -> int:
    name = threading.current_thread().name
    return int(name.removeprefix("turn-")) if name.startswith("turn-") else 0
