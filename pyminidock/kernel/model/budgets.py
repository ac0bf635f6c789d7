"""Cgroups and rlimits: what a process may use up.

A cgroup file takes only what it understands.  The kernel rounds bytes down to pages and
spells "unlimited" in its own way, so what is read back is not always what was written.

Source: Documentation/admin-guide/cgroup-v1, cgroup-v2.rst; man 2 prlimit.
"""

import errno
import re
from dataclasses import replace

from pyminidock.grammar.capabilities import BITS
from pyminidock.kernel import calls
from pyminidock.kernel.model.endings import KILLED, ended
from pyminidock.kernel.model.stage import Stage, act, hold
from pyminidock.kernel.model.world import Cgroup, Task, World
from pyminidock.kernel.port import Machine

PAGE = 4096
_BYTES = r"-1|\d+"
_RATE = r"\d+:\d+ \d+"
_DEVICE = r"a|[abc] (\d+|\*):(\d+|\*) [rwm]{1,3}|a \*:\* rwm"
# file: (controller, what it takes).  Those of v2 have no controller: one tree has all, and
# also the one file that has the same name in both versions.
FILES = {
    "memory.limit_in_bytes": ("memory", _BYTES),
    "memory.memsw.limit_in_bytes": ("memory", _BYTES),
    "memory.soft_limit_in_bytes": ("memory", _BYTES),
    "memory.swappiness": ("memory", r"\d{1,2}|100"),
    "memory.oom_control": ("memory", r"[01]"),
    "memory.kmem.tcp.limit_in_bytes": ("memory", _BYTES),
    "cpu.cfs_quota_us": ("cpu", r"-1|[1-9]\d{3,}"),
    "cpu.cfs_period_us": ("cpu", r"[1-9]\d{3,5}|1000000"),
    "cpu.shares": ("cpu", r"\d+"),
    "cpu.rt_period_us": ("cpu", r"[1-9]\d*"),
    "cpu.rt_runtime_us": ("cpu", r"-1|\d+"),
    "cpuset.cpus": ("cpuset", r"[\d,-]*"),
    "cpuset.mems": ("cpuset", r"[\d,-]*"),
    "blkio.weight": ("blkio", r"[1-9]\d{1,2}|1000"),
    "blkio.weight_device": ("blkio", r"\d+:\d+ [1-9]\d{1,2}|\d+:\d+ 1000"),
    "blkio.throttle.read_bps_device": ("blkio", _RATE),
    "blkio.throttle.write_bps_device": ("blkio", _RATE),
    "blkio.throttle.read_iops_device": ("blkio", _RATE),
    "blkio.throttle.write_iops_device": ("blkio", _RATE),
    "pids.max": ("pids", r"max|\d+"),
    "devices.allow": ("devices", _DEVICE),
    "devices.deny": ("devices", _DEVICE),
    "memory.max": ("", r"max|\d+"),
    "memory.swap.max": ("", r"max|\d+"),
    "memory.low": ("", r"max|\d+"),
    "memory.oom.group": ("", r"[01]"),
    "cpu.max": ("", r"(max|[1-9]\d{3,})( [1-9]\d{3,5}| 1000000)?"),
    "cpu.weight": ("", r"[1-9]\d{0,3}|10000"),
    "io.weight": ("", r"default ([1-9]\d{0,3}|10000)"),
    "io.max": ("", r"\d+:\d+( [rw](bps|iops)=(\d+|max))+"),
    "freezer.state": ("freezer", "FROZEN|THAWED"),
    "cgroup.freeze": ("", "[01]"),
    "cgroup.subtree_control": ("", r"([+-]\w+ ?)+"),
}
RESOURCES = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
]
HIGHEST_NOFILE = 1 << 20  # Source: /proc/sys/fs/nr_open
_UNLIMITED = 1 << 64
_INSTRUCTION, _EXIT = 8, b"\x95"  # bytes of a struct bpf_insn; the code of its last one


def is_frozen(world: World, task: Task) -> bool:
    """Say whether a task stands still with its account."""
    limits = [world.cgroups[p].limits for p in task.cgroups.values() if p in world.cgroups]
    return any(
        each.get("freezer.state") == "FROZEN" or each.get("cgroup.freeze") == "1"
        for each in limits
    )


def hierarchy_of(machine: Machine, path: str) -> str:
    """Name the hierarchy in which a cgroup path lies.  Raises ENOENT."""
    for names, top in machine.cgroups.hierarchies if machine.cgroups else ():
        if f"{path}/".startswith(f"{top}/"):
            return names
    raise OSError(errno.ENOENT, f"{path} is in no cgroup hierarchy")


def make_cgroup(stage: Stage, machine: Machine, path: str) -> Stage:
    """Make an account, and one parent if it lacks it; one that exists is kept."""
    hierarchy_of(machine, path)
    cgroups = dict(stage.world.cgroups)
    parent = path.rpartition("/")[0]
    if parent not in cgroups and parent.rpartition("/")[0] not in cgroups:
        raise OSError(errno.ENOENT, f"{parent} does not exist")
    cgroups.setdefault(parent, Cgroup())
    cgroups.setdefault(path, Cgroup())
    return replace(stage, world=replace(stage.world, cgroups=cgroups))


