"""One ring for each listener: whoever is slow loses events, never the engine's time.

Telling puts an event into the ring and goes on, however full it is.  A full ring takes no
more until its listener has emptied it; then the listener reads one EventsDropped, which
says how many it missed and which, and after it whatever is told from then on.  So what it
reads is always in order, and a gap is always marked.
"""

from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition

from pyminidock.engine.telling import Told
from pyminidock.events import EventsDropped
from pyminidock.events.journal import Record

MAX_EVENTS = 8192
MAX_SIZE_BYTES = 8 << 20


class Ring:
    """What one listener has not read yet; `wanted` chooses what it hears at all.

    Any thread may put; one thread reads.
    """

    def __init__(
        self,
        wanted: Callable[[Told], bool],
        *,
        max_events: int = MAX_EVENTS,
        max_size_bytes: int = MAX_SIZE_BYTES,
        on_close: Callable[["Ring"], None] = lambda ring: None,
    ) -> None:
        self._wanted, self._on_close = wanted, on_close
        self._max_events, self._max_size_bytes = max_events, max_size_bytes
        self._waiting: deque[Told] = deque()
        self._size_bytes = 0
        self._missed: list[Told] = []  # the first and the last; `_missed_count` of them
        self._missed_count = 0
        self._is_over = False
        self._changed = Condition()

    def put(self, told: Told) -> None:
        """Take an event, or count it as missed.  Never waits for the reader."""
        if not self._wanted(told):
            return
        size_bytes = told.size_bytes()
        with self._changed:
            if self._is_over:
                return
            is_full = (
                len(self._waiting) >= self._max_events
                or self._size_bytes + size_bytes > self._max_size_bytes
            )
            if self._missed_count or is_full:
                self._missed[1:] = [told]
                self._missed_count += 1
            else:
                self._waiting.append(told)
                self._size_bytes += size_bytes
            self._changed.notify()

    def next(self, timeout_s: float | None = None) -> Record | None:
        """Wait for the next record; None when `timeout_s` passed, or after the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._missed_count or self._is_over, timeout_s
            )
            if self._waiting:
                told = self._waiting.popleft()
                self._size_bytes -= told.size_bytes()
            elif self._missed_count:
                told = self._gap()
            else:
                return None
        return told.record()

    @property
    def is_over(self) -> bool:
        """Say whether nothing will come any more."""
        with self._changed:
            return self._is_over and not self._waiting and not self._missed_count

    def __iter__(self) -> Iterator[Record]:
        """Give every record until the end, waiting for each."""
        while (record := self.next()) is not None:
            yield record

    def end(self) -> None:
        """Let the reader come to an end, after what is waiting."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def close(self) -> None:
        """Stop listening: the reader went away."""
        self._on_close(self)
        with self._changed:
            self._waiting.clear()
            self._missed_count, self._is_over = 0, True
            self._changed.notify_all()

    def _gap(self) -> Told:
        """Say what was missed, as if it had been told in the place of the last of it."""
        first, last = self._missed[0], self._missed[-1]
        gap = EventsDropped(self._missed_count, first.seq, last.seq)
        self._missed, self._missed_count = [], 0
        return last.instead(gap)
