r"""How a layer is written: one tree, one archive, byte for byte the same each time.

The digest of a layer is the digest of its archive, so the archive must depend on nothing
but the tree: no clock, no user names of this machine, whole seconds, sorted records.  It
is, byte for byte, what Docker writes.  A header is ustar; what does not fit comes in front:

    x a/PaxHeaders.0/b     "25 path=a/very/long/name\n"   only if it is needed
    0 a/b                  the entry itself, with as much of the name as fits
    …
    two zero blocks

Needed is a record for a name that is not ASCII or does not fit, for a number that is larger
than its field, and for each extended attribute.  A name of up to 255 bytes may fit in two
parts, if nothing else needs a record.

Source: Go, src/archive/tar/writer.go, writePAXHeader(), splitUSTARPath(); moby,
pkg/archive, FileInfoHeader().
"""

from collections.abc import Callable, Mapping

from pyminidock.errors import MinidockError
from pyminidock.layers.archive import Entry, Kind, Stream
from pyminidock.layers.tarfields import BLOCK, HEADER, shown, sum_of

_CHUNK = 256 << 10
_MAGIC = (b"ustar\0", b"00")
_PAX_HEADER = (b"0000000\0", b"0000000\0", b"0000000\0", b"%011o\0", b"00000000000\0")
_MAX_ID, _MAX_SIZE, _MAX_TIME = 0o7777777, 0o77777777777, 0o77777777777  # of the fields


class BodyTooShort(MinidockError):
    """A file became shorter while it was packed."""


class Writer:
    """Packs entries in the order they come, calling `write` with all bytes of the archive.

    After an error the archive is no archive: throw away what was written.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def add(self, entry: Entry, body: Stream | None = None) -> None:
        """Write one entry; a file's content is the next `size` bytes of `body`.

        Without `body` it is `entry.body`; what it has beyond `size` is not read.
        `nanoseconds` and `offset` are not written.  A directory's name gets its "/".
        Raises BodyTooShort, and what `write` and `body` raise.
        """
        header = header_of(entry)
        if entry.kind is not Kind.FILE or not entry.size:
            self._write(header)
            return
        source, left = body or entry.body, entry.size
        piece = source.read(min(left, _CHUNK))
        left -= len(piece)
        if not left:  # most files: one call for all of it
            self._write(b"".join((header, piece, bytes(-entry.size % BLOCK))))
            return
        self._write(header)
        while piece:
            self._write(piece)
            if not left:
                self._write(bytes(-entry.size % BLOCK))
                return
            piece = source.read(min(left, _CHUNK))
            left -= len(piece)
        raise BodyTooShort(
            f"{shown(entry.name)} ended {left} bytes early",
            why=f"its header says {entry.size} bytes, and the next entry begins after them",
            try_next="pack it again while nobody writes to it",
            lesson="layers",
        )

    def close(self) -> None:
        """Write the end of the archive."""
        self._write(bytes(2 * BLOCK))


def header_of(entry: Entry) -> bytes:
    """Give the blocks that stand before the body of an entry: one, or a few with pax."""
    name = entry.name + b"/" if entry.kind is Kind.DIRECTORY else entry.name
    records, prefix, own_name = _records(entry, name), b"", name
    if b"path" in records and len(records) == 1:
        prefix, own_name = _split(name)
        records = {} if prefix else records
    major, minor = entry.device
    header = _block(
        _fitting(own_name), b"%07o\0" % (entry.mode & 0o7777),
        b"%07o\0" % (entry.uid if entry.uid <= _MAX_ID else 0),
        b"%07o\0" % (entry.gid if entry.gid <= _MAX_ID else 0),
        b"%011o\0" % (entry.size if entry.size <= _MAX_SIZE else 0),
        b"%011o\0" % (entry.mtime if 0 <= entry.mtime <= _MAX_TIME else 0),
        entry.kind.value, _fitting(entry.link), b"%07o\0" % major, b"%07o\0" % minor,
        prefix,
    )  # fmt: skip
    return _pax_header(name, records) + header if records else header


def _block(*fields: bytes) -> bytes:
    """Make a header block of its fields, and put the sum of all bytes in."""
    name, mode, uid, gid, size, mtime, flag, link, major, minor, prefix = fields
    block = HEADER.pack(
        name, mode, uid, gid, size, mtime, b"", flag, link, *_MAGIC,
        b"", b"", major, minor, prefix, b"",
    )  # fmt: skip
    return b"".join((block[:148], b"%06o\0 " % sum_of(block), block[156:]))


def _records(entry: Entry, name: bytes) -> Mapping[bytes, bytes]:
    """Collect what the header has no room for."""
    records = {b"SCHILY.xattr." + key: value for key, value in entry.xattrs.items()}
    if len(name) > 100 or not name.isascii():
        records[b"path"] = name
    if len(entry.link) > 100 or not entry.link.isascii():
        records[b"linkpath"] = entry.link
    if entry.uid > _MAX_ID:
        records[b"uid"] = b"%d" % entry.uid
    if entry.gid > _MAX_ID:
        records[b"gid"] = b"%d" % entry.gid
    if entry.size > _MAX_SIZE:
        records[b"size"] = b"%d" % entry.size
    if not 0 <= entry.mtime <= _MAX_TIME:
        records[b"mtime"] = b"%d" % entry.mtime
    return records


def _pax_header(name: bytes, records: Mapping[bytes, bytes]) -> bytes:
    body = b"".join(_record(key, records[key]) for key in sorted(records))
    directory, _, file = name.rpartition(b"/")
    parts = [part for part in (directory, b"PaxHeaders.0", file) if part not in (b"", b".")]
    own_name = _ascii(b"/".join(parts))[:100].rstrip(b"/")
    mode, uid, gid, size, mtime = _PAX_HEADER
    header = _block(own_name, mode, uid, gid, size % len(body), mtime, b"x", *(b"",) * 4)
    return b"".join((header, body, bytes(-len(body) % BLOCK)))


def _record(key: bytes, value: bytes) -> bytes:
    r"""Write one record; its length counts its own digits.

    >>> _record(b"path", b"ab"), _record(b"k", b"v" * 94)[:6]
    (b'11 path=ab\n', b'101 k=')
    """
    rest = len(key) + len(value) + 3
    size = rest + len(b"%d" % rest)
    if rest + len(b"%d" % size) != size:
        size += 1
    return b"%d %b=%b\n" % (size, key, value)


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Part a long name at a "/" into prefix and name; (b"", name) if that is impossible.

    >>> prefix, name = _split(b"d/" * 40 + b"n" * 50)
    >>> prefix == b"/".join([b"d"] * 40), name == b"n" * 50, _split(b"n" * 101)[0]
    (True, True, b'')
    """
    most = min(len(name) - name.endswith(b"/"), 156)
    at = name.rfind(b"/", 0, most)
    is_fitting = name.isascii() and at > 0 and 0 < len(name) - at - 1 <= 100
    return (name[:at], name[at + 1 :]) if is_fitting else (b"", name)


def _fitting(name: bytes) -> bytes:
    """Cut a name to its field; not at a "/", or old readers see a directory."""
    text = name if name.isascii() else _ascii(name)
    if len(text) <= 100:
        return text
    return text[:99].rstrip(b"/") if text[99] == 0x2F else text[:100]


def _ascii(name: bytes) -> bytes:
    return bytes(byte for byte in name if byte < 0x80)
