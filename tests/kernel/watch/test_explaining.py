"""Which layer answered is worked out as the kernel would have it."""

from collections.abc import Iterable, Mapping

import pytest

from pyminidock.events import (
    Event,
    LayerProbed,
    OpaqueMade,
    PathCopiedUp,
    PathResolved,
    WhiteoutMade,
)
from pyminidock.kernel.watch.explaining import Explaining
from pyminidock.unionfs.branches import Seen, Stack
from pyminidock.unionfs.lookup import Kind


class Tree:
    """A branch in memory that may change."""

    def __init__(self, name: str, kinds: Mapping[str, Kind]) -> None:
        self.name, self.kinds = name, dict(kinds)

    def look(self, path: str) -> Seen | None:
        """See Branch."""
        kind = Kind.DIRECTORY if path == "/" else self.kinds.get(path)
        return Seen(kind, is_regular=kind is Kind.FILE, size_bytes=6) if kind else None

    def names(self, path: str) -> Iterable[str]:
        """See Branch."""
        return [name.rpartition("/")[2] for name in self.kinds if name != path]


@pytest.fixture
def upper() -> Tree:
    return Tree("upper", {})


@pytest.fixture
def explaining(upper: Tree) -> Explaining:
    base = Tree("base", {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.FILE})
    return Explaining(Stack((upper, base)))


def of_motd(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if getattr(event, "path", "") == "/etc/motd"]


FROM_BASE = [
    LayerProbed("/etc/motd", "upper", "absent"),
    LayerProbed("/etc/motd", "base", "file"),
    PathResolved("/etc/motd", ("base",)),
]


def test_what_was_opened_is_looked_up_from_the_top(explaining: Explaining) -> None:
    events = explaining.explain("opened", "/etc/motd")
    assert events == [
        LayerProbed("/etc", "upper", "absent"),
        LayerProbed("/etc", "base", "directory"),
        PathResolved("/etc", ("base",)),
        LayerProbed("/etc/motd", "base", "file"),
        PathResolved("/etc/motd", ("base",)),
    ]


def test_a_directory_on_the_way_is_told_once(explaining: Explaining) -> None:
    explaining.explain("opened", "/etc/motd")
    events = explaining.explain("opened", "/etc/motd")
    assert events == of_motd(events) != []


def test_a_file_that_was_copied_up_meanwhile_is_explained_as_it_was(
    explaining: Explaining, upper: Tree
) -> None:
    upper.kinds |= {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.FILE}  # read late
    assert of_motd(explaining.explain("opened", "/etc/motd")) == FROM_BASE
    assert explaining.explain("changed", "/etc/motd") == [
        PathCopiedUp("/etc/motd", "base", "content", 6)
    ]
    assert explaining.explain("closed", "/etc/motd") == []
    assert of_motd(explaining.explain("opened", "/etc/motd")) == [
        LayerProbed("/etc/motd", "upper", "file"), PathResolved("/etc/motd", ("upper",))
    ]  # fmt: skip


def test_what_was_above_before_anybody_watched_is_not_copied_up_again(
    explaining: Explaining, upper: Tree
) -> None:
    upper.kinds |= {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.FILE}
    explaining.know(["/etc", "/etc/motd"])
    assert explaining.explain("changed", "/etc/motd") == []


def test_a_deletion_leaves_a_whiteout_where_a_layer_below_has_the_name(
    explaining: Explaining, upper: Tree
) -> None:
    upper.kinds |= {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.WHITEOUT}
    assert explaining.explain("removed", "/etc/motd") == [WhiteoutMade("/etc/motd")]
    assert explaining.explain("removed", "/etc/new") == []


def test_a_directory_over_a_whiteout_is_opaque(explaining: Explaining, upper: Tree) -> None:
    upper.kinds |= {"/etc": Kind.OPAQUE}
    assert explaining.explain("created", "/etc")[-1] == OpaqueMade("/etc")


def test_a_new_name_is_looked_up_and_the_old_one_covered(
    explaining: Explaining, upper: Tree
) -> None:
    upper.kinds |= {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.WHITEOUT, "/n": Kind.FILE}
    assert explaining.explain("renamed", "/etc/motd", "/n") == [
        WhiteoutMade("/etc/motd"),
        LayerProbed("/n", "upper", "file"),
        PathResolved("/n", ("upper",)),
    ]


class Counting(Tree):
    """A branch that counts how often it is asked."""

    count = 0

    def look(self, path: str) -> Seen | None:
        """See Branch."""
        self.count += 1
        return super().look(path)


def test_of_many_deeds_explained_together_a_directory_is_looked_up_once() -> None:
    kinds = {"/a": Kind.DIRECTORY, "/a/b": Kind.DIRECTORY, "/a/b/file": Kind.FILE}
    base = Counting("base", kinds)
    explaining = Explaining(Stack((Tree("upper", {}), base)))
    explaining.explain("opened", "/a/b/file")
    first = explaining.explain("opened", "/a/b/file")
    base.count = 0
    assert explaining.explain("opened", "/a/b/file") == first
    assert base.count == 1
    explaining.afresh()
    assert explaining.explain("opened", "/a/b/file") == first
    assert base.count == 1 + 3


def test_what_is_made_in_a_directory_of_a_layer_is_looked_up_in_its_copy(
    explaining: Explaining, upper: Tree
) -> None:
    for _ in range(2):
        explaining.explain("opened", "/etc/motd")
    upper.kinds |= {"/etc": Kind.DIRECTORY, "/etc/new": Kind.FILE}
    assert explaining.explain("created", "/etc/new")[-1] == PathResolved(
        "/etc/new", ("upper",)
    )