def limit_cgroup(stage: Stage, machine: Machine, call: calls.LimitCgroup) -> Stage:
    """Write a limit.  Raises ENOENT for no such file, EINVAL for no such value."""
    names = hierarchy_of(machine, call.path).split(",")
    cgroup = stage.world.cgroups.get(call.path)
    controller, pattern = FILES.get(call.file, ("?", ""))
    has_file = (
        controller in ("", "pids", "cpuset") if names == [""] else controller in names
    )
    if cgroup is None or not has_file:
        raise OSError(errno.ENOENT, f"{call.path} has no file {call.file}")
    if not re.fullmatch(pattern, call.value):
        raise OSError(errno.EINVAL, f"{call.file} does not take {call.value!r}")
    text = _read_back(call.file, call.value)
    if call.file.startswith("devices.") and call.file in cgroup.limits:
        text = f"{cgroup.limits[call.file]}\n{text}"
    _check_swap(call.file, text, cgroup)
    limited = replace(cgroup, limits={**cgroup.limits, call.file: text})
    cgroups = {**stage.world.cgroups, call.path: limited}
    return replace(stage, world=replace(stage.world, cgroups=cgroups))


def filter_devices(stage: Stage, machine: Machine, call: calls.FilterDevices) -> Stage:
    """Tie a program to an account.  Raises ENOENT, EINVAL, EPERM, EBADF as bpf(2) does."""
    names = hierarchy_of(machine, call.path)
    cgroup = stage.world.cgroups.get(call.path)
    if cgroup is None:
        raise OSError(errno.ENOENT, f"{call.path} does not exist")
    if len(call.program) % _INSTRUCTION or call.program[-_INSTRUCTION:][:1] != _EXIT:
        raise OSError(errno.EINVAL, "a program is instructions, and the last one ends it")
    powers = {"CAP_SYS_ADMIN"}, {"CAP_BPF", "CAP_NET_ADMIN"}
    held = {name for name in BITS if stage.task.powers.effective >> BITS[name] & 1}
    if not any(needed <= held for needed in powers):
        raise OSError(errno.EPERM, "this needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN")
    if names:
        raise OSError(errno.EBADF, f"{call.path} is a cgroup of version 1")
    filtered = replace(cgroup, device_programs=(*cgroup.device_programs, call.program))
    cgroups = {**stage.world.cgroups, call.path: filtered}
    return replace(stage, world=replace(stage.world, cgroups=cgroups))


def _read_back(file: str, value: str) -> str:
    if file.endswith("_in_bytes") or file in ("memory.max", "memory.swap.max"):
        if value == "-1":
            return str((1 << 63) - PAGE)
        if value != "max":
            return str(int(value) // PAGE * PAGE)
    return value


def _check_swap(file: str, text: str, cgroup: Cgroup) -> None:
    """Memory with swap is never less than memory alone (v1)."""
    both = {**cgroup.limits, file: text}
    memory = both.get("memory.limit_in_bytes")
    with_swap = both.get("memory.memsw.limit_in_bytes", str((1 << 63) - PAGE))
    if file.startswith("memory.") and memory and int(with_swap) < int(memory):
        raise OSError(errno.EINVAL, "memory with swap is less than memory alone")


def remove_cgroup(stage: Stage, path: str) -> Stage:
    """Close an account; whoever lives in it is killed.  Raises EBUSY while it has parts."""
    if any(other.startswith(f"{path}/") for other in stage.world.cgroups):
        raise OSError(errno.EBUSY, f"{path} has cgroups below it")
    inside = {p for p, t in stage.world.tasks.items() if path in t.cgroups.values()}
    world = ended(stage.world, inside, KILLED)
    cgroups = {key: value for key, value in world.cgroups.items() if key != path}
    return replace(stage, world=replace(world, cgroups=cgroups))


def join_cgroup(stage: Stage, machine: Machine, path: str) -> Stage:
    """Live within an account from now on.  Raises ENOENT."""
    names = hierarchy_of(machine, path)
    if path not in stage.world.cgroups:
        raise OSError(errno.ENOENT, f"{path} does not exist")
    task = stage.task
    return act(stage, replace(task, cgroups={**task.cgroups, names: path}))


def limit_resource(stage: Stage, call: calls.LimitResource) -> Stage:
    """Set an rlimit; 1 where the machine allows less than was asked."""
    if call.resource not in RESOURCES or min(call.soft, call.hard) < -1:
        raise OSError(errno.EINVAL, f"no limit is called {call.resource}")
    if _size(call.soft) > _size(call.hard):
        raise OSError(errno.EINVAL, "the soft limit is above the hard one")
    task = stage.task
    ours = task.limits.get(call.resource, (-1, -1))[1]
    may_raise = task.powers.effective >> BITS["CAP_SYS_RESOURCE"] & 1
    is_too_much = call.resource == "nofile" and _size(call.hard) > HIGHEST_NOFILE
    given = (call.soft, call.hard)
    if is_too_much or (_size(call.hard) > _size(ours) and not may_raise):
        given = (min(call.soft, ours, key=_size), min(call.hard, ours, key=_size))
    task = replace(task, limits={**task.limits, call.resource: given})
    return act(stage, task, value=int(given != (call.soft, call.hard)))


def adjust_oom_score(stage: Stage, score: int) -> Stage:
    """Say how gladly to be killed; 1 where lowering it is refused."""
    hold(stage, "procfs")
    if not -1000 <= score <= 1000:
        raise OSError(errno.EINVAL, "the score goes from -1000 to 1000")
    task = stage.task
    may_lower = task.powers.effective >> BITS["CAP_SYS_RESOURCE"] & 1
    if score < task.oom_score and not may_lower:
        return replace(stage, value=1)
    return act(stage, replace(task, oom_score=score))


def _size(limit: int) -> int:
    return _UNLIMITED if limit == -1 else limit
