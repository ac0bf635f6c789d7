"""Looking at this machine for `detect`: one look per fact, and nothing left behind."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pyminidock.kernel.detect import Facts
from pyminidock.kernel.linux import devices, foreign, overlay, syscalls, userns
from pyminidock.kernel.linux.host import filesystem_of
from pyminidock.kernel.linux.machine import find_init, status_mask
from pyminidock.kernel.linux.mountinfo import read_mountinfo
from pyminidock.kernel.watch import marking

_BARS = {  # settings that keep user namespaces from people, and the value that does
    "kernel.unprivileged_userns_clone": "0",
    "kernel.apparmor_restrict_unprivileged_userns": "1",
}
_PROBES = {  # harmless wrong calls: EBADF or EINVAL says it exists, ENOSYS that it does not
    "fsopen": (syscalls.NR_FSOPEN, (None, 0)),
    "open_tree": (syscalls.NR_OPEN_TREE, (-1, None, 0)),
    "move_mount": (syscalls.NR_MOVE_MOUNT, (-1, None, -1, None, 0)),
    "mount_setattr": (syscalls.NR_MOUNT_SETATTR, (-1, None, 0, None, 0)),
    "openat2": (syscalls.NR_OPENAT2, (-1, None, None, 0)),
    "close_range": (syscalls.NR_CLOSE_RANGE, (1, 0, 0)),
}


def read_facts(root: Path) -> Facts:
    """Look at the machine; `root` is the engine's root directory, existing or not."""
    system = os.uname()
    release = system.release.split(".")
    version, controllers = _cgroups()
    rules_error, drops = _rules()
    return Facts(
        system=system.sysname,
        kernel=(int(release[0]), int(release[1].split("-")[0])),
        arch=system.machine,
        uid=os.geteuid(),
        is_single_user=userns.is_single_user(),
        capabilities=status_mask("CapBnd") & status_mask("CapPrm"),
        last_capability=int(_read("/proc/sys/kernel/cap_last_cap") or -1),
        missing_calls=tuple(name for name in _PROBES if not _exists(name)),
        overlay_error=_try_overlay(root),
        root_directory=str(root),
        root_filesystem=filesystem_of(root),
        namespaces=tuple(
            kind for kind, file in syscalls.NAMESPACE_FILES.items()
            if Path(f"/proc/self/ns/{file}").exists()
        ),
        user_namespaces=int(_read("/proc/sys/user/max_user_namespaces") or 0),
        user_namespace_bar=_user_namespace_bar(),
        cgroup_version=version,
        controllers=controllers,
        device_filter_error=devices.refusal() if version == 2 else "",
        seccomp_actions=tuple(_read("/proc/sys/kernel/seccomp/actions_avail").split()),
        busybox=_static_busybox(),
        init=find_init(),
        keyrings=Path("/proc/keys").exists(),
        rules_error=rules_error,
        foreign_drops=drops,
        fanotify_error=_try(marking.hold) or _try(marking.listen),
        fuse_error=_try(partial(os.open, "/dev/fuse", os.O_RDWR | os.O_CLOEXEC)),
        fuse_patience_s=int(_read("/proc/sys/fs/fuse/max_request_timeout") or 0),
    )  # fmt: skip


def _try(opens: Callable[[], int]) -> str:
    """Open something and close it; say why that was refused, if it was."""
    try:
        os.close(opens())
    except OSError as refusal:
        return os.strerror(refusal.errno or errno.EIO).lower()
    return ""


def _rules() -> tuple[str, tuple[str, ...]]:
    """Ask nf_tables for what others do; say why it does not answer, if root asked."""
    try:
        return "", foreign.forward_drops()
    except OSError as refusal:
        if os.geteuid() != 0:
            return "", ()  # answered after entering the user namespace
        return os.strerror(refusal.errno or errno.EIO).lower(), ()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _exists(name: str) -> bool:
    number, arguments = _PROBES[name]
    try:
        syscalls.enter(number, *arguments)
    except OSError as refusal:
        return refusal.errno != errno.ENOSYS
    return True


def _nearest(root: Path) -> Path:
    """Give the directory itself, or the nearest one above it that exists."""
    return next(path for path in (root, *root.absolute().parents) if path.is_dir())


def _try_overlay(root: Path) -> str:
    """Stack two directories where the layers would lie; nothing is attached."""
    if os.geteuid() != 0:
        return ""  # answered after entering the user namespace
    try:
        with tempfile.TemporaryDirectory(dir=_nearest(root), prefix=".probe-") as place:
            names = [Path(place, name) for name in ("lower", "upper", "work")]
            for path in names:
                path.mkdir()
            os.close(overlay.prepare([str(names[0])], str(names[1]), str(names[2])))
    except OSError as refusal:
        return os.strerror(refusal.errno or errno.EIO).lower()
    return ""


def _user_namespace_bar() -> str:
    for key, value in _BARS.items():
        if _read("/proc/sys/" + key.replace(".", "/")) == value:
            return f"{key}={value}"
    return ""


def _cgroups() -> tuple[int, tuple[str, ...]]:
    """Give the version in use and its controllers that can be written to."""
    entries = read_mountinfo("self")
    legacy = [
        name
        for entry in entries
        if entry.filesystem == "cgroup" and os.access(entry.target, os.W_OK)
        for name in entry.options
        if name in ("memory", "cpu", "pids", "cpuset", "devices", "freezer", "blkio")
    ]
    if legacy:
        return 1, tuple(legacy)
    for entry in entries:
        if entry.filesystem == "cgroup2" and os.access(entry.target, os.W_OK):
            return 2, tuple(_read(f"{entry.target}/cgroup.controllers").split())
    return 0, ()


def _static_busybox() -> str:
    """Find a BusyBox that needs no shared library: its ELF header names no interpreter."""
    for name in ("busybox", "busybox-static", "busybox.static"):
        found = shutil.which(name)
        if found and b"ld-linux" not in Path(found).read_bytes()[:4096]:
            return found
    return ""
