"""A body with a place to stand on: what the contract asks of every kernel, it asks here.

stand.start(plan)  ──► Process, with every answer in `stand.heard`
stand.picture()    ──► all that a failed plan must leave as it was
"""

import os
import shutil
import signal
import stat
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pyminidock.container import resolve
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.model import ModelBody, World, hosts
from pyminidock.kernel.model.tree import Node
from pyminidock.kernel.port import Body, Isolation, Machine, Process
from tests import leaks
from tests.contract.plans import MASKED, READONLY, Place, ending

Files = Mapping[str, bytes | Node | None]
if TYPE_CHECKING:  # the system calls are there on Linux only
    from pyminidock.kernel.linux.body import LinuxBody

KINDS = ("mount", "network", "uts", "ipc", "pid")
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n"
WAIT_S = 20.0  # far above what anything here takes


class Stand(Protocol):
    """What a test needs beside the body itself."""

    heard: list[tuple[Call, int]]

    @property
    def body(self) -> Body:
        """The kernel under test."""

    @property
    def place(self) -> Place:
        """Where containers are born on it."""

    @property
    def second(self) -> str:
        """A directory for the shim of a second process."""

    def picture(self) -> leaks.Snapshot:
        """Name all that a plan which fails must leave as it was."""

    def clear(self) -> None:
        """Remove the accounts and the records of what ran."""

    def mount_targets(self, pid: int) -> tuple[str, ...]:
        """The mount table of a process in the middle of its birth."""

    def hostname(self, process: Process) -> str:
        """The name that the process would read."""


def start(stand: Stand, plan: Plan, *, lockstep: bool = False) -> Process:
    """Perform a plan that gives a process; the answers are in `stand.heard`."""
    stand.heard.clear()
    process = stand.body.perform(
        plan,
        answer=lambda call, value, at: stand.heard.append((call, value)),
        lockstep=lockstep,
    )
    assert process is not None
    return process


def end(stand: Stand, process: Process) -> None:
    """Kill what runs, collect it, remove its accounts."""
    stand.body.signal(process, signal.SIGKILL)
    status = stand.body.wait(process, WAIT_S)
    assert status is not None
    assert (status.code, status.signal) == (137, 9)
    stand.body.dismiss(process)
    stand.body.perform(ending(stand.place), answer=lambda call, value, at: None)


def assert_as_before(stand: Stand, before: leaks.Snapshot) -> None:
    """Nothing came, nothing went; the kernel is given a moment to free what it held."""
    deadline = time.monotonic() + 5.0
    while (after := stand.picture()) != before and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    left, lost = leaks.compare(before, after), leaks.compare(after, before)
    assert not left, f"left behind: {left}"
    assert not lost, f"lost: {lost}"


def beside(stand: Stand) -> Place:
    """Give the place of a second container, which lives in the accounts of the first."""
    top = Path(stand.place.upper).parent / "beside"
    layers = [top / "upper", top / "work"]
    if Path(stand.place.lower).exists():  # on the model nothing is
        for layer in layers:
            layer.mkdir(parents=True, exist_ok=True)
    upper, work = map(str, layers)
    return replace(stand.place, upper=upper, work=work, directory=stand.second)


def seen(stand: Stand, plan: Plan) -> Isolation:
    """Start, observe, end."""
    process = start(stand, plan)
    try:
        return stand.body.observe(process)
    finally:
        end(stand, process)


@dataclass
class ModelStand:
    """The model, on a machine of its own or on the facts of this one."""

    body: ModelBody
    place: Place
    second: str = "/var/lib/minidock/contract/second"
    heard: list[tuple[Call, int]] = field(default_factory=list)

    def picture(self) -> leaks.Snapshot:
        """The whole world but the numbers it would give next, cell by cell."""
        world = self.body.world
        return Counter(
            f"{table.name} {key}: {value}"
            for table in fields(World)
            if table.name != "next_numbers"
            for key, value in getattr(world, table.name).items()
        )

    def clear(self) -> None:
        """See Stand; records and upper layers are files of the host."""
        self.body.perform(ending(self.place), answer=lambda call, value, at: None)
        world = self.body.world
        trees = {n: t for n, t in world.trees.items() if not n.startswith("overlay ")}
        self.body.world = replace(world, records={}, trees=trees)

    def mount_targets(self, pid: int) -> tuple[str, ...]:
        """See Stand."""
        world = self.body.world
        rows = world.mounts[world.tasks[pid].namespaces["mount"]]
        return tuple(row.target for row in rows)

    def hostname(self, process: Process) -> str:
        """See Stand."""
        return self.body.observe(process).hostname


