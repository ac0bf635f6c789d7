"""Who lives in a container, and what they use: read from its cgroups.

A container's processes are those of its cgroup and of the groups below it; where it has
none, those of its PID namespace.  What they use is a number in a file of each controller;
version 1 has a directory for each, version 2 one for all, and the files have other names.
Only what went over the network is counted elsewhere: by each link of its namespace.

Source: man 7 cgroups; Documentation/admin-guide/cgroup-v1/{memory,cpuacct,blkio}.rst and
cgroup-v2.rst; man 5 proc_stat, proc_pid_net;
github.com/containerd/cgroups, which Docker asks.
"""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyminidock.kernel.linux.proc import start_time
from pyminidock.kernel.linux.proctable import table
from pyminidock.kernel.port import BlockUse, CgroupTree, LinkUse, Listing, Process, Usage

_TICKS = os.sysconf("SC_CLK_TCK")
_TICK_NS = 10**9 // _TICKS
_PATIENCE_S = 30.0
_BLOCK_FILES = (
    ("bytes", "blkio.throttle.io_service_bytes_recursive"),
    ("operations", "blkio.throttle.io_serviced_recursive"),
)


def members(process: Process, tree: CgroupTree | None) -> tuple[int, ...]:
    """List the processes that live with one.  Raises ProcessLookupError."""
    _check(process)
    for group in _groups(process.pid, tree).values():
        found: set[int] = set()
        for place, _, files in os.walk(group):
            if "cgroup.procs" in files:
                found |= {int(word) for word in _text(Path(place, "cgroup.procs")).split()}
        if found:
            return tuple(sorted(found))
    return _namesakes(process.pid)


def usage(process: Process, tree: CgroupTree | None) -> Usage:
    """Read the accounts of a container.  Raises ProcessLookupError."""
    _check(process)
    groups = _groups(process.pid, tree)
    if tree is not None and tree.version == 2:
        found = _v2(next(iter(groups.values()), Path("/nonexistent")))
    else:
        found = _v1(groups)
    system_ns, processors = _machine_time()
    return Usage(
        version=tree.version if tree else 0, system_ns=system_ns, processors=processors,
        machine_memory_bytes=_machine_memory(), links=_links(process.pid), **found,
    )  # fmt: skip


def list_processes(arguments: tuple[str, ...]) -> Listing:
    """Run the machine's own ps.

    Where there is none the plain table is made here; for any other FileNotFoundError.
    """
    program = shutil.which("ps")
    if program is None:
        if arguments[:1] == ("-ef",):
            return Listing(0, table().encode(), b"")
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "ps")
    # Without a look at descriptors (ours all close on exec) it is posix_spawn, no fork.
    done = subprocess.run(  # noqa: S603  (no shell, and ps runs nothing)
        [program, *arguments], capture_output=True, check=False, timeout=_PATIENCE_S,
        stdin=subprocess.DEVNULL, close_fds=False,
    )  # fmt: skip
    return Listing(done.returncode, done.stdout, done.stderr)


# ── Processes ────────────────────────────────────────────────────────────────────────────


def _check(process: Process) -> None:
    if start_time(process.pid) != process.start_time:
        raise ProcessLookupError(errno.ESRCH, "its number belongs to somebody else")


def _groups(pid: int, tree: CgroupTree | None) -> Mapping[str, Path]:
    """Give the directory of a process's group for each hierarchy of the engine.

    A group at the very top is everybody's, and tells nothing about a container.
    """
    if tree is None:
        return {}
    own: dict[str, str] = {}
    for line in _text(Path(f"/proc/{pid}/cgroup")).splitlines():
        _, names, path = line.split(":", 2)
        own[names] = path
    return {
        names: Path(top + own[names])
        for names, top in tree.hierarchies
        if own.get(names, "/") != "/"
    }


def _namesakes(pid: int) -> tuple[int, ...]:
    """List the processes of a PID namespace, whatever their cgroup."""
    wanted = os.stat(f"/proc/{pid}/ns/pid").st_ino
    return tuple(sorted(
        each for each in map(int, filter(str.isdigit, os.listdir("/proc")))
        if _namespace_of(each) == wanted
    ))  # fmt: skip


