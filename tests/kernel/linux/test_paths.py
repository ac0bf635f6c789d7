"""Where a child makes what it mounts on: below its root, or in what it mounted itself."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.kernel.linux.birth import Birth, Order
from pyminidock.kernel.linux.paths import cover, open_or_make

ORDER = Order({"calls": (), "first": 0, "lockstep": False, "last_capability": 0,
               "fail_at": (-1, 0)})  # fmt: skip


@pytest.fixture
def birth(tmp_path: Path) -> Iterator[Birth]:
    """A child whose image has /dev as a link to /etc, and that has mounted over it."""
    for name in ("root/etc", "mounted"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "root/dev").symlink_to("/etc")
    made = Birth(-1, -1, -1, ORDER)
    made.root = os.open(tmp_path / "root", os.O_PATH)
    made.own[b"/dev"] = os.open(tmp_path / "mounted", os.O_PATH)
    yield made
    for handle in (made.root, *made.own.values()):
        os.close(handle)


def make(birth: Birth, path: bytes) -> None:
    os.close(open_or_make(birth, path, is_directory=True))


def test_in_what_was_mounted_no_name_of_the_image_leads_away(
    birth: Birth, tmp_path: Path
) -> None:
    make(birth, b"/dev/shm")
    assert (tmp_path / "mounted/shm").is_dir()
    assert list((tmp_path / "root/etc").iterdir()) == []


@pytest.mark.parametrize("target", [b"/dev", b"/"])
def test_a_mount_that_covers_it_takes_its_handle_along(
    birth: Birth, tmp_path: Path, target: bytes
) -> None:
    cover(birth, target.rstrip(b"/"))
    assert birth.own == {}
    make(birth, b"/dev/shm")
    assert (tmp_path / "root/etc/shm").is_dir()
    assert list((tmp_path / "mounted").iterdir()) == []


def test_a_mount_beside_it_or_in_it_leaves_the_handle(birth: Birth) -> None:
    for target in (b"/device", b"/dev/shm", b"/d"):
        cover(birth, target)
    assert b"/dev" in birth.own


def test_a_link_in_what_was_mounted_is_followed_inside_the_root(
    birth: Birth, tmp_path: Path
) -> None:
    (tmp_path / "mounted/stdin").symlink_to("/etc/made")
    (tmp_path / "root/dev").unlink()
    (tmp_path / "root/dev").symlink_to(tmp_path / "mounted")  # as if it were mounted there
    make(birth, b"/dev/stdin")
    inside = tmp_path / "root" / tmp_path.relative_to("/")
    assert (inside / "mounted/stdin").is_dir()
    assert [path.name for path in (tmp_path / "mounted").iterdir()] == ["stdin"]


def test_a_place_that_is_there_is_opened_and_what_is_missing_is_made(
    birth: Birth, tmp_path: Path
) -> None:
    make(birth, b"/etc")
    make(birth, b"/a/b/c")
    assert (tmp_path / "root/a/b/c").is_dir()
    os.close(open_or_make(birth, b"/etc/hosts", is_directory=False))
    assert (tmp_path / "root/etc/hosts").is_file()


def test_a_link_to_the_top_of_the_host_ends_at_the_top_of_the_root(
    birth: Birth, tmp_path: Path
) -> None:
    (tmp_path / "root/out").symlink_to("../../../../../..")
    make(birth, b"/out/found")
    assert (tmp_path / "root/found").is_dir()


def test_what_is_there_already_is_opened_as_it_is(birth: Birth, tmp_path: Path) -> None:
    (tmp_path / "mounted/shm").mkdir(mode=0o700)
    (tmp_path / "root/dev").unlink()
    (tmp_path / "root/dev").mkdir()
    (tmp_path / "root/dev/shm").mkdir()  # as if ours were mounted there
    make(birth, b"/dev/shm")
    assert (tmp_path / "mounted/shm").stat().st_mode & 0o777 == 0o700
