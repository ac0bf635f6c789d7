"""Taking something away from a tree in which a program lives.

By handles, one name at a time, no link followed, the deepest first; not by moving things
about as `snapshots` does in trees that nobody uses, for an overlay moves no directory that
it shows from below.  Four handles are held, whatever the depth: the way up is "..", and the
directory above has to be the one that we came from.

Source: man 2 unlinkat; Go, os.RemoveAll().
"""

import errno
import os
import stat
from collections.abc import Container
from dataclasses import dataclass

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LEVELS = 4096


@dataclass(slots=True)
class _Level:
    """A directory that is being emptied, and its name in the one above."""

    name: bytes
    identity: tuple[int, int]


def clear(
    parent: int, name: bytes, shown: bytes, held: Container[tuple[int, int]] = ()
) -> None:
    """Remove `name` below the open directory `parent`, and all below it.

    `held` are files, by device and inode, that stay whatever it takes.  What has gone
    already is no error.  Raises OSError as the kernel does, EBUSY for a held file, ESTALE
    where a directory was moved meanwhile; `filename` is the path, `shown` being its top.
    """
    try:
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISDIR(status.st_mode):
            _unlink(parent, name, shown, status, held)
            return
        _empty(parent, name, shown, held)
        os.rmdir(name, dir_fd=parent)
    except FileNotFoundError:
        return


def _empty(parent: int, top: bytes, shown: bytes, held: Container[tuple[int, int]]) -> None:
    here = os.open(top, _DIRECTORY, dir_fd=parent)
    levels = [_Level(top, _identity(here))]
    try:
        while levels:
            inner = _unlink_files(here, levels, shown, held)
            if inner:
                if len(levels) >= _MOST_LEVELS:
                    raise OSError(errno.ENAMETOOLONG, "too deep", os.fsdecode(shown))
                handle = os.open(inner, _DIRECTORY, dir_fd=here)
                os.close(here)
                here = handle
                levels.append(_Level(inner, _identity(here)))
                continue
            done = levels.pop()
            if levels:
                above = os.open("..", _DIRECTORY, dir_fd=here)
                os.close(here)
                here = above
                if _identity(here) != levels[-1].identity:
                    raise OSError(errno.ESTALE, "it was moved", os.fsdecode(shown))
                os.rmdir(done.name, dir_fd=here)
    finally:
        os.close(here)


def _unlink_files(
    here: int, levels: list[_Level], shown: bytes, held: Container[tuple[int, int]]
) -> bytes:
    """Unlink what is no directory; give the first directory that is found, or nothing."""
    found = b""
    for name in map(os.fsencode, os.listdir(here)):
        try:
            status = os.stat(name, dir_fd=here, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                found = found or name
                continue
            inner = b"/".join([shown, *(level.name for level in levels[1:]), name])
            _unlink(here, name, inner, status, held)
        except FileNotFoundError:
            continue
    return found


def _unlink(
    handle: int, name: bytes, shown: bytes, status: os.stat_result,
    held: Container[tuple[int, int]],
) -> None:  # fmt: skip
    if (status.st_dev, status.st_ino) in held:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), os.fsdecode(shown))
    os.unlink(name, dir_fd=handle)


def _identity(handle: int) -> tuple[int, int]:
    status = os.fstat(handle)
    return status.st_dev, status.st_ino