def _namespace_of(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/ns/pid").st_ino
    except OSError:
        return 0


# ── Accounts ─────────────────────────────────────────────────────────────────────────────


def _v1(groups: Mapping[str, Path]) -> dict[str, Any]:
    of = {name: path for names, path in groups.items() for name in names.split(",")}
    nowhere = Path("/nonexistent")
    cpu, memory = of.get("cpuacct", nowhere), of.get("memory", nowhere)
    spent, throttled = (
        _table(cpu / "cpuacct.stat"),
        _table(of.get("cpu", nowhere) / "cpu.stat"),
    )
    each = _text(cpu / "cpuacct.usage_percpu").split()
    return {
        "cpu_ns": _number(cpu / "cpuacct.usage"),
        "user_ns": spent.get("user", 0) * _TICK_NS,
        "kernel_ns": spent.get("system", 0) * _TICK_NS,
        "each_cpu_ns": tuple(map(int, each)),
        "periods": throttled.get("nr_periods", 0),
        "throttled_periods": throttled.get("nr_throttled", 0),
        "throttled_ns": throttled.get("throttled_time", 0),
        "memory_bytes": _number(memory / "memory.usage_in_bytes"),
        "most_memory_bytes": _number(memory / "memory.max_usage_in_bytes"),
        "memory_limit_bytes": _number(memory / "memory.limit_in_bytes"),
        "memory_failures": _number(memory / "memory.failcnt"),
        "memory": _table(memory / "memory.stat"),
        "pids": _number(of.get("pids", nowhere) / "pids.current"),
        "pids_limit": _number(of.get("pids", nowhere) / "pids.max"),
        "block": tuple(
            BlockUse(kind, *row)
            for kind, file in _BLOCK_FILES
            for row in _block_v1(_text(of.get("blkio", nowhere) / file))
        ),
    }


def _block_v1(text: str) -> Iterator[tuple[int, int, str, int]]:
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3:  # the last line, "Total 0", is of no device
            major, minor = map(int, words[0].split(":"))
            yield major, minor, words[1], int(words[2])


def _v2(group: Path) -> dict[str, Any]:
    spent = _table(group / "cpu.stat")
    return {
        "cpu_ns": spent.get("usage_usec", 0) * 1000,
        "user_ns": spent.get("user_usec", 0) * 1000,
        "kernel_ns": spent.get("system_usec", 0) * 1000,
        "periods": spent.get("nr_periods", 0),
        "throttled_periods": spent.get("nr_throttled", 0),
        "throttled_ns": spent.get("throttled_usec", 0) * 1000,
        "memory_bytes": _number(group / "memory.current"),
        "memory_limit_bytes": _number(group / "memory.max") or 2**64 - 1,
        "memory_failures": _table(group / "memory.events").get("oom", 0),
        "memory": _table(group / "memory.stat"),
        "pids": _number(group / "pids.current"),
        "pids_limit": _number(group / "pids.max"),
        "block": tuple(_block_v2(_text(group / "io.stat"))),
    }


def _block_v2(text: str) -> Iterator[BlockUse]:
    for line in text.splitlines():
        device, *pairs = line.split()
        major, minor = map(int, device.split(":"))
        found = dict(pair.split("=", 1) for pair in pairs)
        for word, operation in (("rbytes", "read"), ("wbytes", "write")):
            yield BlockUse("bytes", major, minor, operation, int(found.get(word, 0)))


def _links(pid: int) -> tuple[LinkUse, ...]:
    """Read the counters of a container's links; those of the host's tell nothing of it.

    The kernel may have put tunnels of its own into a namespace; what a plan makes is eth.
    """
    try:
        if os.path.samefile(f"/proc/{pid}/ns/net", "/proc/self/ns/net"):
            return ()
    except OSError:
        return ()
    found = []
    for line in _text(Path(f"/proc/{pid}/net/dev")).splitlines()[2:]:
        name, _, counters = line.partition(":")
        if name.strip().startswith("eth"):
            of = tuple(map(int, counters.split()))
            received, sent = (of[0], of[1], of[2], of[3]), (of[8], of[9], of[10], of[11])
            found.append(LinkUse(name.strip(), received, sent))
    return tuple(found)


def _text(path: Path) -> str:
    """Read a small file; one that is not there (any more) is empty."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int:
    """Read a number; "max" and nothing are 0."""
    word = _text(path).strip()
    return int(word) if word.isdigit() else 0


def _table(path: Path) -> dict[str, int]:
    rows = (line.split() for line in _text(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


# ── The machine ──────────────────────────────────────────────────────────────────────────


def _machine_time() -> tuple[int, int]:
    """Give what all processors did since boot, idling included, and how many there are."""
    words = _text(Path("/proc/stat")).partition("\n")[0].split()
    return sum(map(int, words[1:9])) * _TICK_NS, os.sysconf("SC_NPROCESSORS_ONLN")


def _machine_memory() -> int:
    first = _text(Path("/proc/meminfo")).partition("\n")[0].split()
    return int(first[1]) * 1024 if len(first) > 1 else 0
