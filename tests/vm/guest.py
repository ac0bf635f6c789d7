"""The first process of the virtual machine: mounts what a Linux needs, then checks.

Each check is a function that returns nothing or a remark, or raises; its name and what it
said go to the console as one JSON line, where `machine.boot` reads them.
"""

import ctypes
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, "/project")

from pyminidock.container.logfile import log_path
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import kernels, run
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.kernel.detect import choose
from pyminidock.kernel.linux.facts import read_facts
from pyminidock.kernel.port import Isolation
from pyminidock.layers.bootstrap import bootstrap

CGROUPS = Path("/sys/fs/cgroup")
ROOT = Path("/var/lib/minidock")
INIT_MODULE = 313  # x86_64: finit_module


def say(check: str, detail: str = "", *, is_fine: bool = True) -> None:
    """Write one line that the host understands."""
    line = json.dumps({"check": check, "ok": is_fine, "detail": detail[-1500:]})
    os.write(1, b"\n" + line.encode() + b"\n")


def mount(kind: str, target: str) -> None:
    """Mount a pseudo file system."""
    Path(target).mkdir(parents=True, exist_ok=True)
    subprocess.run(["/bin/busybox", "mount", "-t", kind, kind, target], check=True)


def attempt(check: Callable[[], str | None]) -> None:
    """Run one check and say how it went; its name is the function's."""
    name = check.__name__
    try:
        say(name, check() or "")
    except Exception:
        say(name, traceback.format_exc(), is_fine=False)


def prepare() -> None:
    """Mount what a Linux needs."""
    for kind, target in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"),
                         ("tmpfs", "/run"), ("cgroup2", str(CGROUPS))):  # fmt: skip
        mount(kind, target)
    os.environ |= {"PATH": "/bin:/usr/bin", "HOME": "/"}


def end() -> None:
    """Say that all is said, and power off as a cut cable would: nothing is stopped."""
    say("end")
    os.sync()
    Path("/proc/sysrq-trigger").write_text("o")


# ── A kernel without overlay ─────────────────────────────────────────────────────────────


def without_overlay_the_doctor_says_so() -> str:
    """H-47."""
    facts = read_facts(ROOT)
    backend, why = choose(facts)
    assert facts.overlay_error, facts
    assert backend == "simulated", backend
    return why


def without_overlay_linux_is_refused_by_name() -> None:
    """H-47: what was asked for is refused, not replaced."""
    why = "it was not refused"
    try:
        kernels.choose("linux-root", ROOT)
    except MinidockError as refusal:
        why = refusal.why
    assert "overlay" in why, why


def load_overlay() -> None:
    """From here on containers can be made; `loop` is for a disk that they may try."""
    load("overlay", "loop")


def load(*names: str) -> None:
    """Give the kernel modules; one that needs another that is not there yet waits."""
    libc = ctypes.CDLL(None, use_errno=True)
    waiting = list(names)
    while waiting:
        refused = [name for name in waiting if not _is_taken(libc, name)]
        why = f"{refused}: {os.strerror(ctypes.get_errno())}"
        assert len(refused) < len(waiting), why
        waiting = refused


def _is_taken(libc: ctypes.CDLL, name: str) -> bool:
    descriptor = os.open(f"/modules/{name}.ko", os.O_RDONLY)
    done = libc.syscall(INIT_MODULE, descriptor, b"", 0)
    os.close(descriptor)
    return bool(done == 0)


# ── cgroup v2 ────────────────────────────────────────────────────────────────────────────


def the_machine_has_version_2() -> None:
    """Nothing of version 1 is here."""
    facts = read_facts(ROOT)
    assert facts.cgroup_version == 2, facts
    assert {"memory", "cpu", "pids"} <= set(facts.controllers), facts
    assert choose(facts)[0] == "linux-root", choose(facts)


@contextmanager
def container(*command: str, **wishes: object) -> Iterator[tuple[House, str]]:
    """Start a container in an engine of its own; nothing is left of it afterwards."""
    house = House(ROOT, kernels.choose(None, ROOT))
    try:
        bootstrap(house.store)
        asked = {"network_mode": "none", **wishes}  # its kernel has no bridges
        request = CreateRequest("busybox", command=command, **asked)  # type: ignore[arg-type]
        name = run.create(house, request)
        run.start(house, name)
        yield house, name
        run.remove(house, name, force=True)
    finally:
        house.close()


def seen(house: House, name: str) -> Isolation:
    """What the kernel says of the program."""
    process = house.life(name).process
    assert process is not None
    return house.kernel.observe(process)


