"""What a layer's tree holds, and what a writable one says beside what is below it."""

import os
from pathlib import Path

import pytest

from pyminidock.layers.contents import Comparing, contents
from pyminidock.layers.merged import Merged
from pyminidock.layers.written import written
from pyminidock.unionfs.weighing import Likeness
from pyminidock.unionfs.whiteout import USER


def put(path: Path, text: str = "", mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    path.chmod(mode)


def whiteout(path: Path) -> None:
    put(path)
    os.setxattr(path, "user.overlay.whiteout", b"y")


def opaque(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    os.setxattr(path, "user.overlay.opaque", b"y")


def told(upper: Path, *lower: Path) -> list[tuple[str, str, str]]:
    with Merged(lower, USER) as below:
        return [
            (each.change, each.path.decode(), each.detail)
            for each in written(upper, below, USER)
        ]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    put(tmp_path / "base/etc/motd", "hello")
    put(tmp_path / "base/etc/issue", "x")
    put(tmp_path / "base/etc/deep/f", "y")
    (tmp_path / "base/bin").symlink_to("etc")
    return tmp_path / "base"


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    (tmp_path / "upper").mkdir()
    return tmp_path / "upper"


def test_a_tree_is_listed_as_its_archive_would_be(upper: Path) -> None:
    put(upper / "d/b", "twin")
    (upper / "d/a").symlink_to("b")
    os.link(upper / "d/b", upper / "d/c")
    whiteout(upper / "gone")
    opaque(upper / "new")
    os.mkfifo(upper / "pipe")
    found = [
        (each.path.decode(), each.kind, each.size_bytes, each.link.decode())
        for each in contents(upper, USER)
    ]
    assert found == [
        ("d", "directory", 0, ""), ("d/a", "symlink", 0, "b"), ("d/b", "file", 4, ""),
        ("d/c", "hard link", 0, "d/b"), ("gone", "whiteout", 0, ""),
        ("new", "directory", 0, ""), ("pipe", "fifo", 0, ""),
    ]  # fmt: skip
    assert [each.path for each in contents(upper, USER) if each.is_opaque] == [b"new"]


def test_a_tree_deeper_than_any_path_is_listed_to_its_end(upper: Path) -> None:
    here = os.open(upper, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 200, dir_fd=here)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    *_, last = contents(upper)
    assert last.path.count(b"/") == 59
    assert len(last.path) > 4096


def test_added_changed_deleted_and_only_on_the_way(upper: Path, base: Path) -> None:
    put(upper / "etc/motd", "other words")
    put(upper / "etc/new")
    whiteout(upper / "etc/issue")
    whiteout(upper / "etc/nothing")
    assert told(upper, base) == [
        ("same", "etc", ""), ("deleted", "etc/issue", "whiteout"),
        ("changed", "etc/motd", ""), ("added", "etc/new", ""),
    ]  # fmt: skip


def test_a_directory_made_anew_names_what_it_hides(upper: Path, base: Path) -> None:
    opaque(upper / "etc")
    put(upper / "etc/motd", "again")
    assert told(upper, base) == [
        ("changed", "etc", "opaque"), ("deleted", "etc/deep", "opaque"),
        ("deleted", "etc/issue", "opaque"), ("changed", "etc/motd", ""),
    ]  # fmt: skip


def test_rights_of_a_directory_are_a_change_and_a_link_is_no_way(
    upper: Path, base: Path
) -> None:
    (upper / "etc").mkdir(mode=0o700)
    (upper / "bin").mkdir()  # was a link to etc
    put(upper / "bin/motd", "not the one of etc")
    assert told(upper, base) == [
        ("changed", "bin", ""), ("added", "bin/motd", ""), ("changed", "etc", "metadata"),
    ]  # fmt: skip


def test_nothing_written_is_nothing_told(upper: Path, base: Path) -> None:
    assert told(upper, base) == []


@pytest.mark.parametrize(
    ("text", "likeness"), [("hello", Likeness.SAME), ("hullo", Likeness.OTHER)]
)
def test_files_are_compared_byte_by_byte(
    upper: Path, base: Path, text: str, likeness: Likeness
) -> None:
    put(upper / "etc/motd", text)
    assert Comparing({0: base, 1: upper}, 1000, USER)(0, 1, b"etc/motd") is likeness


def test_attributes_differ_and_what_is_too_big_is_not_read(upper: Path, base: Path) -> None:
    put(upper / "etc/motd", "hello")
    comparing = Comparing({0: base, 1: upper}, 19, USER)
    assert comparing(0, 1, b"etc/motd") is Likeness.SAME
    assert comparing(0, 1, b"etc/motd") is Likeness.UNREAD
    os.setxattr(upper / "etc/motd", "user.colour", b"red")
    comparing = Comparing({0: base, 1: upper}, 1000, USER)
    assert comparing(0, 1, b"etc/motd") is Likeness.CONTENT
