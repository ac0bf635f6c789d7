"""The mount table of a container, as data: what hangs where, in which order, how guarded.

    /                 overlay   the stacked root, from the snapshot
    /proc             proc      its own processes only
    /dev              tmpfs     six devices that harm nobody
    /dev/pts          devpts    terminals of its own
    /sys              sysfs     read-only
    /sys/fs/cgroup    v1: tmpfs with one bind for each hierarchy   v2: cgroup2, read-only
    /dev/mqueue       mqueue
    /dev/shm          tmpfs     64 MiB
    /sbin/docker-init bind      with --init
    …                 volumes, trees of the host, --tmpfs and the engine's three files,
                      shallow places first
    /etc/resolv.conf  bind      files of the engine, written on the host's side only

The order is Docker's and can be seen in /proc/self/mountinfo.  Parents come before what
lies in them; what somebody asked for replaces the default at the same place.

Source: moby, oci/defaults.go and daemon/oci_linux.go, withMounts(); runc,
libcontainer/rootfs_linux.go; compared with mountinfo in containers of dockerd 26.1.5.
"""

import posixpath
from collections.abc import Iterator

from pyminidock.container.accounts import cgroup_paths
from pyminidock.container.spec import ContainerSpec
from pyminidock.container.words import INIT
from pyminidock.kernel.calls import (
    Bind,
    BorrowTree,
    Call,
    HoldTree,
    MakeDevice,
    MakeLink,
    Mount,
)
from pyminidock.kernel.port import Machine, Process
from pyminidock.volume.points import SHARED, MountPoint

ENGINE_FILES = (
    "resolv.conf",
    "hostname",
    "hosts",
)  # in /etc, from the container's directory
_SHM = "/dev/shm"  # noqa: S108  (a mount of the container's own)
_GUARDED = ("nosuid", "nodev", "noexec")
_TTY_GROUP = 5

_NULL, _RANDOM, _FULL, _TTY, _ZERO, _URANDOM = (
    ("/dev/null", 1, 3), ("/dev/random", 1, 8), ("/dev/full", 1, 7), ("/dev/tty", 5, 0),
    ("/dev/zero", 1, 5), ("/dev/urandom", 1, 9),
)  # fmt: skip
DEVICES = (_NULL, _RANDOM, _FULL, _TTY, _ZERO, _URANDOM)
LINKS = (
    ("/dev/ptmx", "pts/ptmx"),
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
)


def borrow_calls(donor: Process) -> Iterator[BorrowTree]:
    """Take the shared memory of another container along."""
    yield BorrowTree(donor.pid, donor.start_time, _SHM)


def mount_calls(
    spec: ContainerSpec, machine: Machine, donor: Process | None = None
) -> Iterator[Call]:
    """Give the table above, in its order, less what a --tmpfs replaces.

    `donor` is a process of the container whose queues and shared memory it shares.
    """
    replaced = {mount.target for mount in spec.tmpfs}
    replaced |= {point.target for point in spec.points}
    for call in _defaults(spec, machine, donor):
        # The links of /sys/fs/cgroup and its binds go with the tmpfs they lie on.
        place = call.target if isinstance(call, Mount | Bind) else call.path
        if not any(f"{place}/".startswith(f"{gone}/") for gone in replaced):
            yield call
    if spec.init:
        yield Bind(spec.init, INIT, ("ro",))
    yield from _asked_for(spec)


def _defaults(
    spec: ContainerSpec, machine: Machine, donor: Process | None
) -> Iterator[Mount | Bind | MakeLink]:
    sys_flags = _GUARDED if spec.is_privileged else (*_GUARDED, "ro")
    # In a namespace of one user there is no group 5 that a terminal could belong to.
    group = "" if machine.is_single_user else f"gid={_TTY_GROUP},"
    pts_options = f"{group}mode=620,ptmxmode=666"
    yield Mount("proc", "proc", "/proc", _GUARDED, must_be_plain=True)
    yield Mount("tmpfs", "tmpfs", "/dev", ("nosuid", "strictatime"), "size=65536k,mode=755")
    yield Mount("devpts", "devpts", "/dev/pts", ("nosuid", "noexec"), pts_options)
    yield Mount("sysfs", "sysfs", "/sys", sys_flags, must_be_plain=True)
    yield from _cgroup_calls(spec, machine)
    yield from _ipc_calls(spec, donor)


