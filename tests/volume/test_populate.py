"""The first use of an empty volume, against the tree that was copied."""

import os
import stat
from pathlib import Path

from pyminidock.volume.populate import copy_tree, move_in


def facts(top: Path) -> dict[str, object]:
    """All that a copy has to keep, by path."""
    found: dict[str, object] = {}
    for path in sorted([top, *top.rglob("*")]):
        status = path.lstat()
        content: object = None
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = path.readlink()
        name = str(path.relative_to(top))
        found[name] = (oct(status.st_mode), int(status.st_mtime), content, status.st_nlink)
    return found


def handle(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY)


def tree(top: Path) -> Path:
    (top / "sub/deep").mkdir(parents=True)
    (top / "file").write_bytes(b"one" * 1000)
    os.link(top / "file", top / "sub/second")
    (top / "sub/deep/link").symlink_to("/nowhere")
    (top / "sub").chmod(0o1750)
    (top / "file").chmod(0o4755)
    os.mkfifo(top / "pipe", 0o640)
    os.utime(top / "sub", (1000, 1000))
    top.chmod(0o2751)
    return top


def test_a_copy_is_the_tree_again(tmp_path: Path) -> None:
    source, target = tree(tmp_path / "a"), tmp_path / "b"
    target.mkdir(0o700)
    copied = copy_tree(handle(source), handle(target))
    assert facts(target) == facts(source)
    assert (copied.files, copied.size_bytes) == (6, 3000)


def test_moving_in_twice_is_moving_in_once(tmp_path: Path) -> None:
    """A crash between two names is no loss: the next engine goes on."""
    source, target = tree(tmp_path / "a"), tmp_path / "b"
    expected = facts(source)
    target.mkdir()
    (source / "file").rename(target / "file")
    move_in(handle(source), handle(target))
    assert facts(target) == expected


def test_what_somebody_made_in_the_volume_meanwhile_stays(tmp_path: Path) -> None:
    source, target = tree(tmp_path / "a"), tmp_path / "b"
    target.mkdir()
    (target / "file").write_text("mine")
    move_in(handle(source), handle(target))
    assert (target / "file").read_text() == "mine"
    assert (target / "sub/second").exists()
