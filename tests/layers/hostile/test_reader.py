"""Malicious and odd archives, as far as the reader decides about them."""

import io
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from pyminidock.events import ArchiveWarned, Event
from pyminidock.layers.archive import (
    ArchiveRefused,
    Entry,
    Kind,
    Limits,
    read_entries,
    shown,
)
from tests.layers.hostile.blocks import END, base256, block, gnu, pax, raw_pax, record

GOOD = block(b"hello", name=b"good")


def entries(archive: bytes, limits: Limits | None = None) -> list[Entry]:
    return list(read_entries(io.BytesIO(archive), limits or Limits()))


def warnings(archive: bytes) -> Sequence[str]:
    heard: list[Event] = []
    for _ in read_entries(io.BytesIO(archive), emit=heard.append):
        pass
    assert all(isinstance(event, ArchiveWarned) for event in heard)
    return [event.what for event in heard if isinstance(event, ArchiveWarned)]


def walk(archive: bytes, *, is_read: bool) -> None:
    for entry in read_entries(io.BytesIO(archive)):
        if is_read:
            assert len(entry.body.read(entry.size)) == entry.size


def only(archive: bytes) -> Entry:
    [entry] = entries(archive + END)
    return entry


# ── Names ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        pytest.param(b"/etc/x", b"etc/x", id="T-01"),
        pytest.param(b"a/../b", b"b", id="T-03"),
        pytest.param(b"./a//b/./c", b"a/b/c", id="T-03 dots"),
        pytest.param(b"a/.hidden/..b", b"a/.hidden/..b", id="T-03 no dots"),
        pytest.param(b"trail. ", b"trail. ", id="T-36"),
        pytest.param(b"-\xff\n\x1b[2J\r", b"-\xff\n\x1b[2J\r", id="T-41"),
        pytest.param(b"cut\0here", b"cut", id="T-42 tail"),
    ],
)
def test_a_name_is_a_path_from_the_root(name: bytes, clean: bytes) -> None:
    assert only(block(name=name)).name == clean
    assert only(pax((b"path", name.partition(b"\0")[0])) + block()).name == clean
    assert only(gnu(b"L", name.partition(b"\0")[0] + b"\0") + block()).name == clean


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(b"../../x", id="T-02"),
        pytest.param(b"a/../../b", id="T-04"),
        pytest.param(b"/../x", id="T-04 absolute"),
        pytest.param(b"..", id="T-02 alone"),
    ],
)
def test_a_name_that_climbs_is_refused(name: bytes) -> None:
    for archive in (
        block(name=name),
        block(name=name + b"/", flag=b"5"),
        pax((b"path", name)) + block(),
        gnu(b"L", name + b"\0") + block(),
        block(name=b"x", prefix=name),
    ):
        with pytest.raises(ArchiveRefused, match="climbs above the root"):
            entries(GOOD + archive + END)


def test_a_hard_link_that_climbs_is_refused() -> None:
    """T-12."""
    with pytest.raises(ArchiveRefused, match=r"\.\./\.\./etc/shadow climbs"):
        entries(block(flag=b"1", link=b"../../etc/shadow") + END)
    assert only(block(flag=b"1", link=b"/etc/shadow")).link == b"etc/shadow"
    assert only(block(flag=b"2", link=b"../../etc/shadow")).link == b"../../etc/shadow"


@pytest.mark.parametrize("flag", [b"0", b"\0", b"1", b"2", b"3", b"6"])
@pytest.mark.parametrize("name", [b".", b"./.", b"a/.."])
def test_the_root_cannot_become_anything_else(flag: bytes, name: bytes) -> None:
    """T-10."""
    with pytest.raises(ArchiveRefused, match="the root is no directory"):
        entries(block(name=name, flag=flag, link=b"/") + END)


@pytest.mark.parametrize("name", [b"/", b"./", b".", b"//"])
def test_the_root_may_be_described(name: bytes) -> None:
    """T-11."""
    entry = only(block(name=name, flag=b"5", mode=b"0000700\0", uid=b"0000011\0"))
    assert (entry.name, entry.kind, entry.mode, entry.uid) == (
        b".", Kind.DIRECTORY, 0o700, 9,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "field"),
    [
        pytest.param(b"a" * 256, "component_bytes", id="T-14 component"),
        pytest.param(b"d/" * 300 + b"a" * 256, "component_bytes", id="T-14 deep component"),
        pytest.param(b"abcd/" * 1000, "path_bytes", id="T-14 path"),
        pytest.param(b"d/" * 513, "depth", id="T-14 depth"),
        pytest.param(b"d/" * 4000, "path_bytes", id="T-14 4000 deep"),
    ],
)
def test_a_name_has_limits_and_the_refusal_names_them(name: bytes, field: str) -> None:
    for archive in (pax((b"path", name)) + block(), gnu(b"L", name + b"\0") + block()):
        with pytest.raises(ArchiveRefused, match=f"beyond a limit: {field} is"):
            entries(archive + END)


