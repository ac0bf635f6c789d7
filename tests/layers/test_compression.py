"""Compressed layers: the magic decides, every byte counts, and growth has an end."""

import bz2
import gzip
import importlib
import io
import lzma
import time
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.events import ArchiveWarned, Event
from pyminidock.layers.archive import ArchiveRefused, Limits, Stream
from pyminidock.layers.compression import CompressionUnknown, decompressed
from pyminidock.layers.digests import LayerStream

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "none": lambda data: data,
}
COMPRESSIONS = ("gzip", "xz", "bzip2")
TEXT = b"".join(b"line %d of a text\n" % number for number in range(20_000))


class InPieces:
    """A stream that gives as little as it likes, as a socket does."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data, self._most = io.BytesIO(data), most

    def read(self, limit: int, /) -> bytes:
        """Give fewer bytes than were asked for."""
        return self._data.read(min(limit, self._most))


def all_of(stream: Stream, step: int = 64 << 10) -> bytes:
    pieces = []
    while piece := stream.read(step):
        assert len(piece) <= step
        pieces.append(piece)
    assert stream.read(step) == b""
    return b"".join(pieces)


def length_of(stream: Stream) -> int:
    return sum(map(len, iter(lambda: stream.read(256 << 10), b"")))


def unpacked(data: bytes, limits: Limits | None = None) -> bytes:
    return all_of(decompressed(io.BytesIO(data), limits or Limits()))


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize(("most", "step"), [(1, 1 << 16), (1 << 20, 7000), (4096, 100)])
def test_the_magic_decides(name: str, most: int, step: int) -> None:
    """T-57."""
    stream = decompressed(InPieces(PACKERS[name](TEXT), most))
    assert stream.compression == name
    assert all_of(stream, step) == TEXT


@pytest.mark.parametrize("data", [b"", b"\x1f", b"BZ", b"\xfd7zXZ", b"<!DOCTYPE html>"])
def test_what_has_no_magic_is_given_as_it_is(data: bytes) -> None:
    assert decompressed(io.BytesIO(data)).compression == "none"
    assert unpacked(data) == data


@pytest.mark.parametrize("name", COMPRESSIONS)
@given(pieces=st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_members_follow_each_other(name: str, pieces: list[bytes]) -> None:
    """T-56: and zeros may follow."""
    packed = b"".join(PACKERS[name](piece) for piece in pieces)
    assert unpacked(packed) == b"".join(pieces)
    assert unpacked(packed + bytes(20_000)) == b"".join(pieces)


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("junk", [b"x", b"\0\0\0x", bytes(30_000) + b"\1", b"second"])
def test_junk_behind_the_end_is_refused(name: str, junk: bytes) -> None:
    """T-56."""
    with pytest.raises(ArchiveRefused, match=f"{name}: there is junk behind its end"):
        unpacked(PACKERS[name](b"data") + junk)


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_another_compression_behind_the_end_is_junk(name: str) -> None:
    for other in set(COMPRESSIONS) - {name}:
        with pytest.raises(ArchiveRefused, match="junk"):
            unpacked(PACKERS[name](b"data") + PACKERS[other](b"data"))


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_a_cut_stream_is_refused_wherever_it_is_cut(name: str) -> None:
    packed = PACKERS[name](b"some data" * 10)
    for length in range(6, len(packed)):
        with pytest.raises(ArchiveRefused, match="unexpected EOF"):
            unpacked(packed[:length])


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_damage_is_refused_and_named(name: str) -> None:
    packed = bytearray(PACKERS[name](TEXT))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(ArchiveRefused, match=f"^{name}: .*near byte"):
        unpacked(bytes(packed))


@pytest.mark.parametrize(("place", "message"), [(-8, "data check"), (-4, "length check")])
def test_the_sum_and_the_length_of_a_gzip_member_are_checked(
    place: int, message: str
) -> None:
    """T-56."""
    packed = bytearray(gzip.compress(TEXT))
    packed[place] ^= 1
    with pytest.raises(ArchiveRefused, match=message):
        unpacked(bytes(packed))


def test_gzip_in_gzip_stays_gzip() -> None:
    inner = gzip.compress(b"data", mtime=0)
    assert unpacked(gzip.compress(inner)) == inner


# ── Growth ───────────────────────────────────────────────────────────────────────────────


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return (
        b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()
    )


def test_a_bomb_is_metered_while_it_grows() -> None:
    """T-53."""
    limits = Limits(layer_bytes=20 << 20)
    packed = bomb(60)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused, match="layer_bytes is 20971520"):
            length_of(decompressed(io.BytesIO(packed), limits))
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_a_strange_ratio_is_told_once() -> None:
    heard: list[Event] = []
    limits = Limits(ratio_from_bytes=1 << 20, ratio_to_warn=500)
    stream = decompressed(io.BytesIO(bomb(4)), limits, emit=heard.append)
    assert length_of(stream) == 4 << 20
    [warning] = heard
    assert isinstance(warning, ArchiveWarned)
    assert "times its size" in warning.what


def test_an_absurd_ratio_is_refused() -> None:
    """T-53."""
    packed = bz2.compress(bytes(80 << 20))  # 45 000 : 1
    with pytest.raises(ArchiveRefused, match="ratio_to_stop is 10000"):
        length_of(decompressed(io.BytesIO(packed)))


def test_a_small_archive_may_have_any_ratio() -> None:
    assert len(unpacked(bz2.compress(bytes(8 << 20)))) == 8 << 20


def test_members_are_counted() -> None:
    """T-53."""
    with pytest.raises(ArchiveRefused, match="members is 100, found 101"):
        unpacked(gzip.compress(b"") * 200, Limits(members=100))


def test_many_members_take_time_in_proportion() -> None:
    """T-53: 20 000 take no more than their share of a million's time."""
    packed = gzip.compress(b"", mtime=0) * 20_000
    before = time.process_time()
    assert unpacked(packed) == b""
    assert time.process_time() - before < 3


