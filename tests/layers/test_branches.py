"""A layer on disk answers what the union asks."""

import os
import stat
from pathlib import Path

from pyminidock.layers.branches import OnDisk
from pyminidock.unionfs.lookup import Kind
from pyminidock.unionfs.whiteout import USER


def test_files_directories_and_links_are_told_and_no_link_is_followed(
    tmp_path: Path,
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/motd").write_text("hello")
    (tmp_path / "out").symlink_to("/etc")
    branch = OnDisk("base", tmp_path)
    found = branch.look("/etc/motd")
    assert found is not None
    assert (found.kind, found.size_bytes, found.is_regular) == (Kind.FILE, 5, True)
    assert branch.look("/etc").kind is Kind.DIRECTORY  # type: ignore[union-attr]
    assert branch.look("/").kind is Kind.DIRECTORY  # type: ignore[union-attr]
    assert branch.look("/out").kind is Kind.FILE  # type: ignore[union-attr]
    assert branch.look("/out/passwd") is None
    assert branch.look("/etc/motd/x") is None
    assert sorted(branch.names("/")) == ["etc", "out"]


def test_marks_without_privileges_are_read(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    os.setxattr(tmp_path / "d", "user.overlay.opaque", b"y")
    (tmp_path / "gone").touch()
    os.setxattr(tmp_path / "gone", "user.overlay.whiteout", b"")
    branch = OnDisk("upper", tmp_path, USER)
    assert branch.look("/d").kind is Kind.OPAQUE  # type: ignore[union-attr]
    assert branch.look("/gone").kind is Kind.WHITEOUT  # type: ignore[union-attr]
    assert stat.S_ISREG((tmp_path / "gone").stat().st_mode)
