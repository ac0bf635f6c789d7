"""Malicious and odd layers on their whole way into the store: they leave nothing there."""

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.layers.apply import UNPRIVILEGED
from pyminidock.layers.archive import ArchiveRefused, Limits
from pyminidock.layers.publish import LayerMismatch, unpack
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store, open_store
from tests.layers.hostile.blocks import END, block
from tests.layers.hostile.cases import d, f, wh

GOOD = block(b"hello", name=b"good") + END
SMALL = Limits(layer_bytes=8 << 20, entries=300, members=1000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "root", mounts="")
    yield opened
    opened.close()


def bring(store: Store, layer: bytes, expected_diff: str | None = None) -> LayerRow:
    return unpack(
        store, io.BytesIO(layer), policy=UNPRIVILEGED, limits=SMALL, sync=lambda _: None,
        expected_diff=expected_diff,
    )  # fmt: skip


def is_empty(store: Store) -> bool:
    places = [store.root / "layers", store.blobs.directory]
    return not store.layers.all() and not any(any(place.iterdir()) for place in places)


def zeros(megabytes: int) -> bytes:
    size = megabytes << 20
    return block(name=b"zeros", size=b"%011o\0" % size) + bytes(size) + END


def many(make: Callable[[bytes], bytes]) -> bytes:
    """More entries than are allowed; a million is the limit of an engine."""
    return b"".join(make(b"n%d" % number) for number in range(301)) + END


def with_dictionary(packed: bytes, code: int) -> bytes:
    """Let an xz block ask for another dictionary; its header's sum is made right."""
    header = bytearray(packed[12 : 12 + (packed[12] + 1) * 4])
    at = header.index(b"\x21\x01") + 2  # LZMA2, one byte of properties
    header[at] = code
    header[-4:] = struct.pack("<I", zlib.crc32(header[:-4]))
    return packed[:12] + bytes(header) + packed[12 + len(header) :]


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        pytest.param(gzip.compress(zeros(64)), "layer_bytes", id="T-53 gzip"),
        pytest.param(lzma.compress(zeros(64)), "layer_bytes", id="T-53 xz"),
        pytest.param(zeros(64), "layer_bytes", id="T-53 plain"),
        pytest.param(bz2.compress(zeros(64)), "layer_bytes", id="T-53 bzip2"),
        pytest.param(gzip.compress(b"") * 1001, "members", id="T-53 members"),
        pytest.param(many(f), "entries is 300,", id="T-54 files"),
        pytest.param(many(wh), "entries is 300,", id="T-54 whiteouts"),
        pytest.param(gzip.compress(many(d)), "entries is 300,", id="T-54 directories"),
        pytest.param(with_dictionary(lzma.compress(GOOD), 40), "xz", id="T-55 xz"),
        pytest.param(gzip.compress(GOOD)[:-8] + b"\0" * 8, "gzip", id="T-56 sum"),
        pytest.param(gzip.compress(GOOD)[:-1] + b"\1", "gzip", id="T-56 length"),
        pytest.param(gzip.compress(GOOD) + b"junk", "gzip", id="T-56 junk"),
        pytest.param(gzip.compress(gzip.compress(GOOD)), "archive", id="T-57 twice"),
        pytest.param(b"<!DOCTYPE html>" * 90, "archive", id="T-57 page"),
        pytest.param(GOOD[:700], "unexpected EOF", id="T-44"),
    ],
)
def test_a_layer_that_is_refused_leaves_nothing(
    store: Store, layer: bytes, problem: str
) -> None:
    with pytest.raises(ArchiveRefused, match=problem):
        bring(store, layer)
    assert is_empty(store)


@pytest.mark.parametrize(
    "behind",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(512), id="T-56 zeros"),
    ],
)
def test_what_may_lie_behind_a_layer_is_part_of_its_blob(
    store: Store, behind: bytes
) -> None:
    packed = gzip.compress(GOOD, mtime=0) + behind
    row = bring(store, packed)
    assert row.diff_id == f"sha256:{hashlib.sha256(GOOD).hexdigest()}"
    assert store.blobs.read(row.blob) == packed


def test_bytes_behind_the_end_of_an_archive_change_its_diff_id(store: Store) -> None:
    """T-45."""
    row = bring(store, GOOD + b"second" * 100)
    assert row.diff_id == f"sha256:{hashlib.sha256(GOOD + b'second' * 100).hexdigest()}"
    assert [p.name for p in store.layers.directory(row.chain_id).iterdir()] == ["good"]


def test_a_layer_that_is_not_the_one_of_its_config_is_refused(store: Store) -> None:
    """T-61."""
    with pytest.raises(LayerMismatch, match="unpacks to"):
        bring(store, gzip.compress(GOOD), "sha256:" + "0" * 64)
    assert is_empty(store)
