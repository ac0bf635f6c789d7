"""What other people's suites for filesystems ask that programs rarely do, on both sides.

Each is a difference from the kernel's overlayfs that glass once had.
"""

import ctypes
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from pyminidock.kernel.linux import syscalls
from tests.edge.callcases import answer, user
from tests.edge.glasshouse import glass, overlay

pytestmark = pytest.mark.edge
Side = Callable[[Callable[[Path], object]], list[object]]

ANYBODY = 0xFFFFFFFF


def access_list(*entries: tuple[int, int, int]) -> bytes:
    """Spell an access list: tag, bits and who, as Linux keeps it (posix_acl_xattr.h)."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)


HERITAGE = access_list(
    (0x01, 7, ANYBODY), (0x02, 6, 4321), (0x04, 5, ANYBODY), (0x10, 7, ANYBODY),
    (0x20, 0, ANYBODY),
)  # fmt: skip
SECRET = access_list(
    (0x01, 6, ANYBODY), (0x02, 4, 4321), (0x04, 0, ANYBODY), (0x10, 4, ANYBODY),
    (0x20, 0, ANYBODY),
)  # fmt: skip


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Mount the same layers twice."""
    ground = tmp_path_factory.mktemp("odd")
    for name in ("lower", "base"):
        (ground / name).mkdir()
    (ground / "base" / "file").write_bytes(b"base")
    (ground / "base" / "gone").write_bytes(b"gone")
    (ground / "lower" / "shared" / "dir").mkdir(parents=True)
    (ground / "lower" / "shared" / "file").touch()
    (ground / "lower" / "old").mkdir()
    (ground / "base" / "long").write_bytes(b"long")
    os.utime(ground / "base" / "long", ns=(5, 5))
    os.utime(ground / "lower" / "old", ns=(5, 10**9))
    (ground / "base" / "twin").touch()
    os.link(ground / "base" / "twin", ground / "base" / "other twin")
    (ground / "base" / "secret").write_bytes(b"secret")
    os.chmod(ground / "base" / "secret", 0o600)
    os.setxattr(ground / "base" / "secret", "system.posix_acl_access", SECRET)
    for above in (ground, *ground.parents[:-1]):  # others go in there, too
        if above.stat().st_uid == os.geteuid() and above.stat().st_mode & 0o005 != 0o005:
            above.chmod(above.stat().st_mode | 0o055)
    os.close(go_down(ground / "lower", "d" * 200, 24))
    for side in ("overlay", "glass"):
        (ground / side / "upper").mkdir(parents=True)
        os.close(go_down(ground / side / "upper", "e", 1100))
    with ExitStack() as mounted:
        kernel = mounted.enter_context(overlay(ground))
        ours, _ = mounted.enter_context(glass(ground))
        yield [kernel, ours]
    subprocess.run(["rm", "-rf", ground], check=True)  # Python would call itself for each


@pytest.fixture
def both(grounds: list[Path]) -> Side:
    """Do something on both sides: what the kernel answers, what glass does."""

    def do(something: Callable[[Path], object]) -> list[object]:
        return [something(place) for place in grounds]

    return do


def go_down(place: Path, name: str, times: int) -> int:
    """Go into a directory of that name, and again, from each to the next; give the last.

    What is not there is made.
    """
    here = os.open(place, os.O_RDONLY)
    for _ in range(times):
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    return here


def test_a_seek_before_the_beginning_is_refused_and_the_server_lives(both: Side) -> None:
    def seek(place: Path) -> object:
        with (place / "file").open("rb") as file:
            where = (file.fileno(), -1, os.SEEK_DATA)
            return answer(lambda: os.lseek(*where)), (place / "file").read_bytes()

    kernel, ours = both(seek)
    assert ours == kernel == ("ENXIO", b"base")


