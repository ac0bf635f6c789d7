"""Namespaces, mounts and descriptors: what a container cannot see, reach or keep.

H-10 … H-26 of the hardening contract, each on the real kernel.
"""

import errno
import os
import stat
import textwrap
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.linux.mountinfo import read_mountinfo
from pyminidock.kernel.port import CallFailed
from tests.edge.cell import Cell, Ran, descriptors

pytestmark = pytest.mark.edge


def python(laboratory: Cell, program: str, **wishes: Any) -> Ran:
    """Run a Python program inside, with `call(number, ...)` for raw system calls."""
    prelude = """
    import ctypes, errno, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    def call(number, *words):
        kinds = {int: ctypes.c_long, bytes: ctypes.c_char_p}
        words = [kinds[type(w)](w) for w in words]
        libc.syscall.restype = ctypes.c_long
        result = libc.syscall(ctypes.c_long(number), *words)
        return result if result >= 0 else errno.errorcode[ctypes.get_errno()]
    """
    source = textwrap.dedent(prelude) + textwrap.dedent(program)
    return laboratory.run("/usr/bin/python3", "-I", "-S", "-c", source, **wishes)


def test_namespaces_are_private_but_those_that_docker_shares(cell: Cell) -> None:
    """H-10."""
    with cell.started("sleep", "60") as process:
        seen = cell.body.observe(process)
    shared = {k for k, n in seen.namespaces.items() if n == seen.host_namespaces[k]}
    tree = cell.body.machine().cgroups
    on_v1 = {"cgroup"} if tree and tree.version == 1 else set()
    assert shared == {"user", "time"} | on_v1


SPY = """
import os, time
end, found, seen, mine = time.monotonic() + 2.5, set(), set(), os.stat("/")
print("ready", flush=True)
def ours(name):
    with open(f"/proc/{name}/cmdline", "rb") as file:
        return b"pyminidock" in file.read()
while time.monotonic() < end:
    for name in os.listdir("/proc"):
        try:
            if not name.isdigit() or int(name) <= 1 or not ours(name):
                continue
        except OSError:
            continue
        seen.add(name)
        for thing, flags in (("exe", 0), ("exe", 1), ("mem", 0), ("fd/0", 0), ("cwd", 0),
                             ("root", 0)):
            try:
                handle = os.open(f"/proc/{name}/{thing}", flags)
                status = os.fstat(handle)
                is_inside = (status.st_dev, status.st_ino) == (mine.st_dev, mine.st_ino)
                os.close(handle)
                if ours(name):
                    found.add(f"{thing}:{flags}:{'inside' if is_inside else 'other'}")
            except OSError:
                pass
print("seen", len(seen), "found", *sorted(found))
"""


def spy(laboratory: Cell, **wishes: Any) -> tuple[int, set[str]]:
    """Let a program look at whoever is born beside it; how many, and what it opened."""
    with laboratory.started("/usr/bin/python3", "-I", "-S", "-c", SPY, **wishes) as process:
        streams = laboratory.body.attach(process)
        codes = []
        with suppress(CallFailed):  # the last one finds nobody to join
            while laboratory.body.wait(process, 0.01) is None:
                codes.append(laboratory.exec(process, "true").code)
        said = b""
        while frame := streams.read():
            said += frame[1]
        streams.close()
    assert len(codes) > 10
    assert set(codes[:-1]) == {0}
    _, seen, _, *found = said.decode().split("ready")[-1].split()
    return int(seen), set(found)


def test_nobody_inside_can_open_a_process_of_the_engine(laboratory: Cell) -> None:
    """H-11: while seconds are born into the container, all their files stay shut."""
    seen, found = spy(laboratory)
    assert seen > 0
    assert found == set()


def test_with_sys_ptrace_there_is_still_nothing_of_the_host_to_be_had(
    laboratory: Cell,
) -> None:
    """H-11: the kernel lets this power open everybody; so nobody holds anything.

    Without a user namespace no flag keeps CAP_SYS_PTRACE out.  What it finds: an
    interpreter that cannot be written, and the container's own root.
    """
    seen, found = spy(laboratory, cap_add=("SYS_PTRACE",))
    assert seen > 0
    assert {thing for thing in found if thing.startswith("exe:1")} == set()
    assert {thing for thing in found if thing.startswith(("root", "cwd"))} <= {
        "root:0:inside", "cwd:0:inside",
    }  # fmt: skip


