"""The board on which `docker events` reads: the last 256 messages, and what comes.

    recorder ──► notes(event)     what stands beside it; before any lock
             ──► put(told, notes) in the order of the numbers; never waits
                     ├──► the last 256, of this engine's life
                     └──► a bounded queue for each listener

A message is made when somebody reads it.  Who reads too slowly loses messages and is told
so by one of type `daemon`; Docker loses them without a word.

Source: moby, daemon/events/events.go: eventsLimit, loadBufferedEvents.
"""

from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Lock

from pyminidock.engine.dockerevents import SPOKEN, Beside, Message, message
from pyminidock.engine.telling import Told
from pyminidock.events import Event, ImageTagged

REMEMBERED = 256  # messages that a client can ask for afterwards
MOST_WAITING = 1024  # of one listener; moby, daemon/events: bufferSize

Noted = tuple[Told, Beside]


class Bulletin:
    """Remembers what was told and hands it to listeners; see Recorder.attend.

    `look` gives what stands beside an event at this moment.  Any thread may put.
    """

    def __init__(self, look: Callable[[Event], Beside]) -> None:
        self._look = look
        self._past: deque[Noted] = deque(maxlen=REMEMBERED)
        self._listeners: tuple[Listener, ...] = ()
        self._lock = Lock()  # guards the two above; never held while anybody waits
        self._is_over = False

    def notes(self, event: Event) -> Beside | None:
        """Note what stands beside an event; None: Docker has no word for it."""
        return self._look(event) if type(event) in SPOKEN else None

    def put(self, told: Told, beside: Beside) -> None:
        """Take what was told.  Never waits for a reader."""
        with self._lock:
            self._past.append((told, beside))
            for listener in self._listeners:
                listener.put(told, beside)

    @property
    def listeners(self) -> int:
        """How many are listening now."""
        with self._lock:
            return len(self._listeners)

    def listen(
        self, *, since_ns: int | None = None, until_ns: int | None = None
    ) -> "Listener":
        """Hear what comes, after what is remembered from between two moments.

        Nanoseconds since 1970.  Without either moment nothing of the past is told.
        """
        listener = Listener(since_ns or 0, until_ns, self._forget)
        with self._lock:
            if since_ns is not None or until_ns is not None:
                listener.past = list(self._past)
            self._listeners = (*self._listeners, listener)
            is_over = self._is_over
        if is_over:
            listener.end()
        return listener

    def close(self) -> None:
        """Let every listener come to its end."""
        with self._lock:
            self._is_over, listeners = True, self._listeners
        for listener in listeners:
            listener.end()

    def _forget(self, listener: "Listener") -> None:
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one is not listener)


class Listener:
    """What one client has not read yet.  Any thread may put and close; one reads."""

    def __init__(
        self, since_ns: int, until_ns: int | None, on_close: Callable[["Listener"], None]
    ) -> None:
        self._since_ns, self._until_ns, self._on_close = since_ns, until_ns, on_close
        self.past: list[Noted] = []
        self._waiting: deque[Noted] = deque()
        self._missed = 0
        self._last: Told | None = None  # of what was missed
        self._is_over = False
        self._changed = Condition()

    def put(self, told: Told, beside: Beside) -> None:
        """Take one more, or count it as missed."""
        with self._changed:
            if self._missed or len(self._waiting) >= MOST_WAITING:
                self._missed, self._last = self._missed + 1, told
            elif not self._is_over:
                self._waiting.append((told, beside))
            self._changed.notify()

    def messages(self, wall: Callable[[], float]) -> Iterator[Message]:
        """Give what is remembered, then what comes, to the moment `until` or the end.

        `wall` is the clock, seconds since 1970.
        """
        for noted in self.past:
            said = _said(noted)
            if said and self._since_ns <= said.time_ns <= (self._until_ns or said.time_ns):
                yield said
        self.past = []
        while True:
            said, is_over = self._next(wall)
            if is_over:
                return
            if said:
                yield said

    def _next(self, wall: Callable[[], float]) -> tuple[Message | None, bool]:
        """Wait for one message; tell also whether there will be no other."""
        with self._changed:
            left_s = None if self._until_ns is None else self._until_ns / 1e9 - wall()
            if left_s is not None and left_s <= 0:
                return None, True
            self._changed.wait_for(self._has_come, left_s)
            if self._waiting:
                return _said(self._waiting.popleft()), False
            if self._missed and self._last:
                count, self._missed = self._missed, 0
                return _gap(count, self._last), False
            return None, self._is_over

    def _has_come(self) -> bool:
        return bool(self._waiting or self._missed or self._is_over)

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
            self._missed, self._is_over = 0, True
            self._changed.notify_all()


def _said(noted: Noted) -> Message | None:
    told, beside = noted
    if isinstance(told.event, ImageTagged) and told.operation.startswith("load-"):
        return None  # names that come with an archive are a part of `load`
    return message(told.event, beside, told.wall)


def _gap(count: int, last: Told) -> Message:
    attributes = {"count": str(count)}
    return Message("daemon", "events_dropped", "", round(last.wall * 1e9), attributes)
