"""A container's writable place: made apart from the image, removed whatever is in it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pyminidock.events import Event, SnapshotPrepared, SnapshotRemoved
from pyminidock.layers import snapshots
from pyminidock.layers.snapshots import Snapshot, remove_tree

PARTS = {"rootfs", "work", "upper", "init"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    tree = tmp_path / "layers" / "image"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc").chmod(0o750)
    (tree / "etc" / "passwd").write_text("root:x:0:0::/root:\n", encoding="ascii")
    return tree


def test_a_snapshot_is_empty_above_and_guarded_around(tmp_path: Path, image: Path) -> None:
    heard: list[Event] = []
    directory = tmp_path / "containers" / "ab12"
    snapshot = snapshots.prepare(directory, [image], emit=heard.append)
    assert snapshot == Snapshot(
        (str(directory / "init"), str(image)), str(directory / "upper"),
        str(directory / "work"), str(directory / "rootfs"),
    )  # fmt: skip
    assert heard == [
        SnapshotPrepared("ab12", snapshot.lower, snapshot.upper, snapshot.work)
    ]
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "upper").stat().st_mode) == 0o755
    assert list((directory / "upper").iterdir()) == []
    assert snapshots.find(directory, [image]) == snapshot


def test_the_modes_do_not_depend_on_the_umask(tmp_path: Path, image: Path) -> None:
    before = os.umask(0o077)
    try:
        snapshots.prepare(tmp_path / "c", [image])
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "c" / "upper").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "c" / "init" / ".dockerenv").stat().st_mode) == 0o755


def test_the_init_layer_holds_places_for_the_engine_s_files(
    tmp_path: Path, image: Path
) -> None:
    snapshots.prepare(tmp_path / "c", [image])
    init = tmp_path / "c" / "init"
    made = {str(path.relative_to(init)) for path in init.rglob("*")}
    assert made == {
        ".dockerenv", "dev", "dev/console", "dev/pts", "dev/shm", "etc", "etc/hostname",
        "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "sys",
    }  # fmt: skip
    assert (init / ".dockerenv").read_bytes() == b""
    assert str((init / "etc" / "mtab").readlink()) == "/proc/mounts"
    assert stat.S_IMODE((init / "etc").stat().st_mode) == 0o750, "the image's own mode"


@pytest.mark.parametrize("name", ["etc", "dev", "proc"])
def test_a_link_of_the_image_is_not_covered(tmp_path: Path, image: Path, name: str) -> None:
    if (image / name).is_dir():
        (image / name).rename(image / "elsewhere")
    (image / name).symlink_to("elsewhere")
    snapshots.prepare(tmp_path / "c", [image])
    assert not (tmp_path / "c" / "init" / name).exists()


def test_a_link_in_place_of_an_engine_s_file_is_covered(
    tmp_path: Path, image: Path
) -> None:
    (image / "etc" / "hosts").symlink_to("/proc/1/root/etc/shadow")
    snapshots.prepare(tmp_path / "c", [image])
    covering = (tmp_path / "c" / "init" / "etc" / "hosts").lstat()
    assert stat.S_ISREG(covering.st_mode)


def test_the_topmost_tree_decides_what_the_image_has(tmp_path: Path, image: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    (above / "etc").symlink_to("/elsewhere")
    snapshots.prepare(tmp_path / "c", [above, image])
    assert not (tmp_path / "c" / "init" / "etc").exists()
    snapshots.prepare(tmp_path / "d", [image, above])
    assert (tmp_path / "d" / "init" / "etc" / "hosts").exists()


def test_a_second_snapshot_at_the_same_place_is_refused(
    tmp_path: Path, image: Path
) -> None:
    snapshots.prepare(tmp_path / "c", [image])
    (tmp_path / "c" / "upper" / "kept").touch()
    with pytest.raises(FileExistsError):
        snapshots.prepare(tmp_path / "c", [image])
    assert (tmp_path / "c" / "upper" / "kept").exists()


def test_a_snapshot_that_cannot_be_completed_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        snapshots.prepare(tmp_path / "c", [tmp_path / "no image"])
    assert list((tmp_path / "c").iterdir()) == []


def test_containers_of_one_image_share_an_init_layer(tmp_path: Path, image: Path) -> None:
    init = snapshots.init_beside([image])
    assert init == image.parent / "init"
    first = snapshots.prepare(tmp_path / "c", [image], init=init)
    made = init.stat().st_ino
    second = snapshots.prepare(tmp_path / "d", [image], init=init)
    assert first.lower == second.lower == (str(init), str(image))
    assert init.stat().st_ino == made
    assert stat.S_IMODE((init / ".dockerenv").stat().st_mode) == 0o755
    snapshots.remove(tmp_path / "c")
    assert (init / ".dockerenv").exists()
    assert {path.name for path in (tmp_path / "d").iterdir()} == PARTS - {"init"}


def test_a_slower_twin_takes_the_init_layer_of_the_faster(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = snapshots.init_beside([image])
    assert init is not None
    fill = snapshots._fill_init

    def slowly(place: int, lower: Sequence[Path]) -> None:
        monkeypatch.undo()
        snapshots.prepare(tmp_path / "faster", [image], init=init)
        fill(place, lower)

    monkeypatch.setattr(snapshots, "_fill_init", slowly)
    snapshot = snapshots.prepare(tmp_path / "slower", [image], init=init)
    assert snapshot.lower[0] == str(init)
    assert {path.name for path in (tmp_path / "slower").iterdir()} == PARTS - {"init"}


def test_a_renewed_snapshot_is_empty_and_stands_on_what_it_stood(
    tmp_path: Path, image: Path
) -> None:
    for name, init in (("own", None), ("shared", snapshots.init_beside([image]))):
        snapshot = snapshots.prepare(tmp_path / name, [image], init=init)
        Path(snapshot.upper, "written").touch()
        snapshots.renew(tmp_path / name, [image], snapshot)
        assert list(Path(snapshot.upper).iterdir()) == []
        assert Path(snapshot.lower[0], ".dockerenv").exists()
        assert (tmp_path / name / "init").exists() is (name == "own")


def test_an_init_layer_that_went_with_its_tree_comes_back(
    tmp_path: Path, image: Path
) -> None:
    init = snapshots.init_beside([image])
    snapshot = snapshots.prepare(tmp_path / "c", [image], init=init)
    remove_tree(Path(snapshot.lower[0]))
    snapshots.restore_init(tmp_path / "c", [image], snapshot)
    assert Path(snapshot.lower[0], "etc", "hosts").exists()
    assert {path.name for path in (tmp_path / "c").iterdir()} == PARTS - {"init"}


def test_removing_takes_the_snapshot_and_nothing_else(tmp_path: Path, image: Path) -> None:
    heard: list[Event] = []
    directory = tmp_path / "containers" / "ab12"
    snapshots.prepare(directory, [image])
    (directory / "config.json").touch()
    (directory / "upper" / "written").write_text("x", encoding="ascii")
    (directory / "upper" / "out").symlink_to(image)
    snapshots.remove(directory, emit=heard.append)
    assert heard == [SnapshotRemoved("ab12")]
    assert [path.name for path in directory.iterdir()] == ["config.json"]
    assert (image / "etc" / "passwd").exists()
    snapshots.remove(directory)


# ── Trees that resist ────────────────────────────────────────────────────────────────────


def test_a_tree_deeper_than_any_path_is_removed(tmp_path: Path) -> None:
    depth = 3000  # names; their path would have 24,000 characters, and PATH_MAX is 4096
    handle = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir("further", dir_fd=handle)
        os.close(os.open("file", os.O_CREAT, dir_fd=handle))
        inner = os.open("further", os.O_RDONLY | os.O_DIRECTORY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    remove_tree(tmp_path / "further")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "inner").mkdir()
    for number in range(1500):
        (tmp_path / "full" / str(number)).touch()
        (tmp_path / "full" / "inner" / str(number)).touch()
    remove_tree(tmp_path / "full")
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "going" / "inner").mkdir(parents=True)
    (tmp_path / "going" / "to-directory").symlink_to(tmp_path / "kept")
    (tmp_path / "going" / "inner" / "to-file").symlink_to(tmp_path / "kept" / "file")
    (tmp_path / "going" / "inner" / "to-itself").symlink_to(".")
    remove_tree(tmp_path / "going")
    assert (tmp_path / "kept" / "file").exists()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    remove_tree(tmp_path / "link")
    assert (tmp_path / "kept" / "file").exists()
    assert not (tmp_path / "link").is_symlink()


def test_directories_that_nobody_may_enter_are_removed(tmp_path: Path) -> None:
    inner = tmp_path / "going" / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    inner.chmod(0)
    inner.parent.chmod(0)
    (tmp_path / "going").chmod(0o500)
    remove_tree(tmp_path / "going")
    assert list(tmp_path.iterdir()) == []


def test_a_link_put_in_place_of_a_directory_meanwhile_is_not_entered(
    tmp_path: Path,
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to("kept")
    handle = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(NotADirectoryError):
            snapshots._open_directory("link", handle, os.fstat(handle).st_dev)
    finally:
        os.close(handle)


def test_names_like_our_own_waiting_places_are_no_obstacle(tmp_path: Path) -> None:
    for name in (".going-0", ".going-1/.going-0/x", ".going-2/deep/deeper"):
        (tmp_path / "going" / name).mkdir(parents=True)
    (tmp_path / "going" / ".going-3").touch()
    remove_tree(tmp_path / "going")
    assert list(tmp_path.iterdir()) == []


def test_odd_things_and_odd_names_are_removed(tmp_path: Path) -> None:
    going = tmp_path / "going"
    going.mkdir()
    os.mkfifo(going / "fifo")
    (going / os.fsdecode(b"\xff\n")).mkdir()
    (going / "-rf").touch()
    remove_tree(going)
    assert list(tmp_path.iterdir()) == []


def test_what_comes_and_goes_during_a_removal_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an overlay does that is being mounted: it makes work/work anew."""
    inner = tmp_path / "going" / "work" / "work"
    inner.mkdir(parents=True)
    rename, rmdir = os.rename, os.rmdir
    disturbed = list[str]()

    def rename_too_late(source: str, target: str, **where: int) -> None:
        if not disturbed:
            disturbed.append("gone")
            rmdir(inner)
        rename(source, target, **where)

    def rmdir_too_late(name: str, **where: int) -> None:
        if name == "work" and "come" not in disturbed:
            disturbed.append("come")
            inner.mkdir()
        rmdir(name, **where)

    monkeypatch.setattr(os, "rename", rename_too_late)
    monkeypatch.setattr(os, "rmdir", rmdir_too_late)
    remove_tree(tmp_path / "going")
    assert disturbed == ["gone", "come"]
    assert list(tmp_path.iterdir()) == []


