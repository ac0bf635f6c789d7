"""What a kernel shows of a container's files from outside: only they, and never more."""

import os
import stat
from pathlib import Path

import pytest

from pyminidock.kernel.port import Hung, NotHere, ProcessGone, Tree, View
from tests.contract.plans import birth
from tests.contract.stands import LinuxStand, Stand, assert_as_before, end, start

READ = os.O_RDONLY


def tree_of(stand: Stand) -> Tree:
    place = stand.place
    return Tree((place.lower,), place.upper, place.work, place.merged)


def test_a_kernel_without_files_says_so(model: Stand) -> None:
    with pytest.raises(NotHere) as refusal:
        model.body.view(tree_of(model))
    assert refusal.value.status == 501


def test_nobody_s_files_are_shown_by_no_kernel(stand: Stand) -> None:
    born = start(stand, birth(stand.place))
    end(stand, born)
    with pytest.raises(ProcessGone):
        stand.body.view(tree_of(stand), born)


@pytest.mark.edge
def test_a_view_is_of_the_tree_and_of_nothing_mounted_in_it(linux: LinuxStand) -> None:
    born = start(linux, birth(linux.place))
    view = linux.body.view(tree_of(linux), born)
    try:
        assert read(view, b"/etc/passwd").startswith(b"root:")
        with pytest.raises(FileNotFoundError):
            view.open(b"/proc/self", os.O_PATH)
        with pytest.raises(FileNotFoundError):
            view.open(b"/dev/null", os.O_PATH)
    finally:
        view.close()
        end(linux, born)


@pytest.mark.edge
def test_what_is_written_from_outside_the_program_sees_and_the_other_way(
    linux: LinuxStand,
) -> None:
    born = start(linux, birth(linux.place))
    view = linux.body.view(tree_of(linux), born, is_writable=True)
    try:
        handle = view.open(b"/etc", os.O_PATH | os.O_DIRECTORY)
        os.close(os.open("ours", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
        os.close(handle)
        assert Path(f"/proc/{born.pid}/root/etc/ours").exists()
        Path(f"/proc/{born.pid}/root/etc/theirs").write_text("x", encoding="ascii")
        assert read(view, b"/etc/theirs") == b"x"
    finally:
        view.close()
        end(linux, born)


@pytest.mark.edge
@pytest.mark.parametrize("is_writable", [False, True])
def test_no_link_leads_out(linux: LinuxStand, is_writable: bool) -> None:
    outside = Path(linux.place.upper).parent / "secret"
    outside.write_text("outside", encoding="ascii")
    upper = Path(linux.place.upper)
    (upper / "up").symlink_to("../../../../../../.." + str(outside.parent))
    (upper / "abs").symlink_to(outside.parent)
    (upper / "magic").symlink_to("/proc/self/root" + str(outside))
    view = linux.body.view(tree_of(linux), is_writable=is_writable)
    try:
        for path in (b"/up/secret", b"/abs/secret", b"/../../secret", b"/magic"):
            with pytest.raises(FileNotFoundError):
                view.open(path, os.O_PATH)
    finally:
        view.close()


@pytest.mark.edge
def test_files_of_the_engine_hang_in_a_view_and_nowhere_else(
    linux: LinuxStand, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("of the engine", encoding="ascii")
    before, mounts = linux.picture(), Path("/proc/self/mountinfo").read_text("ascii")
    tree = tree_of(linux)
    view = linux.body.view(
        Tree(
            tree.lower,
            tree.upper,
            tree.work,
            tree.place,
            (Hung(str(hosts), "/etc/passwd"),),
        ),
        is_writable=True,
    )
    try:
        assert read(view, b"/etc/passwd") == b"of the engine"
        assert Path("/proc/self/mountinfo").read_text("ascii") == mounts
        handle = view.open(b"/etc/passwd", os.O_PATH)
        found = os.fstat(handle)
        os.close(handle)
        assert (found.st_dev, found.st_ino) in view.held
        assert stat.S_ISREG(found.st_mode)
    finally:
        view.close()
        view.close()
    assert_as_before(linux, before)


def read(view: View, path: bytes) -> bytes:
    handle = view.open(path, READ)
    try:
        return os.read(handle, 4096)
    finally:
        os.close(handle)