def test_the_session_keyring_is_new_and_empty(laboratory: Cell) -> None:
    """H-12: read without a filter, since the default one denies keyctl."""
    ran = python(
        laboratory,
        """
        number, size = 250 if os.uname().machine == "x86_64" else 219, 4096
        mine = call(number, 0, -3, 0)
        buffer = ctypes.create_string_buffer(size)
        length = libc.syscall(ctypes.c_long(number), 6, mine, buffer, size)
        print(buffer.value.decode().split(";")[-1], call(number, 11, mine, 0, 0))
        """,
        security_options=("seccomp=unconfined",),
    )
    assert ran.out.split() == [f"_ses.{'c' * 64}", "0"], ran


def test_no_mount_of_a_container_shows_on_the_host(cell: Cell) -> None:
    """H-13: also not while it runs, because the root hangs in its own namespace only."""
    before = read_mountinfo("self")
    with cell.started("sleep", "60", tmpfs=(("/a", ""),)) as process:
        during = read_mountinfo("self")
        inside = read_mountinfo(process.pid)
    assert (during, read_mountinfo("self")) == (before, before)
    assert "/a" in [entry.target for entry in inside]


def test_settings_go_to_our_own_procfs_whatever_lies_over_proc(cell: Cell) -> None:
    """H-20: a tmpfs over /proc swallows nothing."""

    def cover(plan: Plan) -> Plan:
        at = next(n for n, c in enumerate(plan) if isinstance(c, calls.WriteSysctl))
        return (*plan[:at], calls.Mount("tmpfs", "tmpfs", "/proc"), *plan[at:])

    ran = cell.run("sh", "-c", "umount /proc; cat /proc/sys/net/ipv4/ping_group_range",
                   change=cover, cap_add=("SYS_ADMIN",))  # fmt: skip
    assert ran.out.split() == ["0", "2147483647"], ran


def test_no_way_out_by_chroot_by_dots_or_by_handle(laboratory: Cell) -> None:
    """H-21: the classics, as uid 0 with the default powers."""
    host_secret = laboratory.place / "secret-of-the-host"
    host_secret.write_text("host")
    ran = python(
        laboratory,
        f"""
        secret = {str(host_secret)!r}
        os.mkdir("/jail"); handle = os.open("/", os.O_RDONLY); os.chroot("/jail")
        os.fchdir(handle)
        for _ in range(64): os.chdir("..")
        os.chroot(".")
        print(os.path.exists(secret), os.path.exists("/bin/busybox"))
        x86 = os.uname().machine == "x86_64"
        print(call(304 if x86 else 265, -100, b"0123456789abcdef", 0))   # open_by_handle_at
        print(os.path.exists("/proc/1/root" + secret))
        fd = os.open("/proc/1/ns/mnt", os.O_RDONLY)
        print(call(308 if x86 else 268, fd, 0))                            # setns
        """,
    )
    assert ran.lines == ["False True", "EPERM", "False", "EPERM"], ran


def test_the_program_begins_with_three_descriptors_of_its_own_world(cell: Cell) -> None:
    """H-22: and so does a second one."""
    with cell.started("sleep", "60") as process:
        first = descriptors(process.pid)
        inside = {number: where for number, where in first.items() if number == 0}
        mounts = Path(f"/proc/{process.pid}/fdinfo/0").read_text()
        own = Path(f"/proc/{process.pid}/mountinfo").read_text()
        second = cell.exec(process, "ls", "/proc/self/fd")
    assert sorted(first) == [0, 1, 2]
    assert inside == {0: "/dev/null"}
    mount_id = mounts.partition("mnt_id:")[2].split()[0]
    assert f"\n{mount_id} " in "\n" + own  # a mount of the container, not of the host
    assert second.lines == ["0", "1", "2", "3"]  # 3 is what ls itself reads


def test_a_readonly_root_refuses_writes_but_in_memory(cell: Cell) -> None:
    """H-23."""
    ran = cell.run(
        "sh", "-c", "touch /x; touch /etc/x; touch /run/x && echo run; touch /dev/shm/x && "
        "echo shm; mount -o remount,rw / ; touch /x",
        is_root_readonly=True, tmpfs=(("/run", ""),),
    )  # fmt: skip
    assert ran.lines == ["run", "shm"]
    assert ran.err.count("Read-only file system") == 3, ran.err


