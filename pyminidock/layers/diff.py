"""How what a container wrote becomes the archive of a new layer.

The upper directory of an overlay holds the changes and nothing else, so packing it whole
is the comparison.  One walk writes the archive and gives its digest:

    upper                                    archive
    etc/            the directory            etc/
    etc/motd        a file                   etc/motd
    etc/issue       char 0:0                 etc/.wh.issue
    cache/          …opaque=y                cache/  cache/.wh..wh..opq

The order is Docker's: by bytes in each directory, a directory before what it holds.  The
same tree gives the same bytes.

A container may still be writing while we walk.  So a file is opened without following a
link, its length is taken from the open file, and exactly so much is written: a file that
shrinks is filled with zeros, one that grows is cut, both are told.  Going up again is
checked: the directory above must be the one we came from.

Source: moby, pkg/archive, TarWithOptions() and archive_linux.go; image-spec, layer.md.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pyminidock.errors import MinidockError
from pyminidock.events import ArchiveWarned, Emit, ignore
from pyminidock.image.digest import Digest
from pyminidock.layers.archive import EMPTY, Entry, Kind, shown
from pyminidock.layers.ondisk import FILE, is_whiteout
from pyminidock.layers.tarfields import BLOCK, DEFAULT_LIMITS, NO_XATTRS
from pyminidock.layers.tarwriter import Writer, header_of
from pyminidock.unionfs import whiteout
from pyminidock.unionfs.whiteout import TRUSTED, Spelling

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GATHERED = 256 << 10  # bytes that go to `write` at once
_KINDS = {
    stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER, stat.S_IFBLK: Kind.BLOCK, stat.S_IFIFO: Kind.FIFO,
}  # fmt: skip


class TreeNotPortable(MinidockError):
    """A tree holds something that no archive of a layer can say."""


@dataclass(frozen=True, slots=True)
class Packed:
    """What went into an archive; `left_out` are the paths of sockets."""

    entries: int
    content_bytes: int
    archive_bytes: int
    left_out: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Diffed:
    """The archive of a layer; `size_bytes` counts the content of its files."""

    diff_id: Digest
    size_bytes: int
    entries: int


def diff(
    upper: Path, write: Callable[[bytes], object], *, emit: Emit = ignore,
    spelling: Spelling = TRUSTED,
) -> Diffed:  # fmt: skip
    """Write the archive of an upper directory (host path), and name it by its digest.

    Raises as `pack` does.
    """
    digest = hashlib.sha256()

    def take(piece: bytes) -> None:
        digest.update(piece)
        write(piece)

    packed = pack(upper, take, emit=emit, spelling=spelling)
    return Diffed(f"sha256:{digest.hexdigest()}", packed.content_bytes, packed.entries)


def pack(  # noqa: PLR0913  (each is for one caller, and one idea)
    upper: Path, write: Callable[[bytes], object], *, emit: Emit = ignore,
    spelling: Spelling = TRUSTED, has_whiteouts: bool = True, twin: "Twin | None" = None,
) -> Packed:  # fmt: skip
    """Write the archive of a tree; the order, and every byte, follow from the tree alone.

    `twin` gets every entry too, with the bytes that went into the archive.

    Sockets are left out and told.  Without `has_whiteouts` the tree is no layer, and its
    `.wh.` names and 0:0 devices are ordinary.  Reads each file once, holds three handles.
    Raises WhiteoutMalformed for a name that would delete, TreeNotPortable beyond the limits
    of our own reader or for a redirected directory, OSError EXDEV at another filesystem's
    directory (files of an overlay have numbers of their own, its directories do not).
    """
    walk = _Walk(write, emit, spelling, has_whiteouts=has_whiteouts, twin=twin)
    walk.run(upper)
    return Packed(
        walk.entries, walk.content_bytes, walk.archive_bytes, tuple(walk.left_out)
    )


class Twin(Protocol):
    """Who gets the entries of an archive while it is written: `apply.Applying` is one."""

    def put(self, entry: Entry) -> None:
        """Take an entry; its body is good until this returns."""


@dataclass(slots=True)
class _Level:
    """A directory that is being walked: its path with a slash, and the names to come."""

    prefix: bytes
    names: Iterator[bytes]
    identity: tuple[int, int]


class _Walk:
    def __init__(
        self, write: Callable[[bytes], object], emit: Emit, spelling: Spelling, *,
        has_whiteouts: bool, twin: "Twin | None",
    ) -> None:  # fmt: skip
        self.entries = self.content_bytes = self.archive_bytes = 0
        self.left_out: list[bytes] = []
        self._write, self._emit, self._spelling = write, emit, spelling
        self._has_whiteouts, self._twin = has_whiteouts, twin
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._writer = Writer(self._gather)
        self._first_names: dict[int | tuple[int, int], bytes] = {}  # by `_file_of`
        self._device = -1

    def run(self, upper: Path) -> None:
        handle, inner = os.open(upper, _DIRECTORY), -1
        try:
            self._device = os.fstat(handle).st_dev
            levels = [_level(handle, b"")]
            while levels:
                level = levels[-1]
                for name in level.names:
                    inner = self._one(handle, level.prefix, name)
                    if inner >= 0:
                        levels.append(_level(inner, level.prefix + name + b"/"))
                        break
                else:
                    levels.pop()
                    if levels:
                        inner = _climb(handle, levels[-1])
                if inner >= 0:
                    os.close(handle)
                    handle, inner = inner, -1
        finally:
            os.close(handle)
            if inner >= 0:
                os.close(inner)
        self._writer.close()
        self._pass_on()

    def _one(self, handle: int, prefix: bytes, name: bytes) -> int:
        """Write one name; for a directory give its handle, else -1."""
        path = prefix + name
        try:
            status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        except FileNotFoundError:
            self._tell("a file went away while it was packed", path)
            return -1
        if stat.S_ISDIR(status.st_mode) and status.st_dev != self._device:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), os.fsdecode(path))
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is None:
            self._tell("a socket is not packed, it lives with its program", path)
            self.left_out.append(path)
            return -1
        if self._has_whiteouts:
            if name.startswith(whiteout.PREFIX):
                whiteout.check_speakable(name)
            if is_whiteout(self._spelling, status, name, handle):
                self._whiteout(prefix + whiteout.spell(name), status)
                return -1
        _check_limits(path)
        if kind is Kind.DIRECTORY:
            return self._directory(handle, name, path, status)
        if kind is Kind.FILE:
            self._file(handle, name, path, status)
        else:
            link = os.readlink(name, dir_fd=handle) if kind is Kind.SYMLINK else b""
            self._add(_entry(path, kind, status, link=link), status)
            self.content_bytes += len(link)  # as st_size has it, and Docker's sizes
        return -1

    def _directory(
        self, handle: int, name: bytes, path: bytes, status: os.stat_result
    ) -> int:
        try:
            inner = os.open(name, _DIRECTORY, dir_fd=handle)
        except (FileNotFoundError, NotADirectoryError):
            self._tell("a file went away while it was packed", path)
            return -1
        try:
            attributes = os.listxattr(inner)
            self._add(
                _entry(path, Kind.DIRECTORY, status, self._xattrs(inner, attributes, path)),
                status,
            )
            opaque = self._spelling.opaque
            if (
                self._has_whiteouts
                and opaque in attributes
                and os.getxattr(inner, opaque) == b"y"
            ):
                mode = status.st_mode & 0o777
                name = path + b"/" + whiteout.OPAQUE
                self._add(Entry(name, Kind.FILE, mode, status.st_uid, status.st_gid), None)
        except BaseException:
            os.close(inner)
            raise
        return inner

    def _file(self, handle: int, name: bytes, path: bytes, status: os.stat_result) -> None:
        try:
            opened = os.open(name, FILE, dir_fd=handle)
        except OSError as change:
            if change.errno not in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
                raise
            self._tell("a file went away while it was packed", path)
            return
        try:
            status = os.fstat(opened)
            if not stat.S_ISREG(status.st_mode):
                self._tell("a file became something else while it was packed", path)
                return
            attributes = os.listxattr(opened)
            xattrs = self._xattrs(opened, attributes, path) if attributes else NO_XATTRS
            first = None
            if status.st_nlink > 1:
                first = self._first_names.get(self._file_of(status))
            if first is not None:
                self._add(_entry(path, Kind.HARD_LINK, status, xattrs, first), None)
                return
            entry = _entry(path, Kind.FILE, status, xattrs)
            body = _Body(opened, status.st_size)
            self._add(entry, status, body)
            self.content_bytes += status.st_size
            if body.has_changed(status):
                self._tell("a file changed while it was packed", path)
        finally:
            os.close(opened)

    def _file_of(self, status: os.stat_result) -> int | tuple[int, int]:
        """Tell files apart; there may be many, and a number is smaller than a pair."""
        if status.st_dev == self._device:
            return status.st_ino
        return status.st_dev, status.st_ino

    def _whiteout(self, path: bytes, status: os.stat_result) -> None:
        _check_limits(path)
        self._add(replace(_entry(path, Kind.FILE, status), mode=0o600, device=(0, 0)), None)

    def _add(
        self, entry: Entry, status: os.stat_result | None, body: "_Body | None" = None
    ) -> None:
        """Write one entry; `status` of what later names may be hard links to."""
        if status is not None and status.st_nlink > 1 and entry.kind is not Kind.DIRECTORY:
            first = self._first_names.setdefault(self._file_of(status), entry.name)
            if first != entry.name:  # a link, a device or a FIFO with a second name
                entry = replace(entry, kind=Kind.HARD_LINK, link=first, device=(0, 0))
        if self._twin is None:
            self._writer.add(entry, body)
        else:
            self._add_twice(self._twin, entry, body)
        self.entries += 1

    def _add_twice(self, twin: "Twin", entry: Entry, body: "_Body | None") -> None:
        """Read a file once, for the archive and for somebody else."""
        if body is None or not entry.size:
            self._writer.add(entry)
            twin.put(entry)
            return
        self._gather(header_of(entry))
        shared = _Shared(body, self._gather)
        twin.put(replace(entry, body=shared))
        while shared.read(_GATHERED):  # what was not asked for belongs to the archive too
            pass
        self._gather(bytes(-entry.size % BLOCK))

    # ── Overlayfs's words ────────────────────────────────────────────────────────────────

    def _xattrs(self, opened: int, names: list[str], path: bytes) -> Mapping[bytes, bytes]:
        """Keep what images carry: file capabilities, and what users set."""
        kept: dict[bytes, bytes] = {}
        for name in names:
            if name.startswith(self._spelling.prefix):
                if name.endswith((".redirect", ".metacopy")):
                    raise _not_portable(
                        f"{shown(path)} has the attribute {name}",
                        "its content lies in another place, which only this overlay knows",
                    )
            elif name == "security.capability" or name.startswith("user."):
                try:
                    kept[os.fsencode(name)] = os.getxattr(opened, name)
                except OSError as change:
                    if change.errno != errno.ENODATA:
                        raise
        return kept or NO_XATTRS

    # ── Bytes and words ──────────────────────────────────────────────────────────────────

    def _gather(self, piece: bytes) -> None:
        self._gathered.append(piece)
        self._gathered_bytes += len(piece)
        if self._gathered_bytes >= _GATHERED:
            self._pass_on()

    def _pass_on(self) -> None:
        self.archive_bytes += self._gathered_bytes
        self._write(b"".join(self._gathered))
        self._gathered, self._gathered_bytes = [], 0

    def _tell(self, what: str, path: bytes) -> None:
        self._emit(ArchiveWarned(what, shown(path), self.archive_bytes))


class _Body:
    """Exactly so many bytes of an open file: cut if it grew, zeros if it shrank."""

    __slots__ = ("_left", "_opened", "is_filled")

    def __init__(self, opened: int, size: int) -> None:
        self._opened, self._left, self.is_filled = opened, size, False

    def read(self, limit: int, /) -> bytes:
        """Give the next bytes, as many as are asked for, until the size is reached."""
        wanted = min(limit, self._left)
        piece = b"" if self.is_filled else os.read(self._opened, wanted)
        while len(piece) < wanted:
            more = b"" if self.is_filled else os.read(self._opened, wanted - len(piece))
            if not more:
                self.is_filled = True
                more = bytes(wanted - len(piece))
            piece += more
        self._left -= wanted
        return piece

    def has_changed(self, before: os.stat_result) -> bool:
        """Say whether the file was written to since its length was taken."""
        after = os.fstat(self._opened)
        return self.is_filled or after.st_size != before.st_size


class _Shared:
    """A body whose bytes go into the archive when somebody else reads them."""

    __slots__ = ("_body", "_write")

    def __init__(self, body: _Body, write: Callable[[bytes], object]) -> None:
        self._body, self._write = body, write

    def read(self, limit: int, /) -> bytes:
        """See Stream."""
        piece = self._body.read(limit)
        self._write(piece)
        return piece


def _level(handle: int, prefix: bytes) -> _Level:
    status = os.fstat(handle)
    names = sorted(map(os.fsencode, os.listdir(handle)))
    return _Level(prefix, iter(names), (status.st_dev, status.st_ino))


def _climb(handle: int, level: _Level) -> int:
    """Open the directory above.  Raises TreeNotPortable if it is not the one we left."""
    above = os.open("..", _DIRECTORY, dir_fd=handle)
    try:
        status = os.fstat(above)
    except OSError:
        os.close(above)
        raise
    if (status.st_dev, status.st_ino) == level.identity:
        return above
    os.close(above)
    raise _not_portable(
        f"{shown(level.prefix)} was moved while it was packed",
        "a tree is packed where it lies, and this one is somewhere else now",
    )


def _entry(
    path: bytes, kind: Kind, status: os.stat_result,
    xattrs: Mapping[bytes, bytes] = NO_XATTRS, link: bytes = b"",
) -> Entry:  # fmt: skip
    device = (0, 0)
    if kind is Kind.CHARACTER or kind is Kind.BLOCK:
        device = (os.major(status.st_rdev), os.minor(status.st_rdev))
    size = status.st_size if kind is Kind.FILE else 0
    return Entry(
        path, kind, status.st_mode & 0o7777, status.st_uid, status.st_gid, size,
        int(status.st_mtime_ns // 10**9), 0, link, device, xattrs, EMPTY,
    )  # fmt: skip


def _check_limits(path: bytes) -> None:
    limits = DEFAULT_LIMITS
    if len(path) > limits.path_bytes or path.count(b"/") >= limits.depth:
        raise _not_portable(
            f"{shown(path)} is too deep or too long",
            f"a path has at most {limits.depth} names and {limits.path_bytes} bytes",
        )


def _not_portable(problem: str, why: str) -> TreeNotPortable:
    return TreeNotPortable(
        f"cannot pack the layer: {problem}",
        why=why,
        try_next="remove or rename it in the same step, or stop the container first",
        lesson="layers",
    )