def test_a_removal_gives_up_where_somebody_goes_on_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, rmdir = tmp_path / "going", os.rmdir
    going.mkdir()

    def rmdir_too_late(name: str, **where: int) -> None:
        (going / "file").touch()
        rmdir(name, **where)

    monkeypatch.setattr(os, "rmdir", rmdir_too_late)
    with pytest.raises(OSError, match="not empty"):
        remove_tree(going)


def test_what_is_not_there_needs_no_removal(tmp_path: Path) -> None:
    remove_tree(tmp_path / "absent")
    remove_tree(tmp_path / "absent" / "below")


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Fail a test that leaves a descriptor open."""

    def opened() -> list[str]:
        return sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names alone)

    before = opened()
    yield
    assert opened() == before


@pytest.mark.usefixtures("descriptors")
def test_no_handle_stays_open(tmp_path: Path, image: Path) -> None:
    snapshots.prepare(tmp_path / "c", [image])
    (tmp_path / "c" / "upper" / "a" / "b").mkdir(parents=True)
    snapshots.remove(tmp_path / "c")


@pytest.mark.edge
def test_a_whiteout_means_that_the_image_has_nothing_there(
    tmp_path: Path, image: Path
) -> None:
    above = tmp_path / "above"
    above.mkdir()
    os.mknod(above / "etc", stat.S_IFCHR, os.makedev(0, 0))
    snapshots.prepare(tmp_path / "c", [above, image])
    made = tmp_path / "c" / "init" / "etc"
    assert stat.S_IMODE(made.stat().st_mode) == 0o755, "not the mode of the deleted one"


@pytest.mark.edge
def test_another_filesystem_below_is_left_alone(tmp_path: Path) -> None:
    """Run in a mount namespace of its own, which takes the mount away with it."""
    program = """
