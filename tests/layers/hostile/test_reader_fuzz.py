"""Archives that were damaged at random: refused or read, nothing else, and soon.

A reader is attacked by whoever packs a layer.  Whatever the bytes are, it ends in time with
the entries of the archive or with ArchiveRefused, and a damaged header never makes the
archive just shorter.
"""

import io
import random
import struct
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.layers.archive import ArchiveRefused, Entry, Kind, Limits, read_entries
from pyminidock.layers.compression import decompressed
from pyminidock.layers.tarfields import pax_records
from tests.layers.hostile.blocks import END, base256, block, gnu, pax, record
from tests.layers.test_compression import PACKERS

LIMITS = Limits(layer_bytes=1 << 20, entries=1000)

WHOLE = (
    block(name=b"etc/", flag=b"5", mode=b"0000755\0")
    + block(b"root:x:0:0\n" * 60, name=b"etc/passwd")
    + block(name=b"etc/mtab", flag=b"2", link=b"/proc/mounts")
    + pax((b"path", b"p" * 150), (b"mtime", b"12.5"), (b"SCHILY.xattr.user.a", b"v\0w"))
    + block(b"hello", name=b"short")
    + gnu(b"L", b"l" * 120 + b"\0") + gnu(b"K", b"k" * 120 + b"\0")
    + block(name=b"l", flag=b"1", link=b"k", magic=b"ustar ", version=b" \0")
    + pax((b"comment", b"git"), flag=b"g")
    + block(name=b"dev/null", flag=b"3", major=b"0000001\0", minor=b"0000003\0")
    + block(uid=base256(70000, 8), size=base256(3, 12), body=b"abc")
    + block(name=b"fifo", flag=b"6", prefix=b"run")
    + END
)  # fmt: skip
EDGES = (
    b"\0",
    b" ",
    b"\xff",
    b"\x80",
    b"/",
    b"..",
    b"7" * 11,
    b"9" * 12,
    b"=",
    b"\n",
    b"-1",
)


def read_all(archive: bytes) -> list[Entry]:
    """Read all, in odd pieces.  Raises ArchiveRefused."""
    found = []
    for entry in read_entries(io.BytesIO(archive), LIMITS):
        size = 0
        while piece := entry.body.read(333):
            size += len(piece)
        assert size == entry.size
        found.append(entry)
    return found


def is_sound(entry: Entry) -> bool:
    """Whatever came in, what comes out keeps the promises of `Entry`."""
    parts = entry.name.split(b"/")
    is_root = entry.name == b"." and entry.kind is Kind.DIRECTORY
    numbers = (
        entry.mode,
        entry.uid,
        entry.gid,
        entry.size,
        *entry.device,
        entry.nanoseconds,
    )
    return (
        (is_root or not {b"", b".", b".."} & set(parts))
        and b"\0" not in entry.name + entry.link
        and bool(entry.link) == (entry.kind in (Kind.SYMLINK, Kind.HARD_LINK))
        and min(numbers) >= 0
        and entry.mode <= 0o7777
        and max(entry.uid, entry.gid) < 2**31
        and (entry.kind is Kind.FILE or not entry.size)
    )


def survives(archive: bytes) -> Sequence[Entry] | None:
    """Read; None if it was refused.  Anything else that is raised is a bug."""
    before = time.process_time()
    try:
        found = read_all(archive)
    except ArchiveRefused as refusal:
        if not (refusal.why and refusal.try_next and refusal.what.isprintable()):
            raise
        return None
    finally:
        assert time.process_time() - before < 2
    assert all(map(is_sound, found))
    return found


def mended(archive: bytearray) -> bytes:
    """Give what looks like a header its right sum, so that damage comes deeper."""
    for at in range(0, len(archive) - 511, 512):
        if archive[at + 257 : at + 262] == b"ustar":
            archive[at + 148 : at + 156] = b" " * 8
            total = sum(archive[at : at + 512])
            archive[at + 148 : at + 156] = b"%06o\0 " % total
    return bytes(archive)


