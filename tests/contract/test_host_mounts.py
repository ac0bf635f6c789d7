"""What the engine mounts on the host: refused and taken away alike on every kernel."""

import errno
from pathlib import Path

import pytest

from pyminidock.kernel.answers import HostMount
from tests.contract.stands import LinuxStand, Stand


def refusal(stand: Stand, wanted: HostMount) -> int | None:
    """Give the errno by which it is refused; 0 if it is not."""
    try:
        stand.body.mount(wanted)
    except OSError as refused:
        return refused.errno
    return 0


def test_a_filesystem_that_no_kernel_has_is_refused(stand: Stand) -> None:
    before = stand.picture()
    assert refusal(stand, HostMount("x", stand.place.merged, "nonsense")) == errno.ENODEV
    assert stand.picture() == before


def test_a_word_that_the_filesystem_does_not_know_is_refused(stand: Stand) -> None:
    wanted = HostMount("tmpfs", stand.place.merged, "tmpfs", 0, "bogus=1")
    assert refusal(stand, wanted) == errno.EINVAL


def test_what_is_mounted_goes_when_it_is_told_and_twice_is_no_error(stand: Stand) -> None:
    before = stand.picture()
    stand.body.mount(HostMount("tmpfs", stand.place.merged, "tmpfs", 2, "size=1m"))
    stand.body.unmount(stand.place.merged)
    stand.body.unmount(stand.place.merged)
    stand.body.unmount("/nonexistent/place")
    assert stand.picture() == before


@pytest.mark.edge
def test_a_bind_shows_a_tree_of_the_host_and_can_be_made_read_only(
    linux: LinuxStand, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    target = linux.place.merged
    linux.body.mount(HostMount(str(tmp_path), target, "none", 0x1000))
    try:
        assert [path.name for path in Path(target).iterdir()] == ["file"]
        linux.body.mount(HostMount("", target, "", 0x1021, "", "remount-ro"))
        with pytest.raises(OSError, match="Read-only"):
            Path(target, "other").write_text("y")
    finally:
        linux.body.unmount(target)
    assert (tmp_path / "file").exists()
