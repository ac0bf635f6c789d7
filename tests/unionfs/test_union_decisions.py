"""What a change of the merged tree does to the upper layer, one sentence at a time."""

import errno
import random
import stat

import pytest

from pyminidock.events import Event, LayerProbed, OpaqueMade, PathCopiedUp, WhiteoutMade
from pyminidock.unionfs import copyup, naming
from pyminidock.unionfs.branches import Stack
from pyminidock.unionfs.effects import (
    Clear,
    CopyUp,
    Effects,
    Extent,
    FillUp,
    Link,
    Make,
    Newborn,
    Remove,
    Rename,
    SetOpaque,
    SetRedirect,
    Whiteout,
)
from pyminidock.unionfs.lookup import Kind, Layer, lookup
from pyminidock.unionfs.model.system import Model
from pyminidock.unionfs.model.tree import Inode, Tree
from pyminidock.unionfs.renaming import Flags, rename
from pyminidock.unionfs.search import find, listing, walk

DIRECTORY, FILE = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o644
WHITEOUT = stat.S_IFCHR


def tree(name: str, **entries: int | str) -> Tree:
    """Make a branch: `etc=DIRECTORY, etc__motd="text"`."""
    made = Tree(name)
    for path, what in entries.items():
        inode = Inode(what) if isinstance(what, int) else Inode(FILE)
        if isinstance(what, str):
            inode.content.extend(what.encode())
        made.put("/" + path.replace("__", "/"), inode)
    return made


def base() -> Tree:
    return tree("base", etc=DIRECTORY, etc__motd="hi", srv=DIRECTORY, note="x")


def stacked(upper: Tree, *, redirects: bool = False, metacopy: bool = False) -> Stack:
    return Stack((upper, base()), redirects=redirects, metacopy=metacopy)


def names(effects: Effects) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def test_deleting_makes_a_place_for_the_whiteout_first() -> None:
    assert naming.unlink(stacked(tree("upper")), "/etc/motd") == (
        CopyUp("/etc", 1, "/etc", Extent.DIRECTORY),
        Whiteout("/etc/motd"),
    )


def test_what_no_layer_below_knows_leaves_no_whiteout() -> None:
    stack = stacked(tree("upper", new="text"))
    assert naming.unlink(stack, "/new") == (Remove("/new"),)


def test_a_directory_over_a_whiteout_is_opaque() -> None:
    stack = stacked(tree("upper", etc=WHITEOUT))
    (made,) = naming.create(stack, "/etc", Newborn(DIRECTORY))
    assert made == Make("/etc", Newborn(DIRECTORY), is_opaque=True, over_whiteout=True)


def test_a_directory_is_empty_if_its_merged_listing_is() -> None:
    with pytest.raises(OSError, match="etc") as refusal:
        naming.rmdir(stacked(tree("upper")), "/etc")
    assert refusal.value.errno == errno.ENOTEMPTY
    emptied = stacked(tree("upper", etc=DIRECTORY, etc__motd=WHITEOUT))
    assert naming.rmdir(emptied, "/etc") == (Whiteout("/etc"),)


@pytest.mark.parametrize(
    ("metacopy", "asked", "done"),
    [
        (False, Extent.METADATA, Extent.CONTENT),
        (True, Extent.METADATA, Extent.METADATA),
        (True, Extent.CONTENT, Extent.CONTENT),
        (False, Extent.EMPTY, Extent.EMPTY),
    ],
)
def test_how_much_is_copied(metacopy: bool, asked: Extent, done: Extent) -> None:
    stack = stacked(tree("upper"), metacopy=metacopy)
    (copied,) = copyup.copy_up(stack, "/note", asked)
    assert isinstance(copied, CopyUp)
    assert (copied.extent, copied.size_bytes) == (done, 1 if done is Extent.CONTENT else 0)


def test_what_was_copied_is_not_copied_again() -> None:
    assert copyup.copy_up(stacked(tree("upper", note="y")), "/note") == ()


def test_attributes_alone_are_filled_up_by_the_first_write() -> None:
    upper = tree("upper", note="")
    upper.at("/note").is_metacopy = True
    stack = stacked(upper, metacopy=True)
    assert copyup.open_file(stack, "/note", writes=True, truncates=False) == (
        FillUp("/note", 1, "/note", 1),
    )


def test_reading_copies_nothing() -> None:
    stack = stacked(tree("upper"))
    assert copyup.open_file(stack, "/note", writes=False, truncates=False) == ()


def test_a_directory_of_the_layers_below_does_not_move_without_redirects() -> None:
    with pytest.raises(OSError, match="etc") as refusal:
        rename(stacked(tree("upper")), "/etc", "/old")
    assert refusal.value.errno == errno.EXDEV


def test_a_directory_that_moves_says_where_it_came_from() -> None:
    stack = stacked(tree("upper"), redirects=True)
    assert rename(stack, "/etc", "/old") == (
        CopyUp("/etc", 1, "/etc", Extent.DIRECTORY),
        SetRedirect("/etc", "etc"),
        Rename("/etc", "/old", leaves_whiteout=True),
    )
    assert rename(stack, "/etc", "/srv/etc")[2] == SetRedirect("/etc", "/etc")


