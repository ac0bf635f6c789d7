"""A part of a container's tree on its way out as an archive, piece by piece.

The order and every header are Docker's: a directory before what it holds, names by bytes,
whole seconds, a second name of a file as a hard link, of the attributes only capabilities.

A program may be moving things about meanwhile.  Each name is opened below a handle and its
link not followed; a file's length is taken when it is open, and exactly so much is sent.
Going up again, the directory above must be the one that we came from; else it is looked for
by its path, and if it is not there, what was left of it is left out.  Memory holds the
names of one directory for each level, and the names of files that have two.

Source: moby, pkg/archive/archive.go, Tarballer.Do() and addTarFile().
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pyminidock.kernel.port import View
from pyminidock.layers.archive import EMPTY, Entry, Kind
from pyminidock.layers.tarfields import BLOCK, NO_XATTRS
from pyminidock.layers.tarwriter import header_of

_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_AGAIN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PIECE = 256 << 10
_CAPABILITY = "security.capability"
_KINDS = {
    stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER, stat.S_IFBLK: Kind.BLOCK, stat.S_IFIFO: Kind.FIFO,
}  # fmt: skip


@dataclass(slots=True)
class _Level:
    """A directory that is being walked: where it is, what it is called, names to come."""

    path: bytes
    shown: bytes
    names: Iterator[bytes]
    identity: tuple[int, int]


class Outgoing:
    """One walk; `pieces` gives the archive, once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._first_names: dict[tuple[int, int], bytes] = {}
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._here = -1  # the directory that is being walked

    def directory(
        self, path: bytes, shown: bytes, *, has_itself: bool = True
    ) -> Iterator[bytes]:
        """Give the archive of a directory whose names begin with `shown`.

        Without `has_itself` only what it holds is in it, and `shown` in no name.
        Raises OSError where it cannot be opened.
        """
        self._here = self._view.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            status = os.fstat(self._here)
            if has_itself:
                own = shown.rstrip(b"/")  # the root's is nothing, and a slash comes to it
                self._add(_entry(own, Kind.DIRECTORY, status), status)
            yield from self._walk(_level(self._here, path, shown))
            yield from self._end()
        finally:
            if self._here >= 0:
                os.close(self._here)

    def file(self, path: bytes, shown: bytes) -> Iterator[bytes]:
        """Give the archive of one name that is no directory."""
        above, _, name = path.rpartition(b"/")
        handle = self._view.open(above or b"/", os.O_PATH | os.O_DIRECTORY)
        try:
            yield from self._name(handle, name, shown)
            yield from self._end()
        finally:
            os.close(handle)

    # ── The walk ─────────────────────────────────────────────────────────────────────────

    def _walk(self, top: _Level) -> Iterator[bytes]:
        levels = [top]
        while levels:
            level = levels[-1]
            for name in level.names:
                inner = self._directory_at(name, level)
                if inner is not None:
                    levels.append(inner)
                    yield from self._ready()
                    break
                yield from self._name(self._here, name, _join(level.shown, name))
            else:
                levels.pop()
                while levels and not self._climb(levels[-1]):
                    levels.pop()

    def _directory_at(self, name: bytes, level: _Level) -> _Level | None:
        """Go into a directory, and write its header; None if it is none."""
        try:
            handle = os.open(name, _DIRECTORY, dir_fd=self._here)
        except OSError:
            return None
        os.close(self._here)
        self._here, shown = handle, _join(level.shown, name)
        status = os.fstat(handle)
        self._add(_entry(shown, Kind.DIRECTORY, status), status)
        return _level(handle, _join(level.path, name), shown)

    def _climb(self, level: _Level) -> bool:
        """Go back to a directory above; False if it is not there any more."""
        above = _opened(lambda: os.open("..", _DIRECTORY, dir_fd=self._here))
        if above < 0 or _identity(above) != level.identity:
            if above >= 0:
                os.close(above)
            above = _opened(lambda: self._view.open(level.path, _DIRECTORY))
            if above < 0 or _identity(above) != level.identity:
                if above >= 0:
                    os.close(above)
                return False
        os.close(self._here)
        self._here = above
        return True

    # ── Names ────────────────────────────────────────────────────────────────────────────

    def _name(self, handle: int, name: bytes, shown: bytes) -> Iterator[bytes]:
        """Write one name that is no directory; one that has gone is left out."""
        try:
            found = os.open(name, _LOOK, dir_fd=handle)
        except OSError:
            return
        try:
            status = os.fstat(found)
            kind = _KINDS.get(stat.S_IFMT(status.st_mode))
            if kind is Kind.FILE:
                yield from self._file(found, shown)
            elif kind is not None and kind is not Kind.DIRECTORY:  # a socket has no entry
                link = os.readlink(b"", dir_fd=found) if kind is Kind.SYMLINK else b""
                self._add(_entry(shown, kind, status, link), status)
                yield from self._ready()
        finally:
            os.close(found)

    def _file(self, found: int, shown: bytes) -> Iterator[bytes]:
        """Write a file that was found to be one, its length as it is now."""
        opened = _opened(lambda: os.open(f"/proc/self/fd/{found}", _AGAIN))
        if opened < 0:
            return
        try:
            status = os.fstat(opened)
            if not self._add(_entry(shown, Kind.FILE, status, file=opened), status):
                return
            left = status.st_size
            while left:
                piece = os.read(opened, min(left, _PIECE)) or bytes(min(left, _PIECE))
                left -= len(piece)
                self._gather(piece)
                yield from self._ready()
            self._gather(bytes(-status.st_size % BLOCK))
        finally:
            os.close(opened)

    def _add(self, entry: Entry, status: os.stat_result) -> bool:
        """Write a header; False if what it names was in the archive before."""
        is_first = True
        if status.st_nlink > 1 and entry.kind is not Kind.DIRECTORY:
            file = (status.st_dev, status.st_ino)
            first = self._first_names.setdefault(file, entry.name)
            is_first = first == entry.name
            if not is_first:
                entry = _entry(entry.name, Kind.HARD_LINK, status, first)
        self._gather(header_of(entry))
        return is_first

    # ── Bytes ────────────────────────────────────────────────────────────────────────────

    def _gather(self, piece: bytes) -> None:
        self._gathered.append(piece)
        self._gathered_bytes += len(piece)

    def _ready(self) -> Iterator[bytes]:
        """Give what has come together, if it is worth sending."""
        if self._gathered_bytes >= _PIECE:
            yield self._taken()

    def _end(self) -> Iterator[bytes]:
        self._gather(bytes(2 * BLOCK))
        yield self._taken()

    def _taken(self) -> bytes:
        pieces, self._gathered, self._gathered_bytes = self._gathered, [], 0
        return b"".join(pieces)