def limits_are_written_into_the_files_of_version_2() -> str:
    """The table of `container.limits`."""
    with container(
        "sleep", "60", memory_bytes=64 << 20, nano_cpus=500_000_000, pids_limit=50
    ) as (house, name):
        limits = dict(seen(house, name).cgroup_limits)
    assert limits["memory.max"] == str(64 << 20), limits
    assert limits["cpu.max"] == "50000 100000", limits
    assert limits["pids.max"] == "50", limits
    assert limits.get("memory.swap.max", str(64 << 20)) == str(64 << 20), limits
    return str(limits)


def the_cgroup_namespace_is_private_and_shows_the_root() -> None:
    """As Docker has it on version 2; from outside the mount shows the whole path."""
    with container("sleep", "60") as (house, name):
        isolation, cgroup = seen(house, name), house.kept(name).spec.cgroup
    with container("cat", "/proc/self/cgroup") as (house, name):
        run.wait(house, name)
        log = Path(log_path(house.kept(name).spec)).read_text()
    private = isolation.namespaces["cgroup"] != isolation.host_namespaces["cgroup"]
    mounted = [m for m in isolation.mounts if m.target == "/sys/fs/cgroup"]
    shown = [(m.filesystem, m.root, "ro" in m.flags) for m in mounted]
    assert private
    assert shown == [("cgroup2", f"/{cgroup}", True)], mounted
    assert json.loads(log)["log"] == "0::/\n", log


def a_fork_bomb_meets_its_limit() -> str:
    """H-30: the engine answers meanwhile, and nothing is left."""
    bomb = "b() { b | b & }; b; sleep 30"
    with container("sh", "-c", bomb, pids_limit=30) as (house, name):
        cgroup = CGROUPS / house.kept(name).spec.cgroup
        deadline = time.monotonic() + 25  # a machine without KVM is slow to multiply
        events = "max 0"
        while "max 0" in events and time.monotonic() < deadline:
            time.sleep(0.05)
            peak = int((cgroup / "pids.current").read_text())
            events = (cgroup / "pids.events").read_text()
        assert peak <= 30, peak
        assert "max 0" not in events, events
    assert not cgroup.exists()
    return events.strip()


def memory_over_the_limit_ends_the_program_and_says_why() -> None:
    """H-30: 137, and out of memory."""
    greedy = "dd if=/dev/zero of=/dev/shm/x bs=1M count=60; sleep 1"
    with container("sh", "-c", f"exec {greedy.split(';', 1)[0]}",
                   memory_bytes=16 << 20) as (house, name):  # fmt: skip
        status = run.wait(house, name)
    assert status is not None
    assert (status.code, status.was_out_of_memory) == (137, True), status


def a_device_of_the_host_can_be_made_but_not_opened() -> str:
    """A default container has CAP_MKNOD; the cgroup's program keeps the disk shut."""
    said = tried()
    assert said[0] == "made", said
    assert said[1].endswith("/disk: Operation not permitted"), said
    assert said[2].endswith("/kmsg: Operation not permitted"), said
    assert said[3:] == ["zero", "null"], said
    return said[1]


def a_privileged_container_may_open_a_device_of_the_host() -> None:
    """The same nodes: so it was the program that kept them shut, and nothing else."""
    said = tried(is_privileged=True)
    assert said == ["made", "disk", "kmsg", "zero", "null"], said


def tried(**wishes: object) -> list[str]:
    """Make nodes for a loop disk and the kernel's log, try to open them and two others."""
    script = """mknod /disk b 7 0 && mknod /kmsg c 1 11 && echo made
        (: < /disk) 2>&1 && echo disk
        (: > /kmsg) 2>&1 && echo kmsg
        head -c 1 /dev/zero > /dev/null && echo zero
        (: < /dev/null > /dev/null) && echo null"""
    with container("sh", "-c", script, **wishes) as (house, name):
        run.wait(house, name)
        log = Path(log_path(house.kept(name).spec)).read_text()
    return "".join(json.loads(line)["log"] for line in log.splitlines()).splitlines()


def nothing_of_a_container_is_left_in_the_tree() -> None:
    """Also not the engine's own account, once it is closed."""
    left = [str(path) for path in CGROUPS.glob("minidock-*")]
    assert left == [], left


def main() -> None:
    """Mount, check, power off."""
    prepare()
    for check in (
        without_overlay_the_doctor_says_so,
        without_overlay_linux_is_refused_by_name,
        load_overlay,
        the_machine_has_version_2,
        limits_are_written_into_the_files_of_version_2,
        the_cgroup_namespace_is_private_and_shows_the_root,
        a_fork_bomb_meets_its_limit,
        memory_over_the_limit_ends_the_program_and_says_why,
        a_device_of_the_host_can_be_made_but_not_opened,
        a_privileged_container_may_open_a_device_of_the_host,
        nothing_of_a_container_is_left_in_the_tree,
    ):
        attempt(check)
    end()


if __name__ == "__main__":
    main()