def test_names_go_up_to_their_limits() -> None:
    """T-14: what is just inside is read."""
    for name in (b"a" * 255, b"d/" * 511 + b"d", (b"a" * 255 + b"/") * 15 + b"b" * 255):
        assert only(pax((b"path", name)) + block()).name == name


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(block(name=b""), id="T-42 empty"),
        pytest.param(pax((b"path", b"a\0b")) + block(), id="T-42 pax path"),
        pytest.param(pax((b"linkpath", b"a\0b")) + block(flag=b"2"), id="T-42 pax link"),
        pytest.param(gnu(b"L", b"a\0b\0") + block(), id="T-42 long name"),
        pytest.param(gnu(b"L", b"\0") + block(), id="T-50 empty long name"),
        pytest.param(gnu(b"K", b"") + block(flag=b"2"), id="T-50 empty long link"),
        pytest.param(block(flag=b"2"), id="link to nothing"),
        pytest.param(block(flag=b"1"), id="hard link to nothing"),
    ],
)
def test_a_name_without_bytes_or_with_nul_is_refused(archive: bytes) -> None:
    with pytest.raises(ArchiveRefused) as refusal:
        entries(archive + END)
    assert "NUL" in refusal.value.why


def test_a_target_has_a_limit() -> None:
    assert only(gnu(b"K", b"x" * 4095) + block(flag=b"2")).link == b"x" * 4095
    with pytest.raises(ArchiveRefused, match="link_bytes is 4095, found 4096"):
        entries(pax((b"linkpath", b"x" * 4096)) + block(flag=b"2") + END)


def test_a_name_is_shown_without_its_control_characters() -> None:
    """T-41."""
    assert shown(b"\xff\n\x1b[2J\r\xc3\xa9") == r"\xff\n\x1b[2J\ré"
    assert len(shown(b"\x1b" * 5000)) <= 200


# ── Kinds and fields ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flag", [b"1", b"2", b"3", b"4", b"5", b"6"])
def test_only_a_file_has_a_body(flag: bytes) -> None:
    """T-16, T-46."""
    with pytest.raises(ArchiveRefused, match="has a body of 5 bytes"):
        entries(block(b"hello", flag=flag, link=b"to") + END)


@pytest.mark.parametrize("flag", [b"A", b"Z", b"V", b"M", b"D", b"N", b"8", b"s", b"\xff"])
def test_an_unknown_kind_is_refused_by_its_letter(flag: bytes) -> None:
    """T-19."""
    with pytest.raises(ArchiveRefused) as refusal:
        entries(GOOD + block(flag=flag) + END)
    assert f"type {shown(flag)!r}" in refusal.value.what
    assert "(byte 1024)" in refusal.value.what


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(block(flag=b"S", magic=b"ustar "), id="T-52 old"),
        *(
            pytest.param(pax((key, value)) + block(b"hi"), id=f"T-52 {key.decode()}")
            for key, value in (
                (b"GNU.sparse.size", b"9223372036854775807"),
                (b"GNU.sparse.map", b"0,1,0,1"),
                (b"GNU.sparse.major", b"1"),
            )
        ),
    ],
)
def test_a_sparse_file_is_refused_by_name(archive: bytes) -> None:
    with pytest.raises(ArchiveRefused, match="sparse"):
        entries(archive + END)


def test_a_mode_has_twelve_bits() -> None:
    """T-20, T-21."""
    assert only(block(mode=b"7777777\0")).mode == 0o7777
    assert only(block(mode=b"0104755\0")).mode == 0o4755
    with pytest.raises(ArchiveRefused, match="mode is"):
        entries(block(mode=base256(-1, 8)) + END)


