"""What the kernel would say of a process if one read /proc/PID: worked out of the world."""

from collections.abc import Mapping

from pyminidock.kernel.model.world import HOST_INIT, KINDS, Mount, Task, World
from pyminidock.kernel.port import Isolation, Machine, MountEntry


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
