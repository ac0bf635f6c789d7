"""What a container may use up: checked as Docker does, written where Linux reads it.

    asked for          cgroup v1 file                          cgroup v2 file
    --memory 64m       memory.limit_in_bytes   67108864        memory.max       67108864
                       memory.memsw.limit…    134217728        memory.swap.max  67108864
    --cpus 0.5         cpu.cfs_period_us         100000        cpu.max       50000 100000
                       cpu.cfs_quota_us           50000
    --pids-limit 20    pids.max                      20        pids.max                20

Memory and swap together are twice the memory, as in Docker; v1 counts the sum, v2 the swap
alone.  The list of devices is written the same way on v1: deny all, then allow a few; v2
has no file for it and is given a program instead, made of the same list.

Source: moby, daemon/daemon_unix.go, verifyPlatformContainerResources(); runc,
libcontainer/cgroups; the figures were read in containers of dockerd 26.1.5.
"""

import hashlib
import posixpath
from collections.abc import Iterator
from dataclasses import replace

from pyminidock.container.commandline import spell_run
from pyminidock.container.devicefilter import device_program
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.errors import MinidockError
from pyminidock.grammar.sizes import NANO
from pyminidock.kernel import calls
from pyminidock.kernel.port import CgroupTree, Machine

SMALLEST_MEMORY = 6 << 20  # bytes; less does not even hold the program that starts it
SMALLEST_NANO_CPUS = NANO // 100
PERIOD_US = 100_000

DEVICES = (
    "b *:* m", "c *:* m",  # any node may be made, but not opened
    "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",  # null … urandom
    "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm",  # tty console ptmx
    "c 10:200 rwm",  # net/tun
    "c 136:* rwm",  # pts/N
)  # fmt: skip


class LimitRefused(MinidockError):
    """A limit that no container could live with, or that is above the machine."""

    status = 400


class LimitImpossible(MinidockError):
    """The machine keeps no account in which the limit could be written."""

    status = 400


def check_limits(request: CreateRequest, machine: Machine) -> None:
    """Refuse what cannot be; silence is consent.  Raises LimitRefused, LimitImpossible."""
    if request.memory_bytes < 0 or 0 < request.memory_bytes < SMALLEST_MEMORY:
        raise LimitRefused(
            "Minimum memory limit allowed is 6MB",
            why="below that the kernel kills the program before its first line",
            try_next=spell_run(replace(request, memory_bytes=SMALLEST_MEMORY)),
            lesson="limits",
        )
    highest = machine.cpus * NANO if machine.cpus else request.nano_cpus
    if request.nano_cpus and not SMALLEST_NANO_CPUS <= request.nano_cpus <= highest:
        nearest = SMALLEST_NANO_CPUS if request.nano_cpus < SMALLEST_NANO_CPUS else highest
        raise LimitRefused(
            f"Range of CPUs is from 0.01 to {machine.cpus}.00, as there are only "
            f"{machine.cpus} CPUs available",
            why="a share is microseconds of every tenth of a second on each processor",
            try_next=spell_run(replace(request, nano_cpus=nearest)),
            lesson="limits",
        )
    memory, cpus, pids = request.memory_bytes, request.nano_cpus, request.pids_limit
    for controller, flag, without in (
        ("memory", "--memory", replace(request, memory_bytes=0) if memory > 0 else None),
        ("cpu", "--cpus", replace(request, nano_cpus=0) if cpus > 0 else None),
        ("pids", "--pids-limit", replace(request, pids_limit=0) if pids > 0 else None),
    ):
        if without and not directory_of(machine.cgroups, controller):
            raise LimitImpossible(
                f"{flag} needs the cgroup controller {controller!r}, which this engine "
                "may not write to",
                why="a limit is kept or refused, never forgotten; without root it needs a "
                "cgroup v2 directory that was delegated to the user",
                try_next=spell_run(without),
                lesson="limits",
            )


def directory_of(tree: CgroupTree | None, controller: str) -> str:
    """Give the host directory where `controller` keeps its groups; empty: nowhere.

    >>> tree = CgroupTree(1, (("cpu,cpuacct", "/cg/cpu,cpuacct"), ("pids", "/cg/pids")))
    >>> directory_of(tree, "cpuacct"), directory_of(tree, "memory")
    ('/cg/cpu,cpuacct', '')
    """
    for names, directory in tree.hierarchies if tree else ():
        if names == "" or controller in names.split(","):
            return directory
    return ""


