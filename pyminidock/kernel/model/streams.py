"""The streams of a program that does not run: tests say what it prints.

A pipe carries one byte for each piece of output, so that a reader may wait in select as
for the real thing, and its end is the end of the program.
"""

import os
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from pyminidock.kernel.model.logs import SimulatedLog

Piece = tuple[int, bytes]


class Listener:
    """One connection to a program's streams (port.Streams)."""

    def __init__(self, program: "Program", pieces: list[Piece]) -> None:
        self._program = program
        self._pieces = deque[Piece]()
        self._once = Lock()
        self._bell, self._rope = os.pipe()
        for piece in pieces:
            self.hear(piece)

    def hear(self, piece: Piece) -> None:
        """Take one piece of output and ring."""
        self._pieces.append(piece)
        os.write(self._rope, b"!")

    def end(self) -> None:
        """Learn that no more will come."""
        with self._once:  # a number closed twice may be somebody else's by then
            rope, self._rope = self._rope, -1
        if rope >= 0:
            os.close(rope)

    def fileno(self) -> int:
        """See port."""
        return self._bell

    def read(self) -> Piece | None:
        """See port."""
        return self._pieces.popleft() if os.read(self._bell, 1) else None

    def write(self, data: bytes) -> None:
        """See port."""
        self._program.typed += data

    def close_stdin(self) -> None:
        """See port."""
        self._program.is_stdin_closed = True

    def close(self) -> None:
        """See port."""
        with self._once:
            bell, self._bell = self._bell, -1
        if bell < 0:
            return
        if self in self._program.listeners:
            self._program.listeners.remove(self)
        self.end()
        os.close(bell)


@dataclass
class Program:
    """What a shim holds: output that nobody has read, listeners, and what was typed.

    `bespoken` listeners are open before anybody asks for them.
    """

    log: SimulatedLog | None = None
    bespoken: list[Listener] = field(default_factory=list)
    unread: list[Piece] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    typed: bytes = b""
    is_stdin_closed: bool = False
    is_over: bool = False

    def bespeak(self, count: int) -> None:
        """Open `count` connections before anything is said."""
        self.bespoken = [self.attach() for _ in range(count)]

    def say(self, stream: int, data: bytes) -> None:
        """Print; kept for the first listener while there is none, and in the log."""
        if self.log:
            self.log.write(stream, data)
        for listener in self.listeners:
            listener.hear((stream, data))
        if not self.listeners:
            self.unread.append((stream, data))

    def attach(self) -> Listener:
        """Connect a listener, or hand over one that was bespoken."""
        if self.bespoken:
            return self.bespoken.pop(0)
        listener, self.unread = Listener(self, self.unread), []
        if self.is_over:
            listener.end()
        else:
            self.listeners.append(listener)
        return listener

    def end(self) -> None:
        """The program has ended: every listener comes to its end."""
        self.is_over = True
        if self.log:
            self.log.end()
        for listener in self.listeners:
            listener.end()
        self.listeners = []
