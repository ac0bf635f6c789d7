"""Archives unpacked into a tree that is in use, and parts of it on their way out."""

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.kernel.linux.views import LinuxView
from pyminidock.layers.archive import read_entries
from pyminidock.layers.clearing import clear
from pyminidock.layers.incoming import How, Incoming
from pyminidock.layers.inside import PathUnusable, follow, lstat
from pyminidock.layers.outgoing import Outgoing
from tests.compat.archives import DIR, FIFO, HARD, LINK, Wish, tar

pytestmark = pytest.mark.edge


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    made.mkdir()
    return made


@pytest.fixture
def view(tree: Path) -> Iterator[LinuxView]:
    made = LinuxView(os.open(tree, os.O_PATH | os.O_DIRECTORY))
    yield made
    made.close()


def unpack(
    view: LinuxView, *wishes: Wish, place: str = "/", how: How | None = None
) -> None:
    entries = read_entries(io.BytesIO(tar(*wishes)), may_climb=True)
    Incoming(view, place, how or How()).take(entries)


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


def test_what_goes_in_comes_out_again(view: LinuxView, tree: Path) -> None:
    wishes = (
        Wish("d", DIR), Wish("d/f", said="x" * 300_000), Wish("d/l", LINK, "f"),
        Wish("d/p", FIFO), Wish("d/two", HARD, "d/f"), Wish("e", mode=0o4755),
    )  # fmt: skip
    unpack(view, *wishes)
    out = b"".join(Outgoing(view).directory(b"/", b"", has_itself=False))
    with tarfile.open(fileobj=io.BytesIO(out)) as opened:
        found = {entry.name: entry for entry in opened}
        assert [*found] == ["d", "d/f", "d/l", "d/p", "d/two", "e"]
        assert {(each.uid, each.gid) for each in found.values()} == {(1234, 1235)}
        assert found["d/two"].linkname == "d/f"
        assert found["e"].mode == 0o4755
        file = opened.extractfile("d/f")
        assert file is not None
        assert file.read() == b"x" * 300_000
    assert (tree / "d").stat().st_mtime == 1_700_000_000


def test_all_of_it_can_belong_to_one(view: LinuxView, tree: Path) -> None:
    unpack(view, Wish("new/f"), Wish("l", LINK, "f"), how=How(owner=(5, 6)))
    for name in ("new/f", "l"):
        status = (tree / name).lstat()
        assert (status.st_uid, status.st_gid) == (5, 6)
    assert (tree / "new").stat().st_uid == 0  # it was nobody's entry


def test_a_file_that_a_program_holds_open_is_replaced_and_not_written_to(
    view: LinuxView, tree: Path
) -> None:
    (tree / "f").write_text("old", encoding="ascii")
    with (tree / "f").open(encoding="ascii") as held:
        unpack(view, Wish("f", said="new"))
        assert held.read() == "old"
    assert (tree / "f").read_text("ascii") == "new"


def test_names_above_the_place_are_refused_before_anything_is_made(
    view: LinuxView, tree: Path
) -> None:
    (tree / "d").mkdir()
    with pytest.raises(PathUnusable, match=r'"\.\./esc" is outside of "/d"'):
        unpack(view, Wish("x/../../esc"), place="/d")
    assert [path.name for path in tree.rglob("*")] == ["d"]


@pytest.mark.parametrize("held", [False, True])
def test_a_file_of_the_engine_is_not_unlinked(
    view: LinuxView, tree: Path, held: bool
) -> None:
    (tree / "d/deep").mkdir(parents=True)
    (tree / "d/deep/f").touch()
    status = (tree / "d/deep/f").stat()
    view.held = frozenset({(status.st_dev, status.st_ino)} if held else set())
    if held:
        with pytest.raises(PathUnusable, match="unlinkat //d/deep/f: device or resource"):
            unpack(view, Wish("d"))
        assert (tree / "d/deep/f").exists()
    else:
        unpack(view, Wish("d"))
        assert (tree / "d").is_file()


def test_a_deep_tree_is_cleared_with_few_handles(tree: Path) -> None:
    here = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(2000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=inner))
        os.close(here)
        here = inner
    os.close(here)
    parent = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    clear(parent, b"d", b"/d")
    clear(parent, b"d", b"/d")  # what has gone is no error
    os.close(parent)
    assert list(tree.iterdir()) == []


def test_links_are_followed_inside_and_told_as_far_as_they_lead(
    view: LinuxView, tree: Path
) -> None:
    (tree / "real").mkdir()
    (tree / "up").symlink_to("../../real")
    (tree / "gone").symlink_to("/nowhere/x")
    (tree / "loop").symlink_to("loop")
    assert follow(view, "/up/./../real") == "/real"
    assert follow(view, "/gone", is_lenient=True) == "/nowhere/x"
    assert lstat(view, "/gone").link_target == "/nowhere/x"
    assert stat.S_ISDIR(lstat(view, "/up/").mode)
    with pytest.raises(FileNotFoundError):
        follow(view, "/gone")
    with pytest.raises(PathUnusable, match="EvalSymlinks: too many links"):
        follow(view, "/loop")


def test_a_directory_that_goes_away_under_the_walk_is_left_out(
    view: LinuxView, tree: Path
) -> None:
    for name in ("a/b/c", "a/d", "z"):
        (tree / name).mkdir(parents=True)
        (tree / name / "f").write_bytes(b"x" * 300_000)
    pieces = Outgoing(view).directory(b"/", b"", has_itself=False)
    first = next(pieces)  # it stands in a/b/c now
    (tree / "a").rename(tree.parent / "elsewhere")
    found = names(first + b"".join(pieces))
    assert found[:4] == ["a", "a/b", "a/b/c", "a/b/c/f"]
    assert "z/f" in found


def test_a_file_that_shrinks_is_filled_and_one_that_grows_is_cut(
    view: LinuxView, tree: Path
) -> None:
    for name in ("grows", "shrinks"):
        (tree / name).write_bytes(b"x" * 1_000_000)
    pieces = Outgoing(view).directory(b"/", b"", has_itself=False)
    first = next(pieces)
    with (tree / "grows").open("ab") as file:
        file.write(b"y" * 1_000_000)
    (tree / "shrinks").write_bytes(b"x")
    assert names(first + b"".join(pieces)) == ["grows", "shrinks"]


def test_half_an_archive_leaves_no_half_of_a_file(view: LinuxView, tree: Path) -> None:
    archive = tar(Wish("a"), Wish("b", said="x" * 50_000))[:20_000]
    with pytest.raises(PathUnusable, match="unexpected EOF"):
        Incoming(view, "/", How()).take(read_entries(io.BytesIO(archive)))
    assert [path.name for path in tree.iterdir()] == ["a"]
