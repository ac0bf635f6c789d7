"""The view of stacked trees: what shows, what is hidden, and that no link leads out."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.layers.merged import Merged
from pyminidock.layers.snapshots import remove_tree
from pyminidock.unionfs.whiteout import USER

Tree = dict[str, str | None]
"""Path to content; None is a directory, "-> x" a link, "gone" a whiteout (USER form)."""


def grow(place: Path, tree: Tree) -> Path:
    place.mkdir()
    for name, content in tree.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir(exist_ok=True)
        elif content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        elif content == "gone":
            path.touch()
            os.setxattr(path, "user.overlay.whiteout", b"")
        elif content == "opaque":
            path.mkdir(exist_ok=True)
            os.setxattr(path, "user.overlay.opaque", b"y")
        else:
            path.write_text(content, encoding="ascii")
    return place


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Callable[..., Merged]]:
    views: list[Merged] = []

    def make(*trees: Tree) -> Merged:
        """Topmost first, as everywhere."""
        places = [grow(tmp_path / str(number), tree) for number, tree in enumerate(trees)]
        views.append(Merged(places, USER))
        return views[-1]

    yield make
    for view in views:
        view.close()


BASE: Tree = {
    "etc/motd": "old", "etc/passwd": "root", "bin": "-> usr/bin", "usr/bin/sh": "elf",
    "var/log/a": "1",
}  # fmt: skip
Stack = Callable[..., Merged]


def read(view: Merged, path: str) -> bytes:
    with view.open(path) as file:
        return file.read()


def test_a_file_hides_the_one_below_it(stack: Stack) -> None:
    view = stack({"etc/motd": "new"}, BASE)
    assert read(view, "/etc/motd") == b"new"
    assert view.layer_of("/etc/motd") == 0
    assert view.layer_of("/etc/passwd") == 1


def test_directories_merge_and_are_listed_once(stack: Stack) -> None:
    view = stack({"etc/motd": "new", "etc/hosts": ""}, BASE)
    assert view.list("/etc") == (b"hosts", b"motd", b"passwd")
    assert view.list() == (b"bin", b"etc", b"usr", b"var")


def test_a_whiteout_hides_the_name_below_it(stack: Stack) -> None:
    view = stack({"etc/motd": "gone", "var": "gone"}, BASE)
    assert view.lstat("/etc/motd") is None
    assert view.list("/etc") == (b"passwd",)
    assert view.lstat("/var/log/a") is None
    with pytest.raises(FileNotFoundError):
        view.list("/var")


def test_a_name_below_a_whiteout_may_be_there_again_above_it(stack: Stack) -> None:
    view = stack({"etc/motd": "again"}, {"etc/motd": "gone"}, BASE)
    assert read(view, "etc/motd") == b"again"


def test_an_opaque_directory_shows_only_its_own(stack: Stack) -> None:
    view = stack({"etc": "opaque", "etc/hosts": "mine"}, BASE)
    assert view.list("/etc") == (b"hosts",)
    assert view.lstat("/etc/passwd") is None


def test_a_file_in_place_of_a_directory_ends_what_is_below(stack: Stack) -> None:
    view = stack({"etc/x": None}, {"etc": "a file"}, BASE)
    assert view.list("/etc") == (b"x",)
    assert view.lstat("/etc/passwd") is None


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/bin/sh", b"/usr/bin/sh"),
        ("bin/../lib", b"/usr/lib"),
        ("/../../etc/./motd", b"/etc/motd"),
        ("/no/such/../place", b"/no/place"),
        ("/", b"/"),
        ("/bin", b"/usr/bin"),
        ("/up/etc", b"/etc"),
        ("/abs", b"/etc/passwd"),
    ],
)
def test_links_are_followed_inside_the_view(stack: Stack, path: str, answer: bytes) -> None:
    view = stack({"up": "-> ../../..", "abs": "-> /etc/passwd"}, BASE)
    assert view.resolve(path) == answer


def test_a_last_link_is_followed_only_if_asked(stack: Stack) -> None:
    view = stack(BASE)
    assert view.resolve("/bin", follow_last=False) == b"/bin"
    assert view.resolve("/bin/", follow_last=False) == b"/usr/bin"
    assert view.readlink("/bin") == b"usr/bin"
    with pytest.raises(OSError, match="Invalid argument"):
        view.readlink("/etc")


def test_a_link_of_one_layer_leads_to_files_of_another(stack: Stack) -> None:
    view = stack({"usr/bin/new": "x"}, BASE)
    assert read(view, "/bin/new") == b"x"
    assert read(view, "/bin/sh") == b"elf"


def test_forty_links_are_followed_and_no_more(stack: Stack) -> None:
    links: Tree = {f"l{n}": f"-> l{n + 1}" for n in range(40)}
    view = stack({**links, "l40": "end", "loop": "-> loop", "m": "-> l0"})
    assert view.resolve("l0") == b"/l40"
    for path in ("m", "loop", "loop/x"):
        with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
            view.resolve(path)


def test_names_below_a_file_do_not_exist(stack: Stack) -> None:
    view = stack(BASE)
    with pytest.raises(NotADirectoryError):
        view.resolve("/etc/motd/x")
    with pytest.raises(NotADirectoryError):
        view.list("/etc/motd")


def test_a_fifo_is_never_opened(stack: Stack, tmp_path: Path) -> None:
    view = stack(BASE)
    os.mkfifo(tmp_path / "0" / "pipe")
    with pytest.raises(OSError, match="Invalid argument"):
        view.open("/pipe")
    with pytest.raises(IsADirectoryError):
        view.open("/etc")


def test_attributes_are_shown_without_the_store_s_own(stack: Stack, tmp_path: Path) -> None:
    view = stack({"etc": "opaque"}, BASE)
    os.setxattr(tmp_path / "0" / "etc", "user.note", b"kept")
    assert view.xattrs("/etc") == {"user.note": b"kept"}


def test_many_directories_do_not_hold_many_handles(stack: Stack) -> None:
    trees: list[Tree] = [{f"d{n}/{m}": "" for n in range(40)} for m in range(20)]
    view = stack(*trees)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names alone)
    for n in range(40):
        assert len(view.list(f"d{n}")) == 20
    assert len(os.listdir("/proc/self/fd")) - before < 560  # noqa: PTH208
    view.close()
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


def test_no_trees_show_nothing(stack: Stack) -> None:
    assert stack().lstat("/") is None
    assert stack().list() == ()


def test_the_way_back_from_a_name_that_is_missing_is_looked_at_again(
    stack: Stack,
) -> None:
    view = stack(BASE)
    assert view.resolve("/nope/../bin/sh") == b"/usr/bin/sh"
    assert view.resolve("/etc/nope/no/../../../bin/sh") == b"/usr/bin/sh"
    assert view.resolve("/nope/no/../bin/sh") == b"/nope/bin/sh"


def test_a_deep_tree_costs_the_kernel_no_more_than_its_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More directories than handles; a name that is missing is looked for once."""
    depth, asked = 700, 0
    tree = tmp_path / "tree"
    tree.mkdir()
    deepest = os.open(tree, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=deepest)
        above, deepest = deepest, os.open("d", os.O_RDONLY, dir_fd=deepest)
        os.close(above)
    os.close(deepest)

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def called(*words: object, **more: object) -> object:
            nonlocal asked
            asked += 1
            return call(*words, **more)

        return called

    with Merged([tree]) as view:
        view.scan(b"d/" * depth)
        monkeypatch.setattr(os, "open", counted(os.open))
        monkeypatch.setattr(os, "stat", counted(os.stat))
        for _ in range(10):
            view.scan(b"/" + b"d/" * depth)
            assert view.lstat(b"d/" * depth + b"x/" * depth) is None
    monkeypatch.undo()
    remove_tree(tree)  # it may be deeper than pytest can remove
    assert asked < 10 * depth
