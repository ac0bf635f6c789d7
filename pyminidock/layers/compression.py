"""How a layer becomes an archive again: the first bytes say how it was packed.

    1f 8b          gzip     members, one behind the other
    28 b5 2f fd    zstd     frames; 50 … 5f 2a 4d 18 is one to skip
    fd 37 7a 58    xz       streams
    42 5a 68       bzip2    streams
    else           none     the bytes are the archive

What a manifest calls a blob is a claim; the magic is a fact.  The bytes come out in steps
of the size that was asked for, so a few kilobytes that would become a gigabyte fill no
memory, and are counted while they come.  Behind the last member may be zeros (tapes, and
`tar` to them, pad) and nothing else.  gzip inside gzip stays gzip.

Every decoder looks the same here: `decompress(data, max_length)`, `needs_input`, `eof` and
`unused_data`, as bz2 and lzma have it.

Source: RFC 1952; RFC 8878; the .xz file format; Python, Lib/_compression.py.
"""

import bz2
import importlib
import lzma
import zlib
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from pyminidock.events import ArchiveWarned, Emit, ignore
from pyminidock.layers.archive import ArchiveRefused, Limits, Stream
from pyminidock.layers.tarfields import DEFAULT_LIMITS, over

_PIECE = 16 << 10  # what stays of a piece is copied for each member in it: keep it small
_ZSTD_MODULES = ("compression.zstd", "backports.zstd")  # since Python 3.14, and before


class CompressionUnknown(ArchiveRefused):
    """No module is there that unpacks it."""


class Decoder(Protocol):
    """What unpacks one member."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether more comes out only after more has gone in."""

    @property
    def unused_data(self) -> bytes:
        """What lies behind the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Give at most `max_length` bytes."""


class _Gunzip:
    """A gzip member; zlib checks its sum and its length."""

    def __init__(self) -> None:
        self._inner, self.needs_input = zlib.decompressobj(wbits=31), True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # A full step may have left more inside zlib, even when it has taken all input.
        self.needs_input = len(piece) < max_length and not self._inner.unconsumed_tail
        return piece


_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    *((bytes((first,)) + b"\x2a\x4d\x18", "zstd") for first in range(0x50, 0x60)),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
)


_MAGIC_BYTES = 6  # the longest


def _compression_of(head: bytes) -> str:
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "none")


class _Replay:
    """A stream with its first bytes put back, which counts what it has given."""

    def __init__(self, stream: Stream) -> None:
        self._stream, self.size_bytes = stream, 0
        self.head = b""
        while len(self.head) < _MAGIC_BYTES and (more := stream.read(_PIECE)):
            self.head += more

    def read(self, limit: int, /) -> bytes:
        piece, self.head = self.head[:limit], self.head[limit:]
        piece = piece or self._stream.read(limit)
        self.size_bytes += len(piece)
        return piece


def decompressed(
    stream: Stream, limits: Limits = DEFAULT_LIMITS, *, emit: Emit = ignore
) -> "Decompressed | Plain":
    """Give the bytes that were packed, as a stream whose `compression` says how they were.

    Reads the first bytes.  Raises CompressionUnknown if no module for it is there; reading
    raises ArchiveRefused for damage, for what lies behind the end, and beyond a limit.
    """
    source = _Replay(stream)
    name = _compression_of(source.head)
    return Plain(source) if name == "none" else Decompressed(source, name, limits, emit)


class Plain:
    """Bytes that were not packed."""

    compression = "none"

    def __init__(self, source: Stream) -> None:
        self.read = source.read


