"""Slow work goes to a worker, and the request that needs it is performed once more.

    OPEN big, to write ── needs 256 MB copied ──► worker copies into the work directory
           │                                              │
           └── not answered; others are ──────────────────┴──► OPEN big again: it is there

A lower file never changes, so what was copied ahead is good whenever it is used; the second
time nothing is slow, and all is decided from what is true by then.  Who waits can be
killed: if nobody waits any more, the copy is given up.

Measured: a second reader makes everything slower, a worker that copies costs nobody.
"""

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from pyminidock.kernel.glass import wire
from pyminidock.kernel.glass.loop import Loop, Perform, Reply
from pyminidock.kernel.glass.upper import Upper
from pyminidock.kernel.glass.wire import Request
from pyminidock.unionfs.effects import CopyUp, Effects, Extent

SLOW_BYTES = 1 << 20
_WORKERS = 4

Source = tuple[int, str]  # branch, path


class _NotYet(Exception):
    """Something has to be copied first."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.source = source


class CopiesAhead:
    """What is being copied, and who waits for it."""

    def __init__(self, upper: Upper, loop: Loop) -> None:
        self._upper, self._loop = upper, loop
        self._waiting: dict[Source, dict[int, Callable[[], None]]] = {}
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="glass")

    def need(self, effects: Effects) -> None:
        """Go on only if nothing large is to be copied that is not there yet.

        Raises _NotYet, which `patient` understands.
        """
        for effect in effects:
            if (
                isinstance(effect, CopyUp)
                and effect.extent is Extent.CONTENT
                and effect.size_bytes > SLOW_BYTES
                and (effect.branch, effect.source) not in self._upper.ready
            ):
                raise _NotYet((effect.branch, effect.source))

    def patient(self, perform: Perform) -> Perform:
        """Let a request wait for what it needs."""

        def patiently(asked: Request) -> Reply | None:
            try:
                return perform(asked)
            except _NotYet as wanted:
                kept = asked._replace(body=memoryview(bytes(asked.body)))
                self._wait(wanted.source, kept, patiently)
                return None

        return patiently

    def _wait(self, source: Source, asked: Request, perform: Perform) -> None:
        is_first = source not in self._waiting
        waiting = self._waiting.setdefault(source, {})
        waiting[asked.unique] = partial(self._again, asked, perform)
        self._loop.wait(asked.unique, lambda: waiting.pop(asked.unique, None))
        if is_first:
            self._workers.submit(self._copy, source)

    def _copy(self, source: Source) -> None:
        """Copy, in a worker; then let those who wait try again."""
        waiting, copied = self._waiting[source], None
        refused = 0
        try:
            copied = self._upper.copy_ahead(*source, lambda: bool(waiting))
        except OSError as refusal:
            refused = refusal.errno or errno.EIO
        with self._loop.lock:
            del self._waiting[source]
            if copied:
                self._upper.ready[source] = copied
            for unique, again in list(waiting.items()):
                if refused or not copied:
                    self._loop.arrive(unique, wire.refusal(unique, refused or errno.EINTR))
                else:
                    again()
            if left := self._upper.ready.pop(source, ""):
                with suppress(OSError):
                    os.unlink(left)

    def _again(self, asked: Request, perform: Perform) -> None:
        self._loop.perform_again(asked, perform)

    # ── Waiting for a disk ───────────────────────────────────────────────────────────────

    def later(self, unique: int, work: Callable[[], None]) -> None:
        """Do something slow in a worker, and answer when it is done."""
        self._loop.wait(unique, lambda: None)
        self._workers.submit(self._work, unique, work)

    def _work(self, unique: int, work: Callable[[], None]) -> None:
        try:
            work()
            reply = wire.done(unique)
        except OSError as refusal:
            reply = wire.refusal(unique, refusal.errno or errno.EIO)
        with self._loop.lock:
            self._loop.arrive(unique, reply)

    def close(self) -> None:
        """Begin nothing more."""
        self._workers.shutdown(wait=False, cancel_futures=True)
