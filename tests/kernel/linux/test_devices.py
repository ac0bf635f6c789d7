"""A device program on the real kernel: what it says no to can be neither made nor opened.

Version 2 can be mounted beside version 1, without controllers; here it is mounted nowhere
and reached by a handle, so nobody but the test sees it.
"""

import ctypes
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.container.devicefilter import device_program
from pyminidock.container.devicerules import DEVICES
from pyminidock.kernel.linux import cgroups, devices, syscalls

pytestmark = pytest.mark.edge

PATIENCE_S = 20.0
Inside = Callable[[str], str]


@pytest.fixture
def tree() -> Iterator[int]:
    """Give a handle on the root of version 2."""
    context = syscalls.fsopen(b"cgroup2")
    syscalls.fscreate(context)
    handle = syscalls.fsmount(context, 0)
    os.close(context)
    yield handle
    os.close(handle)


@pytest.fixture
def cgroup(tree: int) -> Iterator[str]:
    """Give one empty group, as a path through the handle."""
    path = f"/proc/self/fd/{tree}/minidock-test-{os.getpid()}"
    Path(path).mkdir()
    yield path
    cgroups.remove(path)
    assert not Path(path).exists()


@pytest.fixture
def inside(tree: int, cgroup: str) -> Inside:
    """Give a way to run a line of shell within the group; it answers what was printed."""

    def run(script: str) -> str:
        script = f'echo $$ > "$1/cgroup.procs" && {{ {script}; }} 2>&1'
        done = subprocess.run(
            ["sh", "-c", script, "sh", cgroup], pass_fds=[tree], capture_output=True,
            text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    return run


def test_the_kernel_takes_the_program_of_a_container_and_keeps_a_node_shut(
    cgroup: str, inside: Inside, tmp_path: Path
) -> None:
    open_all = ": < /dev/null && echo null; : < /dev/full && echo full"
    assert inside(open_all) == "null\nfull\n"
    rules = tuple(rule for rule in DEVICES if rule != "c 1:7 rwm")
    devices.filter_devices(cgroup, device_program(rules))
    null, full = inside(open_all).splitlines()
    assert null == "null"
    assert full.endswith("/dev/full: Operation not permitted")
    assert inside(f"mknod {tmp_path}/full c 1 7 && echo made") == "made\n"


def test_what_no_rule_lets_through_cannot_even_be_made(
    cgroup: str, inside: Inside, tmp_path: Path
) -> None:
    devices.filter_devices(cgroup, device_program(("c *:* m", "c 1:3 rw")))
    assert inside(f"mknod {tmp_path}/c c 8 0 && echo made") == "made\n"
    said = inside(f"mknod {tmp_path}/b b 8 0")
    assert "Operation not permitted" in said
    assert not (tmp_path / "b").exists()


def test_a_second_program_takes_away_and_never_gives(cgroup: str, inside: Inside) -> None:
    devices.filter_devices(cgroup, device_program(("c 1:3 rw", "c 1:5 r")))
    devices.filter_devices(cgroup, device_program(("c 1:3 rw", "c 1:7 r")))
    said = inside("for n in null zero full; do (: < /dev/$n) && echo $n; done")
    assert [line for line in said.splitlines() if " " not in line] == ["null"]


def test_neither_a_program_nor_a_refusal_leaves_a_descriptor_open(cgroup: str) -> None:
    before = descriptors()
    devices.filter_devices(cgroup, device_program(DEVICES))
    for program in (b"", bytes(8), device_program(DEVICES)[:-8]):
        with pytest.raises(OSError, match=r"Invalid argument|instructions") as refused:
            devices.filter_devices(cgroup, program)
        assert refused.value.errno == errno.EINVAL
    assert devices.refusal() == ""
    assert descriptors() == before


def test_a_directory_that_is_no_cgroup_of_version_2_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Bad file descriptor") as refused:
        devices.filter_devices(str(tmp_path), device_program(DEVICES))
    assert refused.value.errno == errno.EBADF


def test_the_program_goes_with_its_cgroup(tree: int) -> None:
    path = f"/proc/self/fd/{tree}/minidock-test-{os.getpid()}-gone"
    Path(path).mkdir()
    before = programs()
    devices.filter_devices(path, device_program(DEVICES))
    during = programs()
    cgroups.remove(path)
    deadline = time.monotonic() + PATIENCE_S
    while programs() & (during - before) and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert len(during - before) >= 1
    assert not programs() & (during - before)


def test_without_powers_the_doctor_is_told_so() -> None:
    script = (
        "from pyminidock.kernel.linux import devices, syscalls;"
        "syscalls.capset(0, 0, 0); print(devices.refusal())"
    )
    said = subprocess.check_output([sys.executable, "-c", script], text=True,
                                   timeout=PATIENCE_S)  # fmt: skip
    assert said == "operation not permitted\n"


def descriptors() -> set[str]:
    """Name what this process holds open."""
    return {str(path.name) for path in Path("/proc/self/fd").iterdir()}


def programs() -> set[int]:
    """Number the BPF programs that the kernel holds (BPF_PROG_GET_NEXT_ID).

    union bpf_attr { struct { __u32 start_id, next_id, open_flags; } … }
    """
    found = set[int]()
    attributes = (ctypes.c_uint32 * 3)()
    while True:
        try:
            syscalls.enter(syscalls.NR_BPF, 11, ctypes.addressof(attributes), 12)
        except FileNotFoundError:
            return found
        found.add(attributes[1])
        attributes[0] = attributes[1]
