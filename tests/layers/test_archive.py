"""The reader agrees with others about every archive that is whole.

Hostile archives: tests/layers/hostile.
"""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.layers.archive import Entry, Kind, Stream, read_entries
from pyminidock.layers.tarwriter import Writer
from tests.layers.hostile.blocks import END, block, record
from tests.layers.test_compression import InPieces


class Seen(NamedTuple):
    """What two readers can compare."""

    name: bytes
    kind: bytes
    mode: int
    owner: tuple[int, int]
    mtime: int
    link: bytes
    device: tuple[int, int]
    xattrs: dict[bytes, bytes]
    content: str


def ours(stream: Stream) -> Iterator[Seen]:
    for entry in read_entries(stream):
        digest = sha256()
        while piece := entry.body.read(1000):
            digest.update(piece)
        yield Seen(
            entry.name, entry.kind.value, entry.mode, (entry.uid, entry.gid), entry.mtime,
            entry.link, entry.device, dict(entry.xattrs), digest.hexdigest(),
        )  # fmt: skip


def theirs(archive: bytes) -> Iterator[Seen]:
    """Read with Python's tarfile, which is right about archives that are whole."""

    def raw(name: str) -> bytes:
        return os.fsencode(name)

    with tarfile.open(fileobj=io.BytesIO(archive), errors="surrogateescape") as opened:
        for member in opened:
            file = opened.extractfile(member) if member.isreg() else None
            name = os.path.normpath(raw(member.name).lstrip(b"/"))
            link = raw(member.linkname) if member.issym() or member.islnk() else b""
            yield Seen(
                name, b"0" if member.isreg() else member.type, member.mode & 0o7777,
                (member.uid, member.gid), int(member.mtime // 1),
                os.path.normpath(link) if member.islnk() else link,
                (member.devmajor, member.devminor) if member.isdev() and not member.isfifo()
                else (0, 0),
                {
                    raw(key.removeprefix("SCHILY.xattr.")): raw(value)
                    for key, value in member.pax_headers.items()
                    if key.startswith("SCHILY.xattr.")
                },
                sha256(file.read() if file else b"").hexdigest(),
            )  # fmt: skip


def path_text(most: int) -> st.SearchStrategy[str]:
    component = st.text(
        st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=30
    ).filter(lambda part: part not in (".", ".."))
    return st.lists(component, min_size=1, max_size=most).map("/".join)


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    """Something that tarfile can pack."""
    member = tarfile.TarInfo(draw(path_text(6)))
    member.type = draw(st.sampled_from([kind.value for kind in Kind]))
    member.mode = draw(st.integers(0, 0o7777))
    member.uid, member.gid = draw(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 9)))
    member.mtime = draw(st.integers(-(2**33), 2**36))
    if member.type in (b"1", b"2"):
        member.linkname = draw(path_text(4))
    if member.type in (b"3", b"4"):
        member.devmajor, member.devminor = draw(
            st.tuples(st.integers(0, 4095), st.integers(0, 4095))
        )
    content = draw(st.binary(max_size=1500)) if member.type == b"0" else b""
    member.size = len(content)
    return member, content


@given(
    st.lists(members(), max_size=4),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.sampled_from([1, 511, 513, 1 << 20]),
)
def test_tarfile_s_archives_are_read_as_tarfile_reads_them(
    made: list[tuple[tarfile.TarInfo, bytes]], style: int, most: int
) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=style) as archive:
        for member, content in made:
            archive.addfile(member, io.BytesIO(content))
    assert list(ours(InPieces(file.getvalue(), most))) == list(theirs(file.getvalue()))


# ── GNU tar ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with all that a user can make."""
    root = tmp_path / "tree"
    (root / "d" / ("long" * 30)).mkdir(parents=True)
    (root / "d" / ("long" * 30) / "file").write_bytes(b"x" * 5000)
    (root / "empty").touch()
    (root / "exact").write_bytes(b"y" * 1024)
    (root / "café").write_text("é", encoding="utf-8")
    (root / "setuid").touch()
    (root / "setuid").chmod(0o4755)
    (root / "link").symlink_to("../" * 40 + "etc/passwd")
    os.link(root / "exact", root / "again")
    os.mkfifo(root / "fifo")
    for number, path in enumerate(sorted(root.rglob("*"))):
        os.utime(path, (number, 1_000_000_000 + number), follow_symlinks=False)
    return root


@pytest.fixture
def short_tree(tree: Path) -> Path:
    """The part of it that the oldest formats can hold."""
    (tree / "d" / ("long" * 30) / "file").unlink()
    (tree / "d" / ("long" * 30)).rmdir()
    (tree / "link").unlink()
    (tree / "link").symlink_to("/absolute")
    return tree


def gnu_tar(tree: Path, style: str, *names: str) -> bytes:
    command = ("tar", "-C", tree, "--sort=name", f"--format={style}", "-cf", "-")
    made = subprocess.run([*command, *(names or ".")], capture_output=True, check=True)
    return made.stdout


