"""The leak meter: everything that a container engine could leave behind, by name.

    before = leaks.snapshot(root)          Counter of names
    … run, fail, abort …
    leaks.compare(before, leaks.snapshot(root)) == ()

A name is what a person would look for: "mount /x", "process 12 sleep", "cgroup memory/a",
"network namespace 4026532009", "link veth0", "descriptor 7 of pid 12 → /etc/passwd".

On a shared machine pass `marks`: then only what bears one of these words counts, and of
processes those that descend from us or hold something below `root`.  Without marks all
counts, which is for a private PID, mount and network namespace.

What is looked at: hardening.md G.6.  Source: man 5 proc, proc_pid_mountinfo, proc_pid_ns.
"""

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

Snapshot = Counter[str]
_KINDS = {"mnt": "mount", "net": "network", "uts": "uts", "ipc": "ipc", "pid": "pid",
          "cgroup": "cgroup", "user": "user", "time": "time"}  # fmt: skip
_SHARED = ("/tmp", "/run", "/dev/shm")  # noqa: S108  (looked at, not written to)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What counts."""

    root: str
    marks: tuple[str, ...]

    def covers(self, *words: str) -> bool:
        """Whether something with these words is to be counted."""
        if not self.marks:
            return True
        said = "\0".join(words)
        for mark in self.marks:  # noqa: SIM110  (asked some thousand times for one look)
            if mark in said:
                return True
        return False


def snapshot(
    root: Path, *, marks: tuple[str, ...] = (), ignore: tuple[str, ...] = (),
    pids: tuple[int, ...] = (), helpers: tuple[int, ...] = (),
) -> Snapshot:  # fmt: skip
    """Count everything there is.

    `ignore` are paths relative to `root` whose content may change; of `pids` the
    descriptors and threads are counted one by one.  `helpers` fork
    processes ahead of need and replace them: forks that still run a helper's program are
    counted by name, without a number, and the namespaces they wait in are not.
    """
    scope = _Scope(str(root), marks)
    ours = tuple(_our_processes(scope))
    return Counter(
        name
        for names in (
            _mounts(scope), _processes(ours, helpers), _namespaces(scope, ours, helpers),
            _links(scope), _cgroups(scope), _files(scope, ignore), _sockets(scope),
            _keyrings(scope), _memory_files(ours), _descriptors(pids), _threads(pids),
        )
        for name in names
    )  # fmt: skip


