"""What a container changed, told from two directories."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.layers.differences import Kind, differences
from pyminidock.layers.merged import Merged
from pyminidock.unionfs.whiteout import USER

ADD, MODIFY, DELETE = Kind.ADD, Kind.MODIFY, Kind.DELETE


def base(place: Path) -> None:
    (place / "etc/deep").mkdir(parents=True)
    for name in ("etc/motd", "etc/issue", "etc/deep/x"):
        (place / name).write_text("old", encoding="ascii")
        os.utime(place / name, (1, 1))


def whiteout(path: Path) -> None:
    path.touch()
    os.setxattr(path, "user.overlay.whiteout", b"y")


def touched(path: Path, text: str, seconds: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    os.utime(path, (seconds, seconds))


def nothing(upper: Path) -> None:
    (upper / "etc").mkdir()


def copied_up_and_as_before(upper: Path) -> None:
    touched(upper / "etc/motd", "old")


def another_size(upper: Path) -> None:
    touched(upper / "etc/motd", "longer")


def another_time(upper: Path) -> None:
    touched(upper / "etc/motd", "old", 2)


def gone_and_come(upper: Path) -> None:
    (upper / "etc").mkdir()
    whiteout(upper / "etc/motd")
    touched(upper / "etc/new", "n")


def made_anew(upper: Path) -> None:
    touched(upper / "etc/motd", "old")
    os.setxattr(upper / "etc", "user.overlay.opaque", b"y")


def a_file_for_a_directory(upper: Path) -> None:
    (upper / "etc").mkdir()
    touched(upper / "etc/deep", "file")


def a_new_tree(upper: Path) -> None:
    touched(upper / "new/a/f", "n")


Change = Callable[[Path], None]
CASES: list[tuple[Change, list[tuple[Kind, bytes]]]] = [
    (nothing, []),
    (copied_up_and_as_before, []),
    (another_size, [(MODIFY, b"/etc"), (MODIFY, b"/etc/motd")]),
    (another_time, [(MODIFY, b"/etc"), (MODIFY, b"/etc/motd")]),
    (gone_and_come, [(MODIFY, b"/etc"), (ADD, b"/etc/new"), (DELETE, b"/etc/motd")]),
    (made_anew, [(MODIFY, b"/etc"), (DELETE, b"/etc/deep"), (DELETE, b"/etc/issue")]),
    (a_file_for_a_directory, [(MODIFY, b"/etc"), (MODIFY, b"/etc/deep")]),
    (a_new_tree, [(ADD, b"/new"), (ADD, b"/new/a"), (ADD, b"/new/a/f")]),
]


@pytest.mark.parametrize(
    ("change", "told"), CASES, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_lies_above_is_compared_with_what_shines_through(
    tmp_path: Path, change: Change, told: list[tuple[Kind, bytes]]
) -> None:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    lower.mkdir()
    upper.mkdir()
    base(lower)
    change(upper)
    with Merged((lower,), USER) as below:
        assert list(differences(upper, below, USER)) == told
