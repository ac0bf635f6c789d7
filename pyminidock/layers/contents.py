"""What a layer's tree holds, name by name, without reading a file.

    layers/<id>/diff                  told
    etc/            directory         etc            directory 0755
    etc/motd        char 0:0          etc/motd       whiteout
    cache/          …opaque=y         cache          directory, opaque
    a, b            one inode         a  file 7 B    b  hard link to a

The order is that of the layer's archive: by bytes in each directory, a directory before
what it holds.  A stranger chose the names, and how deep they go, so the tree is walked by
handles: down by name and never through a link, up by ".." and only to where we came from.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pyminidock.layers.merged import Merged
from pyminidock.layers.ondisk import is_whiteout
from pyminidock.unionfs.weighing import Item, Likeness
from pyminidock.unionfs.whiteout import TRUSTED, Spelling

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1 << 20
_KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "device", stat.S_IFBLK: "device", stat.S_IFIFO: "fifo",
}  # fmt: skip


def contents(tree: Path, spelling: Spelling = TRUSTED) -> Iterator[Item]:
    """Give every name of a tree (host path), its root left out, sockets too.

    A program may be at work in it: what comes and goes meanwhile is told or not, and where
    the directory that is being looked at was moved away, the rest is left out.
    Raises OSError as the disk does.
    """
    first_names: dict[tuple[int, int], bytes] = {}
    handle = os.open(tree, _DIRECTORY)
    try:
        levels = [_level(handle, b"")]
        while levels:
            level = levels[-1]
            name = next(level.names, None)
            if name is None:
                levels.pop()
                if levels and (above := _opened(handle, b"..")) >= 0:
                    os.close(handle)
                    handle = above
                if levels and _place(os.fstat(handle)) != levels[-1].place:
                    return
                continue
            item = _item(handle, level.prefix + name, name, spelling, first_names)
            if item is not None and item.kind == "directory":
                if (inner := _opened(handle, name)) < 0:
                    continue
                os.close(handle)
                handle = inner
                yield replace(item, is_opaque=_is_opaque(handle, spelling))
                levels.append(_level(handle, level.prefix + name + b"/"))
            elif item is not None:
                yield item
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class _Level:
    """A directory that is being walked: its path with a slash, and the names to come."""

    prefix: bytes
    names: Iterator[bytes]
    place: tuple[int, int]


def _level(handle: int, prefix: bytes) -> _Level:
    names = sorted(map(os.fsencode, os.listdir(handle)))
    return _Level(prefix, iter(names), _place(os.fstat(handle)))


def _place(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _opened(handle: int, name: bytes) -> int:
    """Open a directory; -1 if it is none any more."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return os.open(name, _DIRECTORY, dir_fd=handle)
    return -1


def _item(
    handle: int, path: bytes, name: bytes, spelling: Spelling,
    first_names: dict[tuple[int, int], bytes],
) -> Item | None:  # fmt: skip
    """Look at one name; None: a socket, or it has gone."""
    try:
        status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        if is_whiteout(spelling, status, name, handle):
            return Item(path, "whiteout")
        link = os.readlink(name, dir_fd=handle) if stat.S_ISLNK(status.st_mode) else b""
    except OSError as change:
        if change.errno in (errno.ENOENT, errno.EINVAL, errno.ELOOP):
            return None
        raise
    if not stat.S_ISDIR(status.st_mode) and status.st_nlink > 1:
        first = first_names.setdefault(_place(status), path)
        if first != path:
            mode = stat.S_IMODE(status.st_mode)
            return Item(path, "hard link", mode, status.st_uid, status.st_gid, 0, first)
    return item_of(path, status, link)


def item_of(path: bytes, status: os.stat_result, link: bytes = b"") -> Item | None:
    """Make an item of what a name is; None of a socket.  `link` is where it leads."""
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if kind is None:
        return None
    if kind == "device":
        letter = "c" if stat.S_ISCHR(status.st_mode) else "b"
        numbers = f"{letter} {os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
        link = numbers.encode()
    size = status.st_size if kind == "file" else 0
    mode = stat.S_IMODE(status.st_mode)
    return Item(path, kind, mode, status.st_uid, status.st_gid, size, link)


def _is_opaque(handle: int, spelling: Spelling) -> bool:
    with suppress(OSError):
        return os.getxattr(handle, spelling.opaque) == b"y"
    return False


class Comparing:
    """Compares files of one image's trees, until it has read `left_bytes`."""

    def __init__(
        self, trees: dict[int, Path], left_bytes: int, spelling: Spelling = TRUSTED
    ) -> None:
        self._trees, self._left_bytes, self._spelling = trees, left_bytes, spelling

    def __call__(self, lower: int, upper: int, path: bytes) -> Likeness:
        """Compare a path of two layers; both have a file there, of one size.

        A directory on the way is one in each tree.  Raises OSError as the disk does.
        """
        with (
            Merged([self._trees[lower]], self._spelling) as old,
            Merged([self._trees[upper]], self._spelling) as new,
            old.open(path) as one,
            new.open(path) as other,
        ):
            if os.fstat(one.fileno()).st_size * 2 > self._left_bytes:
                return Likeness.UNREAD
            if not self._is_same(one, other):
                return Likeness.OTHER
            is_same = old.xattrs(path) == new.xattrs(path)
            return Likeness.SAME if is_same else Likeness.CONTENT

    def _is_same(self, one: BinaryIO, other: BinaryIO) -> bool:
        while piece := one.read(_PIECE):
            self._left_bytes -= 2 * len(piece)
            if other.read(_PIECE) != piece:
                return False
        return True
