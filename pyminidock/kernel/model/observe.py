"""What the kernel would say of a process if one read /proc/PID: worked out of the world."""

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
        cgroup_limits={
            file: text
            for path in task.cgroups.values()
            for file, text in world.cgroups[path].limits.items()
        },
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
