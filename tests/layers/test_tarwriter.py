"""The writer: the same tree is the same bytes, and others can read them."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.layers.archive import Entry, Kind, read_entries
from pyminidock.layers.tarwriter import BodyTooShort, Writer, header_of


def pack(*files: tuple[Entry, bytes]) -> bytes:
    out: list[bytes] = []
    writer = Writer(out.append)
    for entry, content in files:
        writer.add(entry, io.BytesIO(content))
    writer.close()
    return b"".join(out)


def unpack(archive: bytes) -> list[tuple[Entry, bytes]]:
    return [(each, each.body.read(each.size)) for each in read_entries(io.BytesIO(archive))]


COMPONENT = st.binary(min_size=1, max_size=40).filter(
    lambda part: b"/" not in part and b"\0" not in part and part not in (b".", b"..")
)
PATH = st.lists(COMPONENT, min_size=1, max_size=8).map(b"/".join)
XATTRS = st.dictionaries(
    st.from_regex(rb"user\.[a-z]{1,20}", fullmatch=True), st.binary(max_size=50), max_size=3
)


@st.composite
def files(draw: st.DrawFn) -> tuple[Entry, bytes]:
    """Any entry that an archive can hold, and its content."""
    kind = draw(st.sampled_from(list(Kind)))
    content = draw(st.binary(max_size=1200)) if kind is Kind.FILE else b""
    link = b""
    if kind is Kind.SYMLINK:
        link = draw(st.binary(min_size=1, max_size=150).filter(lambda to: b"\0" not in to))
    elif kind is Kind.HARD_LINK:
        link = draw(PATH)
    is_device = kind in (Kind.CHARACTER, Kind.BLOCK)
    number = st.integers(0, 4095)
    entry = Entry(
        draw(PATH), kind, draw(st.integers(0, 0o7777)),
        draw(st.integers(0, 2**31 - 1)), draw(st.integers(0, 2**31 - 1)), len(content),
        draw(st.integers(-(2**40), 2**40)), 0, link,
        draw(st.tuples(number, number)) if is_device else (0, 0), draw(XATTRS),
    )  # fmt: skip
    return entry, content


@given(st.lists(files(), max_size=5))
def test_what_was_packed_is_read_again(packed: list[tuple[Entry, bytes]]) -> None:
    archive = pack(*packed)
    assert unpack(archive) == packed
    assert pack(*unpack(archive)) == archive


# ── Docker's layout, which tests/compat compares with the original ───────────────────────


def blocks(entry: Entry) -> list[tuple[bytes, bytes, bytes]]:
    """Give type, name and prefix of each header, and the body of a pax header."""
    header = header_of(entry)
    found, at = [], 0
    while at < len(header):
        block = header[at : at + 512]
        size = int(block[124:135], 8) if block[156:157] == b"x" else 0
        body = header[at + 512 : at + 512 + size]
        found.append(
            (block[156:157], block[:100].rstrip(b"\0"), block[345:500].rstrip(b"\0"))
        )
        found.extend([(b"", body, b"")] if body else [])
        at += 512 + size + -size % 512
    return found


def test_records_are_sorted_so_that_the_bytes_are_the_same() -> None:
    xattrs = {b"user.b": b"2", b"user.a": b"1"}
    entry = Entry(b"f", Kind.FILE, uid=3_000_000, xattrs=xattrs)
    assert blocks(entry)[1][1] == (
        b"24 SCHILY.xattr.user.a=1\n24 SCHILY.xattr.user.b=2\n15 uid=3000000\n".replace(
            b"24 ", b"25 "
        )
    )


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("é".encode(), Kind.FILE, [
            (b"x", b"PaxHeaders.0", b""), (b"", b"11 path=\xc3\xa9\n", b""),
            (b"0", b"", b""),
        ]),
        ("d/é".encode(), Kind.DIRECTORY, [
            (b"x", b"d//PaxHeaders.0", b""), (b"", b"14 path=d/\xc3\xa9/\n", b""),
            (b"5", b"d//", b""),
        ]),
        (b"p" * 60 + b"/" + b"n" * 60, Kind.FILE, [(b"0", b"n" * 60, b"p" * 60)]),
        (b"p" * 99 + b"/x", Kind.FILE, [(b"0", b"x", b"p" * 99)]),
        (b"p" * 60 + b"/" + b"n" * 60, Kind.DIRECTORY, [
            (b"5", b"n" * 60 + b"/", b"p" * 60),
        ]),
        (b"p" * 155 + b"/" + b"n" * 100, Kind.FILE, [(b"0", b"n" * 100, b"p" * 155)]),
        (b"p" * 156 + b"/n", Kind.FILE, [
            (b"x", b"p" * 100, b""), (b"", b"168 path=%b/n\n" % (b"p" * 156), b""),
            (b"0", b"p" * 100, b""),
        ]),
        (b"p" * 99, Kind.DIRECTORY, [(b"5", b"p" * 99 + b"/", b"")]),
        (b"p" * 120, Kind.DIRECTORY, [
            (b"x", b"p" * 100, b""), (b"", b"131 path=%b/\n" % (b"p" * 120), b""),
            (b"5", b"p" * 100, b""),
        ]),
    ],
)  # fmt: skip
def test_a_long_or_foreign_name_is_laid_out_as_docker_does(
    name: bytes, kind: Kind, expected: list[tuple[bytes, bytes, bytes]]
) -> None:
    assert blocks(Entry(name, kind)) == expected


def test_a_cut_name_does_not_end_in_a_slash() -> None:
    """Old readers would take the file for a directory."""
    entry = Entry(b"p" * 99 + b"/x", Kind.FILE, uid=3_000_000)
    assert blocks(entry)[-1] == (b"0", b"p" * 99, b"")


def test_a_body_that_ends_early_is_no_archive() -> None:
    with pytest.raises(BodyTooShort, match="a/b ended 3 bytes early"):
        pack((Entry(b"a/b", Kind.FILE, size=5), b"ab"))


def test_a_body_that_grew_is_cut_to_its_header() -> None:
    entry = Entry(b"log", Kind.FILE, size=3)
    assert unpack(pack((entry, b"abcdef"))) == [(entry, b"abc")]


def test_a_plain_entry_has_one_block_and_nobody_s_name() -> None:
    header = header_of(Entry(b"etc", Kind.DIRECTORY, 0o755, mtime=1, nanoseconds=5))
    assert len(header) == 512
    assert header[:5] == b"etc/\0"
    member = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    assert (member.uname, member.gname, member.mtime, member.mode) == ("", "", 1, 0o755)
