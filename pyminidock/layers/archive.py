"""How a layer is read: a strict, streaming reader of tar archives.

    ┌────────┬──────────────┬────────┬──────┬─ ─┬──────┬──────┬─ ─
    │ header │ body …   pad │ header │ body │   │ zero │ zero │ anything
    └────────┴──────────────┴────────┴──────┴─ ─┴──────┴──────┴─ ─
      512      to 512 bytes

Each header block (see `tarfields`) tells of one entry, and its body follows.
`read_entries` gives one Entry after the other and never looks back, so an archive may be
longer than the memory.  It reads the stream to its very end, for the digest of a layer is
of all its bytes.

It knows v7, ustar, GNU long names and pax.  It is strict: a damaged header is never taken
for the end, names and numbers are never guessed, and what it does not know it refuses by
name.  What is merely odd is read, with an ArchiveWarned.  Python's own `tarfile` ends a
damaged archive early, without a word: a shorter layer, and nobody notices.

Source: POSIX.1-2017 pax; GNU tar manual, "Basic Tar Format"; Go, src/archive/tar.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn, Protocol

from pyminidock.events import ArchiveWarned, Emit, ignore
from pyminidock.layers.tarfields import (
    BLOCK,
    DEFAULT_LIMITS,
    HEADER,
    MAX_ID,
    NO_XATTRS,
    ArchiveRefused,
    Limits,
    check_sum,
    clean,
    decimal,
    number,
    over,
    pax_records,
    pax_time,
    refuse,
    shown,
    time_of,
    xattrs_of,
)

__all__ = [
    "EMPTY",
    "ArchiveRefused",
    "Entry",
    "Kind",
    "Limits",
    "Stream",
    "read_entries",
    "shown",
]

_CHUNK = 256 << 10
_ZERO = bytes(BLOCK)
_NOTHING: Mapping[bytes, bytes] = {}
_EXTENSIONS = frozenset((b"x", b"g", b"L", b"K"))
_END = "two zero blocks, or the stream between two entries, end an archive; nothing else"


class Kind(Enum):
    """What an entry is; the value is its letter in the header."""

    FILE = b"0"
    HARD_LINK = b"1"  # another name for an entry of this archive
    SYMLINK = b"2"
    CHARACTER = b"3"
    BLOCK = b"4"
    DIRECTORY = b"5"
    FIFO = b"6"


_KINDS = {kind.value: kind for kind in Kind} | {b"\0": Kind.FILE, b"7": Kind.FILE}
_REFUSED = {
    b"S": "a sparse file of old GNU tar",
    b"V": "the label of a volume",
    b"M": "the continuation of a file from another volume",
    b"D": "a GNU dump directory",
    b"N": "an old GNU long name",
    b"X": "an extended header of Solaris",
    b"A": "an access control list of Solaris",
}


class Stream(Protocol):
    """Bytes that come once: a file, a socket's file, a decompressor, a body."""

    def read(self, limit: int, /) -> bytes:
        """Give 1 to `limit` bytes, or none at the end."""


class _Empty:
    def read(self, limit: int, /) -> bytes:
        return b""


