"""What programs are about to ask the kernel, read while they wait for its "go on".

    listener ── notice: 7 calls openat(…) ──► here ── its memory, its places ──► told
                                               └─────── go on ────────────────► listener

The name is read from the memory of whoever asks, and another thread of it may change that
memory meanwhile: what we read need not be what the kernel reads a moment later.  So this is
for looking, not for refusing.  Whether it is still the same process is asked once more when
everything has been read (SECCOMP_IOCTL_NOTIF_ID_VALID): a number may have become somebody
else's.  A name is taken from the root and the directories that the process has now.

Source: man 2 seccomp_unotify, "Caveats regarding the use of notifications".
"""

import fcntl
import mmap
import os
import platform
import posixpath
import select
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from pyminidock.events import CallNoticed, Event, WatchBegan
from pyminidock.kernel.linux.guard import (
    ANSWER,
    BOARD_BYTES,
    GO_ON,
    HELD_AT,
    NOTICE_BYTES,
    RECEIVE,
)
from pyminidock.kernel.watch.askers import command_of, text_at
from pyminidock.kernel.watch.explaining import Explaining
from pyminidock.kernel.watch.notices import (
    HERE,
    Notice,
    Shape,
    calls_of,
    directory_of,
    parse,
)

Tell = Callable[[list[Event], int], None]

UNSEEN = (
    "reads and writes of what is open", "whether the call succeeded, and what it did",
    "which layers the kernel asked", "what another thread puts in the name's place",
)  # fmt: skip
_IS_VALID = 0x40082102  # SECCOMP_IOCTL_NOTIF_ID_VALID
_AT_HERE = -100  # AT_FDCWD


class Asked:
    """The listener of one process tree."""

    def __init__(
        self, listener: int, board: int, explaining: Explaining, tell: Tell, first: int
    ) -> None:
        """`board` is shared with the shim (`linux.guard`); numbers of holds begin there."""
        self.listener, self._explaining, self._tell = listener, explaining, tell
        self._board = mmap.mmap(board, BOARD_BYTES)
        os.close(board)
        # Longer than a kilobyte: shorter buffers are copied, and the board would miss it.
        self._notice = memoryview(self._board)[:HELD_AT]
        self._calls = calls_of(platform.machine())
        self._held: dict[int, int] = {}  # number of a hold -> where it stands on the board
        self._number = first
        self.is_holding = self.is_born = self.is_over = False

    def turn(self) -> None:
        """Read one call, tell it, and let it go on, unless it is to be held.

        To read where nobody asks would wait, on many kernels also when nobody is left.
        """
        state = self._state()
        if not state & select.POLLIN:
            self.is_over = bool(state & select.POLLHUP)
            return
        self._notice[:NOTICE_BYTES] = bytes(NOTICE_BYTES)
        try:
            fcntl.ioctl(self.listener, RECEIVE, self._notice)
        except OSError:  # it died before we read of it
            self._notice[:NOTICE_BYTES] = bytes(NOTICE_BYTES)
            return
        notice = parse(self._notice)
        events = self._read(notice)
        if events and self.is_holding and self._hold(notice.id):
            self._tell(events, self._number)
            return
        if events:
            self._tell(events, 0)
        self._go(notice.id)

    def go(self, number: int) -> None:
        """Let one who is held go on."""
        place = self._held.pop(number, 0)
        if place:
            self._go(struct.unpack_from("<Q", self._board, place)[0])
            self._board[place : place + 8] = bytes(8)

    def flow(self) -> None:
        """Let all go on."""
        self.is_holding = False
        for number in list(self._held):
            self.go(number)

    def close(self) -> None:
        """Hear no more of them."""
        self._notice.release()
        self._board.close()
        os.close(self.listener)

    def _state(self) -> int:
        """Give what poll(2) says of the listener; POLLHUP: nobody is left to ask."""
        poll = select.poll()
        poll.register(self.listener, select.POLLIN)
        return sum(event for _, event in poll.poll(0))

    def _hold(self, id_: int) -> bool:
        """Note it on the board; False: the board is full, and it goes on."""
        taken = set(self._held.values())
        free = (at for at in range(HELD_AT, BOARD_BYTES, 8) if at not in taken)
        place = next(free, 0)
        if place:
            struct.pack_into("<Q", self._board, place, id_)
            self._number += 1
            self._held[self._number] = place
        return bool(place)

    def _go(self, id_: int) -> None:
        with suppress(OSError):  # it has died
            fcntl.ioctl(self.listener, ANSWER, struct.pack("<QqiI", id_, 0, 0, GO_ON))

    def _is_valid(self, id_: int) -> bool:
        try:
            fcntl.ioctl(self.listener, _IS_VALID, struct.pack("<Q", id_))
        except OSError:
            return False
        return True

    def _read(self, notice: Notice) -> list[Event]:
        """Read what is asked for; nothing, if it is not asked for any more."""
        name, shape = self._calls.get(notice.number, ("", None))
        if shape is None:
            return []
        self.is_born |= name == "execve"  # before, it was we who looked for the program
        if not self.is_born:
            return []
        try:
            given = [text_at(notice.pid, notice.arguments[at]) for _, at in shape.names]
            paths = [*_places(notice, shape, given)]
            command = command_of(notice.pid)
        except OSError:
            return []
        if not self._is_valid(notice.id):
            return []
        to = paths[1] if len(paths) > 1 else ""
        event = CallNoticed(name, paths[0], to, given[0], notice.pid, command)
        explained = [each for path in paths for each in self._explaining.ask(path)]
        return [event, *(replace(e, pid=notice.pid, command=command) for e in explained)]


def describe() -> WatchBegan:
    """Say how it is watched, and what cannot be seen so."""
    return WatchBegan("seccomp", UNSEEN)


def _places(notice: Notice, shape: Shape, given: list[str]) -> Iterator[str]:
    """Give each name from the container's root on.  Raises OSError."""
    for (directory, _), name in zip(shape.names, given, strict=True):
        if name.startswith("/"):
            base = os.readlink(f"/proc/{notice.pid}/root")
        elif directory is HERE or directory_of(notice.arguments[directory]) == _AT_HERE:
            base = os.readlink(f"/proc/{notice.pid}/cwd")
        else:
            number = directory_of(notice.arguments[directory])
            base = os.readlink(f"/proc/{notice.pid}/fd/{number}")
        yield "/" + posixpath.normpath(f"{base}/{name}").lstrip("/")