@pytest.mark.parametrize("field", ["uid", "gid"])
def test_an_id_is_one_that_the_kernel_knows(field: str) -> None:
    """T-22."""
    most = 2**31 - 1
    assert getattr(only(block(**{field: base256(most, 8)})), field) == most
    assert getattr(only(pax((field.encode(), b"%d" % most)) + block()), field) == most
    refused = [block(**{field: base256(value, 8)}) for value in (2**31, 2**32, -1, 2**55)]
    refused += [
        pax((field.encode(), value)) + block()
        for value in (b"2147483648", b"4294967295", b"-1", b"1e3", b" 1", b"9" * 21)
    ]
    for archive in refused:
        with pytest.raises(ArchiveRefused, match=f"{field} is"):
            entries(archive + END)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (b"00000000000\0", 0),
        (b"            ", 0),
        (b"77777777777\0", 8**11 - 1),
        (base256(-1, 12), -1),
        (base256(2**33 + 1, 12), 2**33 + 1),
    ],
)
def test_a_time_may_be_odd_but_not_senseless(field: bytes, seconds: int) -> None:
    """T-40: the applier clamps."""
    assert only(block(mtime=field)).mtime == seconds


@pytest.mark.parametrize(
    "text", [b"nan", b"1e300", b"inf", b"1.", b".5", b"1.5.5", b"1_0", b"--1", b"1" * 30]
)
def test_a_pax_time_is_a_decimal_number(text: bytes) -> None:
    """T-40."""
    with pytest.raises(ArchiveRefused, match="mtime is"):
        entries(pax((b"mtime", text)) + block() + END)
    entry = only(pax((b"mtime", b"1700000000.1234567891")) + block())
    assert (entry.mtime, entry.nanoseconds) == (1_700_000_000, 123_456_789)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(base256(2**63, 12), id="T-46 2^63"),
        pytest.param(base256(2**87, 12)[:12], id="T-46 2^87"),
        pytest.param(base256(-1, 12), id="T-46 -1"),
        pytest.param(b"0000000008\0\0", id="T-46 no octal"),
        pytest.param(b"0000001x000\0", id="T-46 junk"),
        pytest.param(b"+0000000001\0", id="T-46 sign"),
        pytest.param(b"0o000000001\0", id="T-46 prefix"),
        pytest.param(b"000_0000001\0", id="T-46 underscore"),
        pytest.param(b"0000\0001234\0", id="T-46 two numbers"),
        pytest.param(b"\t0000000001\0", id="T-46 tab"),
        pytest.param(b"\0" * 12, id="T-46 empty"),
        pytest.param(b" " * 12, id="T-46 blank"),
    ],
)
def test_a_size_that_is_no_size_is_refused(size: bytes) -> None:
    for flag in (b"0", b"5", b"x", b"g", b"L"):
        with pytest.raises(ArchiveRefused, match="size is"):
            entries(block(size=size, flag=flag) + END)


def test_a_size_beyond_the_limit_is_refused_before_its_body_is_read() -> None:
    """T-46."""
    for header in (
        block(size=base256(2**62, 12)),
        pax((b"size", b"9223372036854775807")) + block(),
    ):
        with pytest.raises(ArchiveRefused, match="layer_bytes is"):
            entries(header + END)


def test_the_size_of_pax_wins() -> None:
    """T-47."""
    body = b"x" * 600
    smaller = pax((b"size", b"600")) + block(body, size=b"00000000005\0")
    larger = pax((b"size", b"5")) + block(b"hello", size=b"00000001130\0")
    for archive, size in ((smaller, 600), (larger, 5)):
        first, second = entries(archive + GOOD + END)
        assert (first.size, second.name) == (size, b"good")
    with pytest.raises(ArchiveRefused, match="size is 5x"):
        entries(pax((b"size", b"5x")) + block(b"hello") + END)


# ── Damage and ends ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", [0, 100, 147, 148, 156, 300, 511])
def test_a_damaged_header_is_never_the_end(place: int) -> None:
    """T-43: Python's tarfile stops after two entries, without a word."""
    archive = bytearray(GOOD + GOOD + GOOD + END)
    archive[2048 + place] ^= 0x11
    seen: list[Entry] = []
    with pytest.raises(
        ArchiveRefused, match=r"^archive/tar: invalid tar header.*byte 2048"
    ):
        seen.extend(read_entries(io.BytesIO(archive)))