@pytest.mark.parametrize("style", ["gnu", "pax"])
def test_gnu_tar_s_archives_are_read_as_tarfile_reads_them(tree: Path, style: str) -> None:
    archive = gnu_tar(tree, style)
    assert list(ours(io.BytesIO(archive))) == list(theirs(archive))
    assert {seen.kind for seen in ours(io.BytesIO(archive))} == {
        b"0", b"1", b"2", b"5", b"6",
    }  # fmt: skip


@pytest.mark.parametrize("style", ["ustar", "oldgnu"])
def test_gnu_tar_s_older_formats_are_read(short_tree: Path, style: str) -> None:
    archive = gnu_tar(short_tree, style)
    assert list(ours(io.BytesIO(archive))) == list(theirs(archive))


def test_the_oldest_format_is_read(short_tree: Path) -> None:
    """v7 knows no magic, no FIFO and no directory but the slash at the end of a name."""
    (short_tree / "fifo").unlink()
    archive = gnu_tar(short_tree, "v7")
    assert archive[257:265] == bytes(8)
    assert list(ours(io.BytesIO(archive))) == list(theirs(archive))
    assert sum(seen.kind == b"5" for seen in ours(io.BytesIO(archive))) == 2


def test_times_of_pax_have_their_fractions(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    os.utime(tmp_path / "f", ns=(0, 1_234_567_890_123_456_789))
    [entry] = read_entries(io.BytesIO(gnu_tar(tmp_path, "pax", "f")))
    assert (entry.mtime, entry.nanoseconds) == (1_234_567_890, 123_456_789)


def test_gnu_tar_unpacks_what_we_pack(tmp_path: Path, tree: Path) -> None:
    packed = tmp_path / "packed.tar"
    with packed.open("wb") as file:
        writer = Writer(file.write)
        for entry in read_entries(io.BytesIO(gnu_tar(tree, "gnu"))):
            writer.add(entry)
        writer.close()
    (tmp_path / "out").mkdir()
    told = subprocess.run(
        ["tar", "-C", tmp_path / "out", "-xpf", packed], capture_output=True, check=True
    )
    assert told.stderr == b""
    # Both trees, packed by GNU tar itself, are the same bytes.
    again = gnu_tar(tmp_path / "out", "gnu")
    assert list(theirs(again)) == list(theirs(gnu_tar(tree, "gnu")))
    compared = subprocess.run(
        ["tar", "-C", tree, "-df", packed], capture_output=True, text=True, check=False
    )
    assert (compared.stdout, compared.returncode) == ("", 0)


# ── What others write ────────────────────────────────────────────────────────────────────


def only(archive: bytes) -> Entry:
    [entry] = read_entries(io.BytesIO(archive + END))
    return entry


def test_a_checksum_of_signed_bytes_is_one_too() -> None:
    header = bytearray(block(name=b"caf\xc3\xa9"))
    header[148:156] = b" " * 8
    total = sum(byte - 256 if byte > 127 else byte for byte in header)
    header[148:156] = b"%06o\0 " % total
    assert only(bytes(header)).name == b"caf\xc3\xa9"


def test_a_prefix_comes_before_the_name() -> None:
    assert only(block(name=b"n", prefix=b"p/q")).name == b"p/q/n"
    assert only(block(name=b"n" * 100, prefix=b"p" * 155)).name == (
        b"p" * 155 + b"/" + b"n" * 100
    )
    gnu = block(name=b"n", magic=b"ustar ", version=b" \0", prefix=b"00000000000\0")
    assert only(gnu).name == b"n"  # old GNU keeps times there
    star = block(
        name=b"n",
        prefix=b"p" * 131 + b"00000000000 00000000000 ",
        rest=b"\0" * 8 + b"tar\0",
    )
    assert only(star).name == b"p" * 131 + b"/n"


def test_only_a_link_has_a_target() -> None:
    """Docker's second whiteout carries the name of a link that it is not."""
    assert only(block(name=b".wh.x", link=b"d1/a")).link == b""


def test_a_name_of_gnu_wins_over_one_of_pax() -> None:
    """Docker's reader does it so; nobody writes both."""
    long_name = block(b"gnu\0", flag=b"L")
    paxed = block(record(b"path", b"pax"), flag=b"x")
    assert only(paxed + long_name + block()).name == b"gnu"
    assert only(long_name + paxed + block()).name == b"gnu"


def test_an_empty_pax_value_means_the_header_s_own() -> None:
    empty = b"".join(record(key, b"") for key in (b"path", b"uid", b"size", b"mtime"))
    entry = only(block(empty, flag=b"x") + block(b"hi", uid=b"0000007\0"))
    assert (entry.name, entry.uid, entry.size, entry.mtime) == (b"f", 7, 2, 0)


def test_letters_for_a_file() -> None:
    for flag in (b"0", b"\0", b"7"):
        assert only(block(b"hi", flag=flag)).kind is Kind.FILE
    assert only(block(name=b"d/", flag=b"\0")).kind is Kind.DIRECTORY