def test_xz_may_not_ask_for_any_memory() -> None:
    """T-55."""
    packer = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    packed = packer.compress(b"data") + packer.flush()
    assert unpacked(packed) == b"data"
    # The dictionary's size is one byte of the block header; its sum follows at the end.
    block = bytearray(packed[12:24])
    at = block.index(b"\x21\x01") + 2
    block[at] = 36  # 1 GiB
    block[8:] = zlib.crc32(block[:8]).to_bytes(4, "little")
    with pytest.raises(ArchiveRefused, match=r"(?i)memory usage limit"):
        unpacked(packed[:12] + bytes(block) + packed[24:])


# ── zstd ─────────────────────────────────────────────────────────────────────────────────

ZSTD = bytes.fromhex("28b52ffd2002110000") + b"hi"  # one raw block
SKIPPED = bytes.fromhex("5a2a4d18 02000000") + b"xx"


def is_zstd_there() -> bool:
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            return bool(importlib.import_module(name))
    return False


def test_zstd_is_unpacked_or_its_absence_is_named() -> None:
    for packed in (ZSTD, SKIPPED + ZSTD, ZSTD + SKIPPED + ZSTD):
        if not is_zstd_there():
            with pytest.raises(CompressionUnknown, match="zstd") as refusal:
                decompressed(io.BytesIO(packed))
            assert refusal.value.status == 400
            assert refusal.value.try_next == "pip install backports.zstd"
            continue
        assert unpacked(packed) == b"hi" * packed.count(ZSTD)
        with pytest.raises(ArchiveRefused, match="zstd: unexpected EOF"):
            unpacked(packed[:-1])
        with pytest.raises(ArchiveRefused, match="zstd: there is junk"):
            unpacked(packed + b"junk")
        with pytest.raises(ArchiveRefused, match=r"zstd: .*memory"):  # T-55
            unpacked(bytes.fromhex("28b52ffd00a8110000") + b"hi")  # a window of 2 GiB


# ── Digests ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PACKERS)
def test_both_digests_come_from_one_pass(name: str) -> None:
    packed = PACKERS[name](TEXT)
    if name != "none":
        packed += bytes(700)
    layer = LayerStream(InPieces(packed, 1000))
    assert all_of(layer) == TEXT
    assert layer.compression == name
    assert layer.blob.digest == "sha256:" + sha256(packed).hexdigest()
    assert layer.archive.digest == "sha256:" + sha256(TEXT).hexdigest()
    assert (layer.blob.size_bytes, layer.archive.size_bytes) == (len(packed), len(TEXT))