def test_every_bit_of_a_header_is_under_its_sum() -> None:
    """T-43."""
    for place in range(512 * 8):
        archive = bytearray(GOOD + END)
        archive[place // 8] ^= 1 << place % 8
        # A flip in the sum's own padding leaves the number as it is: it is no damage.
        try:
            [entry] = entries(bytes(archive))
        except ArchiveRefused:
            continue
        assert 148 <= place // 8 < 156
        assert entry.name == b"good"


@pytest.mark.parametrize(
    ("archive", "where"),
    [
        pytest.param(GOOD + GOOD[:300], "a header", id="T-44 header"),
        pytest.param(GOOD + block(b"x" * 900)[:1000], "a body", id="T-44 body"),
        pytest.param(GOOD + block(b"x" * 900)[:1450], "the padding", id="T-44 padding"),
        pytest.param(GOOD + block(b"x" * 900)[:512], "a body", id="T-44 no body"),
        pytest.param(GOOD + pax((b"path", b"x"))[:520], "a body", id="T-44 pax"),
        pytest.param(GOOD + bytes(700), "the end marker", id="T-44 end marker"),
    ],
)
@pytest.mark.parametrize("is_read", [False, True])
def test_a_cut_archive_is_refused(archive: bytes, where: str, is_read: bool) -> None:
    with pytest.raises(ArchiveRefused, match=f"^unexpected EOF: .* inside {where}"):
        walk(archive, is_read=is_read)


@pytest.mark.parametrize("left", [0, 1, 100, 123])
def test_docker_s_client_may_leave_out_the_end_but_nothing_of_a_body(left: int) -> None:
    """T-64: a build context; of anything else the padding counts."""
    heard: list[Event] = []
    archive = GOOD + block(b"x" * 900)[: 512 + 900 + left]
    found = read_entries(io.BytesIO(archive), emit=heard.append, may_lack_end=True)
    assert ([entry.size for entry in found], heard) == ([5, 900], [])
    for cut in (GOOD + block(b"x" * 900)[: 512 + 899], GOOD[:400], GOOD + bytes(700)):
        with pytest.raises(ArchiveRefused, match=r"^unexpected EOF"):
            list(read_entries(io.BytesIO(cut), may_lack_end=True))


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        pytest.param(b"", "it has no end marker", id="T-44 none"),
        pytest.param(
            bytes(512), "its end marker is one zero block, not two", id="T-44 one"
        ),
        pytest.param(END + b"junk", "bytes after its end were ignored", id="T-45 junk"),
        pytest.param(END + GOOD, "bytes after its end were ignored", id="T-45 archive"),
        pytest.param(
            END + bytes(300_000) + b"x", "bytes after its end were ignored", id="T-45 far"
        ),
    ],
)
def test_an_odd_end_is_told(tail: bytes, said: str) -> None:
    assert warnings(GOOD + tail) == [said]
    assert [entry.name for entry in entries(GOOD + tail)] == [b"good"]


def test_zeros_after_the_end_are_usual() -> None:
    for more in (0, 1, 511, 8192, 300_000):
        assert warnings(GOOD + END + bytes(more)) == []


def test_one_zero_block_in_the_middle_is_refused() -> None:
    """T-44."""
    with pytest.raises(ArchiveRefused, match="one zero block in the middle"):
        entries(GOOD + bytes(512) + GOOD + END)


def test_the_whole_stream_is_read_and_counted() -> None:
    """T-45: the digest is of all bytes, and so is the limit."""
    stream = io.BytesIO(GOOD + END + b"x" * 10_000)
    assert len(list(read_entries(stream))) == 1
    assert stream.read() == b""
    with pytest.raises(ArchiveRefused, match="layer_bytes is 9000"):
        entries(GOOD + END + b"x" * 10_000, Limits(layer_bytes=9000))


@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html>" + b" " * 600, b"\x1f\x8b" + b"x" * 600, b"PK\3\4" * 200]
)
def test_what_is_no_archive_is_called_so(page: bytes) -> None:
    """T-57."""
    with pytest.raises(ArchiveRefused, match="this is no archive"):
        entries(page)
    with pytest.raises(ArchiveRefused, match="unexpected EOF"):
        entries(page[:100])


def test_a_magic_that_nobody_writes_is_refused() -> None:
    with pytest.raises(ArchiveRefused, match="its magic is"):
        entries(block(magic=b"USTAR\0") + END)


