"""An ordinary machine to begin with: Debian-like, cgroup v1, everything mounted and shared.

What a root directory holds cannot be known without a disk, so there is one root for all:
a BusyBox-like tree, which `files` of the body adds to or changes.  Names below proc/ and
sys/ say what the kernel's own filesystems show once they are mounted.
"""

from collections.abc import Mapping

from pyminidock.kernel.host import Host
from pyminidock.kernel.model.tree import Node, Tree, link, tree_of
from pyminidock.kernel.model.world import (
    ENGINE,
    HOST_INIT,
    KINDS,
    Cgroup,
    Link,
    Mount,
    Powers,
    Task,
    World,
)
from pyminidock.kernel.port import CgroupTree, Machine

_V1 = ("cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "pids")
_PLAIN = ("rw", "relatime")
_SHUT = ("rw", "nosuid", "nodev", "noexec", "relatime")
_UNLIMITED = (-1, -1)

MACHINE = Machine(
    backend="simulated",
    arch="x86_64",
    kernel=(6, 12),
    cgroups=CgroupTree(1, tuple((name, f"/sys/fs/cgroup/{name}") for name in _V1)),
    capabilities=(1 << 41) - 1,
    last_capability=40,
    rlimits={
        "cpu": _UNLIMITED, "fsize": _UNLIMITED, "data": _UNLIMITED,
        "stack": (8 << 20, -1), "core": (0, -1), "rss": _UNLIMITED,
        "nproc": (63_000, 63_000), "nofile": (1024, 524_288),
        "memlock": (8 << 20, 8 << 20), "as": _UNLIMITED, "locks": _UNLIMITED,
        "sigpending": (63_000, 63_000), "msgqueue": (819_200, 819_200),
        "nice": (0, 0), "rtprio": (0, 0), "rttime": _UNLIMITED,
    },
    host=Host(
        "6.12.0-simulated", "a simulated machine", "1", 8 << 30, "tmpfs",
        frozenset((
            "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "cpu.shares",
            "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpuset.cpus", "pids.max",
            "memory.oom_control", "memory.kmem.tcp.limit_in_bytes",
        )),
    ),
)  # fmt: skip

_APPLETS = [
    "ash",
    "awk",
    "cat",
    "chmod",
    "chown",
    "cp",
    "cut",
    "date",
    "df",
    "echo",
    "env",
    "false",
    "find",
    "grep",
    "head",
    "hostname",
    "id",
    "ifconfig",
    "ip",
    "kill",
    "ln",
    "ls",
    "mkdir",
    "mknod",
    "mount",
    "mv",
    "nc",
    "ping",
    "ps",
    "pwd",
    "rm",
    "sed",
    "sh",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "test",
    "top",
    "touch",
    "true",
    "umount",
    "uname",
    "wc",
    "wget",
    "which",
    "whoami",
    "yes",
]

FILES: Mapping[str, bytes | Node] = {
    "bin/busybox": b"\x7fELF",
    **{f"bin/{name}": link("busybox") for name in _APPLETS},
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n"
    b"nobody:x:65534:65534:nobody:/home:/bin/false\n",
    "etc/group": b"root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "dev/": b"", "home/": b"", "proc/": b"", "root/": b"", "sys/": b"", "tmp/": b"",
    "proc/self/fd/": b"", "proc/acpi/": b"", "proc/bus/": b"", "proc/fs/": b"",
    "proc/irq/": b"", "proc/scsi/": b"", "proc/sys/": b"", "proc/kcore": b"",
    "proc/keys": b"", "proc/sysrq-trigger": b"", "proc/timer_list": b"",
    "sys/class/": b"", "sys/devices/virtual/powercap/": b"", "sys/firmware/": b"",
    "sys/fs/cgroup/": b"", "sys/kernel/": b"",
}  # fmt: skip


def files_with(changed: Mapping[str, bytes | Node | None]) -> Mapping[str, bytes | Node]:
    """Give the usual files with some added, replaced, or taken away by None.

    >>> "proc/kcore" in files_with({"proc/kcore": None})
    False
    """
    names = {name.rstrip("/") for name in changed}
    kept = {name: node for name, node in FILES.items() if name.rstrip("/") not in names}
    return kept | {name: node for name, node in changed.items() if node is not None}


def below(files: Mapping[str, bytes | Node], folder: str) -> Tree:
    """Give the tree that a kernel filesystem shows: the names below `folder`."""
    return tree_of(
        {
            name.removeprefix(folder): content
            for name, content in files.items()
            if name.startswith(folder) and name != folder
        }
    )


def root_tree(files: Mapping[str, bytes | Node]) -> Tree:
    """Give the tree of a root directory: everything else."""
    return tree_of(
        {
            name: content
            for name, content in files.items()
            if name in ("proc/", "sys/") or not name.startswith(("proc/", "sys/"))
        }
    )


def ordinary(machine: Machine, files: Mapping[str, bytes | Node]) -> World:
    """Build the world in which the engine has just started."""
    namespaces = {kind: 4_026_531_835 + n for n, kind in enumerate(KINDS)}
    hierarchies = dict(machine.cgroups.hierarchies) if machine.cgroups else {}
    powers = Powers(*[machine.capabilities] * 3)
    tasks = {
        pid: Task(
            pid, start_time=pid, parent=parent, role=role, namespaces=namespaces,
            pid_for_children=namespaces["pid"], powers=powers, limits=machine.rlimits,
            cgroups=hierarchies,
        )
        for pid, parent, role in ((HOST_INIT, 0, "init"), (ENGINE, HOST_INIT, "engine"))
    }  # fmt: skip
    return World(
        tasks=tasks,
        mounts={namespaces["mount"]: _mounts(machine)},
        trees={
            "host": tree_of({"dev/null": Node("char", 0o666, device=(1, 3))}),
            "image": root_tree(files),
            "proc": below(files, "proc/"),
            "sysfs": below(files, "sys/"),
            **{f"cgroup {names}": tree_of({}) for names in hierarchies},
        },
        hostnames={namespaces["uts"]: "host"},
        links={(namespaces["network"], "lo"): Link("lo", True, 1, mtu=65536)},
        settings={(namespaces["network"], "net.ipv4.ip_forward"): "1"},
        cgroups={path: Cgroup() for path in hierarchies.values()},
        keyrings={0: "_ses"},
        next_numbers={
            "pid": ENGINE + 1, "namespace": 4_026_532_000, "mount": 100, "keyring": 1,
            "peer": 100, "tick": 1000, "link": 2,
        },
    )  # fmt: skip


def _mounts(machine: Machine) -> tuple[Mount, ...]:
    """The host's table; every mount is shared, as systemd leaves it."""
    rows = [
        ("/", "ext4", "/dev/vda", _PLAIN, "host"),
        ("/proc", "proc", "proc", _SHUT, "proc"),
        ("/sys", "sysfs", "sysfs", _SHUT, "sysfs"),
        ("/sys/fs/cgroup", "tmpfs", "tmpfs", _SHUT, "host"),
    ]
    for names, path in machine.cgroups.hierarchies if machine.cgroups else ():
        kind = "cgroup" if machine.cgroups and machine.cgroups.version == 1 else "cgroup2"
        rows.append((path, kind, kind, _SHUT, f"cgroup {names}"))
    return tuple(
        Mount(
            number=n, target=target, filesystem=filesystem, source=source, flags=flags,
            options=("rw",), tree=tree, peer=n,
        )
        for n, (target, filesystem, source, flags, tree) in enumerate(rows, start=20)
    )  # fmt: skip
