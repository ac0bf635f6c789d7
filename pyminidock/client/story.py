"""What a script or a cell began: it goes on by itself, and a handle knows how to reach it.

    handle = engine.run("busybox", "sleep", "5")     returns at once
    handle.state  .story  .trace  .logs()            whenever one likes
    handle.wait()   await handle                     its exit code, or what refused it
    handle.step()   .resume()   .abort()             while an event is held by a gate

Threads of its own carry it: one that starts and waits, one that collects what the program
says, one for what gates hold.  All are daemons: whoever ends lets everything go on.
`listen` is for pictures: it is called, on one of those threads, whenever something changed.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Condition, Thread

from pyminidock.client.gates import Gates
from pyminidock.client.handles import Client
from pyminidock.client.transport import Refused
from pyminidock.client.watch import GateHandle
from pyminidock.errors import MinidockError
from pyminidock.events import redaction
from pyminidock.events.journal import Record, Trace

KEPT_BYTES = 1 << 20  # of what a program says; the oldest is forgotten first
_SLICE_S = 0.05  # an interrupt is heard between two of these
STDOUT, STDERR = 1, 2
ANY = "*"
BEFORE_EACH = "step.started"  # of a build: each of its instructions


class NotOver(MinidockError, TimeoutError):
    """It was waited for long enough, and goes on."""

    status = 408


class NothingHeld(MinidockError):
    """An order was given to a story that is not held."""

    status = 409


class Said:
    """What a program said, bounded: the newest KEPT_BYTES."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._kept = self.forgotten = 0

    def add(self, stream: int, data: bytes) -> None:
        """Keep one piece, forget the oldest ones that are too much."""
        self._pieces.append((stream, data))
        self._kept += len(data)
        while self._kept > KEPT_BYTES and len(self._pieces) > 1:
            _, old = self._pieces.popleft()
            self._kept -= len(old)
            self.forgotten += len(old)

    @property
    def size_bytes(self) -> int:
        """How much it said so far, kept or not."""
        return self._kept + self.forgotten

    def text(self, streams: Sequence[int] = (STDOUT, STDERR)) -> str:
        r"""Give it as text; what is no UTF-8 shows as a replacement mark.

        >>> said = Said()
        >>> said.add(1, b"hi\n")
        >>> said.text()
        'hi\n'
        """
        data = b"".join(piece for stream, piece in tuple(self._pieces) if stream in streams)
        head = f"[{self.forgotten} bytes before this are not kept]\n"
        return head * bool(self.forgotten) + data.decode(errors="replace")