def damaged(chance: random.Random) -> bytes:
    """Flip, overwrite, cut out, double or swap: one to four times, then often mend sums."""
    archive = bytearray(WHOLE)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(archive))
        block_at = at - at % 512
        match chance.randrange(7):
            case 0:
                archive[at] ^= 1 << chance.randrange(8)
            case 1:
                edge = chance.choice(EDGES)
                archive[at : at + len(edge)] = edge
            case 2:
                del archive[at : at + chance.randint(1, 600)]
            case 3:
                archive[block_at:block_at] = archive[block_at : block_at + 512]
            case 4:
                del archive[block_at : block_at + 512]
            case 5:  # aim at the numbers and the flag of a header
                field = block_at + chance.choice((100, 108, 116, 124, 136, 156, 257, 329))
                edge = chance.choice(EDGES)
                archive[field : field + len(edge)] = edge
            case _:
                archive[at : at + 8] = struct.pack(">q", chance.getrandbits(63))
    return mended(archive) if chance.random() < 0.8 else bytes(archive)


def test_the_archive_that_is_damaged_is_whole_at_first() -> None:
    assert [entry.name[:10] for entry in read_all(WHOLE)] == [
        b"etc", b"etc/passwd", b"etc/mtab", b"p" * 10, b"l" * 10, b"dev/null", b"f",
        b"run/fifo",
    ]  # fmt: skip
    assert mended(bytearray(WHOLE)) == WHOLE


@pytest.mark.soak
def test_a_damaged_archive_is_refused_or_read(at_length: Callable[[int], int]) -> None:
    refused = 0
    rounds = at_length(60_000)
    for seed in range(rounds):
        refused += survives(damaged(random.Random(seed))) is None
    assert rounds // 3 < refused < rounds  # neither all nor none: it goes deep


@pytest.mark.soak
def test_a_damaged_header_never_shortens_an_archive(
    at_length: Callable[[int], int],
) -> None:
    """Without mended sums: every change of a header block must be noticed."""
    headers = [at for at in range(0, len(WHOLE), 512) if WHOLE[at + 257 :][:5] == b"ustar"]
    assert len(headers) == 12
    for seed in range(at_length(20_000)):
        chance = random.Random(seed)
        archive = bytearray(WHOLE)
        at = chance.choice(headers)
        place = chance.choice([*range(148), *range(156, 512)])
        archive[at + place] ^= chance.randint(1, 255)
        assert survives(bytes(archive)) is None, seed


def test_an_archive_that_is_cut_anywhere_is_refused_or_told() -> None:
    """Only between two entries is it an archive without an end, and that is told."""
    names = [entry.name for entry in read_all(WHOLE)]
    for length in range(0, len(WHOLE) - 1024, 7):
        assert survives(WHOLE[:length]) is None or length % 512 == 0
    for length in range(0, len(WHOLE), 512):
        found = survives(WHOLE[:length])
        if found is not None:
            assert [entry.name for entry in found] == names[: len(found)]


@given(st.binary(max_size=3000))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    survives(data)
    survives(data + bytes(-len(data) % 512))


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=4))
def test_any_header_is_refused_or_read(fields: list[tuple[bytes, bytes]]) -> None:
    """Fields of any bytes, under a right sum."""
    names = ("name", "mode", "uid", "gid", "size", "mtime", "flag", "link", "magic",
             "prefix", "major", "minor")  # fmt: skip
    for name in names:
        for value, other in fields:
            survives(block(other, **{name: value}) + END)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(record, st.binary(min_size=1, max_size=9), st.binary(max_size=9)),
        ),
        max_size=5,
    )
)
def test_any_pax_header_is_refused_or_read(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    try:
        records = list(pax_records(body, 0, LIMITS))
    except ArchiveRefused:
        records = []
    else:  # nothing was lost or made up
        assert sum(len(record(*each)) for each in records) <= len(body)
    survives(block(body, flag=b"x") + block(b"hi") + END)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["gzip", "xz", "bzip2"])
def test_a_damaged_compressed_stream_is_refused_or_read(
    name: str, at_length: Callable[[int], int]
) -> None:
    packed = PACKERS[name](WHOLE[:4096]) + PACKERS[name](WHOLE[4096:])
    for seed in range(at_length(10_000)):
        chance = random.Random(seed)
        data = bytearray(packed)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] ^= chance.randint(1, 255)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        try:
            stream = decompressed(io.BytesIO(data), LIMITS)
            read = b"".join(iter(partial(stream.read, 1000), b""))
        except ArchiveRefused:
            continue
        is_other = stream.compression == "none"  # the magic itself was hit
        assert is_other or read in (WHOLE, WHOLE[:4096]), seed
