"""What a container wrote is counted once, by length, however hostile the tree is."""

import os
from pathlib import Path

from pyminidock.layers.sizes import size_of_tree
from pyminidock.layers.snapshots import remove_tree


def test_files_and_links_count_and_directories_do_not(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/three").write_bytes(b"123")
    (tmp_path / "a/link").symlink_to("/etc")
    assert size_of_tree(tmp_path) == 3 + len("/etc")


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"12345")
    os.link(tmp_path / "one", tmp_path / "two")
    assert size_of_tree(tmp_path) == 5


def test_nothing_is_counted_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/large").write_bytes(b"x" * 1000)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/way-out").symlink_to(tmp_path / "elsewhere")
    assert size_of_tree(tmp_path / "tree") == len(str(tmp_path / "elsewhere"))
    assert size_of_tree(tmp_path / "tree/way-out") == 0


def test_a_tree_deeper_than_a_path_is_long_is_counted(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        there = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = there
    os.close(os.open("end", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    descriptor = os.open("end", os.O_WRONLY, dir_fd=here)
    os.write(descriptor, b"7654321")
    os.close(descriptor)
    os.close(here)
    assert size_of_tree(tmp_path) == 7
    remove_tree(tmp_path / "d")  # nothing else could


def test_what_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert size_of_tree(tmp_path / "missing") == 0
