"""Where accounts for resources lie, whether there is one, and how it is opened.

    /sys/fs/cgroup/memory/minidock-d8a338/ab…      one directory per hierarchy on v1
    /sys/fs/cgroup/minidock-d8a338/ab…             one directory on v2

What is written into an account is told in `limits`.  A limit for which there is no account
is refused: it is kept or refused, never forgotten.

Source: runc, libcontainer/cgroups; man 7 cgroups.
"""

import hashlib
import posixpath
from collections.abc import Iterator
from dataclasses import replace

from pyminidock.container.asked import Resources
from pyminidock.container.commandline import spell_run
from pyminidock.container.devicefilter import device_program
from pyminidock.container.devicerules import allowed
from pyminidock.container.limits import THROTTLES, first_rows
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.errors import MinidockError
from pyminidock.kernel import calls
from pyminidock.kernel.port import CgroupTree, Machine


class LimitImpossible(MinidockError):
    """The machine keeps no account in which the limit could be written."""

    status = 400


def check_accounts(request: CreateRequest, machine: Machine) -> None:
    """Refuse a limit that could not be kept here.  Raises LimitImpossible."""
    for controller, flag, without in _wanted(request):
        if not directory_of(machine.cgroups, controller):
            raise LimitImpossible(
                f"{flag} needs the cgroup controller {controller!r}, which this engine "
                "may not write to",
                why="a limit is kept or refused, never forgotten; without root it needs a "
                "cgroup v2 directory that was delegated to the user",
                try_next=spell_run(without),
                lesson="limits",
            )


def _wanted(request: CreateRequest) -> Iterator[tuple[str, str, CreateRequest]]:
    """Name the controllers that a request needs, the flag, and what would need none."""
    asked = request.resources
    if request.memory_bytes > 0:
        yield "memory", "--memory", replace(request, memory_bytes=0)
    if request.nano_cpus > 0:
        yield "cpu", "--cpus", replace(request, nano_cpus=0)
    if asked != _NOTHING:
        yield from _resources_wanted(request)
    if request.pids_limit > 0:
        yield "pids", "--pids-limit", replace(request, pids_limit=0)


_NOTHING = Resources()


def _resources_wanted(request: CreateRequest) -> Iterator[tuple[str, str, CreateRequest]]:
    asked, without = request.resources, replace(request, resources=_NOTHING)
    if asked.memory_reservation_bytes or asked.memory_swap_bytes:
        yield "memory", "--memory-reservation", without
    if asked.cpu_shares or asked.cpu_quota_us > 0 or asked.cpu_period_us:
        yield "cpu", "--cpu-shares", without
    if asked.cpuset_cpus or asked.cpuset_mems:
        yield "cpuset", "--cpuset-cpus", without
    if any(getattr(asked, name) for name, *_ in THROTTLES):
        yield "blkio", "--device-read-bps", without


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
        yield from (calls.MakeCgroup(above) for above in _above(path, spec))
        yield calls.MakeCgroup(path)
    if tree is None or not spec.cgroup:
        return
    is_judged = machine.filters_devices and not machine.is_single_user
    if tree.version == 2 and is_judged and not spec.is_privileged:
        for path in cgroup_paths(spec, tree):
            yield calls.FilterDevices(path, device_program(allowed(spec)))
    for controller, file, value in first_rows(spec, machine, tree.version):
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


def _above(path: str, spec: ContainerSpec) -> Iterator[str]:
    """Name the groups above one below --cgroup-parent; of ours the kernel makes one."""
    names = spec.cgroup.split("/")[:-2]
    top = path[: -len(spec.cgroup)]
    for count in range(1, len(names) + 1):
        yield top + "/".join(names[:count])