EMPTY: Stream = _Empty()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory, link or device of an archive.

    `name` is a clean path from the root of the archive ("etc/motd"), never absolute and
    never above it; the root itself is "." and always a directory.  Of a hard link `link` is
    a clean path too; of a symlink it is the target, as it came.  `mode` has no type bits.
    `mtime` may be before 1970 or far ahead.  `body` gives `size` bytes, once, until the
    next entry is asked for.  `offset` is where the header began, in bytes.
    """

    name: bytes
    kind: Kind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: int = 0  # seconds since 1970
    nanoseconds: int = 0
    link: bytes = b""
    device: tuple[int, int] = (0, 0)  # major, minor
    xattrs: Mapping[bytes, bytes] = field(default_factory=lambda: NO_XATTRS)
    body: Stream = field(default=EMPTY, compare=False, repr=False)
    offset: int = field(default=0, compare=False)


def read_entries(
    stream: Stream, limits: Limits = DEFAULT_LIMITS, *, emit: Emit = ignore,
    may_lack_end: bool = False, may_climb: bool = False,
) -> Iterator[Entry]:  # fmt: skip
    """Yield the entries of an uncompressed archive, and read `stream` to its end.

    Whoever stops earlier has checked nothing of the rest.  Each kind of oddness is told
    once.  With `may_lack_end` the last body may come without its padding, and the archive
    without an end, as Docker's client sends them; a body and a header are whole all the
    same.  With `may_climb` names and hard links above the root are given as they are, for
    the caller to refuse: they begin with "../".
    Raises ArchiveRefused, also from `Entry.body`, and what the stream raises.
    """
    reader = _Reader(stream, limits, emit, may_lack_end=may_lack_end, may_climb=may_climb)
    return reader.entries()


class _Body:
    """The bytes that belong to one entry."""

    __slots__ = ("_reader",)

    def __init__(self, reader: "_Reader") -> None:
        self._reader = reader

    def read(self, limit: int, /) -> bytes:
        """Give exactly `limit` bytes, fewer only at the end of the body."""
        return self._reader.read_body(self, limit)


class _Reader:
    """Where we are in one archive, and what its last headers said about the next entry."""

    def __init__(
        self, stream: Stream, limits: Limits, emit: Emit, *,
        may_lack_end: bool, may_climb: bool,
    ) -> None:  # fmt: skip
        self._stream, self._limits, self._emit = stream, limits, emit
        self._may_lack_end, self._may_climb = may_lack_end, may_climb
        self._chunk, self._at, self._base = b"", 0, 0  # _base: offset of the chunk
        self._body: _Body | None = None
        self._left = self._padding = 0  # of the body: not read yet; up to the next block
        self._told: set[str] = set()
        self._forget()

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, then look at the end."""
        count = 0
        while True:
            offset = self._base + self._at
            header = self._take(BLOCK)
            if len(header) < BLOCK or header == _ZERO:
                break
            fields = HEADER.unpack(header)
            check_sum(header, fields[6], offset)
            if fields[7] in _EXTENSIONS:
                self._extend(fields, offset)
                continue
            count += 1
            if count > self._limits.entries:
                over(self._limits, "entries", count, offset)
            yield self._entry(fields, offset)
            self._body = None
            self._skip(offset)
            if self._in_a_row:
                self._forget()
        self._end(header, offset)

    # ── Headers ──────────────────────────────────────────────────────────────────────────

    def _forget(self) -> None:
        """Start the next entry without what was said about the last one."""
        self._pax: Mapping[bytes, bytes] = _NOTHING
        self._long_name = self._long_link = b""
        self._in_a_row, self._is_entry_due = 0, False

    def _extend(self, fields: tuple[bytes, ...], offset: int) -> None:
        """Take in a header that speaks about the next one; of its kind the last counts."""
        flag, size = fields[7], _size_of(fields[4], offset)
        self._in_a_row += 1
        if self._in_a_row > self._limits.headers_in_a_row:
            over(self._limits, "headers_in_a_row", self._in_a_row, offset)
        if size > self._limits.header_bytes:
            over(self._limits, "header_bytes", size, offset)
        body = self._take(size)
        self._left, self._padding = size - len(body), -size % BLOCK
        self._skip(offset)
        self._is_entry_due |= flag != b"g"
        match flag:
            case b"x":
                self._pax = dict(pax_records(body, offset, self._limits))
            case b"g":  # Docker ignores it too
                for _ in pax_records(body, offset, self._limits):
                    pass
                self._warn("a global pax header was ignored", b"", offset)
            case b"L":
                self._long_name = _long(body, offset)
            case _:
                self._long_link = _long(body, offset)

    def _entry(self, fields: tuple[bytes, ...], offset: int) -> Entry:
        """Make an entry of its header, and of the headers before it."""
        _, mode, uid, gid, size, mtime, _, flag, _, _, _, _, _, major, minor, _, _ = fields
        kind = _KINDS.get(flag) or _refuse_kind(flag, offset)
        pax, xattrs, device = self._pax, NO_XATTRS, (0, 0)
        if pax:
            xattrs = self._xattrs(offset)
        raw = self._name(fields, offset)
        if flag == b"\0" and raw.endswith(b"/"):
            kind = Kind.DIRECTORY
        name = clean(raw, offset, self._limits, may_climb=self._may_climb)
        if name == b"." and kind is not Kind.DIRECTORY:
            refuse("the root is no directory", offset, "an archive cannot replace its root")
        if kind is Kind.CHARACTER or kind is Kind.BLOCK:
            device = (number(major, "major", offset), number(minor, "minor", offset))
        length = _number(pax, b"size", size, offset)
        if length and kind is not Kind.FILE:
            refuse(
                f"{shown(name)} has a body of {length} bytes",
                offset,
                "only a file has content; the header of anything else says size 0",
            )
        if length > self._limits.layer_bytes:
            over(self._limits, "layer_bytes", length, offset)
        self._left, self._padding = length, -length % BLOCK
        if length:
            self._body = _Body(self)
        seconds, nanoseconds = (
            pax_time(pax[b"mtime"], offset) if pax.get(b"mtime")
            else (time_of(mtime, offset), 0)
        )  # fmt: skip
        return Entry(
            name, kind, number(mode, "mode", offset) & 0o7777,
            _id(_number(pax, b"uid", uid, offset), "uid", offset),
            _id(_number(pax, b"gid", gid, offset), "gid", offset),
            length, seconds, nanoseconds, self._link(kind, fields, offset),
            device, xattrs, self._body or EMPTY, offset,
        )  # fmt: skip

    def _name(self, fields: tuple[bytes, ...], offset: int) -> bytes:
        """Find the name: GNU's, or pax's, or the header's own, as Docker prefers them."""
        magic, prefix, rest = fields[9], fields[15], fields[16]
        if magic != b"ustar\0":
            if magic not in (b"ustar ", bytes(6)):  # GNU, v7
                refuse(
                    f"its magic is {shown(magic)}",
                    offset,
                    "v7, ustar, GNU and pax are known",
                )
            prefix = b""
        if said := self._long_name or self._pax.get(b"path"):
            return said
        name = fields[0].partition(b"\0")[0]
        if prefix and prefix[0]:
            if rest.endswith(b"tar\0"):  # star keeps times at the end of the field
                prefix = prefix[:131]
            name = prefix.partition(b"\0")[0] + b"/" + name
        return name

    def _link(self, kind: Kind, fields: tuple[bytes, ...], offset: int) -> bytes:
        """Find the target of a link; a stray one (Docker's whiteouts) says nothing."""
        if kind is not Kind.SYMLINK and kind is not Kind.HARD_LINK:
            return b""
        said = self._long_link or self._pax.get(b"linkpath")
        link = said or fields[8].partition(b"\0")[0]
        if not link or b"\0" in link:
            refuse(
                f"a link leads to {shown(link)!r}", offset, "a target has a name, no NUL"
            )
        if len(link) > self._limits.link_bytes:
            over(self._limits, "link_bytes", len(link), offset)
        if kind is Kind.SYMLINK:
            return link
        return clean(link, offset, self._limits, may_climb=self._may_climb)

    def _xattrs(self, offset: int) -> Mapping[bytes, bytes]:
        for key in self._pax:
            if key.startswith(b"GNU.sparse."):
                _refuse_kind(b"S", offset)
        return xattrs_of(self._pax, offset, self._limits)

    # ── The stream ───────────────────────────────────────────────────────────────────────

    def read_body(self, body: _Body, limit: int) -> bytes:
        """Read on in `body`.  Raises ValueError if the archive has gone on since."""
        if body is not self._body:
            raise ValueError("a body can be read until the next entry is asked for")
        wanted = min(limit, self._left) if limit >= 0 else self._left
        piece = self._take(wanted)
        self._left -= len(piece)
        if len(piece) < wanted:
            self._refuse_cut("a body", self._base + self._at)
        return piece

    def _skip(self, offset: int) -> None:
        """Go to the next block: over what nobody read of the body, and its padding."""
        while self._left:
            piece = self._take(min(self._left, _CHUNK))
            self._left -= len(piece)
            if not piece:
                self._refuse_cut("a body", offset)
        is_cut = self._padding and len(self._take(self._padding)) < self._padding
        if is_cut and not self._may_lack_end:
            self._refuse_cut("the padding of a body", offset)

    def _take(self, size: int) -> bytes:
        """Give the next `size` bytes, fewer only at the end of the stream."""
        end = self._at + size
        if end <= len(self._chunk):
            piece = self._chunk[self._at : end]
            self._at = end
            return piece
        pieces = [self._chunk[self._at :]]
        missing = size - len(pieces[0])
        while missing:
            if not self._fill():
                break
            pieces.append(self._chunk[:missing])
            self._at = len(pieces[-1])
            missing -= self._at
        return b"".join(pieces)

    def _fill(self) -> bool:
        """Get the next chunk; False at the end.  All that comes is counted here."""
        self._base += len(self._chunk)
        self._chunk, self._at = self._stream.read(_CHUNK), 0
        if self._base + len(self._chunk) > self._limits.layer_bytes:
            found = f"{self._base + len(self._chunk)} or more"
            over(self._limits, "layer_bytes", found, self._base)
        return bool(self._chunk)

    # ── The end ──────────────────────────────────────────────────────────────────────────

    def _end(self, last: bytes, offset: int) -> None:
        """Decide whether what looks like the end is one, and read what is left."""
        if self._is_entry_due or (self._in_a_row and not last):
            refuse(
                "a header speaks of an entry that never comes", offset, _END, is_cut=True
            )
        if not last:
            if not self._may_lack_end:
                self._warn("it has no end marker", b"", offset)
            return
        if len(last) < BLOCK:
            self._refuse_cut("a header", offset)
        second = self._take(BLOCK)
        if not second:
            self._warn("its end marker is one zero block, not two", b"", offset)
        elif len(second) < BLOCK:
            self._refuse_cut("the end marker", offset)
        elif second != _ZERO:
            refuse("there is one zero block in the middle", offset, _END)
        while rest := self._take(_CHUNK):
            if rest != bytes(len(rest)):
                at = self._base + self._at - len(rest)
                self._warn("bytes after its end were ignored", b"", at)

    def _refuse_cut(self, where: str, offset: int) -> NoReturn:
        refuse(f"the archive ends inside {where}", offset, _END, is_cut=True)

    def _warn(self, what: str, name: bytes, offset: int) -> None:
        """Tell each kind of oddness once, however often an archive has it."""
        if what not in self._told:
            self._told.add(what)
            self._emit(ArchiveWarned(what, shown(name), offset))