# ── Headers about headers ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"0" * 65536, id="T-48 zeros"),
        pytest.param(b"0 a=b\n", id="T-49 length 0"),
        pytest.param(b"7 a=b\n", id="T-49 too long"),
        pytest.param(b"5 a=b\n", id="T-49 too short"),
        pytest.param(b"6 a=bc", id="T-49 no newline"),
        pytest.param(b"6 abc\n", id="T-49 no equals"),
        pytest.param(b"5 =b\n", id="T-49 no key"),
        pytest.param(b"99999999999999999999 a=b\n", id="T-49 huge"),
        pytest.param(b"9" * 30 + b" a=b\n", id="T-49 more digits"),
        pytest.param(b"-6 a=b\n", id="T-49 negative"),
        pytest.param(b" 7 a=b\n", id="T-49 space"),
        pytest.param(b"+6 a=b\n", id="T-49 sign"),
        pytest.param(b"2 \n", id="T-49 nothing"),
        pytest.param(b"3 =\n6 a=b\n", id="T-49 overlap"),
        pytest.param(b"6 a=b\n\0", id="T-49 tail"),
        pytest.param(b"8 a\0b=c\n", id="T-26 key with NUL"),
        pytest.param(b"\xef\xbc\x96 a=b\n", id="T-49 other digits"),
    ],
)
def test_a_malformed_pax_record_is_refused_at_once(body: bytes) -> None:
    for flag in (b"x", b"g"):
        archive = raw_pax(body, flag) + block() + END
        before = time.process_time()
        with pytest.raises(ArchiveRefused, match="a pax record"):
            entries(archive)
        assert time.process_time() - before < 0.25


@pytest.mark.parametrize("claimed", [2 << 20, 8 << 30])
@pytest.mark.parametrize("flag", [b"x", b"g", b"L", b"K"])
def test_a_huge_header_is_refused_by_what_it_claims(claimed: int, flag: bytes) -> None:
    """T-48."""
    archive = block(flag=flag, size=base256(claimed, 12)) + bytes(4096)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused, match="header_bytes is 1048576"):
            entries(archive)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_header_claims_no_memory_before_it_comes() -> None:
    """T-48: a claim inside the limit, with nothing behind it."""
    with pytest.raises(ArchiveRefused, match=r"^unexpected EOF"):
        entries(block(flag=b"x", size=b"%011o\0" % (1 << 20)) + b"5 a=\n")


@pytest.mark.parametrize(
    "one", [pax((b"path", b"p")), gnu(b"L", b"l\0"), gnu(b"K", b"k\0")]
)
def test_headers_in_a_row_end(one: bytes) -> None:
    """T-50."""
    assert len(entries(one * 8 + block() + END)) == 1
    with pytest.raises(ArchiveRefused, match="headers_in_a_row is 8, found 9"):
        entries(one * 9 + block() + END)


@pytest.mark.parametrize(
    "one", [pax((b"path", b"p")), gnu(b"L", b"l\0"), gnu(b"K", b"k\0")]
)
@pytest.mark.parametrize("tail", [b"", bytes(512), END])
def test_a_header_is_about_an_entry(one: bytes, tail: bytes) -> None:
    """T-50."""
    with pytest.raises(ArchiveRefused, match="an entry that never comes"):
        entries(GOOD + one + tail)


def test_a_global_header_at_the_end_of_the_stream_is_refused() -> None:
    """T-51: with an end marker it is an empty `git archive`."""
    one = pax((b"comment", b"x"), flag=b"g")
    assert entries(one + END) == []
    with pytest.raises(ArchiveRefused, match="an entry that never comes"):
        entries(GOOD + one)


def test_of_each_kind_the_last_header_counts() -> None:
    """T-50."""
    first, second = pax((b"path", b"p1"), (b"uid", b"7")), pax((b"path", b"p2"))
    entry = only(first + second + block())
    assert (entry.name, entry.uid) == (b"p2", 0)
    assert only(gnu(b"L", b"l1\0") + gnu(b"L", b"l2\0") + block()).name == b"l2"


def test_a_header_is_about_one_entry() -> None:
    first, second = entries(
        pax((b"path", b"p"), (b"SCHILY.xattr.user.a", b"1")) + block() + block() + END
    )
    assert (first.name, dict(first.xattrs)) == (b"p", {b"user.a": b"1"})
    assert (second.name, dict(second.xattrs)) == (b"f", {})


