"""The line to the engine: what is told, and what the engine wants.

    watcher ── {"go": 7, "events": [["file.noticed", {…}], …]} ──► engine     a line each
    watcher ◄── hold · flow · go 7 · born 4711 · end ───────────── engine

Nothing here waits.  Until an engine listens, what is told is kept, up to a bound; when it
is gone, the next one may come.
"""

import json
import os
import select
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress

from pyminidock.events import Event, FilesMissed, WatchEnded, kind_of
from pyminidock.events.journal import data_of

PATIENCE_S = 10.0  # with an engine that takes nothing at all, at the end
_MOST_BYTES = 8 << 20  # kept for an engine that is busy, or not there
_AT_ONCE = 1 << 16
GONE = ["gone"]


class Line:
    """One end; an engine that connects takes the place of the one before."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._connection: socket.socket | None = None
        self._out, self._heard = bytearray(), b""
        self._is_amid = False  # half a line has been sent
        self.missed = 0  # records that were dropped since this was last told
        self.engine = 0  # pid of who listens; 0: nobody
        listener.setblocking(False)

    def tell(self, events: Sequence[Event], number: int = 0) -> bool:
        """Put events on the line; False: it is full, and they are lost."""
        if len(self._out) > _MOST_BYTES:
            self.missed += 1
            return False
        self._put(events, number)
        return True

    def _put(self, events: Sequence[Event], number: int) -> None:
        told = [[kind_of(event), data_of(event)] for event in events]
        self._out += json.dumps({"go": number, "events": told}).encode() + b"\n"

    def end(self, patience_s: float = PATIENCE_S) -> None:
        """Say that all is told, wait for an engine that is behind, and hang up.

        What was lost is told before, however much waits already.
        """
        missed = [FilesMissed(self.missed)] if self.missed else []
        self._put([*missed, WatchEnded(was_lost=False)], 0)
        while self._out and self._connection is not None:
            waiting = len(self._out)
            select.select([], [self._connection.fileno()], [], patience_s)
            self.send()
            if len(self._out) == waiting:  # it is gone, or stands still
                break
        if self._connection is not None:
            self._connection.close()

    def descriptors(self) -> tuple[list[int], list[int]]:
        """Say what to wait for: descriptors to read from, and to write to."""
        reads = [self._listener.fileno()]
        if self._connection is None:
            return reads, []
        here = self._connection.fileno()
        return [*reads, here], [here] if self._out else []

    def turn(self, ready: set[int]) -> list[list[str]]:
        """Do what can be done at once; give the words that were heard, each in its line."""
        words: list[list[str]] = []
        if self._listener.fileno() in ready:
            words += self._welcome()
        if self._connection is not None and self._connection.fileno() in ready:
            words += self._hear()
        return words

    def send(self) -> None:
        """Write as much as the engine takes now."""
        if self._connection is None or not self._out:
            return
        with suppress(OSError):
            sent = self._connection.send(self._out[:_AT_ONCE])
            self._is_amid = self._out[sent - 1 : sent] != b"\n"
            del self._out[:sent]

    def _welcome(self) -> list[list[str]]:
        gone = self._leave() if self._connection is not None else []
        with suppress(OSError):
            self._connection, _ = self._listener.accept()
            self._connection.setblocking(False)
            told = self._connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            self.engine = struct.unpack("iii", told)[0]
        return gone

    def _hear(self) -> list[list[str]]:
        assert self._connection is not None  # noqa: S101  (turn saw to it)
        try:
            got = self._connection.recv(_AT_ONCE)
        except BlockingIOError:
            return []
        except OSError:
            got = b""
        if not got:
            return self._leave()
        *lines, self._heard = (self._heard + got).split(b"\n")
        return [os.fsdecode(line).split() for line in lines if line.strip()]

    def _leave(self) -> list[list[str]]:
        """Let an engine go; half a line that it has got is lost with it."""
        assert self._connection is not None  # noqa: S101  (there is one to leave)
        self._connection.close()
        self._connection, self._heard, self.engine = None, b"", 0
        if self._is_amid:
            del self._out[: self._out.find(b"\n") + 1]
            self._is_amid = False
        return [GONE]
