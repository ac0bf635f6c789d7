"""Whose bytes are hidden, one sentence at a time, then against plain unpacking."""

import random
from collections.abc import Sequence

import pytest

from pyminidock.unionfs.weighing import Hidden, Item, Likeness, Pile, Weighed

BIG = 10_485_760


def file(path: str, size: int = 0, mode: int = 0o644) -> Item:
    return Item(path.encode(), "file", mode, size_bytes=size)


def folder(path: str, mode: int = 0o755, *, is_opaque: bool = False) -> Item:
    return Item(path.encode(), "directory", mode, is_opaque=is_opaque)


def gone(path: str) -> Item:
    return Item(path.encode(), "whiteout")


def link(path: str, first: str) -> Item:
    return Item(path.encode(), "hard link", 0o644, link=first.encode())


def piled(
    *layers: Sequence[Item], likeness: Likeness = Likeness.SAME
) -> tuple[Pile, list[Weighed]]:
    pile = Pile(lambda lower, upper, path: likeness)
    return pile, [pile.add(each) for each in layers]


def told(weighed: Weighed) -> list[tuple[str, str, str]]:
    return [(e.change, e.path.decode(), e.detail) for e in weighed.entries]


def hidden(pile: Pile) -> list[tuple[str, int, int, int, str]]:
    return [
        (each.path.decode(), each.size_bytes, each.layer, each.by, each.reason)
        for each in pile.hidden
    ]


def test_written_and_then_chmodded_the_bytes_are_hidden_once() -> None:
    pile, layers = piled([file("big", BIG)], [file("big", BIG, 0o600)])
    assert hidden(pile) == [("big", BIG, 0, 1, "metadata only")]
    assert told(layers[1]) == [("changed", "big", "metadata")]
    assert layers[1].entries[0].before == file("big", BIG)
    assert pile.shown_bytes == BIG


def test_written_and_then_removed_the_bytes_are_hidden_once_and_nothing_is_shown() -> None:
    pile, layers = piled([file("big", BIG)], [gone("big")])
    assert hidden(pile) == [("big", BIG, 0, 1, "deleted")]
    assert told(layers[1]) == [("deleted", "big", "whiteout")]
    assert (layers[1].entries[0].hides_names, layers[1].entries[0].hides_bytes) == (1, BIG)
    assert (pile.shown_bytes, pile.shown_names) == (0, 0)