def test_a_path_may_be_longer_than_the_kernel_takes_at_once(both: Side) -> None:
    def change(place: Path) -> object:
        here = go_down(place, "d" * 200, 24)
        try:
            file = os.open("leaf", os.O_CREAT | os.O_RDWR, 0o640, dir_fd=here)
            os.write(file, b"deep")
            os.setxattr(file, "user.a", b"1")
            os.fchmod(file, 0o600)
            os.link("leaf", "other", src_dir_fd=here, dst_dir_fd=here)
            os.rename("other", "third", src_dir_fd=here, dst_dir_fd=here)
            os.symlink("leaf", "link", dir_fd=here)
            os.mkdir("below", dir_fd=here)
            os.unlink("leaf", dir_fd=here)
            found = os.stat("third", dir_fd=here)
            os.close(file)
            return found.st_size, found.st_mode, found.st_nlink, sorted(os.listdir(here))
        finally:
            os.close(here)

    kernel, ours = both(change)
    assert ours == kernel == (4, 0o100600, 1, ["below", "link", "third"])


def test_a_tree_deeper_than_python_calls_itself_can_be_moved(both: Side) -> None:
    def move(place: Path) -> object:
        here = go_down(place, "e", 1100)
        told = answer(lambda: os.rename(place / "e", place / "moved"))
        os.mkdir("last", dir_fd=here)
        os.close(here)
        return told, os.listdir(place / "moved")

    kernel, ours = both(move)
    assert ours == kernel == (None, ["e"])


def test_statx_tells_when_a_file_was_born(both: Side) -> None:
    def born(place: Path) -> object:
        found = syscalls.statx(syscalls.AT_FDCWD, os.fsencode(place / "file"))
        mask, links, size = (
            int.from_bytes(found[at : at + wide], "little")
            for at, wide in ((0, 4), (16, 4), (40, 8))
        )
        return mask & 0xFFF, links, size, found[80:92]

    kernel, ours = both(born)
    assert ours == kernel


def test_no_file_handle_is_given_that_would_not_last(both: Side) -> None:
    def handle(place: Path) -> object:
        room = ctypes.create_string_buffer(bytes([128, 0, 0, 0]), 256)
        mount = ctypes.c_int()
        words = os.fsencode(place / "file"), room, ctypes.byref(mount), 0
        libc = ctypes.CDLL(None, use_errno=True)
        return libc.name_to_handle_at(syscalls.AT_FDCWD, *words), ctypes.get_errno()

    kernel, ours = both(handle)
    assert ours == kernel


def test_an_owner_given_as_nobody_still_counts_as_a_change(both: Side) -> None:
    def give(place: Path) -> object:
        path = place / "given"
        path.touch()
        os.utime(path, ns=(5, 5))
        before = path.stat().st_ctime_ns
        while path.stat().st_ctime_ns == before:
            os.chown(path, -1, -1)
            if path.stat().st_ctime_ns == before:
                os.sched_yield()
        return path.stat().st_mtime_ns

    kernel, ours = both(give)
    assert ours == kernel == 5


def test_a_file_whose_last_name_is_gone_gets_no_other(both: Side) -> None:
    def again(place: Path) -> object:
        with (place / "gone").open("rb") as file:
            (place / "gone").unlink()
            words = file.fileno(), b"", syscalls.AT_FDCWD, os.fsencode(place / "again")
            link = (syscalls.NR_LINKAT, *words, syscalls.AT_EMPTY_PATH)
            return answer(lambda: syscalls.enter(*link))

    kernel, ours = both(again)
    assert ours == kernel == "ENOENT"


def listed(path: Path) -> object:
    """Tell the mode and both lists of a file."""
    lists = [
        answer(lambda name=name: os.getxattr(path, f"system.posix_acl_{name}"))  # type: ignore[misc]
        for name in ("access", "default")
    ]
    return oct(path.stat().st_mode), lists