def cgroup_of_engine(root: str) -> str:
    """Name the group above those of all containers of the engine that lives in `root`.

    Two engines with different roots never meet.

    >>> cgroup_of_engine("/var/lib/minidock")
    'minidock-d8a338'
    """
    return f"minidock-{hashlib.sha256(root.encode()).hexdigest()[:6]}"


def cgroup_of(directory: str, container_id: str) -> str:
    """Name a container's group; `directory` is ROOT/containers/<id>.

    >>> cgroup_of("/var/lib/minidock/containers/ab", "ab")
    'minidock-d8a338/ab'
    """
    root = posixpath.dirname(posixpath.dirname(directory))
    return f"{cgroup_of_engine(root)}/{container_id}"


def cgroup_paths(spec: ContainerSpec, tree: CgroupTree | None) -> tuple[str, ...]:
    """Give the host directories of this container's groups, in the host's order."""
    hierarchies = tree.hierarchies if tree and spec.cgroup else ()
    return tuple(f"{directory}/{spec.cgroup}" for _, directory in hierarchies)


def account_calls(spec: ContainerSpec, machine: Machine) -> Iterator[calls.Call]:
    """Open the accounts and write every limit, before there is anyone to limit.

    Who may have every device needs no program, nor does a user namespace with one uid: no
    node can be made in it, and none opens but the few of the host that it is shown.  Where
    no program is taken, CAP_MKNOD is not given and the root is mounted nodev instead.
    """
    tree = machine.cgroups
    for path in cgroup_paths(spec, tree):
        yield calls.MakeCgroup(path)
    if tree is None or not spec.cgroup:
        return
    is_judged = machine.filters_devices and not machine.is_single_user
    if tree.version == 2 and is_judged and not spec.is_privileged:
        for path in cgroup_paths(spec, tree):
            yield calls.FilterDevices(path, device_program(DEVICES))
    for controller, file, value in (_v1 if tree.version == 1 else _v2)(spec):
        directory = directory_of(tree, controller)
        if directory:
            yield calls.LimitCgroup(f"{directory}/{spec.cgroup}", file, value)


def guards_devices(machine: Machine) -> bool:
    """Say whether an account here can keep its processes from the host's devices.

    In a user namespace with one uid none has to: no node can be made in it.
    """
    tree = machine.cgroups
    if machine.is_single_user:
        return True
    if tree is None:
        return False
    return (
        machine.filters_devices
        if tree.version == 2
        else bool(directory_of(tree, "devices"))
    )


def root_flags(spec: ContainerSpec, machine: Machine) -> tuple[str, ...]:
    """Give the flags of the root's mount: where nothing guards devices, none opens there.

    An image may hold a node, and a container without CAP_MKNOD still could open it.
    """
    return () if spec.is_privileged or guards_devices(machine) else ("nodev",)


Row = tuple[str, str, str]  # controller, file, value


def _v1(spec: ContainerSpec) -> Iterator[Row]:
    yield "devices", "devices.deny", "a"
    for rule in ("a",) if spec.is_privileged else DEVICES:
        yield "devices", "devices.allow", rule
    if spec.memory_bytes:
        yield "memory", "memory.limit_in_bytes", str(spec.memory_bytes)
        yield "memory", "memory.memsw.limit_in_bytes", str(spec.memory_swap_bytes)
    if spec.nano_cpus:
        yield "cpu", "cpu.cfs_period_us", str(PERIOD_US)
        yield "cpu", "cpu.cfs_quota_us", str(_quota_us(spec))
    if spec.pids_limit:
        yield "pids", "pids.max", str(spec.pids_limit)


def _v2(spec: ContainerSpec) -> Iterator[Row]:
    if spec.memory_bytes:
        swap = spec.memory_swap_bytes - spec.memory_bytes
        yield "memory", "memory.max", str(spec.memory_bytes)
        yield "memory", "memory.swap.max", str(swap)
    if spec.nano_cpus:
        yield "cpu", "cpu.max", f"{_quota_us(spec)} {PERIOD_US}"
    if spec.pids_limit:
        yield "pids", "pids.max", str(spec.pids_limit)


def _quota_us(spec: ContainerSpec) -> int:
    return spec.nano_cpus * PERIOD_US // NANO