def _number(pax: Mapping[bytes, bytes], key: bytes, own: bytes, offset: int) -> int:
    """Read a number that a pax record replaces, if there is one."""
    if pax and (text := pax.get(key)):
        return decimal(text, key.decode(), offset)
    return _size_of(own, offset) if key == b"size" else number(own, key.decode(), offset)


def _size_of(own: bytes, offset: int) -> int:
    size = number(own, "size", offset)
    if not size and not own.strip(b" \0"):
        refuse("size is empty", offset, "without a size nobody knows where a body ends")
    return size


def _id(value: int, what: str, offset: int) -> int:
    if value > MAX_ID:
        refuse(f"{what} is {value}", offset, f"user and group ids go up to {MAX_ID}")
    return value


def _long(body: bytes, offset: int) -> bytes:
    name = body.rstrip(b"\0")
    if not name or b"\0" in name:
        refuse(f"a long name is {shown(name)!r}", offset, "a name has bytes, none is NUL")
    return name


def _refuse_kind(flag: bytes, offset: int) -> NoReturn:
    said = _REFUSED.get(flag, "of no kind that can be unpacked")
    refuse(
        f"type {shown(flag)!r}: {said}",
        offset,
        "files, links, devices, directories, FIFOs, and what pax and GNU say about them",
    )
