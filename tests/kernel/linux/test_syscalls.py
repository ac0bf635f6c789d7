"""Calls that Python does not offer: errno at once, wide flags, close-on-exec always."""

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.kernel.linux import overlay, syscalls


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: syscalls.unshare(1 << 62), errno.EINVAL),
        (lambda: syscalls.setns(-1, 0), errno.EBADF),
        (lambda: syscalls.fsopen(b"no-such-filesystem"), errno.ENODEV),
        (lambda: syscalls.open_tree_clone(-1, b"x", recursive=False), errno.EBADF),
        (lambda: syscalls.move_mount(-1, -1), errno.EBADF),
        (lambda: syscalls.openat2(-1, b"x", os.O_PATH, resolve=0), errno.EBADF),
        (lambda: syscalls.openat2(-100, b"/", 1 << 40, resolve=0), errno.EINVAL),
        (lambda: syscalls.pivot_root(b"/", b"/"), errno.EBUSY),
        (lambda: syscalls.umount_detach(b"/no/such/mount"), errno.ENOENT),
        (lambda: syscalls.prctl(-1), errno.EINVAL),
        (lambda: syscalls.load_seccomp(b"\0" * 8), errno.EINVAL),
        (lambda: syscalls.mount_setattr(-1, b"x", add=1), errno.EBADF),
    ],
)  # fmt: skip
@pytest.mark.edge
def test_a_wrong_call_raises_the_errno_of_that_very_call(
    call: Callable[[], object], expected: int
) -> None:
    """H-38: also where a flag is wider than 32 bits."""
    with pytest.raises(OSError, match=os.strerror(expected)) as refusal:
        call()
    assert refusal.value.errno == expected


@pytest.mark.edge
def test_every_descriptor_made_here_closes_on_exec(tmp_path: Path) -> None:
    """H-38."""
    made = [
        syscalls.fsopen(b"tmpfs"),
        syscalls.openat2(-100, os.fsencode(tmp_path), os.O_PATH, resolve=0),
        syscalls.open_tree_clone(-100, b"/", recursive=False),
    ]
    syscalls.fscreate(made[0])
    made.append(syscalls.fsmount(made[0], 0))
    flags = [fcntl.fcntl(descriptor, fcntl.F_GETFD) for descriptor in made]
    for descriptor in made:
        os.close(descriptor)
    assert flags == [fcntl.FD_CLOEXEC] * len(made)


@pytest.mark.edge
def test_a_handle_on_a_root_keeps_every_symbolic_link_inside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "passwd").write_text("inside")
    (root / "out").symlink_to("/etc/passwd")
    (root / "up").symlink_to("../../../../etc/passwd")
    (root / "magic").symlink_to("/proc/self/root/etc/passwd")
    handle = os.open(root, os.O_PATH)
    rules = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS
    for name in (b"out", b"up"):
        opened = syscalls.openat2(handle, name, os.O_RDONLY, resolve=rules)
        assert os.read(opened, 99) == b"inside"
        os.close(opened)
    with pytest.raises(FileNotFoundError):
        syscalls.openat2(handle, b"magic", os.O_RDONLY, resolve=rules)
    os.close(handle)


STRANGE = ("a,b", "a:b", "a\\b", "a b", "a\nb", "a\\,b:c\\\\d", "x" * 200 + ":" + "y" * 40)


@pytest.mark.edge
@pytest.mark.parametrize("name", STRANGE)
def test_names_with_commas_colons_and_backslashes_inject_nothing(
    tmp_path: Path, name: str
) -> None:
    place = tmp_path / name
    for part in ("low", "up", "work"):
        (place / part).mkdir(parents=True)
    (place / "low" / "here").write_text("lower")
    tree = overlay.prepare([str(place / "low")], str(place / "up"), str(place / "work"))
    view = Path(f"/proc/self/fd/{tree}")
    (view / "new").write_text("upper")
    seen = sorted(path.name for path in view.iterdir())
    os.close(tree)
    assert seen == ["here", "new"]
    assert (place / "up" / "new").read_text() == "upper"


@pytest.mark.edge
def test_a_hundred_and_twenty_five_layers_are_stacked(tmp_path: Path) -> None:
    layers = []
    for number in range(125):
        layer = tmp_path / f"a-rather-long-name-of-a-layer-{number:03d}"
        layer.mkdir()
        (layer / f"file{number}").write_text(str(number))
        (layer / "same").write_text(str(number))
        layers.append(str(layer))
    (tmp_path / "up").mkdir()
    (tmp_path / "work").mkdir()
    tree = overlay.prepare(layers, str(tmp_path / "up"), str(tmp_path / "work"))
    view = Path(f"/proc/self/fd/{tree}")
    names, top = len(list(view.iterdir())), (view / "same").read_text()
    os.close(tree)
    assert (names, top) == (126, "0")
