"""The system calls of fanotify, and the way from a handle to a path.

A mark on a filesystem is seen from every mount namespace, and one overlay belongs to one
container: nothing of anybody else is told.

Source: man 2 fanotify_init, fanotify_mark, open_by_handle_at.
"""

import os
import struct
from contextlib import suppress

from pyminidock.kernel.linux import syscalls

_IS_ARM = os.uname().machine == "aarch64"
_NR_INIT = 262 if _IS_ARM else 300
_NR_MARK = 263 if _IS_ARM else 301
_NR_OPEN_BY_HANDLE_AT = 265 if _IS_ARM else 304

_CLOEXEC, _NONBLOCK, _CLASS_CONTENT = 0x1, 0x2, 0x4
_REPORT_DIR_FID, _REPORT_NAME = 0x400, 0x800
_ADD, _REMOVE, _FILESYSTEM = 0x1, 0x2, 0x100
_ALLOW = 1
_ANSWER = struct.Struct("<iI")
_MOST_PATHS = 4096


def listen() -> int:
    """Make a group that is told which name in which directory.  Raises OSError."""
    return _group(_REPORT_DIR_FID | _REPORT_NAME)


def listen_by_descriptor() -> int:
    """Make a group that is told with an open descriptor.  Raises OSError."""
    return _group(0)


def hold() -> int:
    """Make a group that has to allow each open.  Raises OSError."""
    return _group(_CLASS_CONTENT)


def _group(flags: int) -> int:
    kept = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_LARGEFILE", 0)
    return syscalls.enter(_NR_INIT, flags | _CLOEXEC | _NONBLOCK, kept)


def mark(group: int, mask: int, tree: int) -> None:
    """Ask to be told of `mask` on the filesystem behind a handle.  Raises OSError."""
    syscalls.enter(_NR_MARK, group, _ADD | _FILESYSTEM, mask, tree, b".")


def unmark(group: int, mask: int, tree: int) -> None:
    """Ask no more; what waits goes on as soon as it is allowed."""
    syscalls.enter(_NR_MARK, group, _REMOVE | _FILESYSTEM, mask, tree, b".")


def allow(group: int, descriptor: int) -> None:
    """Let one held program go on, and close what came with it."""
    with suppress(OSError):  # it was killed meanwhile
        os.write(group, _ANSWER.pack(descriptor, _ALLOW))
    os.close(descriptor)


def path_of(descriptor: int) -> str:
    """Give the path of an open file in its own tree, whoever's tree that is."""
    return os.readlink(f"/proc/self/fd/{descriptor}").removesuffix(" (deleted)")


class Directories:
    """Handles on directories, and what they are called now."""

    def __init__(self, tree: int) -> None:
        self._tree, self._paths = tree, dict[bytes, str]()

    def path(self, handle: bytes) -> str:
        """Find a directory again.  Raises OSError (ESTALE) for one that is gone."""
        known = self._paths.get(handle)
        if known is not None:
            return known
        number = syscalls.enter(
            _NR_OPEN_BY_HANDLE_AT, self._tree, handle, os.O_PATH | os.O_CLOEXEC
        )
        try:
            path = path_of(number)
        finally:
            os.close(number)
        if len(self._paths) >= _MOST_PATHS:
            self.forget()
        self._paths[handle] = path
        return path

    def forget(self) -> None:
        """A directory has another name now: all are asked anew."""
        self._paths.clear()
