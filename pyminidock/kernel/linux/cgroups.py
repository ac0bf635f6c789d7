"""How a container gets a budget.

A cgroup is a directory: making it opens the account, a number written into one of its files
sets a limit, and a process that writes "0" into `tasks` (v1) or `cgroup.procs` (v2) moves
itself in.  In v1 every controller has a tree of its own; in v2 there is one tree.

Source: man 7 cgroups; Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

import errno
import functools
import os
import signal
import time
from pathlib import Path
from threading import Lock

from pyminidock.kernel.linux.mountinfo import read_mountinfo
from pyminidock.kernel.port import CgroupTree

_PATIENCE_S = 1.0
_MAKING = Lock()
_FREEZE_S = 10.0  # for the last process of a group to stand still
_FROZEN = {"freezer.state": "FROZEN", "cgroup.freeze": "1"}
_THAWED = {"freezer.state": "THAWED", "cgroup.freeze": "0"}


def find_tree() -> CgroupTree | None:
    """Find where this machine keeps its cgroups; None if there are none to write to.

    On a hybrid machine the v1 controllers are used and the v2 tree is left alone.
    """
    entries = read_mountinfo("self")
    legacy = [
        (_controllers(entry.options), entry.target)
        for entry in entries
        if entry.filesystem == "cgroup" and entry.root == "/"
    ]
    if legacy:
        unique = {name: path for name, path in legacy if os.access(path, os.W_OK)}
        return CgroupTree(1, tuple(unique.items())) if unique else None
    unified = [entry.target for entry in entries if entry.filesystem == "cgroup2"]
    if unified and os.access(unified[0], os.W_OK):
        return CgroupTree(2, (("", unified[0]),))
    return None


def _controllers(options: tuple[str, ...]) -> str:
    """Name a v1 hierarchy as the host spells it: "cpu,cpuacct" or "name=systemd"."""
    other = {"rw", "ro", "xattr", "clone_children", "noprefix"}
    return ",".join(
        o for o in options if o not in other and not o.startswith("release_agent")
    )


def make(path: str) -> bool:
    """Make one cgroup, and the engine's own above it; False when it was there.

    One at a time: below a cpuset that another thread has made and not yet filled, ours
    would stay empty, and an empty one accepts no process.
    """
    with _MAKING:
        try:
            return _make_one(path)
        except FileNotFoundError:
            above = os.path.dirname(path)
            _make_one(above)
            if _is_legacy(above) and _has(above, "cpuset.cpus"):
                limit(above, "cgroup.clone_children", "1")
            return _make_one(path)


def _make_one(path: str) -> bool:
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        return False
    above = os.path.dirname(path)
    if not _is_legacy(above):
        _delegate(Path(above))
    elif _has(above, "cpuset.cpus") and not _hands_on(path):
        _fill_cpuset(path, above)
    return True


def _is_legacy(path: str) -> bool:
    """Say whether a group is of version 1, where alone this file is."""
    return _has(path, "cgroup.clone_children")


@functools.cache
def _has(path: str, file: str) -> bool:
    """Say whether the groups of a hierarchy have this file; asked once per parent."""
    return os.path.exists(f"{path}/{file}")


def _hands_on(path: str) -> bool:
    """Say whether a new v1 cpuset was filled by the kernel, as its parent was told."""
    with open(f"{path}/cgroup.clone_children", "rb") as file:
        return file.read(1) == b"1"


def _fill_cpuset(path: str, above: str) -> None:
    """Let a new v1 cpuset have what its parent has; an empty one accepts no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if not Path(path, name).read_text(encoding="ascii").strip():
            inherited = Path(above, name).read_text(encoding="ascii")
            Path(path, name).write_text(inherited, encoding="ascii")


def _delegate(parent: Path) -> None:
    """v2: let the children of `parent` be limited by every controller it has."""
    available, enabled = parent / "cgroup.controllers", parent / "cgroup.subtree_control"
    if not available.exists():
        return
    missing = set(available.read_text().split()) - set(enabled.read_text().split())
    for controller in sorted(missing):
        try:
            enabled.write_text(f"+{controller}")
        except OSError:
            continue  # a controller that cannot be delegated here is found out by its file


def limit(path: str, file: str, value: str) -> None:
    """Write one limit.  The kernel's own errno says why it refuses."""
    descriptor = os.open(f"{path}/{file}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)
    if file in _FREEZERS:
        _await_freezer(path, file, value)


_FREEZERS = {
    "freezer.state": ("freezer.state", ""),
    "cgroup.freeze": ("cgroup.events", "frozen "),
}
"""Where a group can be frozen, and the file and line that say when it is so."""


def _await_freezer(path: str, file: str, value: str) -> None:
    """Wait until every process stands still, or goes on.  Raises EBUSY, and then it does.

    In v1 a process that is in the middle of a fork can keep a group from freezing, so it is
    told again, as the kernel's documentation says.
    """
    deadline = time.monotonic() + _FREEZE_S
    pause_s = 0.0001
    while not _is_so(path, file, value):
        if time.monotonic() > deadline:
            Path(path, file).write_text(_THAWED[file], encoding="ascii")
            raise OSError(errno.EBUSY, "the processes do not stand still", path)
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.02)
        if file == "freezer.state":
            Path(path, file).write_text(value, encoding="ascii")


def _is_so(path: str, file: str, value: str) -> bool:
    told, before = _FREEZERS[file]
    return f"{before}{value}" in Path(path, told).read_text(encoding="ascii").splitlines()


def is_frozen(pid: int, tree: CgroupTree | None) -> bool:
    """Say whether the group in which a process lives is frozen."""
    lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    homes = {names: home for _, names, home in (line.split(":", 2) for line in lines)}
    for names, top in tree.hierarchies if tree else ():
        for file, frozen in _FROZEN.items():
            path = f"{top}{homes.get(names, '')}"
            if _has(path, file) and _is_so(path, file, frozen):
                return True
    return False


def remove(path: str) -> None:
    """Remove one cgroup, ending whoever is left in it; absent is fine.

    A dead PID namespace empties its cgroups a moment after its first process is reaped, so
    EBUSY is tried again for a second.
    """
    deadline = time.monotonic() + _PATIENCE_S
    pause_s = 0.0005
    while True:
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError as refusal:
            if refusal.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
        kill_all(path)
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 0.02)


def kill_all(path: str) -> None:
    """Kill every process of a cgroup: at once where v2 can, else one by one."""
    try:
        limit(path, "cgroup.kill", "1")
    except OSError:
        for pid in members(path):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def members(path: str) -> tuple[int, ...]:
    """List the processes of a cgroup; none if it is gone."""
    try:
        text = Path(path, "cgroup.procs").read_text(encoding="ascii")
    except OSError:
        return ()
    return tuple(int(pid) for pid in text.split())
