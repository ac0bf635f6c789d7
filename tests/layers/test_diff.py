"""What a container wrote, as an archive: complete, in order, the same each time."""

import hashlib
import os
import socket
import stat
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from pyminidock.events import ArchiveWarned, Event
from pyminidock.layers.apply import UNPRIVILEGED, apply
from pyminidock.layers.archive import read_entries
from pyminidock.layers.diff import Diffed, TreeNotPortable, diff
from pyminidock.unionfs.whiteout import USER, WhiteoutMalformed


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    (tmp_path / "upper").mkdir()
    return tmp_path / "upper"


def packed(upper: Path, heard: list[Event] | None = None) -> tuple[Diffed, bytes]:
    out = BytesIO()
    done = diff(
        upper, out.write, spelling=USER, emit=([] if heard is None else heard).append
    )
    return done, out.getvalue()


def members(archive: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        return tar.getmembers()


def names(archive: bytes) -> list[str]:
    return [one.name + "/" * one.isdir() for one in members(archive)]


def whiteout(path: Path) -> None:
    path.touch()
    os.setxattr(path, "user.overlay.whiteout", b"")


def test_directories_come_before_what_they_hold_and_names_by_their_bytes(
    upper: Path,
) -> None:
    for name in ("b/z", "b/a/x", "b-1", "b.txt", "a"):
        (upper / name).parent.mkdir(parents=True, exist_ok=True)
        (upper / name).touch()
    assert names(packed(upper)[1]) == ["a", "b/", "b/a/", "b/a/x", "b/z", "b-1", "b.txt"]


def test_the_digest_is_of_the_archive_and_the_sizes_are_counted(upper: Path) -> None:
    (upper / "f").write_bytes(b"12345")
    done, archive = packed(upper)
    assert done.diff_id == f"sha256:{hashlib.sha256(archive).hexdigest()}"
    assert (done.size_bytes, done.entries) == (5, 1)
    assert packed(upper)[1] == archive


def test_how_a_tree_came_about_leaves_no_trace_in_its_archive(tmp_path: Path) -> None:
    """Other inodes, another order in directories and of attributes: the same bytes."""
    found = set()
    for turn in (1, -1):
        tree = tmp_path / f"{turn}"
        tree.mkdir()
        for number in range(40)[::turn]:
            path = tree / f"d{number % 3}" / f"f{number}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{number}")
            for word in ("user.a", "user.b", "user.c")[::turn]:
                os.setxattr(path, word, b"1")
        for first, second in (("d0/f0", "d1/again"), ("d2/f2", "d0/again"))[::turn]:
            os.link(tree / first, tree / second)
        for path in (*tree.rglob("*"), tree):
            os.utime(path, (1, 1))
        found.add(packed(tree)[1])
    assert len(found) == 1


def test_an_empty_tree_is_two_zero_blocks(upper: Path) -> None:
    assert packed(upper)[1] == bytes(1024)


def test_deletions_are_written_in_the_words_of_archives(upper: Path) -> None:
    (upper / "d").mkdir(mode=0o750)
    os.setxattr(upper / "d", "user.overlay.opaque", b"y")
    (upper / "d" / "kept").touch()
    whiteout(upper / "gone")
    os.utime(upper / "gone", (5, 5))
    found = members(packed(upper)[1])
    assert [one.name for one in found] == ["d", "d/.wh..wh..opq", "d/kept", ".wh.gone"]
    assert (found[1].mode, found[1].mtime, found[1].size) == (0o750, 0, 0)
    assert (found[3].mode, found[3].type, found[3].size) == (0o600, tarfile.REGTYPE, 0)


def test_a_second_name_is_a_link_to_the_first(upper: Path) -> None:
    (upper / "a").write_bytes(b"once")
    (upper / "z").hardlink_to(upper / "a")
    first, second = members(packed(upper)[1])
    assert (first.size, second.islnk(), second.linkname, second.size) == (4, True, "a", 0)


def test_links_and_fifos_are_packed_and_never_opened(upper: Path) -> None:
    (upper / "out").symlink_to("/etc/shadow")
    os.mkfifo(upper / "pipe", 0o604)
    (upper / "pipe2").hardlink_to(upper / "pipe")
    link, pipe, second = members(packed(upper)[1])
    assert (link.issym(), link.linkname) == (True, "/etc/shadow")
    assert (pipe.isfifo(), pipe.mode) == (True, 0o604)
    assert (second.islnk(), second.linkname) == (True, "pipe")


