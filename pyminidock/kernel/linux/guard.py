"""Keeps a watched container alive when its watcher dies: the shim answers in its place.

    child ── "w" and the listener ──► shim ── the listener, a board ──► watcher
                                        │
                                        └── watcher gone: everybody goes on, unseen

A system call that is told to nobody would fail (ENOSYS) as soon as the last descriptor of
the listener is closed, so the shim keeps one.  What the watcher has read and not answered
stands on the board, a page of memory that both have: the number of the call that it is
looking at, then those that it holds.

Source: man 2 seccomp_unotify.
"""

import fcntl
import os
import select
import struct

from pyminidock.kernel.linux import sockets

SOCKET = b"guard.sock"
BOARD_BYTES = 4096
HELD_AT = 2048  # behind the call that is looked at; eight bytes for each that is held
RECEIVE, ANSWER = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
NOTICE_BYTES = 80
GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE

_NUMBER = struct.Struct("<Q")


class Guard:
    """The listener of one process tree, and the watcher that answers it as a rule."""

    def __init__(self, listener: int, directory: int) -> None:
        """Hand the listener to the watcher of the container whose directory this is.

        A second process has a directory of its own, inside that of the container.
        """
        self._listener = listener
        self._board = os.memfd_create("minidock-board", os.MFD_CLOEXEC)
        os.ftruncate(self._board, BOARD_BYTES)
        self._watcher: sockets.Socket | None = None
        for place in (b".", b".."):
            line = sockets.Socket(sockets.AF_UNIX)
            try:
                line.connect(b"/proc/self/fd/%d/%s/%s" % (directory, place, SOCKET))
                sockets.send_handles(line, b"w", [listener, self._board])
            except OSError:
                line.close()
                continue
            self._watcher = line
            return

    def descriptors(self) -> tuple[int, ...]:
        """Say what to wait for: the end of the watcher, or, behind it, who is told of."""
        if self._watcher is not None:
            return (self._watcher.fileno(),)
        return (self._listener,) if self._listener >= 0 else ()

    def turn(self, ready: set[int]) -> None:
        """Take over from a watcher that is gone; let go on who is told of."""
        if self._watcher is not None:
            if self._watcher.fileno() in ready:
                self._watcher.close()
                self._watcher = None
                self._release()
        elif self._listener in ready:
            self._answer()

    def close(self) -> None:
        """The program has ended: nobody is to be told of."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        if self._listener >= 0:
            os.close(self._listener)
            self._listener = -1

    def _release(self) -> None:
        """Let go on whom the watcher had read of."""
        board = os.pread(self._board, BOARD_BYTES, 0)
        for (number,) in _NUMBER.iter_unpack(board[:8] + board[HELD_AT:]):
            if number:
                self._go(number)

    def _answer(self) -> None:
        """Let one go on; to read where nobody asks would wait."""
        state = self._state()
        if not state & select.POLLIN:
            if state:
                self.close()
            return
        notice = bytearray(NOTICE_BYTES)
        try:
            fcntl.ioctl(self._listener, RECEIVE, notice)
        except FileNotFoundError:  # it has died since
            return
        except OSError:
            self.close()
            return
        self._go(_NUMBER.unpack_from(notice)[0])

    def _state(self) -> int:
        """Give what poll(2) says of the listener; POLLHUP: nobody is left to ask."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        return sum(event for _, event in poll.poll(0))

    def _go(self, number: int) -> None:
        try:
            fcntl.ioctl(self._listener, ANSWER, struct.pack("<QqiI", number, 0, 0, GO_ON))
        except OSError:  # it was answered, or has died
            return