def _ipc_calls(spec: ContainerSpec, donor: Process | None) -> Iterator[Mount | Bind]:
    """Give it queues and shared memory of its own, or show the host's or the donor's."""
    yield Mount("mqueue", "mqueue", "/dev/mqueue", _GUARDED)  # of whoever's namespace
    if spec.worlds.ipc == "host":
        yield Bind(_SHM, _SHM)
    elif donor is not None:
        yield from (Bind(tree.source, _SHM) for tree in borrow_calls(donor))
    elif spec.worlds.ipc != "none":
        options = f"size={spec.shm_bytes},mode=1777"
        if spec.shm_bytes % 1024 == 0:
            options = f"size={spec.shm_bytes // 1024}k,mode=1777"
        yield Mount("tmpfs", "shm", _SHM, _GUARDED, options)


def _cgroup_calls(
    spec: ContainerSpec, machine: Machine
) -> Iterator[Mount | Bind | MakeLink]:
    """Show the container its own accounts, for reading unless it is privileged."""
    tree = machine.cgroups
    if tree is None or not spec.cgroup:
        return
    flags = _GUARDED if spec.is_privileged else (*_GUARDED, "ro")
    if tree.version == 2:
        yield Mount("cgroup2", "cgroup", "/sys/fs/cgroup", flags)
        return
    yield Mount("tmpfs", "tmpfs", "/sys/fs/cgroup", _GUARDED, "mode=755")
    links = []
    for (names, directory), path in zip(
        tree.hierarchies, cgroup_paths(spec, tree), strict=True
    ):
        shown = posixpath.basename(directory)
        yield Bind(path, f"/sys/fs/cgroup/{shown}", flags)
        # Programs look for /sys/fs/cgroup/cpu even where cpu and cpuacct share a tree.
        links += [(name, shown) for name in names.split(",") if "," in names]
    for name, shown in links:
        yield MakeLink(f"/sys/fs/cgroup/{name}", shown)


def _asked_for(spec: ContainerSpec) -> Iterator[Call]:
    """Merge points, --tmpfs and the engine's files by the depth of their places, stably."""
    flags = ("ro",) if spec.is_root_readonly else ()
    trees: list[Mount | Bind] = [_bind(point) for point in spec.points]
    taken = {point.target for point in spec.points}
    trees += [Mount("tmpfs", "tmpfs", m.target, m.flags, m.options) for m in spec.tmpfs]
    files = [
        Bind(f"{spec.names_from or spec.directory}/{name}", f"/etc/{name}", flags)
        for name in ENGINE_FILES if f"/etc/{name}" not in taken
    ]  # fmt: skip
    yield from sorted([*trees, *files], key=lambda call: call.target.count("/"))


def _bind(point: MountPoint) -> Bind:
    return Bind(
        point.source, point.target, () if point.is_writable else ("ro",),
        propagation=point.propagation or "rprivate", is_flat=point.is_flat,
        is_flat_readonly=point.is_flat_readonly, below=point.subpath,
    )  # fmt: skip


def hold_calls(spec: ContainerSpec) -> Iterator[HoldTree]:
    """Take hold of the trees that go on sharing with the host."""
    for point in spec.points:
        if point.propagation in SHARED:
            yield HoldTree(point.source, point.is_flat)


def device_calls(spec: ContainerSpec, machine: Machine) -> Iterator[Call]:
    """Fill /dev, unless it is one from elsewhere, which stays as it is."""
    if all(point.target != "/dev" for point in spec.points):
        yield from _nodes(spec, machine)


def _nodes(spec: ContainerSpec, machine: Machine) -> Iterator[Call]:
    """Make six devices and five links; a privileged container gets the host's too."""
    made = set()
    for path, major, minor in DEVICES:
        made.add(path)
        if machine.is_single_user:  # it may not make devices, but show the host's
            yield Bind(path, path)
        else:
            yield MakeDevice(path, major, minor)
    linked = {path for path, _ in LINKS}
    for path, major, minor, mode, uid, gid, is_block in machine.devices:
        if not spec.is_privileged or path in made or path in linked:
            continue
        if machine.is_single_user:
            yield Bind(path, path)
        else:
            yield MakeDevice(path, major, minor, mode, uid, gid, is_block)
    for node in spec.devices:
        if node.path in made:
            continue
        made.add(node.path)
        if machine.is_single_user:
            yield Bind(node.path, node.path)
        else:
            yield MakeDevice(
                node.path, node.major, node.minor, node.mode, node.uid, node.gid,
                node.is_block,
            )  # fmt: skip
    for path, points_to in LINKS:
        yield MakeLink(path, points_to)