def test_a_socket_is_left_out_and_told(upper: Path) -> None:
    heard: list[Event] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(upper / "s"))
    (upper / "t").touch()
    assert names(packed(upper, heard)[1]) == ["t"]
    assert heard == [
        ArchiveWarned("a socket is not packed, it lives with its program", "s", 0)
    ]


def test_attributes_travel_but_not_the_store_s_own(upper: Path) -> None:
    (upper / "f").touch()
    os.setxattr(upper / "f", "user.note", b"\0\xff")
    os.setxattr(upper / "f", "user.overlay.origin", b"x")
    (entry,) = read_entries(BytesIO(packed(upper)[1]))
    assert entry.xattrs == {b"user.note": b"\0\xff"}


def test_a_name_that_would_delete_is_refused(upper: Path) -> None:
    (upper / ".wh.passwd").touch()
    with pytest.raises(WhiteoutMalformed, match=r"\.wh\.passwd"):
        packed(upper)


def test_a_tree_too_deep_for_any_reader_is_refused_by_name(upper: Path) -> None:
    handle = os.open(upper, os.O_RDONLY)
    for _ in range(600):
        os.mkdir("d", dir_fd=handle)
        inner = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    with pytest.raises(TreeNotPortable, match="too deep"):
        packed(upper)


def test_a_redirected_directory_is_refused(upper: Path) -> None:
    (upper / "d").mkdir()
    os.setxattr(upper / "d", "user.overlay.redirect", b"/elsewhere")
    with pytest.raises(TreeNotPortable, match="redirect"):
        packed(upper)


class Meddler:
    """Takes the archive, and changes a file as soon as its content is being written."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size, self.taken = path, size, b""

    def take(self, piece: bytes) -> None:
        """Be the `write` of a walk."""
        if not self.taken:
            os.truncate(self.path, self.size)
        self.taken += piece


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_a_file_that_changes_meanwhile_never_breaks_the_archive(
    upper: Path, size: int
) -> None:
    (upper / "f").write_bytes(b"x" * 2_000_000)
    (upper / "g").write_bytes(b"after")
    heard: list[Event] = []
    taken = Meddler(upper / "f", size)
    diff(upper, taken.take, spelling=USER, emit=heard.append)
    with tarfile.open(fileobj=BytesIO(taken.taken)) as tar:
        assert [(one.name, one.size) for one in tar] == [("f", 2_000_000), ("g", 5)]
    assert [event.what for event in heard if isinstance(event, ArchiveWarned)] == [
        "a file changed while it was packed"
    ]


def test_a_directory_that_is_moved_meanwhile_is_noticed(upper: Path) -> None:
    (upper / "a" / "b").mkdir(parents=True)
    (upper / "a" / "b" / "f").write_bytes(b"x" * 1_000_000)
    (upper / "other").mkdir()

    def meddle(piece: bytes) -> None:
        if (upper / "a" / "b").exists():
            (upper / "a" / "b").rename(upper / "other" / "b")

    with pytest.raises(TreeNotPortable, match="moved"):
        diff(upper, meddle, spelling=USER)


def test_what_was_packed_unpacks_to_the_same_tree(upper: Path, tmp_path: Path) -> None:
    (upper / "d" / "e").mkdir(parents=True)
    (upper / "d" / "f").write_bytes(b"content")
    (upper / "d" / "again").hardlink_to(upper / "d" / "f")
    (upper / "d" / "link").symlink_to("f")
    (upper / "d").chmod(0o2755)
    os.setxattr(upper / "d" / "e", "user.overlay.opaque", b"y")
    os.setxattr(upper / "d", "user.overlay.opaque", b"x")
    whiteout(upper / "d" / "gone")
    archive = packed(upper)[1]
    (tmp_path / "again").mkdir()
    apply(read_entries(BytesIO(archive)), tmp_path / "again", policy=UNPRIVILEGED)
    assert packed(tmp_path / "again")[1] == archive
    assert stat.S_IMODE((tmp_path / "again" / "d").stat().st_mode) == 0o2755
