"""What an archive of a context holds: its names, their sums, and where their bytes begin.

    bytes ──► entries ──┬─► sums by name        the cache compares them
                        └─► listing             the tree, as long as nobody unpacked it

Most builds send the context of the build before.  So what a small archive holds is kept
for the next one that is equal to it, byte for byte, and is not worked out again.  And an
archive that is unpacked after all is not read a second time: its entries are remembered,
unless they are very many.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from typing import BinaryIO

from pyminidock.build.cachekey import Seen, Summing
from pyminidock.build.listing import Listing
from pyminidock.events import Emit, Event
from pyminidock.layers.archive import EMPTY, Entry, Kind, Stream, read_entries
from pyminidock.layers.tarfields import BLOCK

SMALL_BYTES = 256 << 10  # of an archive: worth remembering, and few enough
_REMEMBERED = 16
MANY = 1 << 14  # entries; of more archives than these only sums stay in memory
_PIECE = 1 << 20
_KINDS = {
    Kind.FILE: "file", Kind.HARD_LINK: "hard link", Kind.SYMLINK: "symlink",
    Kind.CHARACTER: "character", Kind.BLOCK: "block", Kind.DIRECTORY: "directory",
    Kind.FIFO: "fifo",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """What one archive holds; its bytes are in `spool`.

    `size_bytes` are of the files and of the links' targets.  `shared` is what all equal
    archives of late have in common, None if it is not kept.  `headers` are the entries,
    whose bodies were read; none if there are MANY.
    """

    seen: Mapping[str, Seen]
    listing: Listing
    size_bytes: int
    spool: BinaryIO
    headers: tuple[Entry, ...] = ()
    shared: "Contents | None" = None

    def again(self, spool: BinaryIO) -> "Contents":
        """Give the same, with another place for the bytes."""
        listing = self.listing.again(spool)
        return Contents(self.seen, listing, self.size_bytes, spool, self.headers, self)

    def entries(self) -> Iterator[Entry]:
        """Give all that is in the archive once more, as root's: so it is in an image."""
        if not self.headers:
            self.spool.seek(0)
            for entry in read_entries(self.spool, may_lack_end=True):
                yield replace(entry, uid=0, gid=0) if entry.uid or entry.gid else entry
        for it in self.headers:
            body = _Body(self.spool, it) if it.size else EMPTY
            yield Entry(  # a third of the time that `replace` takes
                it.name, it.kind, it.mode, 0, 0, it.size, it.mtime, it.nanoseconds,
                it.link, it.device, it.xattrs, body, it.offset,
            )  # fmt: skip


class _Body:
    """The bytes behind a header, read from the spool."""

    __slots__ = ("_left", "_spool")

    def __init__(self, spool: BinaryIO, header: Entry) -> None:
        self._spool, self._left = spool, header.size
        spool.seek(header.offset + BLOCK)

    def read(self, limit: int, /) -> bytes:
        """See Stream."""
        data = self._spool.read(min(limit, self._left))
        self._left -= len(data)
        return data


class _Odd(Exception):
    """There is something to be told about an archive."""


def contents_of(stream: Stream, open_spool: Callable[[], BinaryIO], emit: Emit) -> Contents:
    """Sum an archive up.  A small one stays in memory, another goes into a new spool.

    Raises ArchiveRefused, and what the stream and the spool raise.
    """
    data = _beginning(stream)
    if len(data) <= SMALL_BYTES:
        try:
            return _of_small(data).again(BytesIO(data))
        except _Odd:  # then each time anew, for it is told each time
            spool: BinaryIO = BytesIO(data)
            return _summed(read_entries(spool, emit=emit, may_lack_end=True), spool)
    spool = open_spool()
    try:
        spool.write(data)
        kept = _Kept(data, stream, spool)
        return _summed(read_entries(kept, emit=emit, may_lack_end=True), spool)
    except BaseException:
        spool.close()
        raise


def _beginning(stream: Stream) -> bytes:
    """Read what is more than a small archive, or all there is."""
    pieces, missing = [], SMALL_BYTES + 1
    while missing and (piece := stream.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


@lru_cache(maxsize=_REMEMBERED)
def _of_small(data: bytes) -> Contents:
    def refuse(event: Event) -> None:
        raise _Odd(event)

    stream = BytesIO(data)
    return _summed(read_entries(stream, emit=refuse, may_lack_end=True), stream)


class _Kept:
    """A stream with its first bytes put back; the others are written into a file too."""

    def __init__(self, data: bytes, stream: Stream, spool: BinaryIO) -> None:
        self._data, self._stream, self._spool = data, stream, spool

    def read(self, limit: int, /) -> bytes:
        """See Stream."""
        if self._data:
            data, self._data = self._data[:limit], self._data[limit:]
            return data
        data = self._stream.read(limit)
        self._spool.write(data)
        return data


def _summed(entries: Iterator[Entry], spool: BinaryIO) -> Contents:
    """Note the sum of each entry; what replaces a directory takes what was in it."""
    seen: dict[str, Seen] = {}
    listing, size_bytes, below = Listing(seen, spool), 0, _Below(seen)
    modes: dict[int, int] = {}  # many files, few modes
    is_many = False
    headers: list[Entry] = []
    for entry in entries:
        headers.append(entry)
        name = os.fsdecode(entry.name)
        mode = modes.setdefault(entry.mode, entry.mode)
        facts = Seen(
            _KINDS[entry.kind], mode, entry.uid, entry.gid, entry.size,
            os.fsdecode(entry.link), entry.device,
        )  # fmt: skip
        summing = Summing(entry.name, facts, entry.xattrs)
        listing.note(name, entry)
        while data := entry.body.read(_PIECE):
            summing.feed(data)
        size_bytes += entry.size
        if entry.kind is Kind.SYMLINK:
            size_bytes += len(entry.link)
        if name != ".":
            if facts.kind != "directory" and listing.has_folder(name):
                for inner in below.take(name):
                    seen.pop(inner, None)
            seen[name] = summing.seen()
            below.note(name)
        if len(headers) > MANY:
            headers, is_many = [], True
    return Contents(seen, listing, size_bytes, spool, () if is_many else tuple(headers))


class _Below:
    """What is in each folder, by name, implied folders too.

    It is worked out when a folder is first replaced, which most archives never do.
    """

    def __init__(self, seen: Mapping[str, Seen]) -> None:
        self._seen = seen
        self._inner: dict[str, set[str]] = {}

    def note(self, name: str) -> None:
        """Take in the next name, if anybody has asked."""
        while self._inner and name:
            above = name.rpartition("/")[0]
            inner = self._inner.setdefault(above, set())
            if name in inner:
                break
            inner.add(name)
            name = above

    def take(self, folder: str) -> Iterator[str]:
        """Give all that is below a folder, and forget it."""
        if not self._inner:
            self._inner[""] = set()
            for name in self._seen:
                self.note(name)
        waiting = [folder]
        while waiting:
            inner = self._inner.pop(waiting.pop(), set())
            yield from inner
            waiting += inner