def test_each_copy_that_is_hidden_counts_and_the_shown_one_does_not() -> None:
    pile, _ = piled([file("a", 7)], [file("a", 7, 0o600)], [file("a", 8)], [gone("a")])
    assert [(row[1], row[2], row[3], row[4]) for row in hidden(pile)] == [
        (7, 0, 1, "metadata only"), (7, 1, 2, "rewritten"), (8, 2, 3, "deleted"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("likeness", "mode", "detail", "reason"),
    [
        (Likeness.OTHER, 0o644, "content", "rewritten"),
        (Likeness.SAME, 0o644, "identical", "identical"),
        (Likeness.SAME, 0o600, "metadata", "metadata only"),
        (Likeness.CONTENT, 0o644, "metadata", "metadata only"),
        (Likeness.UNREAD, 0o644, "unread", "unread"),
    ],
)
def test_what_differs_is_said_by_content_and_rights(
    likeness: Likeness, mode: int, detail: str, reason: str
) -> None:
    pile, layers = piled([file("a", 5)], [file("a", 5, mode)], likeness=likeness)
    assert told(layers[1]) == [("changed", "a", detail)]
    assert hidden(pile) == [("a", 5, 0, 1, reason)]


def test_a_file_with_two_names_is_hidden_with_its_last_name() -> None:
    base = [file("a", 9), link("b", "a")]
    pile, layers = piled(base, [gone("a")], [gone("b")])
    assert layers[0].file_bytes == 9
    assert layers[1].entries[0].hides_bytes == 0
    assert hidden(pile) == [("b", 9, 0, 2, "deleted")]


def test_a_directory_that_is_removed_takes_all_with_it() -> None:
    base = [
        folder("d"),
        file("d/a", 3),
        link("d/b", "d/a"),
        folder("d/e"),
        file("d/e/c", 4),
    ]
    pile, layers = piled(base, [gone("d")])
    assert told(layers[1]) == [("deleted", "d", "whiteout")]
    assert (layers[1].entries[0].hides_names, layers[1].entries[0].hides_bytes) == (5, 7)
    assert sorted(row[1] for row in hidden(pile)) == [3, 4]


def test_an_opaque_directory_hides_what_is_not_there_anew() -> None:
    base = [folder("d"), file("d/a", 3), file("d/b", 4), folder("d/e"), file("d/e/c", 5)]
    pile, layers = piled(base, [folder("d", is_opaque=True), file("d/a", 6), folder("d/e")])
    assert told(layers[1]) == [
        ("changed", "d", "opaque"), ("changed", "d/a", "content"),
        ("deleted", "d/b", "opaque"), ("same", "d/e", ""), ("deleted", "d/e/c", "opaque"),
    ]  # fmt: skip
    assert layers[1].items == 4  # with the mark
    assert sorted(hidden(pile)) == [
        ("d/a", 3, 0, 1, "rewritten"), ("d/b", 4, 0, 1, "deleted"),
        ("d/e/c", 5, 0, 1, "deleted"),
    ]  # fmt: skip
    assert pile.shown_bytes == 6


def test_a_file_in_place_of_a_directory_and_back() -> None:
    pile, layers = piled([folder("d"), file("d/a", 3)], [file("d", 2)], [folder("d")])
    assert told(layers[1]) == [("changed", "d", "kind")]
    assert told(layers[2]) == [("changed", "d", "kind")]
    assert hidden(pile) == [("d/a", 3, 0, 1, "deleted"), ("d", 2, 1, 2, "replaced")]


def test_a_directory_on_the_way_is_no_change() -> None:
    _, layers = piled([folder("d"), file("d/a", 1)], [folder("d"), file("d/b", 1)])
    assert told(layers[1]) == [("same", "d", ""), ("added", "d/b", "")]


def test_a_whiteout_of_nothing_is_told_and_hides_nothing() -> None:
    pile, layers = piled([], [gone("x/y")])
    assert told(layers[1]) == [("deleted", "x/y", "whiteout")]
    assert layers[1].entries[0].item is None
    assert not pile.hidden


def test_a_symlink_that_leads_elsewhere_is_changed_and_hides_no_bytes() -> None:
    old, new = (Item(b"l", "symlink", 0o777, link=to) for to in (b"/a", b"/b"))
    pile, layers = piled([old], [new], [new])
    assert told(layers[1]) == [("changed", "l", "link")]
    assert told(layers[2]) == [("changed", "l", "identical")]
    assert not pile.hidden


# ── The oracle: unpack the layers over each other, and look what is left ─────────────────

NAMES = ("a", "b", "d", "d/a", "d/e", "d/e/a", "d/e/b", "f", "f/a")


def scribble(rng: random.Random) -> list[Item]:
    """Make a random well-formed layer: what holds something is a directory."""
    made: dict[str, Item] = {}
    for path in NAMES:
        above = path.rpartition("/")[0]
        if above and (above not in made or made[above].kind != "directory"):
            continue
        files = [each for each, item in made.items() if item.kind == "file"]
        match rng.choice(["", "file", "folder", "folder", "gone", "link"]):
            case "file":
                made[path] = file(path, rng.randint(1, 3))
            case "folder":
                made[path] = folder(path, is_opaque=rng.random() < 0.3)
            case "gone":
                made[path] = gone(path)
            case "link" if files:
                made[path] = link(path, rng.choice(files))
    return sorted(made.values(), key=lambda item: item.path.split(b"/"))


def unpacked(layers: Sequence[Sequence[Item]]) -> tuple[list[tuple[int, int, int]], int]:
    """Give (layer, bytes, by) of each file that vanished, and the bytes that are left."""
    tree: dict[bytes, tuple[int, bytes] | None] = {}  # file by (layer, first name)
    sizes: dict[tuple[int, bytes], int] = {}
    vanished = []
    for number, items in enumerate(layers):
        before = set(filter(None, tree.values()))
        for item in items:
            was_directory = item.path in tree and tree[item.path] is None
            if item.kind != "directory" or item.is_opaque or not was_directory:
                slash = item.path + b"/"
                tree = {
                    path: identity
                    for path, identity in tree.items()
                    if path != item.path and not path.startswith(slash)
                }
            if item.kind == "directory":
                tree[item.path] = None
            elif item.kind != "whiteout":
                identity = (number, item.link or item.path)
                tree[item.path] = identity
                sizes.setdefault(identity, item.size_bytes)
        after = set(filter(None, tree.values()))
        vanished += [(layer, sizes[layer, name], number) for layer, name in before - after]
    return vanished, sum(sizes[each] for each in set(filter(None, tree.values())))


def left(found: Sequence[Hidden]) -> list[tuple[int, int, int]]:
    return sorted((each.layer, each.size_bytes, each.by) for each in found)


@pytest.mark.parametrize("seed", range(500))
def test_weighing_agrees_with_unpacking_the_layers(seed: int) -> None:
    rng = random.Random(seed)
    layers = [scribble(rng) for _ in range(rng.randint(1, 5))]
    pile, weighed = piled(*layers)
    vanished, shown = unpacked(layers)
    assert left(pile.hidden) == sorted(vanished)
    assert pile.shown_bytes == shown
    hidden_bytes = sum(each.size_bytes for each in pile.hidden)
    assert sum(each.file_bytes for each in weighed) == shown + hidden_bytes


def test_many_names_are_weighed_in_a_moment_and_a_whiteout_is_no_walk_over_all() -> None:
    many = [folder("d"), *(file(f"d/{n:06}", 1) for n in range(20_000))]
    pile, _ = piled(many, [folder("d"), *(gone(f"d/{n:06}") for n in range(20_000))])
    assert len(pile.hidden) == 20_000
    assert pile.shown_names == 1
