"""Requests, machines and roots to decide about, shared by the tests of this room."""

from dataclasses import replace

from pyminidock.container.resolve import resolve
from pyminidock.container.spec import ContainerSpec, CreateRequest, ImageConfig
from pyminidock.events import Emit, ignore
from pyminidock.kernel.port import CgroupTree, Machine
from pyminidock.layers.snapshots import Snapshot

ID = "0123456789abcdef" * 4
DIRECTORY = f"/r/containers/{ID}"
ALL_CAPABILITIES = (1 << 41) - 1
DEFAULT_MASK = 0x00000000A80425FB

MACHINE = Machine(
    backend="simulated", arch="x86_64", kernel=(6, 12),
    cgroups=CgroupTree(1, tuple(
        (names, f"/sys/fs/cgroup/{names.removeprefix('name=')}")
        for names in ("cpu,cpuacct", "memory", "devices", "pids", "name=systemd")
    )),
    capabilities=ALL_CAPABILITIES, last_capability=40, rlimits={"core": (0, -1)},
    devices=(
        ("/dev/kmsg", 1, 11, 0o644, 0, 0, False), ("/dev/null", 1, 3, 0o666, 0, 0, False),
        ("/dev/sda", 8, 0, 0o660, 0, 6, True),
    ),
    init="/usr/bin/tini-static", cpus=2,
)  # fmt: skip
V2 = replace(MACHINE, cgroups=CgroupTree(2, (("", "/sys/fs/cgroup"),)))
SINGLE = replace(MACHINE, cgroups=None, is_single_user=True)
FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/srv:/bin/sh\n",
    "etc/group": b"root:x:0:\nweb:x:1000:\naudio:x:29:web\n",
}
IMAGE = ImageConfig(("sh",), (), ("PATH=/bin", "LANG=C"))
SNAPSHOT = Snapshot(
    (f"{DIRECTORY}/init", "/r/layers/b/diff"), f"{DIRECTORY}/upper", f"{DIRECTORY}/work",
    f"{DIRECTORY}/rootfs",
)  # fmt: skip


def wish(**fields: object) -> CreateRequest:
    """Make a request for `echo hi`, changed as told."""
    asked = CreateRequest("busybox", command=("echo", "hi"))
    return replace(asked, **fields)  # type: ignore[arg-type]


def decide(
    request: CreateRequest | None = None,
    machine: Machine = MACHINE,
    image: ImageConfig = IMAGE,
    emit: Emit = ignore,
) -> ContainerSpec:
    """Resolve a request on a machine."""
    return resolve(
        request or wish(), image, FILES, machine, container_id=ID, name="web",
        directory=DIRECTORY, emit=emit,
    )  # fmt: skip
