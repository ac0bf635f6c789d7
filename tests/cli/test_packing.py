"""What `cp` packs arrives whole, and what a stranger packed stays where it lands."""

import io
import os
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from pyminidock.cli.failures import WordsRefused
from pyminidock.cli.packing import Landing, landing, packed, unpack


class At(NamedTuple):
    """What is at the destination."""

    exists: bool
    is_directory: bool


FOLDER, FILE, NOTHING = At(True, True), At(True, False), At(False, False)


@pytest.mark.parametrize(
    ("target", "found", "is_directory", "is_content", "where"),
    [
        ("/srv", FOLDER, False, False, Landing("/srv", "source")),
        ("/srv", FOLDER, True, False, Landing("/srv", "source")),
        ("/srv", FOLDER, True, True, Landing("/srv", ".")),
        ("/srv/new", NOTHING, False, False, Landing("/srv", "new")),
        ("/srv/new", NOTHING, True, False, Landing("/srv", "new")),
        ("/srv/new/", NOTHING, True, False, Landing("/srv", "new")),
        ("/srv/old", FILE, False, False, Landing("/srv", "old")),
    ],
)
def test_where_things_land(
    target: str, found: At, is_directory: bool, is_content: bool, where: Landing
) -> None:
    assert landing(
        target, found, is_directory=is_directory, name="source", is_content=is_content
    ) == where  # fmt: skip


@pytest.mark.parametrize(
    ("target", "found", "is_directory", "what"),
    [
        ("/srv/old", FILE, True, "cannot copy directory"),
        ("/srv/new/", NOTHING, False, "no such directory"),
        ("/srv/old/", FILE, False, "not a directory"),
    ],
)
def test_where_nothing_can_land(
    target: str, found: At, is_directory: bool, what: str
) -> None:
    with pytest.raises(WordsRefused) as refusal:
        landing(target, found, is_directory=is_directory, name="x", is_content=False)
    assert refusal.value.what == what


def test_a_tree_travels_whole(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep/er").mkdir(parents=True)
    (source / "deep/file").write_bytes(b"x" * 70_000)
    (source / "deep/file").chmod(0o640)
    os.link(source / "deep/file", source / "twin")
    (source / "link").symlink_to("deep/file")
    (tmp_path / "out").mkdir()
    counted = [0]
    pieces = packed(str(source), Landing("", "copy"), follows=False, counted=counted)
    unpack(pieces, Landing(str(tmp_path / "out"), "copy"))
    copy = tmp_path / "out/copy"
    assert sorted(str(path.relative_to(copy)) for path in copy.rglob("*")) == [
        "deep", "deep/er", "deep/file", "link", "twin",
    ]  # fmt: skip
    assert (copy / "twin").read_bytes() == b"x" * 70_000
    assert (copy / "deep/file").stat().st_mode & 0o777 == 0o640
    assert (copy / "link").readlink() == Path("deep/file")
    assert counted == [140_000]


@pytest.mark.parametrize("follows", [False, True])
def test_a_link_is_copied_or_followed(tmp_path: Path, follows: bool) -> None:
    (tmp_path / "file").write_text("here")
    (tmp_path / "link").symlink_to("file")
    pieces = packed(str(tmp_path / "link"), Landing("", "x"), follows=follows, counted=[0])
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        (entry,) = archive.getmembers()
    assert (entry.name, entry.issym(), entry.size) == ("x", not follows, 4 * follows)


def hostile(*entries: tuple[str, bytes, str, str]) -> list[bytes]:
    """Make an archive of entries: name, kind, what a link leads to, content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, link, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.size = kind, link, len(content)
            entry.uid = entry.gid = 12345
            archive.addfile(entry, io.BytesIO(content.encode()))
    return [buffer.getvalue()]


@pytest.mark.parametrize(
    "entries",
    [
        [("x/../../outside", tarfile.REGTYPE, "", "bad")],
        [("x", tarfile.DIRTYPE, "", ""), ("x/way", tarfile.SYMTYPE, "../..", ""),
         ("x/way/outside", tarfile.REGTYPE, "", "bad")],
        [("x", tarfile.DIRTYPE, "", ""), ("x/way", tarfile.SYMTYPE, "/", ""),
         ("x/way/tmp/outside", tarfile.REGTYPE, "", "bad")],
        [("x/twin", tarfile.LNKTYPE, "x/../../secret", "")],
    ],
)  # fmt: skip
def test_a_stranger_s_archive_stays_below(
    tmp_path: Path, entries: list[tuple[str, bytes, str, str]]
) -> None:
    place = tmp_path / "a/place"
    place.mkdir(parents=True)
    (tmp_path / "secret").write_text("mine")
    with pytest.raises(WordsRefused):
        unpack(hostile(*entries), Landing(str(place), "x"))
    assert not list(tmp_path.rglob("outside"))
    assert (tmp_path / "secret").stat().st_nlink == 1


def test_what_is_unpacked_is_ours(tmp_path: Path) -> None:
    unpack(hostile(("x", tarfile.REGTYPE, "", "hi")), Landing(str(tmp_path), "renamed"))
    assert (tmp_path / "renamed").read_text() == "hi"
    assert (tmp_path / "renamed").stat().st_uid == os.geteuid()
