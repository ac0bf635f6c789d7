"""The rules by which entries become a tree, for a user without privileges."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from pyminidock.events import ArchiveWarned, Event
from pyminidock.layers.apply import UNPRIVILEGED, Applied, apply
from pyminidock.layers.archive import ArchiveRefused, Entry, Kind
from pyminidock.layers.snapshots import remove_tree


def file(name: bytes, content: bytes = b"x", mode: int = 0o644, **more: object) -> Entry:
    return Entry(
        name, Kind.FILE, mode=mode, size=len(content), body=BytesIO(content), **more  # type: ignore[arg-type]
    )  # fmt: skip


def folder(name: bytes, mode: int = 0o755, mtime: int = 0) -> Entry:
    return Entry(name, Kind.DIRECTORY, mode=mode, mtime=mtime)


def link(name: bytes, target: bytes) -> Entry:
    return Entry(name, Kind.SYMLINK, link=target)


def hard(name: bytes, target: bytes) -> Entry:
    return Entry(name, Kind.HARD_LINK, link=target)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "root").mkdir()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names alone)
    yield tmp_path / "root"
    assert len(os.listdir("/proc/self/fd")) == before, "a handle stayed open"  # noqa: PTH208


@pytest.fixture
def put(root: Path) -> Callable[..., Applied]:
    def putting(*entries: Entry) -> Applied:
        return apply(entries, root, policy=UNPRIVILEGED)

    return putting


Put = Callable[..., Applied]


def is_deleted(path: Path) -> bool:
    return path.is_file() and "user.overlay.whiteout" in os.listxattr(path)


def is_opaque(path: Path) -> bool:
    names = os.listxattr(path)
    return (
        "user.overlay.opaque" in names and os.getxattr(path, "user.overlay.opaque") == b"y"
    )


def test_files_directories_and_links_are_made(root: Path, put: Put) -> None:
    done = put(folder(b"etc", 0o750, 7), file(b"etc/motd", b"hello", 0o640, mtime=9),
               link(b"bin", b"usr/bin"),
               replace(hard(b"etc/again", b"etc/motd"), mode=0o640, mtime=9))  # fmt: skip
    assert done == Applied(4, 5 + 7, 0)  # the text of a link counts
    assert (root / "etc" / "motd").read_bytes() == b"hello"
    assert (root / "etc" / "motd").stat().st_mtime == 9
    assert stat.S_IMODE((root / "etc" / "motd").stat().st_mode) == 0o640
    assert (root / "etc").stat().st_mtime == 7, "the time that the archive says"
    assert stat.S_IMODE((root / "etc").stat().st_mode) == 0o750
    assert str((root / "bin").readlink()) == "usr/bin"
    assert (root / "etc" / "again").samefile(root / "etc" / "motd")


def test_what_is_missing_above_a_name_is_made_and_told(root: Path) -> None:
    heard: list[Event] = []
    apply([file(b"a/b/c")], root, policy=UNPRIVILEGED, emit=heard.append)
    assert (root / "a" / "b" / "c").exists()
    assert stat.S_IMODE((root / "a" / "b").stat().st_mode) == 0o755
    assert heard == [ArchiveWarned("2 directories were not in the archive", "", 0)]


def test_the_last_entry_of_a_name_wins(root: Path, put: Put) -> None:
    put(file(b"x", b"1"), folder(b"x"), file(b"x/y"), link(b"x", b"/nowhere"), folder(b"x"),
        file(b"f", b"first"), file(b"f", b"last"))  # fmt: skip
    assert list((root / "x").iterdir()) == []
    assert (root / "f").read_bytes() == b"last"


def test_a_directory_on_a_directory_merges(root: Path, put: Put) -> None:
    put(folder(b"d", 0o700), file(b"d/kept"), folder(b"d", 0o711))
    assert (root / "d" / "kept").exists()
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o711


def test_a_link_is_replaced_and_what_it_names_stays(root: Path, put: Put) -> None:
    outside = root.parent / "outside"
    outside.write_text("mine", encoding="ascii")
    put(link(b"f", os.fsencode(outside)), file(b"f", b"theirs"))
    assert outside.read_text(encoding="ascii") == "mine"
    assert (root / "f").read_bytes() == b"theirs"
    assert not (root / "f").is_symlink()


def test_a_link_in_the_way_is_followed_inside(root: Path, put: Put) -> None:
    put(link(b"up", b"../../.."), link(b"in/abs", b"/deep/er"), file(b"up/f"),
        file(b"in/abs/g"))  # fmt: skip
    assert (root / "f").exists()
    assert (root / "deep" / "er" / "g").exists()


def test_a_link_that_gave_place_leads_nowhere_any_more(root: Path, put: Put) -> None:
    put(link(b"a", b"b"), file(b"a/c/f", b"1"), file(b"a"), file(b"a/c/f", b"2"))
    assert (root / "a" / "c" / "f").read_bytes() == b"2"
    assert (root / "b" / "c" / "f").read_bytes() == b"1"


def test_a_read_only_directory_can_be_filled(root: Path, put: Put) -> None:
    put(folder(b"d", 0o555), file(b"d/f"), folder(b"d/e", 0o500), file(b"d/e/g"))
    assert (root / "d" / "e" / "g").exists()
    assert stat.S_IMODE((root / "d").stat().st_mode) == 0o555


@pytest.mark.parametrize("entries", [
    [file(b"f"), file(b".wh.f", b"")],
    [file(b".wh.f", b""), file(b"f")],
])  # fmt: skip
def test_a_whiteout_speaks_of_layers_below_only(
    root: Path, put: Put, entries: list[Entry]
) -> None:
    put(*entries)
    assert (root / "f").read_bytes() == b"x"


def test_a_whiteout_is_written_as_overlayfs_reads_it(root: Path, put: Put) -> None:
    put(folder(b"d"), file(b"d/.wh.gone", b""))
    assert is_deleted(root / "d" / "gone")
    assert os.getxattr(root / "d", "user.overlay.opaque") == b"x"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_directory_that_is_also_deleted_is_opaque(
    root: Path, put: Put, order: tuple[int, int]
) -> None:
    entries = [folder(b"d"), file(b".wh.d", b"")]
    put(*(entries[n] for n in order), file(b"d/f"))
    assert is_opaque(root / "d")
    assert [path.name for path in (root / "d").iterdir()] == ["f"]


def test_a_file_below_a_deleted_directory_makes_it_opaque(root: Path, put: Put) -> None:
    put(file(b".wh.d", b""), file(b"d/e/f"))
    assert is_opaque(root / "d")
    assert not is_opaque(root / "d" / "e")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_opaque_mark_hides_below_and_keeps_its_own(
    root: Path, put: Put, place: int
) -> None:
    entries = [folder(b"d"), file(b"d/a"), file(b"d/.wh.z", b""), file(b"d/b")]
    entries.insert(place + 1, file(b"d/.wh..wh..opq", b""))
    put(*entries)
    assert is_opaque(root / "d")
    assert sorted(path.name for path in (root / "d").iterdir()) == ["a", "b"]


def test_in_a_build_context_a_whiteout_is_a_file(root: Path) -> None:
    apply([file(b".wh.f")], root, policy=replace(UNPRIVILEGED, has_whiteouts=False))
    assert (root / ".wh.f").read_bytes() == b"x"


@pytest.mark.parametrize(("entries", "problem"), [
    ([hard(b"a", b"missing")], "not there"),
    ([hard(b"a", b"a")], "not there"),
    ([file(b"a"), hard(b"a", b"a")], "itself"),
    ([folder(b"d"), hard(b"a", b"d")], "is a directory"),
    ([hard(b"a", b".")], "is a directory"),
    ([file(b".wh.a", b""), hard(b"b", b"a")], "not there"),
    ([folder(b"d"), file(b"d/f"), hard(b"d", b"d/f")], "goes with what it replaces"),
    ([link(b"l", b"l"), file(b"l/f")], "symbolic link"),
    ([Entry(b"c", Kind.CHARACTER, device=(0, 0))], "0:0"),
    ([Entry(b"c", Kind.BLOCK, device=(4096, 0))], "4096:0"),
    ([file(b"f", xattrs={b"trusted.overlay.redirect": b"/"})], "trusted.overlay.redirect"),
    ([file(b".wh.", b"")], "names no file"),
    ([file(b".wh.d/f")], "below a whiteout"),
    ([Entry(b".", Kind.SYMLINK, link=b"/")], "replace the root"),
    ([Entry(b"f", Kind.FILE, size=9, body=BytesIO(b"short"))], "missing"),
])  # fmt: skip
def test_what_has_no_meaning_is_refused_by_name(
    put: Put, entries: list[Entry], problem: str
) -> None:
    with pytest.raises(ArchiveRefused, match=problem):
        put(*entries)


def test_each_oddness_is_told_once(root: Path) -> None:
    heard: list[Event] = []
    odd: dict[bytes, bytes] = {b"security.selinux": b"x", b"user.kept": b"y"}
    apply([file(b"a", xattrs=odd), file(b"b", xattrs=odd)], root, policy=UNPRIVILEGED,
          emit=heard.append)  # fmt: skip
    assert heard == [ArchiveWarned("the attribute security.selinux is dropped", "a", 0)]
    assert os.getxattr(root / "b", "user.kept") == b"y"


def test_the_attributes_of_an_earlier_entry_go_with_it(root: Path, put: Put) -> None:
    first = Entry(b"d", Kind.DIRECTORY, mode=0o755, xattrs={b"user.old": b"1"})
    last = Entry(b"d", Kind.DIRECTORY, mode=0o755, xattrs={b"user.new": b"2"})
    put(first, last)
    assert os.listxattr(root / "d") == ["user.new"]


@pytest.mark.parametrize(("said", "kept"), [(-1, 0), (2**40, 2**33), (1, 1)])
def test_times_are_kept_within_what_disks_can_say(
    root: Path, put: Put, said: int, kept: int
) -> None:
    put(file(b"f", mtime=said))
    assert (root / "f").stat().st_mtime == kept


def test_a_tree_deeper_than_the_stack_is_made_and_replaced(root: Path, put: Put) -> None:
    deep = b"/".join([b"d"] * 500)
    put(file(deep + b"/f"), folder(deep), file(b"d"))
    assert (root / "d").is_file()


def test_links_cannot_make_a_tree_deeper_than_a_limit(root: Path, put: Put) -> None:
    step = b"/".join([b"d"] * 400)
    chain = [
        link(b"a", step),
        link(step + b"/b", step),
        link(step + b"/" + step + b"/c", step),
    ]
    with pytest.raises(ArchiveRefused, match="too long"):
        put(*chain, file(b"a/b/c/f"))
    remove_tree(root)  # deeper than shutil.rmtree can go, with which pytest cleans up


def test_many_directories_do_not_hold_many_handles(root: Path, put: Put) -> None:
    names = [b"d%d/e%d" % (n, n) for n in range(400)]
    put(*(file(name + b"/f") for name in names), *(file(name + b"/g") for name in names))
    assert len(list(root.iterdir())) == 400
