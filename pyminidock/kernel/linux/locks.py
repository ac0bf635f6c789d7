"""One engine for each root directory: a lock that the kernel drops when its holder dies.

A pid file lies after a crash; flock(2) cannot.  Source: man 2 flock.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyminidock.errors import MinidockError


class RootInUse(MinidockError):
    """Another engine holds this root directory."""

    status = 409


def lock_file(path: Path) -> int:
    """Take the lock on `path`, made if missing (0600); give the descriptor that holds it.

    Closing the descriptor, or dying, lets the lock go.  Never waits.  Raises RootInUse.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise RootInUse(
            f"{path.parent} belongs to an engine that is running",
            why="two engines that write the same files would destroy both their states",
            try_next="minidock system shutdown",
            lesson="state-on-disk",
        ) from None
    return descriptor


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock on `path` for as long as the block runs.  Raises RootInUse."""
    descriptor = lock_file(path)
    try:
        yield
    finally:
        os.close(descriptor)
