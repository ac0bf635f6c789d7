"""How frames travel from the kernel to a page: few messages, none lost, in one order.

    frame ──► outlet ─┐
    frame ──► outlet ─┼─► one thread, every 50 ms ──► {"t": "frames", "from", "n"} + JSON
    state ──► outlet ─┘

A Jupyter server forwards a thousand messages per second and silently drops the rest.  So
frames are sent together, at most 20 messages a second for one widget and 200 for all of
them; when that is too little, batches grow.  A message says which frame is its first: a
page that misses some asks for them again, and gets everything from there.

Nothing is sent before a page says hello: until then nobody would hear it.

Source: jupyter_server, services/kernels/connection/channels.py, _limit_rate().
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from threading import Condition, Thread
from typing import Any

from pyminidock.viz.film import MOST_FRAMES

BATCH_S = 0.05  # between two messages of one widget
MESSAGES_PER_S = 200  # of all widgets
BURST = 40
BEAT_S = 0.5
BATCH_BYTES = 256 << 10
MOST_BYTES = 32 << 20  # of one story; beyond, its last frame alone is taken
_DRAW_S = 0.2  # between two drawings of one thing that is not frames

_LOG = logging.getLogger(__name__)
Message = Mapping[str, Any]
Post = Callable[[Message, list[bytes]], object]


class Budget:
    """A bucket of tokens, one for each message.

    >>> budget = Budget(per_s=10, burst=1)
    >>> budget.take(now=0.0), budget.take(now=0.0), budget.take(now=0.1)
    (True, False, True)
    """

    def __init__(self, per_s: float = MESSAGES_PER_S, burst: float = BURST) -> None:
        self._per_s, self._burst = per_s, burst
        self._tokens, self._at = burst, float("-inf")

    def take(self, now: float) -> bool:
        """Take a token if there is one.  `now` is in seconds and never goes back."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Outlet:
    """One widget's way to its pages.  All its methods may be called from any thread."""

    def __init__(self, post: Post, changed: Condition) -> None:
        self.beat: Callable[[float], object] | None = None  # called twice a second
        self.post = post
        self._changed = changed
        self._frames: list[bytes] = []
        self._size_bytes = 0
        self._sent = 0
        self._news: list[Message] = []
        self._drawings: dict[str, Callable[[], object]] = {}
        self._drawn_at = self._sent_at = self._beaten_at = float("-inf")
        self.is_open = False

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def is_full(self) -> bool:
        """Whether there is room for a story's last frame only."""
        return len(self._frames) >= MOST_FRAMES - 1 or self._size_bytes > MOST_BYTES

    def add(self, frame: bytes) -> None:
        """Take one frame, as JSON."""
        with self._changed:
            self._frames.append(frame)
            self._size_bytes += len(frame)
            self._changed.notify_all()

    def say(self, message: Message) -> None:
        """Send a small message; nobody hears it before a hello.

        Of several of one kind that wait, the last one counts.  One that tells of a step
        that is "held" comes behind the frame of that step, one that tells of the end (not
        "live") behind all of them.
        """
        with self._changed:
            if self.is_open:
                kept = [each for each in self._news if each["t"] != message["t"]]
                self._news = [*kept, message]
                self._changed.notify_all()

    def draw(self, name: str, drawing: Callable[[], object]) -> None:
        """Call `drawing` soon; the last one of a name counts."""
        with self._changed:
            self._drawings[name] = drawing
            self._changed.notify_all()

    def greet(self, have: int, *first: Message) -> None:
        """Answer a page that has `have` frames: these messages, then all the others."""
        with self._changed:
            self.is_open = True
            self._news.extend(first)
            self._sent = min(self._sent, max(have, 0))
            self._changed.notify_all()

    def resend(self, first: int) -> None:
        """Send everything from frame number `first` on again; the first of all is 1."""
        self.greet(first - 1)

    # ── What the sender asks, with the lock held ─────────────────────────────────────────

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to send."""
        return self.is_open and bool(self._news or self._sent < len(self._frames))

    def is_ready(self, now: float) -> bool:
        """Say whether it may be sent now."""
        return self.is_waiting and now - self._sent_at >= BATCH_S

    def due_s(self, now: float) -> float | None:
        """Give the seconds until something is to be done; None if nothing is."""
        found = []
        if self.is_waiting:
            found.append(self._sent_at + BATCH_S - now)
        if self._drawings:
            found.append(self._drawn_at + _DRAW_S - now)
        if self.beat is not None:
            found.append(self._beaten_at + BEAT_S - now)
        return max(0.0, min(found)) if found else None

    def next_message(self, now: float) -> tuple[Message, list[bytes]]:
        """Take what is to be sent now."""
        self._sent_at = now
        for number, message in enumerate(self._news):
            if self._behind(message) <= self._sent:
                del self._news[number]
                return message, []
        first, size_bytes = self._sent, 0
        while self._sent < len(self._frames) and size_bytes < BATCH_BYTES:
            size_bytes += len(self._frames[self._sent])
            self._sent += 1
        frames = self._frames[first : self._sent]
        message = {"t": "frames", "from": first + 1, "n": len(frames)}
        return message, [b"[" + b",".join(frames) + b"]"]

    def _behind(self, message: Message) -> int:
        """Give the number of the frame behind which a message comes."""
        if not message.get("live", True):
            return len(self._frames)
        return min(int(message.get("held", 0)), len(self._frames))

    def next_beat(self, now: float) -> Callable[[float], object] | None:
        """Take what is to be called twice a second, if half a second is over."""
        if self.beat is None or now - self._beaten_at < BEAT_S:
            return None
        self._beaten_at = now
        return self.beat

    def next_drawings(self, now: float) -> list[Callable[[], object]]:
        """Take what is to be drawn now."""
        if not self._drawings or now - self._drawn_at < _DRAW_S:
            return []
        self._drawn_at = now
        drawings, self._drawings = list(self._drawings.values()), {}
        return drawings


class Sender:
    """The one thread that speaks to pages; it begins with the first outlet."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._outlets: list[Outlet] = []
        self._budget = Budget()
        self._thread: Thread | None = None

    def outlet(self, post: Post) -> Outlet:
        """Make a way to a widget's pages."""
        made = Outlet(post, self._changed)
        with self._changed:
            self._outlets.append(made)
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(
                    target=self._send, name="minidock-sender", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()
        return made

    def drop(self, outlet: Outlet) -> None:
        """Speak to these pages no more."""
        with self._changed:
            if outlet in self._outlets:
                self._outlets.remove(outlet)
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._outlets.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(2)

    def _send(self) -> None:
        while True:
            with self._changed:
                if not self._outlets:
                    self._thread = None
                    return
                now = time.monotonic()
                work = self._work(now)
                if not work:
                    self._changed.wait(self._pause_s(now))
                    continue
            for each in work:  # without the lock: whoever posts may wait
                try:
                    each()
                except Exception:  # one page that fails must not silence the others
                    _LOG.exception("a widget could not be told")

    def _work(self, now: float) -> list[Callable[[], object]]:
        """Take what is to be done now."""
        work: list[Callable[[], object]] = []
        for outlet in self._outlets:
            beat = outlet.next_beat(now)
            work += [partial(beat, now)] if beat is not None else []
            work += outlet.next_drawings(now)
            if outlet.is_ready(now) and self._budget.take(now):
                work.append(partial(outlet.post, *outlet.next_message(now)))
        return work

    def _pause_s(self, now: float) -> float | None:
        """Give the seconds until something is due; None if nothing is."""
        due = [each.due_s(now) for each in self._outlets]
        found = [each for each in due if each is not None]
        return max(min(found), 0.005) if found else None


SENDER = Sender()
