"""How one hears of a file that grows without looking at it again and again.

The kernel reports changes in a directory on a descriptor.  There is one, and one thread
that reads it, however many wait: a user may have 128 such descriptors, and an engine more
readers.  Whoever waits is called once and asks again when it has read what there was, so
that a program that prints all the time does not wake a slow reader all the time.

Source: man 7 inotify.
"""

import ctypes
import os
import select
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable

_libc = ctypes.CDLL(None, use_errno=True)
_EVENT = struct.Struct("iIII")  # watch, what happened, cookie, length of the name behind it
_CHANGES = 0x002 | 0x040 | 0x080 | 0x100 | 0x400  # modified, moved, created, deleted itself
_ONCE = 0x8000_0000
_BUFFER_BYTES = 65536
_PAUSE_S = 0.005  # between two rounds of calls; nobody notices so small a delay

Bell = Callable[[], object]


class Watching:
    """All who wait for a change in some directory."""

    def __init__(self) -> None:
        self._bells: defaultdict[int, list[Bell]] = defaultdict(list)  # by watch
        self._lock = threading.Lock()
        self._events = self._wake = -1
        self._thread: threading.Thread | None = None

    def ring(self, directory: str, bell: Bell) -> Callable[[], None]:
        """Call `bell` at the next change; what is given takes it back.  Raises OSError."""
        with self._lock:
            if self._events < 0:
                self._begin()
            place = os.fsencode(directory)
            watch = _libc.inotify_add_watch(self._events, place, _CHANGES | _ONCE)
            if watch < 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), directory)
            self._bells[watch].append(bell)
        return lambda: self._forget(watch, bell)

    def _begin(self) -> None:
        self._events = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._events < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._listen, name="watching", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Call nobody any more."""
        if self._thread:
            os.eventfd_write(self._wake, 1)
            self._thread.join()
            os.close(self._events)
            os.close(self._wake)
            self._thread = None

    def _forget(self, watch: int, bell: Bell) -> None:
        with self._lock:
            if bell in self._bells.get(watch, ()):
                self._bells[watch].remove(bell)

    def _listen(self) -> None:
        poll = select.poll()
        poll.register(self._events, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while self._wake not in dict(poll.poll()):
            told = os.read(self._events, _BUFFER_BYTES)
            with self._lock:
                bells = [bell for watch in _watches(told) for bell in self._taken(watch)]
            for bell in bells:
                bell()
            time.sleep(_PAUSE_S)

    def _taken(self, watch: int) -> list[Bell]:
        return self._bells.pop(watch, [])


def _watches(told: bytes) -> list[int]:
    """Name the watches that a read told of."""
    found, at = [], 0
    while at < len(told):
        watch, _, _, length = _EVENT.unpack_from(told, at)
        found.append(watch)
        at += _EVENT.size + length
    return found