class Decompressed:
    """Bytes that come out of a compressed stream, member after member."""

    def __init__(self, source: _Replay, name: str, limits: Limits, emit: Emit) -> None:
        self._source, self._limits, self._emit = source, limits, emit
        self.compression, self.size_bytes = name, 0
        self._make, self._failures = _decoder(name, limits)
        self._decoder, self._members, self._was_told = self._make(), 1, False
        self._input = b""

    def read(self, limit: int, /) -> bytes:
        """Give 1 to `limit` bytes, or none at the end, when all has been checked."""
        if limit < 1:  # zlib would take 0 for "no limit"
            raise ValueError("at least one byte has to be asked for")
        while True:
            if self._decoder.eof and not self._go_on():
                return b""
            self._feed()
            data, self._input = self._input, b""
            try:
                piece = self._decoder.decompress(data, limit)
            except self._failures as damage:
                self._refuse(str(damage), damage)
            if piece:
                self._count(len(piece))
                return piece

    def _feed(self) -> None:
        """Get the next input, if the decoder cannot go on without."""
        if self._input or not self._decoder.needs_input:
            return
        self._input = self._source.read(_PIECE)
        if not self._input:
            self._refuse("unexpected EOF: it ends in the middle")

    def _go_on(self) -> bool:
        """Begin the next member; False if there is none, only zeros up to the end."""
        rest = self._decoder.unused_data
        while len(rest) < _MAGIC_BYTES and (more := self._source.read(_PIECE)):
            rest += more
        if _compression_of(rest) == self.compression:
            self._members += 1
            if self._members > self._limits.members:
                over(self._limits, "members", self._members, self._source.size_bytes)
            self._decoder, self._input = self._make(), rest
            return True
        while rest:
            if rest.strip(b"\0"):
                self._refuse("there is junk behind its end")
            rest = self._source.read(_PIECE)
        self._decoder = _ENDED
        return False

    def _count(self, size: int) -> None:
        """Notice what grows beyond reason.  Offsets are of the compressed stream."""
        self.size_bytes += size
        limits, taken = self._limits, self._source.size_bytes
        if self.size_bytes > limits.layer_bytes:
            over(limits, "layer_bytes", f"{self.size_bytes} or more", taken)
        if self.size_bytes < limits.ratio_from_bytes:
            return
        ratio = self.size_bytes // taken
        if ratio > limits.ratio_to_stop:
            over(limits, "ratio_to_stop", ratio, taken)
        if ratio > limits.ratio_to_warn and not self._was_told:
            self._was_told = True
            what = f"it grows to {ratio} times its size when it is unpacked"
            self._emit(ArchiveWarned(what, "", self.size_bytes))

    def _refuse(self, problem: str, cause: Exception | None = None) -> NoReturn:
        raise ArchiveRefused(
            f"{self.compression}: {problem} (near byte {self._source.size_bytes})",
            why="a compressed stream ends where it says so, with the sum it says",
            try_next="fetch or pack it again; part of it is damaged or missing",
            lesson="layers",
        ) from cause


class _Ended:
    """Stands where the decoder of the last member was."""

    eof, needs_input, unused_data = True, True, b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return b""


_ENDED = _Ended()


def _decoder(
    name: str, limits: Limits
) -> tuple[Callable[[], Decoder], tuple[type[Exception], ...]]:
    """Give what makes a decoder, and what it raises.  Raises CompressionUnknown."""
    match name:
        case "gzip":
            return _Gunzip, (zlib.error,)
        case "bzip2":
            return bz2.BZ2Decompressor, (OSError, ValueError)
        case "xz":
            return lambda: lzma.LZMADecompressor(
                lzma.FORMAT_XZ, memlimit=limits.window_bytes
            ), (lzma.LZMAError,)
        case _:
            return _zstd(limits)


def _zstd(limits: Limits) -> tuple[Callable[[], Decoder], tuple[type[Exception], ...]]:
    zstd = _zstd_module()
    window = zstd.DecompressionParameter.window_log_max
    options = {window: limits.window_bytes.bit_length() - 1}
    return lambda: zstd.ZstdDecompressor(options=options), (zstd.ZstdError,)


def _zstd_module() -> Any:
    for name in _ZSTD_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise CompressionUnknown(
        "the layer is packed with zstd, which this Python cannot unpack",
        why="Python has zstd since 3.14; before that it is a package of its own",
        try_next="pip install backports.zstd",
        lesson="layers",
    )