def test_a_global_header_changes_nothing_and_is_told_once() -> None:
    """T-51."""
    one = pax((b"path", b"evil"), (b"uid", b"7"), flag=b"g")
    archive = one + block() + one + block() + END
    assert [(entry.name, entry.uid) for entry in entries(archive)] == [(b"f", 0)] * 2
    assert warnings(archive) == ["a global pax header was ignored"]


# ── Extended attributes ──────────────────────────────────────────────────────────────────


def xattr(name: bytes, value: bytes = b"v") -> tuple[bytes, bytes]:
    return b"SCHILY.xattr." + name, value


@pytest.mark.parametrize(
    ("records", "message"),
    [
        pytest.param([xattr(b"u%d" % n) for n in range(129)], "xattrs is 128", id="T-26"),
        pytest.param([xattr(b"user.a", b"x" * 65537)], "xattr_value_bytes", id="T-26 long"),
        pytest.param(
            [xattr(b"user.%d" % n, b"x" * 65000) for n in range(17)],
            "header_bytes", id="T-26 all of it",
        ),
        pytest.param([xattr(b"")], "is named", id="T-26 empty"),
        pytest.param([xattr(b"u" * 256)], "is named", id="T-26 long name"),
        pytest.param([(b"LIBARCHIVE.xattr.a%00b", b"eA")], "is named", id="T-26 NUL"),
        pytest.param([(b"LIBARCHIVE.xattr.a", b"!")], "is no base64", id="T-26 base64"),
    ],
)  # fmt: skip
def test_extended_attributes_have_limits(
    records: list[tuple[bytes, bytes]], message: str
) -> None:
    with pytest.raises(ArchiveRefused, match=message):
        entries(pax(*records) + block() + END)


def test_the_sum_of_extended_attributes_has_a_limit() -> None:
    """T-26."""
    archive = pax(*(xattr(b"user.%d" % n, b"x" * 100) for n in range(9))) + block() + END
    assert len(entries(archive)[0].xattrs) == 9
    with pytest.raises(ArchiveRefused, match="xattr_bytes is 900"):
        entries(archive, Limits(xattr_bytes=900))


def test_a_hundred_thousand_records_are_refused_soon() -> None:
    """T-26."""
    body = b"".join(record(b"SCHILY.xattr.user.%d" % n, b"") for n in range(30_000))
    before = time.process_time()
    with pytest.raises(ArchiveRefused, match="header_records is 4096"):
        entries(raw_pax(body) + block() + END)
    assert time.process_time() - before < 0.5


def test_an_equals_sign_ends_the_name_of_an_attribute() -> None:
    """T-26."""
    entry = only(pax(xattr(b"user.a=b", b"c")) + block())
    assert dict(entry.xattrs) == {b"user.a": b"b=c"}


def test_both_spellings_of_attributes_are_read() -> None:
    archive = pax((b"LIBARCHIVE.xattr.user.caf%C3%A9", b"AAH/"), xattr(b"user.b", b"\n=\0"))
    assert dict(only(archive + block()).xattrs) == {
        "user.café".encode(): b"\0\1\xff",
        b"user.b": b"\n=\0",
    }


# ── Amounts ──────────────────────────────────────────────────────────────────────────────


class Endless:
    """An archive of empty files that has no end."""

    def __init__(self) -> None:
        self._piece = block() * 128

    def read(self, limit: int, /) -> bytes:
        """Give more."""
        return self._piece[:limit]


def test_entries_are_counted() -> None:
    """T-54."""
    count = 0

    def counted(limits: Limits) -> Iterator[Entry]:
        nonlocal count
        for entry in read_entries(Endless(), limits):
            count += 1
            yield entry

    with pytest.raises(ArchiveRefused, match="entries is 20000, found 20001"):
        for _ in counted(replace(Limits(), entries=20_000)):
            pass
    assert count == 20_000
    with pytest.raises(ArchiveRefused, match="layer_bytes is 1000000"):
        for _ in counted(replace(Limits(), layer_bytes=1_000_000)):
            pass


def test_a_body_is_read_in_its_turn_or_not_at_all() -> None:
    reader = read_entries(io.BytesIO(GOOD + block(b"second") + END))
    first = next(reader)
    assert first.body.read(2) == b"he"
    second = next(reader)
    with pytest.raises(ValueError, match="until the next entry"):
        first.body.read(1)
    assert second.body.read(100) == b"second"
    assert second.body.read(100) == b""
