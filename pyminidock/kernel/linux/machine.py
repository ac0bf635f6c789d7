"""The facts of this machine that a plan depends on, read once."""

import os
import resource
import shutil
import stat
from pathlib import Path
from typing import Any

from pyminidock.kernel.linux import cgroups, devices, userns
from pyminidock.kernel.linux.host import read_host
from pyminidock.kernel.port import CgroupTree, Machine

_RESOURCES = ("as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice", "nofile",
              "nproc", "rss", "rtprio", "rttime", "sigpending", "stack")  # fmt: skip
_NOT_HANDED_ON = {"pts", "shm", "fd", "mqueue", "console", ".udev", ".lxc", ".lxd-mounts"}
_INITS = ("docker-init", "tini-static", "catatonit")


def read_machine(root: Path) -> Machine:
    """Read the facts of this machine, for an engine over `root`; nothing is changed.

    On cgroup v2 a program that guards devices is offered to the kernel and let go again.
    """
    release = os.uname().release.split(".")
    bounding = status_mask("CapBnd") & status_mask("CapPrm")
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    is_single_user = userns.is_single_user()
    tree = cgroups.find_tree()
    return Machine(
        backend="linux-rootless" if is_single_user else "linux-root",
        arch=os.uname().machine,
        kernel=(int(release[0]), int(release[1].split("-")[0])),
        cgroups=tree,
        capabilities=bounding,
        last_capability=last,
        rlimits=_rlimits(),
        devices=tuple(_devices(Path("/dev"))),
        init=find_init(),
        is_single_user=is_single_user,
        cpus=len(os.sched_getaffinity(0)),
        host=read_host(root, tree),
        filters_devices=tree is None or tree.version == 1 or not devices.refusal(),
        hostname=os.uname().nodename,
        **_accounts(tree),
    )


def _accounts(tree: CgroupTree | None) -> dict[str, Any]:
    """Read what accounts may name, and which of the rarer files they have."""
    cpus = _first(tree, "cpuset", "cpuset.cpus", "cpuset.cpus.effective")
    nodes = _first(tree, "cpuset", "cpuset.mems", "cpuset.mems.effective")
    return {
        "cpu_list": cpus, "node_list": nodes,
        "weighs_disks": _has(tree, "blkio.weight", "io.weight"),
        "weighs_each_disk": _has(tree, "blkio.weight_device"),
    }  # fmt: skip


def _first(tree: CgroupTree | None, controller: str, *files: str) -> str:
    """Read the first of these files that the top of a hierarchy has."""
    for names, directory in tree.hierarchies if tree else ():
        if names and controller not in names.split(","):
            continue
        for file in files:
            try:
                return Path(directory, file).read_text(encoding="ascii").strip()
            except OSError:
                continue
    return ""


def _has(tree: CgroupTree | None, *files: str) -> bool:
    """Say whether some hierarchy has one of these files; v2 keeps them below its top."""
    for _, directory in tree.hierarchies if tree else ():
        below = (directory, *(each.path for each in os.scandir(directory) if each.is_dir()))
        if any(os.path.exists(f"{place}/{file}") for place in below for file in files):
            return True
    return False


def status_mask(field: str) -> int:
    """Give one of the capability masks of this very process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith(field + ":"))


def _rlimits() -> dict[str, tuple[int, int]]:
    numbers = (
        (name, getattr(resource, "RLIMIT_" + name.upper(), None)) for name in _RESOURCES
    )
    return {
        name: resource.getrlimit(number) for name, number in numbers if number is not None
    }


def _devices(directory: Path) -> list[tuple[str, int, int, int, int, int, bool]]:
    """List the device nodes below /dev that a privileged container gets, sorted."""
    found = []
    for path in sorted(directory.iterdir()):
        if path.name in _NOT_HANDED_ON:
            continue
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            found += _devices(path)
        elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            found.append((
                str(path), os.major(status.st_rdev), os.minor(status.st_rdev),
                stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid,
                stat.S_ISBLK(status.st_mode),
            ))  # fmt: skip
    return found


def find_init() -> str:
    """Find a static program that can be PID 1 inside any root; empty if there is none."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin:/usr/libexec/docker"
    for name in _INITS:
        found = shutil.which(name, path=path)
        if found:
            return os.path.realpath(found)
    return ""
