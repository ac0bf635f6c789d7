"""`glass-mount -o …` in the words of overlayfs and mount(8): what it takes and refuses."""

import subprocess
from pathlib import Path

import pytest

from pyminidock.kernel.glass import options
from tests.edge.callcases import answer
from tests.edge.glasshouse import glass_command
from tests.edge.overlay_stacks import LIBC, MNT_DETACH

pytestmark = pytest.mark.edge


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    """Make two layers and the rest."""
    for name in ("one", "two", "upper", "work", "merged"):
        (tmp_path / name).mkdir()
    for name in ("one", "two"):
        (tmp_path / name / name).touch()
    return tmp_path


def seen(ground: Path, words: str) -> tuple[str, list[str], object]:
    """Mount, look, try to write, unmount; gives what was said, shown and answered."""
    place = ground / "merged"
    words = words.replace("@", f"{ground}/")
    done = subprocess.run(
        glass_command("glass", place, words), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr, [], None
    try:
        names = sorted(each.name for each in place.iterdir())
        return "", names, answer((place / "new").touch)
    finally:
        LIBC.umount2(str(place).encode(), MNT_DETACH)


def test_a_union_without_an_upper_directory_is_mounted_read_only(ground: Path) -> None:
    assert seen(ground, "lowerdir=@one:@two") == ("", ["one", "two"], "EROFS")
    assert options.read("lowerdir=/a:/b").flags == ("ro",)


def test_layers_may_be_given_one_at_a_time(ground: Path) -> None:
    words = "lowerdir+=@one,lowerdir+=@two,upperdir=@upper,workdir=@work,rw"
    assert seen(ground, words) == ("", ["one", "two"], None)


def test_the_words_of_mount_are_taken_with_those_of_overlayfs(ground: Path) -> None:
    words = "nodiratime,nosymfollow,volatile,xino=on,uuid=null,verity=off,noacl,silent"
    words = f"lowerdir=@one,upperdir=@upper,workdir=@work,{words}"
    assert seen(ground, words) == ("", ["one"], None)


@pytest.mark.parametrize(
    "words",
    [
        "lowerdir=@one,upperdir=@one,workdir=@work",
        "lowerdir=@one:@one,upperdir=@upper,workdir=@work",
        "lowerdir=@one,upperdir=@upper,workdir=@upper",
    ],
)
def test_a_directory_that_is_used_twice_is_refused(ground: Path, words: str) -> None:
    said, _, _ = seen(ground, words)
    assert "one would change the other" in said


def test_a_promise_that_glass_cannot_keep_is_refused(ground: Path) -> None:
    said, _, _ = seen(ground, "lowerdir=@one,upperdir=@upper,workdir=@work,index=on")
    assert 'unknown option "index=on"' in said


def test_what_a_killed_server_left_half_made_is_removed(ground: Path) -> None:
    left = ground / "work" / "work"
    (left / "#1" / "new").mkdir(parents=True)
    (left / "#2").write_bytes(b"half")
    words = "lowerdir=@one,upperdir=@upper,workdir=@work"
    assert seen(ground, words) == ("", ["one"], None)
    assert list(left.iterdir()) == []


def test_attributes_that_were_copied_alone_take_the_room_of_the_content(
    ground: Path,
) -> None:
    below, place = ground / "one" / "one", ground / "merged"
    below.write_bytes(b"x" * 9000)
    words = f"lowerdir={ground}/one,upperdir={ground}/upper,workdir={ground}/work"
    command = glass_command("glass", place, f"{words},redirect_dir=on,metacopy=on")
    subprocess.run(command, check=True)
    try:
        (place / "one").chmod(0o600)
        assert (ground / "upper" / "one").stat().st_blocks < below.stat().st_blocks
        assert (place / "one").stat().st_blocks == below.stat().st_blocks
    finally:
        LIBC.umount2(str(place).encode(), MNT_DETACH)