def test_where_no_cgroup_guards_devices_no_node_is_made_and_none_of_the_image_opens(
    cell: Cell,
) -> None:
    """H-18, H.4: on a machine without the devices hierarchy; this one plays it."""
    os.mknod(cell.root / "node", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    script = "cat /node; echo $?; mknod /tmp/made c 1 3; echo $?; cat /dev/null; echo $?"
    guarded = cell.run("sh", "-c", script)
    assert guarded.lines == ["0", "0", "0"], guarded
    machine = cell.body.machine()
    assert machine.cgroups is not None
    rows = tuple(row for row in machine.cgroups.hierarchies if row[0] != "devices")
    tree = replace(machine.cgroups, hierarchies=rows)
    cell.body._machine = replace(machine, cgroups=tree, filters_devices=False)
    bare = cell.run("sh", "-c", script)
    assert bare.lines == ["1", "1", "0"], bare
    assert "can't open '/node': Permission denied" in bare.err
    assert "mknod: /tmp/made: Operation not permitted" in bare.err


def test_masked_paths_are_empty_and_readonly_paths_refuse(cell: Cell) -> None:
    """H-24: and CAP_SYS_ADMIN is what it would take to change that."""
    ran = cell.run(
        "sh", "-c", "wc -c < /proc/keys; ls -A /sys/firmware | wc -l; "
        "echo x > /proc/sys/kernel/core_pattern; echo x > /proc/irq/default_smp_affinity; "
        "umount /proc/keys",
    )  # fmt: skip
    assert ran.lines == ["0", "0"], ran
    assert ran.err.count("Read-only file system") == 2, ran.err
    assert "Operation not permitted" in ran.err or "must be superuser" in ran.err, ran.err


def test_a_mask_is_refused_when_the_null_device_is_not_the_null_device(cell: Cell) -> None:
    """H-24: swapped by somebody who shares /dev, it would be a gift."""

    def swap(plan: Plan) -> Plan:
        at = next(n for n, c in enumerate(plan) if isinstance(c, calls.Mask))
        evil = calls.Bind("/etc/hostname", "/dev/null")
        pivot = next(n for n, c in enumerate(plan) if isinstance(c, calls.PivotRoot))
        assert pivot < at
        return (*plan[:pivot], evil, *plan[pivot:])

    with pytest.raises(CallFailed) as refusal:
        cell.run("true", change=swap)
    assert isinstance(refusal.value.call, calls.Mask | calls.ReopenStreams)


@pytest.mark.parametrize("number", [3, 4, 5, 6, 7, 9, 12, 64])
def test_no_working_directory_leads_back_to_the_host(cell: Cell, number: int) -> None:
    """H-26: with all descriptors closed there is nothing to enter."""
    with pytest.raises(CallFailed) as refusal:
        cell.run("pwd", working_directory=f"/proc/self/fd/{number}")
    assert os.strerror(refusal.value.errno) in ("No such file or directory",
                                                "Permission denied", "Not a directory",
                                                "Operation not permitted")  # fmt: skip


def test_a_leaked_directory_of_the_host_is_called_a_breakout(cell: Cell) -> None:
    """H-26: a build that forgets to close its descriptors is stopped by the second wall."""

    def leak(plan: Plan) -> Plan:
        return tuple(call for call in plan if not isinstance(call, calls.CloseDescriptors))

    outcomes = set()
    for number in range(3, 24):  # among them the shim's directory, which is the host's
        try:
            ran = cell.run("pwd", change=leak, working_directory=f"/proc/self/fd/{number}")
        except CallFailed as refusal:
            outcomes.add(errno.errorcode[refusal.errno])
        else:
            outcomes.add(ran.out)
    assert "EXDEV" in outcomes  # outside the root
    mounted = {"/proc\n", "/dev\n", "/dev/shm\n", "/sys/fs/cgroup\n"}  # noqa: S108  (the child did)
    assert outcomes <= {"EXDEV", "ENOENT", "ENOTDIR", "EACCES", "/\n", *mounted}