import ctypes, errno, pathlib, sys
from pyminidock.layers.snapshots import remove_tree
top = pathlib.Path(sys.argv[1])
(top / "going" / "inner").mkdir(parents=True)
target = str(top / "going" / "inner").encode()
if ctypes.CDLL(None).mount(b"tmpfs", target, b"tmpfs", 0, None):
    raise SystemExit("no mount")
(top / "going" / "inner" / "precious").touch()
try:
    remove_tree(top / "going")
except OSError as refusal:
    assert refusal.errno == errno.EXDEV, refusal
else:
    raise SystemExit("it was removed")
assert (top / "going" / "inner" / "precious").exists()
"""
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c"]
    done = subprocess.run(
        [*command, program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.edge
def test_what_an_opaque_directory_hides_the_image_does_not_have(
    tmp_path: Path, image: Path
) -> None:
    (image / "etc" / "mtab").touch()
    above = tmp_path / "above"
    (above / "etc").mkdir(parents=True)
    snapshots.prepare(tmp_path / "c", [above, image])
    assert not (tmp_path / "c" / "init" / "etc" / "mtab").is_symlink()
    os.setxattr(above / "etc", "trusted.overlay.opaque", b"y")
    snapshots.prepare(tmp_path / "d", [above, image])
    assert (tmp_path / "d" / "init" / "etc" / "mtab").is_symlink()
