"""A file of a lower layer, copied with everything but its name.

The bytes go from file to file inside the kernel (copy_file_range, which some filesystems
answer by sharing them); holes stay holes.  Then the owner, whom mode and capabilities do
not survive, the extended attributes, the mode, and at last the times, which all the rest
changes.

Source: Linux, fs/overlayfs/copy_up.c, ovl_copy_up_file(), ovl_copy_xattr(); man 2 lseek.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress

_STRETCH = 8 << 20  # bytes at once, so that a copy can be given up soon
_NOT_SO = {errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}


def copy(source: str, target: str, is_wanted: Callable[[], bool] = lambda: True) -> bool:
    """Copy content and size; False if `is_wanted` said no on the way.  Raises OSError."""
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    writing = os.open(target, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(reading).st_size
        os.ftruncate(writing, size)
        at = 0
        while at < size and (at := _next_data(reading, at, size)) < size:
            end = _end_of_data(reading, at, size)
            while at < end:
                if not is_wanted():
                    return False
                copied = _copy_stretch(reading, writing, at, min(_STRETCH, end - at))
                if not copied:  # it is shorter than it was
                    return True
                at += copied
        return True
    finally:
        os.close(reading)
        os.close(writing)


def _next_data(descriptor: int, at: int, size: int) -> int:
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as refusal:
        return size if refusal.errno == errno.ENXIO else at


def _end_of_data(descriptor: int, at: int, size: int) -> int:
    try:
        return os.lseek(descriptor, at, os.SEEK_HOLE)
    except OSError:
        return size


def _copy_stretch(reading: int, writing: int, at: int, size: int) -> int:
    try:
        return os.copy_file_range(reading, writing, size, at, at)
    except OSError as refusal:
        if refusal.errno not in _NOT_SO:
            raise
    return os.pwrite(writing, os.pread(reading, min(size, 1 << 20), at), at)


def copy_attributes(source: str, found: os.stat_result, target: str, private: str) -> None:
    """Copy extended attributes, owner, mode and times; what begins with `private` is ours.

    Raises OSError.
    """
    os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
    for name in os.listxattr(source, follow_symlinks=False):
        if name.startswith(private):
            continue
        value = os.getxattr(source, name, follow_symlinks=False)
        with suppress(PermissionError):  # security.* without privileges
            os.setxattr(target, name, value, follow_symlinks=False)
    if not stat.S_ISLNK(found.st_mode):
        os.chmod(target, stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns), follow_symlinks=False)
