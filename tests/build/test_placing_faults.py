"""Every call of COPY fails once: an error, no handle left open, nothing outside touched."""

import io
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from pyminidock.build import placing
from pyminidock.build.placing import How, NewTree
from pyminidock.layers import merged
from pyminidock.layers.apply import UNPRIVILEGED, apply
from pyminidock.layers.archive import read_entries
from pyminidock.layers.merged import Merged
from pyminidock.layers.snapshots import remove_tree
from tests.layers.hostile.blocks import END
from tests.layers.hostile.cases import d, dev, f, hard, ln, x
from tests.layers.hostile.trial import facts
from tests.layers.test_faults import each_fault

OWN = (os.geteuid(), os.getegid())
SOURCE = (
    x(f(b"a", b"text"), user__a=b"1") + ln(b"l", b"/nowhere") + dev(b"p", 0, 0, b"6")
    + d(b"d") + f(b"d/f", b"1" * 5000) + hard(b"d/g", b"a") + d(b"d/e") + f(b"d/e/h") + END
)  # fmt: skip
BELOW = x(d(b"to"), user__b=b"2") + f(b"to/d", b"a file in the way") + f(b"old") + END


@pytest.fixture
def trees(tmp_path: Path) -> Iterator[Path]:
    for name, archive in (("source", SOURCE), ("below", BELOW)):
        (tmp_path / name).mkdir()
        apply(read_entries(io.BytesIO(archive)), tmp_path / name, policy=UNPRIVILEGED)
    yield tmp_path
    remove_tree(tmp_path / "made")


@pytest.mark.parametrize("links", [True, False], ids=["by links", "by copies"])
def test_a_copy_that_fails_anywhere_leaves_nothing_open_or_changed(
    trees: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = facts(trees / "source"), facts(trees / "below")
    numbers = count()

    def copying() -> None:
        place = trees / "made" / f"{next(numbers)}"
        place.mkdir(parents=True)
        with (
            Merged([trees / "source"]) as source,
            Merged([trees / "below"]) as below,
            NewTree(place, below) as new,
        ):
            how = How(OWN, 0o640, links=links)
            new.directory(b"/new/deep", OWN)
            for name in ("a", "l", "p", "a"):
                new.put(source, name, b"/to/" + name.encode(), how)
            new.pour(source, "d", b"/to/d", how)
            new.write(b"/to/text", b"written", 0o600, OWN)

    def nothing_changed() -> None:
        found = facts(trees / "source"), facts(trees / "below")
        if links:  # a second name in a tree that failed counts until that is removed
            remove_tree(trees / "made")
            found = facts(trees / "source"), facts(trees / "below")
        assert found == before

    failed = each_fault(monkeypatch, copying, nothing_changed, modules=(placing, merged))
    own = {"link"} if links else {"symlink", "mknod", "chmod", "getxattr"}
    assert own | {"open", "stat", "mkdir", "fchmod", "fchown"} <= set(failed)
    made = max((trees / "made").iterdir(), key=lambda path: int(path.name))
    assert (made / "to" / "d" / "e" / "h").read_text() == "x"
