"""What the kernel itself says of a process: namespaces, powers, mounts, limits.

Everything is read from /proc/PID and from the cgroups that the process says it lives in;
nothing is concluded.  Source: man 5 proc_pid_status, proc_pid_ns, proc_pid_limits,
proc_pid_cgroup; man 7 capabilities.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pyminidock.kernel.linux.mountinfo import read_mountinfo
from pyminidock.kernel.linux.proc import start_time
from pyminidock.kernel.linux.syscalls import NAMESPACE_FILES
from pyminidock.kernel.port import CgroupTree, Isolation, Process, ProcessGone

_SETS = {"effective": "CapEff", "permitted": "CapPrm", "bounding": "CapBnd",
         "inheritable": "CapInh", "ambient": "CapAmb"}  # fmt: skip
_LIMITS = {
    "Max cpu time": "cpu", "Max file size": "fsize", "Max data size": "data",
    "Max stack size": "stack", "Max core file size": "core", "Max resident set": "rss",
    "Max processes": "nproc", "Max open files": "nofile", "Max locked memory": "memlock",
    "Max address space": "as", "Max file locks": "locks",
    "Max pending signals": "sigpending", "Max msgqueue size": "msgqueue",
    "Max nice priority": "nice", "Max realtime priority": "rtprio",
    "Max realtime timeout": "rttime",
}  # fmt: skip
_CGROUP_FILES = (
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "cpu.cfs_quota_us",
    "cpu.cfs_period_us", "pids.max", "memory.max", "memory.swap.max", "cpu.max",
)  # fmt: skip


def observe(
    process: Process, tree: CgroupTree | None, *, briefly: bool = False
) -> Isolation:
    """Read how `process` is separated from this one; see port.  Raises ProcessGone."""
    try:
        seen = _powers(process.pid) if briefly else _all(process.pid, tree)
        if start_time(process.pid) != process.start_time:
            raise ProcessLookupError
    except OSError as gone:  # whichever file it was that a dying process no longer has
        raise ProcessGone(
            f"process {process.pid} has ended",
            why="namespaces and powers belong to a live process",
            try_next="minidock run -d busybox sleep 60",
            lesson="isolation",
        ) from gone
    return seen


def _powers(pid: int) -> Isolation:
    """Read what two places tell: status, and the links of the namespaces."""
    status = _status(pid)
    return Isolation(
        pid=pid,
        namespaces=namespaces(pid),
        host_namespaces=namespaces("self"),
        capabilities={name: int(status[field], 16) for name, field in _SETS.items()},
        seccomp_mode=int(status.get("Seccomp", "0")),
        seccomp_filters=int(status.get("Seccomp_filters", "0")),
        no_new_privileges=status.get("NoNewPrivs") == "1",
        uids=_numbers(status["Uid"]),
        gids=_numbers(status["Gid"]),
        groups=_numbers(status.get("Groups", "")),
        mounts=(),
        limits={},
        cgroups={},
        cgroup_limits={},
        oom_score_adjustment=0,
    )


def _all(pid: int, tree: CgroupTree | None) -> Isolation:
    """Read the tables, too: mounts, limits, accounts."""
    cgroups = _cgroups(pid)
    return replace(
        _powers(pid),
        mounts=read_mountinfo(pid),
        limits=_limits(pid),
        cgroups=cgroups,
        cgroup_limits=_cgroup_limits(cgroups, tree),
        oom_score_adjustment=int(Path(f"/proc/{pid}/oom_score_adj").read_text("ascii")),
    )


def namespaces(pid: int | str) -> Mapping[str, int]:
    """Give the inode number of each namespace; equal numbers are one namespace."""
    return {
        kind: os.stat(f"/proc/{pid}/ns/{file}").st_ino
        for kind, file in NAMESPACE_FILES.items()
    }


def _status(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    pairs = (line.partition(":") for line in text.splitlines())
    return {key: value.strip() for key, _, value in pairs}


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split())


def _limits(pid: int) -> Mapping[str, tuple[int, int]]:
    """Read the table of /proc/PID/limits; its columns begin at fixed places."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    rows = ((line[:26].strip(), line[26:47].strip(), line[47:68].strip()) for line in lines)
    return {
        _LIMITS[name]: (_limit(soft), _limit(hard)) for name, soft, hard in rows
        if name in _LIMITS
    }  # fmt: skip


def _limit(word: str) -> int:
    return -1 if word == "unlimited" else int(word)


def _cgroups(pid: int) -> Mapping[str, str]:
    lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    fields = (line.split(":", 2) for line in lines)
    return {controllers: path for _, controllers, path in fields}


def _cgroup_limits(
    cgroups: Mapping[str, str], tree: CgroupTree | None
) -> Mapping[str, str]:
    found = {}
    for controllers, mount in tree.hierarchies if tree else ():
        directory = Path(mount + cgroups.get(controllers, "/"))
        for name in _CGROUP_FILES:
            try:
                found[name] = (directory / name).read_text(encoding="ascii").strip()
            except OSError:
                continue
    return found