class StoryHandle:
    """A story that was begun: `title` was typed, `story` is what the engine calls it."""

    def __init__(
        self, client: Client, title: str, story: str, breaks: Sequence[str] = ()
    ) -> None:
        self.client, self.title, self.story = client, redaction.text(title), story
        self.refusal: MinidockError | OSError | None = None
        self.holding: Record | None = None
        self.is_over = False
        self.said = Said()
        self._changed = Condition()
        self._listeners: list[Callable[[], object]] = []
        self._gates: Gates | None = None
        self._breaks: dict[str, GateHandle] = {}
        for pattern in breaks:
            self.break_at(pattern)

    @property
    def state(self) -> str:
        """Say in a word or two where it stands."""
        return "over" if self.is_over else "held" if self.holding else "going on"

    # ── What it tells ────────────────────────────────────────────────────────────────────

    @property
    def trace(self) -> Trace:
        """Everything that was recorded of it so far."""
        return self.client.story(self.story)

    def logs(self, *, stdout: bool = True, stderr: bool = True) -> str:
        """Give what it said so far."""
        return self.said.text([STDOUT] * stdout + [STDERR] * stderr)

    def listen(self, heard: Callable[[], object]) -> Callable[[], None]:
        """Call `heard` whenever something changed; give what ends that."""
        self._listeners.append(heard)

        def leave() -> None:
            with suppress(ValueError):
                self._listeners.remove(heard)

        return leave

    # ── Waiting ──────────────────────────────────────────────────────────────────────────

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most `timeout` seconds; tell whether it came.

        An interrupt ends the waiting and nothing else.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not self.is_over:
                left = _SLICE_S if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, _SLICE_S))
        return True

    async def joined(self) -> None:
        """Wait for the end without holding up the loop."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def heard() -> None:
            if self.is_over:
                with suppress(RuntimeError):  # the loop ended before us
                    loop.call_soon_threadsafe(over.set)

        leave = self.listen(heard)
        try:
            heard()
            await over.wait()
        finally:
            leave()

    def _or_raise(self, timeout: float | None) -> None:
        if not self.join(timeout):
            raise NotOver(
                f"{self.title} is not over after {timeout:g} s",
                why="it goes on; waiting ended, and nothing else",
                try_next="handle.wait(), or handle.stop()",
            )
        if self.refusal is not None:
            raise self.refusal

    # ── Gates ────────────────────────────────────────────────────────────────────────────

    def break_at(self, pattern: str) -> None:
        """Hold it at every event that `pattern` names.  Raises Refused."""
        if pattern in self._breaks:
            return
        gate = self._breaks[pattern] = self.client.gate(self.story, pattern)
        if self._gates is None or self._gates.is_over:
            self._gates = Gates([gate])
            self._in_background(partial(self._hold, self._gates))
        else:
            self._gates.add(gate)

    def unbreak(self, pattern: str) -> None:
        """Hold it there no more; what is held there goes on."""
        gate = self._breaks.pop(pattern, None)
        if gate is not None and self._gates is not None:
            self._gates.drop(gate)

    def holds_only(self, pattern: str) -> bool:
        """Say whether it is held there and nowhere else."""
        return set(self._breaks) == {pattern}

    def step(self) -> None:
        """Let it go on to its next event.  Raises NothingHeld."""
        self._order(Gates.step)

    def resume(self) -> None:
        """Let it go on, to the next event that a pattern names.  Raises NothingHeld.

        One that is held at everything is let go for good.
        """
        if ANY in self._breaks and self.holding is not None:
            self._set_holding(None)
            self.unbreak(ANY)
            return
        self._order(Gates.resume)

    def abort(self) -> None:
        """Undo what was begun.  Raises NothingHeld."""
        self._order(Gates.abort)

    def release(self) -> None:
        """Hold nothing any more: it goes on by itself."""
        self._breaks.clear()
        if self._gates is not None:
            self._gates.close()
        self._set_holding(None)

    def _order(self, order: Callable[[Gates], None]) -> None:
        with self._changed:
            gates, held, self.holding = self._gates, self.holding, None
        if gates is None or held is None:
            raise NothingHeld(
                f"{self.title} is not held",
                why="step, resume and abort let go what a gate holds; none holds it now",
                try_next='engine.step("busybox", "true")',
                lesson="live-pause",
            )
        with suppress(Refused):  # it was let go by somebody else meanwhile
            order(gates)
        self._tell()

    def _hold(self, gates: Gates) -> None:
        for record in gates.held():
            self._set_holding(record)
        self._set_holding(None)

    def _set_holding(self, record: Record | None) -> None:
        with self._changed:
            self.holding = record
            self._changed.notify_all()
        self._tell()

    # ── The threads behind it ────────────────────────────────────────────────────────────

    def _in_background(self, work: Callable[[], None]) -> None:
        Thread(target=work, name=f"minidock-{self.story}", daemon=True).start()

    def _say(self, stream: int, data: bytes) -> None:
        self.said.add(stream, data)
        self._tell()

    def _end(self) -> None:
        with self._changed:
            self.is_over = True
            self._changed.notify_all()
        self._tell()

    def _tell(self) -> None:
        for heard in tuple(self._listeners):
            heard()

    def __repr__(self) -> str:
        """Say the same in every run: ids and states differ, and notebooks are compared."""
        return f"<{type(self).__name__}: {self.title}>"
