"""The thread that writes the journal, a moment later and in batches.

The engine only puts an event into a queue.  The first one wakes the writer, which waits a
little for the others, so that one short start is one write; a held gate and whoever wants
to read the journal make it hurry.  What cannot be written, on a
full disk for example, is counted and told; it stops nobody.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event as Flag
from threading import Lock, Thread, current_thread

from pyminidock.engine.journals import Dropped, Journals, began, created
from pyminidock.engine.telling import Told
from pyminidock.events import JournalDropped, redaction
from pyminidock.events.journal import JSON, Header

_THREAD = "journal"
_POLITE_AFTER = 32  # events, some 200 µs
LATE_S = 0.04  # and writing takes its time: an event is on disk within 50 ms

Lost = Callable[[str, JournalDropped], None]


class Writer:
    """Writes what was put, in its order, into the files of its stories."""

    def __init__(
        self,
        journals: Journals,
        *,
        engine: Mapping[str, JSON] | None = None,
        host: Mapping[str, JSON] | None = None,
    ) -> None:
        self.journals = journals
        self._engine, self._host = engine or {}, host or {}
        self._headers: dict[str, Callable[[], Header]] = {}
        self._queue: deque[Told] = deque()
        self._ended: deque[str] = deque()
        self._unwritten: dict[str, int] = {}  # events by story that found no room on disk
        self._writing = Lock()
        self._has_work, self._is_urgent = Flag(), Flag()
        self._is_idle, self._is_closing = True, False
        self._lost: Lost = lambda story, dropped: None
        self._thread = Thread(target=self._work, name=_THREAD, daemon=True)

    def newest_number(self) -> int:
        """Give the number after which this engine has to go on counting."""
        return self.journals.newest_number()

    def start(self, lost: Lost) -> None:
        """Begin to write; `lost` is told what did not fit."""
        self._lost = lost
        self._thread.start()

    def open(self, story: str, title: str, wall: float, backend: str) -> float:
        """Prepare the file of a story; give the wall time at which it began.

        A new story waits for nobody, even while the thread is writing the one before it:
        its header is worded when it is written.
        """
        header = self._resume(story)
        if header is not None:
            self._headers[story] = lambda: header
            return min(wall, began(header, otherwise=wall))
        self._headers[story] = lambda: Header(
            story, redaction.text(title), created(wall), backend, self._engine, self._host
        )
        return wall

    def _resume(self, story: str) -> Header | None:
        if not self.journals.has(story):
            return None
        with self._writing:
            return self.journals.resume(story)

    def put(self, told: Told) -> None:
        """Queue an event.  Costs an append; the order is that of the calls."""
        self._queue.append(told)
        if self._is_idle:
            self._is_idle = False
            self._has_work.set()

    def end(self, story: str) -> None:
        """Forget what the story was called, once all of it is written."""
        self._ended.append(story)

    def hurry(self) -> None:
        """Write soon: somebody is about to look."""
        self._is_urgent.set()

    def flush(self) -> None:
        """Write all that was put, here and now."""
        with self._writing:
            ended = [self._ended.popleft() for _ in range(len(self._ended))]
            batch = [self._queue.popleft() for _ in range(len(self._queue))]
            stories = dict.fromkeys(told.story for told in batch)  # as they began
            lost = [
                (story, dropped)
                for story in stories
                if (dropped := self._write(story, [t for t in batch if t.story == story]))
            ]
            for story in ended:
                self._headers.pop(story, None)
        for story, dropped in lost:  # outside: telling it puts it into the queue
            self._lost(story, dropped)

    def close(self) -> None:
        """Write what is left and end the thread."""
        self._is_closing = True
        self._is_urgent.set()
        self._has_work.set()
        if self._thread.is_alive():
            self._thread.join()
        self.flush()

    def _work(self) -> None:
        while not self._is_closing:
            self._has_work.wait()
            self._is_urgent.wait(LATE_S)
            self._has_work.clear()
            self._is_urgent.clear()
            self._is_idle = True  # before the queue is emptied: who comes later wakes us
            self.flush()

    def _write(self, story: str, batch: Sequence[Told]) -> JournalDropped | None:
        """Append a batch to one file; tell what was lost since the last time."""
        try:
            if not self.journals.has(story):
                header = self._headers.get(story)
                self.journals.begin(header() if header else self._nameless(batch[0]))
            self.journals.append(story, list(_lines(batch)))
        except OSError:
            self._unwritten[story] = self._unwritten.get(story, 0) + len(batch)
            return None
        gone = self.journals.make_room() or Dropped((), 0, 0)
        unwritten = self._unwritten.pop(story, 0)
        if not gone.stories and not unwritten:
            return None
        return JournalDropped(gone.stories, gone.events + unwritten, gone.size_bytes)

    def _nameless(self, told: Told) -> Header:
        """Make a header for a story that had ended, and whose file was dropped since."""
        return Header(told.story, told.story, created(told.wall), told.backend)


def _lines(batch: Sequence[Told]) -> Iterator[str]:
    """Word each event, and let every other thread go first after a few of them.

    Without that a start that waits for the interpreter could wait until the batch is done.
    """
    for number, told in enumerate(batch, start=1):
        yield told.journal_line()
        if number % _POLITE_AFTER == 0 and current_thread().name == _THREAD:
            time.sleep(0)
