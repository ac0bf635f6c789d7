"""The calls of one container: a listener for its first process, one for each exec.

    shim ── the listener, a board ──► here ──► asked: one process tree

A shim that hangs up takes its program along.  Source: kernel.linux.guard is the other end.
"""

import socket
from contextlib import suppress

from pyminidock.events import WatchBegan
from pyminidock.kernel.linux import sockets
from pyminidock.kernel.watch import asked
from pyminidock.kernel.watch.asked import Asked, Tell
from pyminidock.kernel.watch.explaining import Explaining

_HOLDS = 1 << 32  # numbers of holds for one process tree


class Calls:
    """All process trees of a container; the same words as Files."""

    def __init__(self, guards: socket.socket, explaining: Explaining, tell: Tell) -> None:
        self._guards, self._explaining, self._tell = guards, explaining, tell
        guards.setblocking(False)
        self._trees: dict[int, Asked] = {}  # by descriptor of the listener
        self._shims: dict[int, tuple[socket.socket, int]] = {}  # and whose listener it gave
        self._count = 0
        self._is_holding = False
        self.strangers: set[int] = set()  # no engine is ever told of

    def describe(self) -> WatchBegan:
        """Say how it is watched, and what cannot be seen so."""
        return asked.describe()

    def descriptors(self) -> list[int]:
        """Say what to wait for."""
        return [self._guards.fileno(), *self._trees, *self._shims]

    def turn(self, ready: set[int]) -> None:
        """Welcome shims, read calls, let trees go that have ended."""
        if self._guards.fileno() in ready:
            with suppress(BlockingIOError):
                self._welcome()
        for number in [number for number in self._trees if number in ready]:
            tree = self._trees[number]
            tree.turn()
            if tree.is_over:
                self._leave(number)
        for number in [number for number in self._shims if number in ready]:
            line, listener = self._shims.pop(number)
            line.close()
            self._leave(listener)

    def patience_s(self) -> float:
        """Say how long nobody has to look for anything but `descriptors`."""
        return 1.0

    def drain(self) -> None:
        """Nothing is left to be told: that is done before a call goes on."""

    def hold(self) -> None:
        """Let every call wait until it is told to go on."""
        self._is_holding = True
        for tree in self._trees.values():
            tree.is_holding = True

    def flow(self) -> None:
        """Let all go on, and nobody wait from now on."""
        self._is_holding = False
        for tree in self._trees.values():
            tree.flow()

    def go(self, number: int) -> None:
        """Let one who is held go on."""
        for tree in self._trees.values():
            tree.go(number)

    def bear(self) -> None:
        """The program's first call is its own exec; nothing needs to be dropped."""

    def _welcome(self) -> None:
        line, _ = self._guards.accept()
        line.setblocking(True)
        word, handles = sockets.receive_handles(line, 1, 2)
        if not word or len(handles) != 2:
            line.close()
            return
        self._count += 1
        listener, board = handles
        tree = Asked(listener, board, self._explaining, self._tell, self._count * _HOLDS)
        tree.is_holding = self._is_holding
        self._trees[listener] = tree
        self._shims[line.fileno()] = line, listener

    def _leave(self, listener: int) -> None:
        tree = self._trees.pop(listener, None)
        if tree is not None:
            tree.flow()
            tree.close()