def model_stand(machine: Machine | None = None, files: Files | None = None) -> ModelStand:
    """Give the model a place; files that the Linux stand has too."""
    body = ModelBody(machine, files={"etc/passwd": PASSWD, **FILES, **(files or {})})
    home = "/var/lib/minidock/contract"
    place = Place(
        body.machine(), f"{home}/lower", f"{home}/upper", f"{home}/work", f"{home}/merged",
        f"{home}/shim", f"{home}/hosts", "minidock-contract",
    )  # fmt: skip
    return ModelStand(body, place)


# What both roots hold beside BusyBox: traps, and files that are no programs.
FILES: Mapping[str, bytes | Node] = {
    "etc/hostname": b"never\n",
    "bin/notes": b"no program\n",
    "bin/broken": Node("file", 0o755, b"\x00\x01\x02\x03"),
    "bin/lost": Node("file", 0o755, b"#!/bin/nowhere\n"),
    "bin/private": Node("file", 0o700, b"\x7fELF"),
    "trap": Node("link", 0o777, points_to="/etc"),
}


@dataclass
class LinuxStand:
    """The kernel of this machine, as root."""

    body: "LinuxBody"
    place: Place
    second: str
    root: Path
    heard: list[tuple[Call, int]] = field(default_factory=list)

    def clear(self) -> None:
        """See Stand."""
        self.body.perform(ending(self.place), answer=lambda call, value, at: None)
        for directory in (self.place.directory, self.second):
            for path in Path(directory).iterdir():
                path.unlink()

    def picture(self) -> leaks.Snapshot:
        """What the leak meter sees; the log may grow, and the written layer too.

        The spawner makes the next pair a moment after it was asked for the last one, so
        one pair is counted whether it is there already or not.
        """
        marks = (str(self.root), self.place.cgroup)
        seen = leaks.snapshot(
            self.root, marks=marks, helpers=leaks.children(),
            ignore=("upper", "work", "beside", "shim/container.log"),
        )  # fmt: skip
        pair = {f"helper {name}": 1 for name in ("minidock-birth", "minidock-shim")}
        return seen | Counter(pair)

    def mount_targets(self, pid: int) -> tuple[str, ...]:
        """See Stand."""
        lines = Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()
        return tuple(line.split()[4] for line in lines)

    def hostname(self, process: Process) -> str:
        """See Stand."""
        argv = ["nsenter", f"--uts=/proc/{process.pid}/ns/uts", "hostname"]
        return subprocess.check_output(argv, text=True, timeout=WAIT_S).strip()


def linux_stand(root: Path, fail_at: tuple[int, int] | None = None) -> LinuxStand:
    """Build a root of BusyBox below `root`, and stand on it."""
    from pyminidock.kernel.linux.body import LinuxBody  # noqa: PLC0415  (only on Linux)

    for name in ("lower", "upper", "work", "merged", "shim", "second", "engine"):
        (root / name).mkdir(exist_ok=True)
    lower = root / "lower"
    if not (lower / "bin").exists():
        _grow(lower)
    (root / "hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")
    body = LinuxBody(root / "engine", fail_at)
    place = Place(
        body.machine(), str(lower), str(root / "upper"), str(root / "work"),
        str(root / "merged"), str(root / "shim"), str(root / "hosts"),
        f"minidock-contract-{os.getpid()}",
    )  # fmt: skip
    return LinuxStand(body, place, str(root / "second"), root)


def _grow(lower: Path) -> None:
    busybox = shutil.which("busybox")
    assert busybox, "install busybox-static"
    for name in ("bin", "dev", "etc", "home", "proc", "root", "sys", "tmp"):
        (lower / name).mkdir()
    shutil.copy(busybox, lower / "bin" / "busybox")
    for name in ("sh", "sleep", "true", "echo", "cat", "stat"):
        (lower / "bin" / name).symlink_to("busybox")
    (lower / "etc/passwd").write_bytes(PASSWD)
    (lower / "etc/group").write_bytes(b"root:x:0:\n")
    for name, content in FILES.items():
        path = lower / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content.kind == "link":
            path.symlink_to(content.points_to)
        else:
            path.write_bytes(content.content)
            path.chmod(content.mode)


def facts_of_host() -> Files:
    """Which of the paths that plans cover exist on this machine, as the model spells it."""
    found: dict[str, bytes | Node | None] = {}
    known = [f"/{name.rstrip('/')}" for name in hosts.FILES]
    paths = [path for path in known if path.startswith(("/proc/", "/sys/"))]
    for path in (*paths, *MASKED, *READONLY, *resolve.MASKED):
        name = path.lstrip("/")
        if not Path(path).exists():
            found[name] = None
        elif stat.S_ISDIR(Path(path).stat().st_mode):
            found[name + "/"] = b""
        else:
            found[name] = b""
    return found
