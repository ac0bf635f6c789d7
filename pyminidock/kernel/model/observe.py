"""What the kernel would say of a process if one asked: worked out of the world.

A simulated program uses nothing but time: one thousandth of what has passed, and one page.
"""

from collections.abc import Mapping

from pyminidock.kernel.model.world import HOST_INIT, KINDS, Mount, Task, World
from pyminidock.kernel.port import Isolation, LinkUse, Listing, Machine, MountEntry, Usage

_MEMORY = 1 << 30  # bytes, of the simulated machine
_PAGE = 4096


def isolation_of(world: World, machine: Machine, task: Task) -> Isolation:
    """Compute how `task` is separated from the host."""
    powers, host = task.powers, world.tasks[HOST_INIT]
    return Isolation(
        pid=task.pid,
        namespaces={kind: task.namespaces[kind] for kind in KINDS},
        host_namespaces={kind: host.namespaces[kind] for kind in KINDS},
        capabilities={
            "effective": powers.effective,
            "permitted": powers.permitted,
            "bounding": powers.bounding,
            "inheritable": powers.inheritable,
            "ambient": powers.ambient,
        },
        seccomp_mode=2 if task.filters else 0,
        seccomp_filters=len(task.filters),
        no_new_privileges=task.no_new_privileges,
        uids=task.uids,
        gids=task.gids,
        groups=task.groups,
        mounts=tuple(_entry(row) for row in world.mounts[task.namespaces["mount"]]),
        limits=task.limits,
        cgroups=_cgroups(machine, task),
        cgroup_limits=_limits(world, task),
        oom_score_adjustment=task.oom_score,
        hostname=world.hostnames[task.namespaces["uts"]],
    )


def members_of(world: World, task: Task) -> tuple[int, ...]:
    """List the processes of the PID namespace of `task`."""
    wanted = task.namespaces["pid"]
    found = (each.pid for each in world.tasks.values() if each.namespaces["pid"] == wanted)
    return tuple(sorted(found))


def usage_of(world: World, machine: Machine, task: Task, seconds: float) -> Usage:
    """Say what the processes beside `task` have used, `seconds` after the beginning."""
    living, processors = len(members_of(world, task)), machine.cpus or 1
    passed_ns = round(seconds * 10**9)
    limits = _limits(world, task)
    limit = limits.get("memory.limit_in_bytes") or limits.get("memory.max", "max")
    pids = limits.get("pids.max", "max")
    here = task.namespaces["network"]
    is_own = here != world.tasks[HOST_INIT].namespaces["network"]
    names = [name for space, name in world.links if space == here and name[:3] == "eth"]
    return Usage(
        machine.cgroups.version if machine.cgroups else 0,
        passed_ns * processors, processors, _MEMORY, cpu_ns=passed_ns // 1000 * living,
        memory_bytes=_PAGE * living, pids=living,
        memory_limit_bytes=int(limit) if limit.isdigit() else 2**64 - 1,
        pids_limit=int(pids) if pids.isdigit() else 0,
        links=tuple(map(LinkUse, sorted(names))) if is_own else (),
    )  # fmt: skip


def listing_of(world: World) -> Listing:
    """Print the processes as `ps -ef` does."""
    rows = [f"{'UID':8} {'PID':>7} {'PPID':>7}  C STIME TTY          TIME CMD"]
    for task in sorted(world.tasks.values(), key=lambda each: each.pid):
        words = " ".join(task.argv) or f"[{task.role}]"
        who = f"{task.uids[0]:<8} {task.pid:>7} {task.parent:>7}"
        rows.append(f"{who}  0 00:00 ?        00:00:00 {words}")
    return Listing(0, "\n".join([*rows, ""]).encode(), b"")


def _entry(row: Mount) -> MountEntry:
    return MountEntry(
        row.target, row.filesystem, row.source, row.root, row.flags, row.options
    )


def _cgroups(machine: Machine, task: Task) -> dict[str, str]:
    """Give each cgroup as its hierarchy names it: from the top, which is "/"."""
    tops = dict(machine.cgroups.hierarchies) if machine.cgroups else {}
    return {
        names: path.removeprefix(tops[names]) or "/" for names, path in task.cgroups.items()
    }


# What a new cgroup says, by controller.  Source: cgroup-v1 and cgroup-v2 documentation.
_NO_LIMIT = str((1 << 63) - 4096)
_DEFAULTS = {
    "memory": {
        "memory.limit_in_bytes": _NO_LIMIT,
        "memory.memsw.limit_in_bytes": _NO_LIMIT,
    },
    "cpu": {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"},
    "pids": {"pids.max": "max"},
    "": {
        "memory.max": "max",
        "memory.swap.max": "max",
        "cpu.max": "max 100000",
        "pids.max": "max",
    },
}


def _limits(world: World, task: Task) -> Mapping[str, str]:
    """Read the files that tell a budget; one that nobody wrote tells the default."""
    return {
        file: world.cgroups[path].limits.get(file, default)
        for names, path in task.cgroups.items()
        if path in world.cgroups
        for controller in names.split(",")
        for file, default in _DEFAULTS.get(controller, {}).items()
    }
