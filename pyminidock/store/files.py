"""The only hand of the store that writes files.

A file that was written is not yet a file that survives.  The kernel keeps it in memory and
writes it down when it likes, names and contents in any order.  Three calls make it certain:

    write  tmp-7        nobody looks at this name
    fsync  tmp-7        its content is on the disk
    rename tmp-7 → x    everybody sees all of it, at once
    fsync  directory    its name is on the disk

All of it goes through one object, so that a test can put another in its place: one that
forgets whatever was not synced, and one whose disk is full.

Source: man 2 fsync, rename, link; "All File Systems Are Not Created Equal" (OSDI 2014).
"""

import errno
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyminidock.errors import MinidockError

PREFIX = "tmp-"
FULL = (errno.ENOSPC, errno.EDQUOT)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_numbers = itertools.count(1)  # `next` is one step for all threads


class StoreFull(MinidockError):
    """There is no room on the filesystem of the root directory."""


class Files:
    """The real disk.  Paths are host paths below the root; whoever calls made them."""

    def create(self, path: Path) -> int:
        """Make an empty file, mode 0600, that must not exist; give its descriptor."""
        return os.open(path, _NEW, 0o600)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        """Write all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def sync(self, descriptor: int) -> None:
        """Return when the content is on the disk.  An error is final for this file."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close."""
        os.close(descriptor)

    def make_directory(self, path: Path) -> None:
        """Make a directory, mode 0700; parents too; one that exists is fine."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def link(self, path: Path, name: Path) -> None:
        """Give a file a second name.  Raises FileExistsError if the name is taken."""
        os.link(path, name, follow_symlinks=False)

    def rename(self, path: Path, target: Path) -> None:
        """Move; what was a file at `target` is replaced in the same moment."""
        path.rename(target)

    def remove(self, path: Path) -> None:
        """Remove the name of a file; an absent one is fine."""
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Return when the names in a directory are on the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


DISK = Files()


def temporary(directory: Path) -> Path:
    """Give a name for something unfinished; what a crash leaves of it is swept by name."""
    return directory / f"{PREFIX}{os.getpid()}-{next(_numbers)}"


def rename_noreplace(path: Path, target: Path, *, files: Files = DISK) -> bool:
    """Move a finished file to its name.  False if the name is taken; nothing changed then.

    Atomic: link(2) refuses a name that exists, which rename(2) does not.
    """
    try:
        files.link(path, target)
    except FileExistsError:
        return False
    files.remove(path)
    return True


def sync_directory(path: Path, *, files: Files = DISK) -> None:
    """Return when the names in a directory are on the disk."""
    files.sync_directory(path)


def write_whole(
    path: Path, content: bytes, *, is_durable: bool = True, files: Files = DISK
) -> None:
    """Put `content` at `path`: readers see the old file or the new one, never a half.

    Without `is_durable` a power cut may lose it.  Raises StoreFull, with nothing changed.
    """
    making = temporary(path.parent)
    with telling_full(path.parent):
        try:
            descriptor = files.create(making)
            try:
                files.write(descriptor, content)
                if is_durable:
                    files.sync(descriptor)
            finally:
                files.close(descriptor)
            files.rename(making, path)
        except OSError:
            files.remove(making)
            raise
        if is_durable:
            files.sync_directory(path.parent)


@contextmanager
def telling_full(path: Path) -> Iterator[None]:
    """Say StoreFull, with figures, where the system says "no space left on device"."""
    try:
        yield
    except OSError as refusal:
        if refusal.errno not in FULL:
            raise
        raise full(path) from refusal


def full(path: Path) -> StoreFull:
    """Make the refusal of a full disk: where, and how much is left."""
    free = left = "unknown"
    with suppress(OSError):
        facts = os.statvfs(path)
        free, left = (
            f"{facts.f_bavail * facts.f_frsize:,} bytes",
            f"{facts.f_favail:,} files",
        )
    return StoreFull(
        f"write {path}: no space left on device",
        why=f"the filesystem of {path} has room for {free} and {left} more",
        try_next="docker system prune, or give the engine a --root on a larger disk",
        lesson="state-on-disk",
    )