def compare(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Name what came and did not go, sorted; something twice is named twice.

    >>> compare(Counter(["link lo"]), Counter(["link lo", "link veth0"]))
    ('link veth0',)
    """
    return tuple(sorted((after - before).elements()))


def at_rest(take: Callable[[], Snapshot], timeout_s: float = 10.0) -> Snapshot:
    """Look until two looks agree and the spawner's next child waits ready, if there is one.

    It is made when a birth is over, so a look right after one would miss it.
    """
    deadline = time.monotonic() + timeout_s
    seen = take()
    while time.monotonic() < deadline:
        threading.Event().wait(0.05)
        before, seen = seen, take()
        if seen == before and _waits(seen, "birth") >= _waits(seen, "spawn"):
            break
    return seen


def _waits(seen: Snapshot, role: str) -> int:
    """Count those of a role; a fork that has not yet its own name counts as a spawner."""
    return sum(n for name, n in seen.items() if name.endswith(f"minidock-{role}"))


def settled(
    before: Snapshot, take: Callable[[], Snapshot], timeout_s: float = 10.0
) -> tuple[str, ...]:
    """Compare until nothing is left or `timeout_s` is over: the kernel frees late."""
    deadline = time.monotonic() + timeout_s
    while (left := compare(before, take())) and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    return left


# ── What is looked at ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Row:
    """One line of our own mount table."""

    root: str
    target: str
    filesystem: str
    source: str


def rows() -> Iterator[Row]:
    """Yield our own mount table."""
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        head, _, tail = line.partition(" - ")
        fields, kind = head.split(), tail.split()
        yield Row(fields[3], fields[4], kind[0], kind[1])


def _mounts(scope: _Scope) -> Iterator[str]:
    for row in rows():
        if scope.covers(row.target, row.source):
            yield f"mount {row.target}"


def _read(pid: int, name: str) -> str:
    """Read it as one asks for each process of the machine, thrice in a test: plainly."""
    try:
        with open(f"/proc/{pid}/{name}", "rb", 0) as file:  # noqa: PTH123
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  (a magic link leads to no path)
    except OSError:
        return ""


def _numbers(path: str) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(path) if name.isdigit())  # noqa: PTH208
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    state: str
    name: str


def _look_at(pid: int) -> _Process | None:
    head, _, tail = _read(pid, "stat").rpartition(")")
    if not tail:
        return None
    state, parent = tail.split()[:2]
    return _Process(pid, int(parent), state, head.partition("(")[2])


def _our_processes(scope: _Scope) -> Iterator[_Process]:
    """Yield who descends from us, or holds something below the root; without marks, all."""
    everyone = {p.pid: p for pid in _numbers("/proc") if (p := _look_at(pid))}
    me = os.getpid()
    for process in everyone.values():
        if process.pid == me:
            continue
        above = process
        while above.parent in everyone and above.pid != me:
            above = everyone[above.parent]
        if not scope.marks or above.pid == me or _holds(process.pid, scope):
            yield process


def _holds(pid: int, scope: _Scope) -> bool:
    """Whether a process works in our root, has a file of it open, or is named after it."""
    places = [f"/proc/{pid}/{name}" for name in ("cwd", "root", "exe")]
    places += [f"/proc/{pid}/fd/{number}" for number in _numbers(f"/proc/{pid}/fd")]
    if any(_link(place).startswith(scope.root) for place in places):
        return True
    accounts = _read(pid, "cgroup")
    return any(mark in accounts for mark in scope.marks)


def _processes(ours: Iterable[_Process], helpers: tuple[int, ...]) -> Iterator[str]:
    programs = _programs(helpers)
    for process in ours:
        if _link(f"/proc/{process.pid}/exe") in programs:
            yield f"helper {process.name}"
            continue
        kind = "zombie" if process.state == "Z" else "process"
        yield f"{kind} {process.pid} {process.name}"


def _programs(helpers: tuple[int, ...]) -> set[str]:
    return {_link(f"/proc/{pid}/exe") for pid in helpers} - {""}


def children() -> tuple[int, ...]:
    """Give the processes that we have started and not yet collected."""
    me = os.getpid()
    found = (_look_at(pid) for pid in _numbers("/proc"))
    return tuple(process.pid for process in found if process and process.parent == me)


def _namespaces(
    scope: _Scope, ours: Iterable[_Process], helpers: tuple[int, ...]
) -> Iterator[str]:
    """Name each namespace once: those with one of us in it, and those kept by a mount."""
    found, programs = set(), _programs(helpers)
    here = {short: _link(f"/proc/self/ns/{short}") for short in _KINDS}
    for process in ours:
        if _link(f"/proc/{process.pid}/exe") in programs:  # counted itself
            continue
        for short, kind in _KINDS.items():
            inside = _link(f"/proc/{process.pid}/ns/{short}")
            if inside and inside != here[short]:
                found.add(f"{kind} namespace {inside.partition('[')[2].rstrip(']')}")
    for row in rows():
        if row.filesystem == "nsfs" and scope.covers(row.target):
            short, _, number = row.root.partition(":[")
            found.add(f"{_KINDS.get(short, short)} namespace {number.rstrip(']')}")
    yield from found


def _links(scope: _Scope) -> Iterator[str]:
    for _, name in socket.if_nameindex():
        if scope.covers(name):
            yield f"link {name}"


def _cgroups(scope: _Scope) -> Iterator[str]:
    for row in rows():
        if not row.filesystem.startswith("cgroup"):
            continue
        top = f"{Path(row.target).parent}/"
        for directory, names, _ in os.walk(row.target):
            for name in names:
                path = f"{directory}/{name}"
                if scope.covers(path):
                    yield f"cgroup {path.removeprefix(top)}"


def _files(scope: _Scope, ignore: tuple[str, ...]) -> Iterator[str]:
    passed_over = {f"{scope.root}/{name}" for name in ignore}
    for directory, folders, names in os.walk(scope.root):
        folders[:] = [name for name in folders if f"{directory}/{name}" not in passed_over]
        for name in (*folders, *names):
            if f"{directory}/{name}" not in passed_over:
                yield f"file {directory}/{name}"
    for shared in _SHARED:
        for path in Path(shared).iterdir() if Path(shared).is_dir() else ():
            if scope.covers(str(path)):
                yield f"file {path}"


def _sockets(scope: _Scope) -> Iterator[str]:
    for line in Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()[1:]:
        path = line.split(maxsplit=7)[7] if len(line.split(maxsplit=7)) > 7 else ""
        if scope.covers(path):
            yield f"unix socket {path or 'without a name'}"
    for family in ("tcp", "tcp6"):
        table = Path(f"/proc/net/{family}")
        lines = table.read_text(encoding="ascii").splitlines() if table.exists() else []
        for line in lines[1:]:
            if line.split()[3] == "0A" and not scope.marks:  # listening
                yield f"{family} port {int(line.split()[1].rpartition(':')[2], 16)}"


def _keyrings(scope: _Scope) -> Iterator[str]:
    """Name keyrings that are named; /proc/keys lists those that we may look at."""
    try:
        text = Path("/proc/keys").read_text(encoding="utf-8", errors="replace")
    except OSError:  # a kernel without keys
        return
    for line in text.splitlines():
        fields = line.split()
        name = " ".join(fields[8:]).rpartition(":")[0]
        if len(fields) > 8 and fields[7] == "keyring" and scope.covers(name):
            yield f"keyring {name}"


def _memory_files(ours: Iterable[_Process]) -> Iterator[str]:
    for process in ours:
        for number in _numbers(f"/proc/{process.pid}/fd"):
            target = _link(f"/proc/{process.pid}/fd/{number}")
            if target.startswith("/memfd:"):
                yield f"memory file {target[7:]} of pid {process.pid}"


def _descriptors(pids: Iterable[int]) -> Iterator[str]:
    for pid in pids:
        for number in _numbers(f"/proc/{pid}/fd"):
            target = _link(f"/proc/{pid}/fd/{number}")
            if target and not target.endswith(f"/{pid}/fd"):  # our own looking
                yield f"descriptor {number} of pid {pid} → {target.partition(':[')[0]}"


def _threads(pids: Iterable[int]) -> Iterator[str]:
    for pid in pids:
        for _ in _numbers(f"/proc/{pid}/task"):
            yield f"thread of pid {pid}"
