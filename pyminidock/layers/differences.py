"""What a container changed, as `docker diff` tells it: by comparing what one sees of files.

    0  changed    the name was there, and its mode, owner, size or time is another now, or
                  something below it is
    1  added      nothing of that name was there
    2  deleted    it was there and is not shown any more

All of it lies in the upper directory.  But what lies there need not have changed: a file
that was copied up and is as before is no change, as for Docker, and that the time of a
directory is another one says nothing.  Docker's order is a directory before what it holds,
names that are gone at its end, and else none; here names of a directory are sorted.

Source: moby, pkg/archive/changes.go, FileInfo.addChanges(), and changes_unix.go,
statDifferent().
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

from pyminidock.layers.merged import Merged
from pyminidock.layers.ondisk import is_whiteout
from pyminidock.unionfs.whiteout import TRUSTED, Spelling

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CAPABILITY = "security.capability"


class Kind(IntEnum):
    """What became of a path, in Docker's numbers."""

    MODIFY = 0
    ADD = 1
    DELETE = 2


Difference = tuple[Kind, bytes]
"""What became of which path; it begins with a slash."""


def differences(
    upper: Path, below: Merged, spelling: Spelling = TRUSTED
) -> tuple[Difference, ...]:
    """Compare an upper directory (host path) with the layers below it.

    A program may go on writing: what comes and goes meanwhile is told or not.
    Raises OSError as the disk does.
    """
    handle = os.open(upper, _DIRECTORY)
    try:
        return tuple(_Walk(below, spelling).directory(handle, b"", is_new=False))
    finally:
        os.close(handle)


class _Walk:
    def __init__(self, below: Merged, spelling: Spelling) -> None:
        self._below, self._spelling = below, spelling

    def directory(self, handle: int, path: bytes, *, is_new: bool) -> Iterator[Difference]:
        """Tell what changed below one directory; `is_new`: nothing was below it."""
        gone: list[Difference] = []
        names = sorted(map(os.fsencode, os.listdir(handle)))
        for name in names:
            inner = path + b"/" + name
            with suppress(FileNotFoundError):
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                if is_whiteout(self._spelling, status, name, handle):
                    if self._lstat(inner) is not None:
                        gone.append((Kind.DELETE, inner))
                else:
                    yield from self._one(handle, name, inner, status, is_new=is_new)
        if not is_new and self._is_opaque(handle):
            gone += ((Kind.DELETE, each) for each in self._hidden(path, names))
        yield from sorted(gone, key=lambda each: each[1])

    def _one(
        self, handle: int, name: bytes, path: bytes, status: os.stat_result, *, is_new: bool
    ) -> Iterator[Difference]:
        before = None if is_new else self._lstat(path)
        told: list[Difference] = []
        if before is None:
            told.append((Kind.ADD, path))
        elif self._differs(handle, name, path, before, status):
            told.append((Kind.MODIFY, path))
        if stat.S_ISDIR(status.st_mode):
            with suppress(NotADirectoryError):
                inner = os.open(name, _DIRECTORY, dir_fd=handle)
                try:
                    held = before is None or not stat.S_ISDIR(before.st_mode)
                    below = tuple(self.directory(inner, path, is_new=held))
                finally:
                    os.close(inner)
                if below and not told:
                    told.append((Kind.MODIFY, path))
                told += below
        yield from told

    def _differs(
        self, handle: int, name: bytes, path: bytes, old: os.stat_result,
        new: os.stat_result,
    ) -> bool:  # fmt: skip
        if (old.st_mode, old.st_uid, old.st_gid) != (new.st_mode, new.st_uid, new.st_gid):
            return True
        if old.st_rdev != new.st_rdev and not stat.S_ISDIR(new.st_mode):
            return True
        if stat.S_ISDIR(new.st_mode):
            return False
        if old.st_size != new.st_size or not _is_same_time(
            old.st_mtime_ns, new.st_mtime_ns
        ):
            return True
        return stat.S_ISREG(new.st_mode) and self._has_other_powers(handle, name, path)

    def _has_other_powers(self, handle: int, name: bytes, path: bytes) -> bool:
        before = self._below.xattrs(path).get(_CAPABILITY, b"")
        after, flags = b"", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened = os.open(name, flags, dir_fd=handle)
        try:
            with suppress(OSError):
                after = os.getxattr(opened, _CAPABILITY)
        finally:
            os.close(opened)
        return before != after

    def _lstat(self, path: bytes) -> os.stat_result | None:
        with suppress(NotADirectoryError):
            return self._below.lstat(path)
        return None

    def _is_opaque(self, handle: int) -> bool:
        with suppress(OSError):
            return os.getxattr(handle, self._spelling.opaque) == b"y"
        return False

    def _hidden(self, path: bytes, names: list[bytes]) -> Iterator[bytes]:
        """Name what a directory that was made anew does not show any more."""
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in self._below.list(path or b"/"):
                if name not in names:
                    yield path + b"/" + name


def _is_same_time(one: int, other: int) -> bool:
    """Compare times; of whole seconds nobody knows the fraction.

    >>> [_is_same_time(2 * 10**9 + fraction, 2 * 10**9 + 1) for fraction in (0, 2)]
    [True, False]
    """
    (seconds, rest), (others, other_rest) = divmod(one, 10**9), divmod(other, 10**9)
    return seconds == others and (rest == other_rest or not (rest and other_rest))
