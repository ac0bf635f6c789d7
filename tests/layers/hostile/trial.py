"""One hostile archive let loose in a sandbox, and all around it looked at afterwards."""

import io
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.events import ArchiveWarned, Event
from pyminidock.layers.apply import Policy, apply
from pyminidock.layers.archive import ArchiveRefused, read_entries
from pyminidock.layers.merged import Merged
from pyminidock.layers.snapshots import remove_tree
from tests.layers.hostile.blocks import END
from tests.layers.hostile.cases import OUT, Case, d, f, ln, shown

BASE = (
    d(b"etc")
    + f(b"etc/passwd", b"root")
    + ln(b"lib", b"usr/lib")
    + f(b"n/old")
    + f(b"p/old")
)
Fact = tuple[int, int, int, int, int, bytes, tuple[tuple[str, bytes], ...]]


@pytest.fixture
def outside() -> Iterator[Path]:
    """Have files at OUT that archives point to, and find them as they were."""
    place = Path(os.fsdecode(OUT))
    (place / "dir").mkdir(parents=True)
    (place / "file").write_text("precious", encoding="ascii")
    (place / "link").symlink_to("file")
    (place / "dir" / "f").touch()
    before = facts(place.parent), etc()
    try:
        yield place
        assert (facts(place.parent), etc()) == before, "it reached outside"
    finally:
        shutil.rmtree(place.parent)


def etc() -> list[tuple[str, int, int]]:
    """Look at what an archive would most like to change."""
    status = [(path.name, path.lstat()) for path in sorted(Path("/etc").iterdir())]
    return [(name, one.st_mode, one.st_mtime_ns) for name, one in status]


def facts(tree: Path) -> dict[str, Fact]:
    """Say all there is to know of a tree that no test changes."""
    found: dict[str, Fact] = {}
    for path in (tree, *sorted(tree.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(path.readlink())
        names = os.listxattr(path, follow_symlinks=False)
        values = ((word, os.getxattr(path, word, follow_symlinks=False)) for word in names)
        found[str(path)] = (
            status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns,
            status.st_nlink, content, tuple(values),
        )  # fmt: skip
    return found


class Trial:
    """A directory with a layer to fill, a sentinel beside it, and a base below it."""

    def __init__(self, place: Path, policy: Policy, *, is_above: bool) -> None:
        self.place, self.policy, self.is_above = place, policy, is_above
        self.layer = place / "layers" / "tmp" / "diff"
        self.base = place / "layers" / "base" / "diff"
        for path in (self.layer, self.base, place / "sentinel"):
            path.mkdir(parents=True)
        (place / "sentinel" / "file").write_text("precious", encoding="ascii")
        if is_above:
            apply(read_entries(io.BytesIO(BASE + END)), self.base, policy=policy)

    def run(self, case: Case) -> None:
        """Unpack; compare with what the case says, and everything around with before."""
        around = facts(self.place / "sentinel"), facts(self.base)
        handles = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names alone)
        heard: list[Event] = []
        entries = read_entries(io.BytesIO(case.whole), emit=heard.append)
        if case.refused:
            with pytest.raises(ArchiveRefused) as refusal:
                apply(entries, self.layer, policy=self.policy, emit=heard.append)
            assert re.search(case.refused, refusal.value.what.lower().replace(
                case.refused.lower(), case.refused)), refusal.value.what  # fmt: skip
        else:
            apply(entries, self.layer, policy=self.policy, emit=heard.append)
            self._compare(case, heard)
        entries.close()  # type: ignore[attr-defined]
        assert (facts(self.place / "sentinel"), facts(self.base)) == around
        assert sorted(path.name for path in self.place.iterdir()) == ["layers", "sentinel"]
        assert len(os.listdir("/proc/self/fd")) == handles  # noqa: PTH208
        # Some are deeper than shutil.rmtree can go, with which pytest cleans up later.
        remove_tree(self.layer)

    def _compare(self, case: Case, heard: list[Event]) -> None:
        assert shown(self.layer, self.policy) == case.tree
        for name, (mode, uid, gid, mtime) in case.said.items():
            status = (self.layer / name).lstat()
            assert stat.S_IMODE(status.st_mode) == mode, name
            assert int(status.st_mtime) == mtime, name
            if self.policy.has_owners:
                assert (status.st_uid, status.st_gid) == (uid, gid), name
        for name, wanted in case.xattrs.items():
            names = os.listxattr(self.layer / name)
            assert {
                os.fsencode(word): os.getxattr(self.layer / name, word) for word in names
            } == wanted, name
        if case.warned is not None:
            told = [event.what for event in heard if isinstance(event, ArchiveWarned)]
            assert len(told) == len(case.warned), told
            assert all(map(str.startswith, told, case.warned)), told
        self._look_through(case)

    def _look_through(self, case: Case) -> None:
        """Ask the merged view: what the layer has shows, what it deletes does not."""
        with Merged([self.layer, self.base], self.policy.spelling) as view:
            for name, kind in case.tree.items():
                assert (view.lstat(name) is None) == (kind == "gone"), name
                if kind == "opaque" and self.is_above:
                    assert view.lstat(f"{name}/old") is None, name
            if self.is_above and "etc" not in case.tree:
                assert view.lstat("etc/passwd") is not None