def test_a_directory_of_its_own_hides_what_lies_under_its_next_name() -> None:
    stack = stacked(tree("upper", new=DIRECTORY))
    assert rename(stack, "/new", "/srv") == (SetOpaque("/new"), Rename("/new", "/srv"))


def test_a_whiteout_changes_places_with_what_must_leave_one() -> None:
    stack = stacked(tree("upper", srv=WHITEOUT))
    assert rename(stack, "/note", "/srv")[-1] == Rename("/note", "/srv", exchange=True)


def test_an_emptied_directory_is_cleared_before_it_is_replaced() -> None:
    upper = tree("upper", etc=DIRECTORY, etc__motd=WHITEOUT, new=DIRECTORY)
    assert Clear("/etc") in rename(stacked(upper), "/new", "/etc")


def test_exchanged_names_need_no_whiteouts() -> None:
    effects = rename(stacked(tree("upper")), "/note", "/etc/motd", Flags.EXCHANGE)
    assert names(effects) == ["CopyUp", "CopyUp", "CopyUp", "Rename"]
    assert effects[-1] == Rename("/note", "/etc/motd", exchange=True)


def test_two_names_of_one_file_exchange_nothing() -> None:
    upper = tree("upper", one="x")
    upper.put("/two", upper.at("/one"))
    assert rename(stacked(upper), "/one", "/two") == ()


def test_a_second_name_is_made_of_the_copy() -> None:
    assert naming.link(stacked(tree("upper")), "/note", "/etc/note") == (
        CopyUp("/note", 1, "/note", Extent.CONTENT, 1),
        CopyUp("/etc", 1, "/etc", Extent.DIRECTORY),
        Link("/note", "/etc/note"),
    )


def test_without_an_upper_layer_nothing_changes() -> None:
    stack = Stack((base(),), has_upper=False)
    with pytest.raises(OSError, match="/note") as refusal:
        naming.unlink(stack, "/note")
    assert refusal.value.errno == errno.EROFS
    with pytest.raises(OSError, match="/note") as refusal:
        rename(stack, "/note", "/new")
    assert refusal.value.errno == errno.EROFS


def test_a_redirected_directory_is_asked_for_where_it_was() -> None:
    upper = tree("upper", old=DIRECTORY)
    upper.at("/old").redirect = "etc"
    heard: list[Event] = []
    stack = stacked(upper, redirects=True)
    spot = walk(stack, "/old/motd", emit=heard.append)
    assert [(part.branch, part.path) for part in spot.parts] == [(1, "/etc/motd")]
    assert LayerProbed("/etc", "base", "directory") in heard
    assert LayerProbed("/etc/motd", "base", "file") in heard


def test_a_merged_listing_names_everything_once() -> None:
    upper = tree("upper", etc=DIRECTORY, etc__motd=WHITEOUT, etc__new="x", note="mine")
    stack = stacked(upper)
    root = stack.root()
    assert {each.name: each.branch for each in listing(stack, root)} == {
        "etc": 0, "note": 0, "srv": 1,
    }  # fmt: skip
    assert [each.name for each in listing(stack, find(stack, root, "etc"))] == ["new"]


def test_each_change_is_told_when_it_is_true() -> None:
    heard: list[Event] = []
    model = Model([tree("upper"), base()], emit=heard.append)
    model.unlink("/etc/motd")
    model.rmdir("/etc")
    model.create("/etc", Newborn(DIRECTORY))
    assert heard == [
        PathCopiedUp("/etc", "base", "directory", 0),
        WhiteoutMade("/etc/motd"),
        WhiteoutMade("/etc"),
        OpaqueMade("/etc"),
    ]


KINDS = {Kind.FILE: FILE, Kind.WHITEOUT: WHITEOUT, Kind.DIRECTORY: DIRECTORY}
PATHS = ("/a", "/a/b", "/a/b/c", "/a/d", "/e")


@pytest.mark.parametrize("seed", range(50))
def test_without_redirects_the_search_is_the_lookup(seed: int) -> None:
    rng = random.Random(seed)
    layers, trees = [], []
    for number in range(rng.randint(1, 4)):
        entries: dict[str, Kind] = {}
        made = Tree(str(number))
        for path in PATHS:
            parent = path.rpartition("/")[0]
            kind = rng.choice(
                [None, Kind.FILE, *2 * [Kind.DIRECTORY], Kind.OPAQUE, Kind.WHITEOUT]
            )
            if kind and (
                not parent or entries.get(parent) in (Kind.DIRECTORY, Kind.OPAQUE)
            ):
                entries[path] = kind
                inode = Inode(KINDS.get(kind, DIRECTORY), is_opaque=kind is Kind.OPAQUE)
                made.put(path, inode)
        layers.append(Layer(str(number), entries))
        trees.append(made)
    for path in PATHS:
        try:
            answering = [str(part.branch) for part in walk(Stack(tuple(trees)), path).parts]
        except OSError:
            answering = []
        assert answering == [layer.name for layer in lookup(layers, path).layers], path
