"""A path that is too long for the kernel: most of the way is gone first, then the rest.

    dddd…/dddd…/dddd…/leaf        5,000 bytes, and open(2) takes 4,095 at once
    └─ opened, as 23 ─┘
    /proc/self/fd/23/leaf         the same file

A program may well have such a path: it goes down a directory at a time, and names only the
next one.  A filesystem names the whole way.

Source: man 7 path_resolution; include/uapi/linux/limits.h, PATH_MAX.
"""

import os
import threading
from collections import deque

LONG = 900  # characters, of up to four bytes; from here on nothing is said at once
_STRETCH = 3800  # bytes, so that there is always room for one name more
_AT_ONCE = 8  # places that one thread may be using: a rename uses two

_held = threading.local()


def place(root: int, path: str) -> str:
    """Give a short name for a path below a handle; good for the next few calls.

    Raises OSError if there is no directory on the way.
    """
    rest = os.fsencode(path[1:])
    at, flags = root, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    while len(rest) > _STRETCH:
        end = rest.rindex(b"/", 0, _STRETCH)
        below = os.open(rest[:end], flags, dir_fd=at)
        if at != root:
            os.close(at)
        at, rest = below, rest[end + 1 :]
    if at != root:
        _hold(at)
    return f"/proc/self/fd/{at}/{os.fsdecode(rest)}"


def _hold(descriptor: int) -> None:
    """Keep a handle while its name is in use; the oldest one is not any more."""
    held: deque[int] | None = getattr(_held, "descriptors", None)
    if held is None:
        held = _held.descriptors = deque()
    held.append(descriptor)
    if len(held) > _AT_ONCE:
        os.close(held.popleft())
