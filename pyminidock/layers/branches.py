"""A layer on disk, as a branch of a union: what it holds under one name.

The container may be writing meanwhile, so a path goes down one handle at a time and no link
is ever followed: what was a directory a moment ago cannot lead out of the layer.

Source: man 2 openat; Documentation/filesystems/overlayfs.rst for the marks.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyminidock.layers.ondisk import is_whiteout
from pyminidock.unionfs.branches import Seen
from pyminidock.unionfs.lookup import Kind
from pyminidock.unionfs.whiteout import TRUSTED, Spelling

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class OnDisk:
    """One tree of the host; read only, and never kept open between questions."""

    def __init__(self, name: str, tree: Path, spelling: Spelling = TRUSTED) -> None:
        self.name, self.tree, self._spelling = name, tree, spelling

    def look(self, path: str) -> Seen | None:
        """Say what is there; None: nothing, or no directory on the way."""
        above, _, name = path.rpartition("/")
        try:
            with self._directory(above) as handle:
                return self._seen(os.fsencode(name) or b".", handle)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, path: str) -> Iterator[str]:
        """List a directory, whiteouts too.  Raises OSError."""
        with self._directory(path) as handle:
            return iter(os.listdir(handle))  # noqa: PTH208  (a handle is no path)

    @contextmanager
    def _directory(self, path: str) -> Iterator[int]:
        handle = os.open(self.tree, _DIRECTORY)
        try:
            for name in path.split("/"):
                if name:
                    inner = os.open(name, _DIRECTORY, dir_fd=handle)
                    os.close(handle)
                    handle = inner
            yield handle
        finally:
            os.close(handle)

    def _seen(self, name: bytes, handle: int) -> Seen:
        status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            inner = os.open(name, _DIRECTORY, dir_fd=handle)
            try:
                return self._marked(inner)
            finally:
                os.close(inner)
        if is_whiteout(self._spelling, status, name, handle):
            return Seen(Kind.WHITEOUT)
        return Seen(
            Kind.FILE,
            is_regular=stat.S_ISREG(status.st_mode),
            links=status.st_nlink,
            size_bytes=status.st_size,
            identity=(status.st_dev, status.st_ino),
        )

    def _marked(self, handle: int) -> Seen:
        marks = {
            name: os.fsdecode(os.getxattr(handle, name))
            for name in os.listxattr(handle)
            if name in (self._spelling.opaque, f"{self._spelling.prefix}redirect")
        }
        is_opaque = marks.get(self._spelling.opaque) == "y"
        kind = Kind.OPAQUE if is_opaque else Kind.DIRECTORY
        return Seen(kind, marks.get(f"{self._spelling.prefix}redirect", ""))