def _level(handle: int, path: bytes, shown: bytes) -> _Level:
    names = sorted(map(os.fsencode, os.listdir(handle)))
    return _Level(path, shown, iter(names), _identity(handle))


def _identity(handle: int) -> tuple[int, int]:
    status = os.fstat(handle)
    return status.st_dev, status.st_ino


def _opened(opening: Callable[[], int]) -> int:
    """Open something; -1 if it is not to be had."""
    with suppress(OSError):
        return opening()
    return -1


def _join(directory: bytes, name: bytes) -> bytes:
    """Put a name below a directory; below nothing it stands alone.

    >>> _join(b"etc", b"motd"), _join(b"", b"etc"), _join(b"/", b"etc")
    (b'etc/motd', b'etc', b'/etc')
    """
    if not directory or directory.endswith(b"/"):
        return directory + name
    return directory + b"/" + name


def _entry(
    shown: bytes, kind: Kind, status: os.stat_result, link: bytes = b"", file: int = -1
) -> Entry:
    device = (0, 0)
    if kind is Kind.CHARACTER or kind is Kind.BLOCK:
        device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    xattrs = NO_XATTRS
    if file >= 0:
        with suppress(OSError):
            xattrs = {_CAPABILITY.encode(): os.getxattr(file, _CAPABILITY)}
    return Entry(
        shown, kind, status.st_mode & 0o7777, status.st_uid, status.st_gid,
        status.st_size if kind is Kind.FILE else 0, status.st_mtime_ns // 10**9, 0, link,
        device, xattrs, EMPTY,
    )  # fmt: skip
