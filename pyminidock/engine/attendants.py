"""The threads that wait for the ends of programs; one that is done waits for the next deed.

    start ── deed ──► idle ── deed ──► waits for the end, clears up ──► idle
                       none idle: a new thread

To start a thread is to wait until it runs, and it runs at once: what it has to do would
come before the answer to whoever started the container.  To hand a deed to an idle one is
to put it into a queue, and it begins when the interpreter is free.
"""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread, current_thread

MOST_IDLE = 8
_IDLE = "idle"

_Deed = tuple[str, Callable[[], object]]


class Attendants:
    """The idle threads of one engine, and the deeds that they are to take."""

    def __init__(self) -> None:
        self._deeds: SimpleQueue[_Deed | None] = SimpleQueue()
        self._idle, self._is_closed = 0, False
        self._lock = Lock()  # guards the line above

    def send(self, name: str, deed: Callable[[], object]) -> None:
        """Have something done in a thread of that name."""
        with self._lock:
            is_any_idle = self._idle > 0
            self._idle -= is_any_idle
        if not is_any_idle:
            Thread(target=self._work, daemon=True).start()
        self._deeds.put((name, deed))

    def close(self) -> None:
        """Let the idle ones go; the others go when they are done."""
        with self._lock:
            self._is_closed, idle, self._idle = True, self._idle, 0
        for _ in range(idle):
            self._deeds.put(None)

    def _work(self) -> None:
        """Do one deed after the other.  One that raises is the thread's last."""
        while (todo := self._deeds.get()) is not None:
            current_thread().name, deed = todo
            deed()
            del deed, todo  # with all that they hold
            with self._lock:
                if self._is_closed or self._idle >= MOST_IDLE:
                    return
                self._idle += 1
                current_thread().name = _IDLE