def test_what_is_made_inherits_the_access_list_of_its_directory(both: Side) -> None:
    def inherit(place: Path) -> object:
        home = place / "lists"
        os.mkdir(home)
        os.mkdir(home / "again")
        (home / "whiteout").touch()
        os.setxattr(home, "system.posix_acl_default", HERITAGE)
        mask = os.umask(0o077)
        try:
            os.mkdir(home / "dir", 0o775)
            os.close(os.open(home / "file", os.O_CREAT | os.O_WRONLY, 0o664))
            os.close(os.open(home / "dir" / "below", os.O_CREAT | os.O_WRONLY, 0o640))
            os.mkfifo(home / "pipe", 0o666)
            os.symlink("file", home / "link")
            unnamed = os.open(home, os.O_TMPFILE | os.O_RDWR, 0o666)
            told = oct(os.fstat(unnamed).st_mode)
            os.close(unnamed)
        finally:
            os.umask(mask)
        os.chmod(home / "file", 0o604)
        made = ("dir", "file", "pipe", "dir/below", "again")
        return told, [listed(home / name) for name in made], sorted(os.listdir(home))

    kernel, ours = both(inherit)
    assert ours == kernel


def test_it_inherits_where_a_lower_name_was_deleted_too(both: Side) -> None:
    def over(place: Path) -> object:
        home = place / "shared"
        os.setxattr(home, "system.posix_acl_default", HERITAGE)
        os.unlink(home / "file")
        os.rmdir(home / "dir")
        os.close(os.open(home / "file", os.O_CREAT | os.O_WRONLY, 0o664))
        os.mkdir(home / "dir", 0o2775)
        return [listed(home / name) for name in (".", "file", "dir")]

    kernel, ours = both(over)
    assert ours == kernel


def test_an_access_list_decides_who_may_read_and_survives_a_copy(both: Side) -> None:
    def read(place: Path) -> object:
        path = place / "secret"
        told = [listed(path)]
        for uid in (4321, 4322):
            with user(uid, uid):
                told.append(answer(path.read_bytes))
        path.write_bytes(b"copied")
        told.append(listed(path))
        with user(4321, 4321):
            told.append(answer(path.read_bytes))
        os.removexattr(path, "system.posix_acl_access")
        with user(4321, 4321):
            told.append(answer(path.read_bytes))
        return [*told, listed(path)]

    kernel, ours = both(read)
    assert ours == kernel


def test_a_copy_of_one_of_two_names_is_another_file_than_the_other(both: Side) -> None:
    def part(place: Path) -> object:
        one, other = place / "twin", place / "other twin"
        before = one.stat().st_ino == other.stat().st_ino
        one.chmod(0o600)
        numbers = {each.name: each.inode() for each in os.scandir(place)}
        listed = [numbers[each.name] == each.stat().st_ino for each in (one, other)]
        return before, one.stat().st_ino == other.stat().st_ino, listed

    kernel, ours = both(part)
    assert ours == kernel == (True, False, [True, True])


def test_a_look_into_a_directory_changes_nothing_in_its_layer(both: Side) -> None:
    def look(place: Path) -> object:
        os.listdir(place / "old")
        return (place.parents[1] / "lower" / "old").stat().st_atime_ns

    kernel, ours = both(look)
    assert ours == kernel == 5


def test_what_is_written_after_a_touch_is_not_older(both: Side) -> None:
    def touch_and_write(place: Path) -> object:
        first, ages = place / "touched", []
        first.touch()
        for number in range(30):
            os.utime(first)
            second = place / f"written{number}"
            second.touch()
            ages.append(second.stat().st_mtime_ns >= first.stat().st_mtime_ns)
        return all(ages)

    kernel, ours = both(touch_and_write)
    assert ours == kernel
    assert ours is True


def test_a_file_cut_to_nothing_has_changed_now(both: Side) -> None:
    def cut(place: Path) -> object:
        os.truncate(place / "long", 0)
        found = (place / "long").stat()
        return found.st_size, found.st_mtime_ns > 5, found.st_atime_ns

    kernel, ours = both(cut)
    assert ours == kernel == (0, True, 5)
