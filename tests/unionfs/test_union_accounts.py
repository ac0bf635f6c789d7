"""What one path costs, under two sets of rules."""

import stat

import pytest

from pyminidock.unionfs import aufs
from pyminidock.unionfs.accounts import account
from pyminidock.unionfs.branches import Stack
from pyminidock.unionfs.model.tree import Inode, Tree


def tree(name: str, **entries: int | str) -> Tree:
    """Make a branch: a number is a mode with its type, a text the content of a file."""
    made = Tree(name)
    for path, what in entries.items():
        inode = Inode(what if isinstance(what, int) else stat.S_IFREG | 0o644)
        inode.content.extend(b"" if isinstance(what, int) else what.encode())
        made.put("/" + path.replace("__", "/"), inode)
    return made


DIRECTORY, WHITEOUT = stat.S_IFDIR | 0o755, stat.S_IFCHR
BASE: dict[str, int | str] = {"etc": DIRECTORY, "etc__motd": "hello", "big": "x" * 100}


def stacked(**upper: int | str) -> Stack:
    return Stack((tree("upper", **upper), tree("app", etc=DIRECTORY), tree("base", **BASE)))


def roles(stack: Stack, path: str) -> list[str]:
    return [each.role for each in account(stack, path).holdings]


def test_what_nobody_wrote_is_shared_and_would_be_copied_whole() -> None:
    told = account(stacked(), "/etc/motd")
    assert roles(stacked(), "/etc/motd") == ["absent", "absent", "shown"]
    assert [copy.path for copy in told.copies] == ["/etc", "/etc/motd"]
    assert (told.copy_bytes, told.is_copied, told.letter, told.committed) == (
        5,
        False,
        "",
        "",
    )


def test_one_byte_more_cost_the_whole_file() -> None:
    told = account(stacked(big="x" * 101), "/big")
    assert roles(stacked(big="x" * 101), "/big") == ["shown", "absent", "hidden"]
    assert (told.copy_bytes, told.is_copied, told.letter, told.committed) == (
        100, True, "C", "content",
    )  # fmt: skip


def test_what_was_deleted_is_there_still() -> None:
    told = account(stacked(big=WHITEOUT), "/big")
    assert roles(stacked(big=WHITEOUT), "/big") == ["hides", "absent", "hidden"]
    assert (told.kind, told.letter, told.committed) == ("absent", "D", "whiteout")
    assert told.holdings[2].size_bytes == 100


def test_what_is_new_hides_nothing_and_cost_nothing() -> None:
    told = account(stacked(new="text"), "/new")
    assert (told.copies, told.letter, told.committed) == ((), "A", "content")


def test_a_directory_is_made_of_several() -> None:
    assert roles(stacked(etc=DIRECTORY), "/etc") == ["merged", "merged", "merged"]


def test_both_rules_show_the_same_and_ask_differently() -> None:
    stack = stacked(big=WHITEOUT)
    for path in ("/etc/motd", "/big", "/none"):
        ours, theirs = account(stack, path), account(stack, path, "aufs")
        assert ours.holdings == theirs.holdings
        assert len(ours.probes) < len(theirs.probes) or path == "/big"


def test_a_file_below_a_directory_ends_one_merge_and_not_the_other() -> None:
    stack = Stack(
        (tree("top", a=DIRECTORY), tree("middle", a="file"), tree("low", a=DIRECTORY)),
        has_upper=False,
    )
    assert aufs.cost(stack, "/a", "overlay").answered_by == ("top",)
    assert aufs.cost(stack, "/a", "aufs").answered_by == ("top", "low")


@pytest.mark.parametrize("rules", ["aufs", "overlay"])
def test_both_grow_with_depth(rules: str) -> None:
    costs = [each for each in aufs.side_by_side((2, 128)) if each.rules == rules]
    shallow, deep = costs[1], costs[4]
    assert (shallow.path, deep.path) == ("/etc/bottom", "/etc/bottom")
    assert deep.probes == 64 * shallow.probes
