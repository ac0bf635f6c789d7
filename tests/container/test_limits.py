"""Limits are written where the kernel reads them, in an order that it takes."""

from dataclasses import replace
from typing import Any

import pytest

from pyminidock.container.accounts import account_calls
from pyminidock.container.asked import DeviceMapping, DeviceRate, Resources
from pyminidock.container.limits import changed_rows
from pyminidock.container.plan import start_plan, update_plan
from pyminidock.container.spec import ContainerSpec
from pyminidock.kernel import calls
from pyminidock.kernel.port import CgroupTree, Machine
from tests.container.wishes import ID, MACHINE, SNAPSHOT, V2, decide, wish

MIB = 1 << 20
DEVICES = (("/dev/kmsg", 1, 11, 0o644, 0, 0, False), ("/dev/sda", 8, 0, 0o660, 0, 6, True))
assert MACHINE.cgroups
TREE = CgroupTree(1, (*MACHINE.cgroups.hierarchies, ("blkio", "/b"), ("cpuset", "/c")))
V1 = replace(MACHINE, devices=DEVICES, cgroups=TREE)
V2_TOO = replace(V2, devices=DEVICES)
ALL = Resources(
    cpu_shares=512, cpu_period_us=50_000, cpu_quota_us=20_000, cpuset_cpus="0",
    cpuset_mems="0", memory_reservation_bytes=8 * MIB, memory_swap_bytes=96 * MIB,
    blkio_read_bps=(DeviceRate("/dev/sda", 1000),),
    blkio_write_iops=(DeviceRate("/dev/sda", 7),),
)  # fmt: skip


def written(machine: Machine, **fields: Any) -> dict[str, list[str]]:
    """What is written into which file, in its order."""
    told: dict[str, list[str]] = {}
    for call in account_calls(decide(wish(**fields), machine), machine):
        if isinstance(call, calls.LimitCgroup):
            told.setdefault(call.file, []).append(call.value)
    return told


def test_every_limit_has_its_file_on_v1() -> None:
    told = written(V1, memory_bytes=64 * MIB, pids_limit=9, resources=ALL)
    del told["devices.deny"], told["devices.allow"]
    assert told == {
        "memory.limit_in_bytes": [str(64 * MIB)],
        "memory.memsw.limit_in_bytes": [str(96 * MIB)],
        "memory.soft_limit_in_bytes": [str(8 * MIB)],
        "cpu.shares": ["512"], "cpu.cfs_period_us": ["50000"],
        "cpu.cfs_quota_us": ["20000"], "cpuset.cpus": ["0"], "cpuset.mems": ["0"],
        "pids.max": ["9"], "blkio.throttle.read_bps_device": ["8:0 1000"],
        "blkio.throttle.write_iops_device": ["8:0 7"],
    }  # fmt: skip


def test_every_limit_has_its_file_on_v2() -> None:
    assert written(V2_TOO, memory_bytes=64 * MIB, pids_limit=9, resources=ALL) == {
        "memory.max": [str(64 * MIB)], "memory.swap.max": [str(32 * MIB)],
        "memory.low": [str(8 * MIB)], "cpu.weight": ["20"], "cpu.max": ["20000 50000"],
        "cpuset.cpus": ["0"], "cpuset.mems": ["0"], "pids.max": ["9"],
        "io.max": ["8:0 rbps=1000", "8:0 wiops=7"],
    }  # fmt: skip


def test_swap_without_end_is_written_as_the_kernel_spells_it() -> None:
    endless = Resources(memory_swap_bytes=-1)
    told = written(V1, memory_bytes=64 * MIB, resources=endless)
    assert told["memory.memsw.limit_in_bytes"] == ["-1"]
    told = written(V2, memory_bytes=64 * MIB, resources=endless)
    assert told["memory.swap.max"] == ["max"]


def test_a_device_is_a_node_and_the_right_to_open_it() -> None:
    asked = Resources(
        devices=(DeviceMapping("/dev/kmsg", "/dev/y", "r"),), device_rules=("c 42:* w",)
    )
    spec = decide(wish(resources=asked), V1)
    plan = start_plan(spec, SNAPSHOT, V1)
    assert calls.MakeDevice("/dev/y", 1, 11, 0o644, 0, 0, is_block=False) in plan
    rules = written(V1, resources=asked)["devices.allow"]
    assert rules[-5:] == [
        "c 5:1 rwm", "c 5:2 rwm", "c 10:200 rwm", "c 42:* w", "c 136:* rwm"
    ]  # fmt: skip
    assert "c 1:11 r" in rules


def test_a_group_below_another_is_made_with_all_above_it_and_never_outside() -> None:
    spec = decide(wish(resources=Resources(cgroup_parent="../../lesson/deep")), V2)
    made = [c.path for c in account_calls(spec, V2) if isinstance(c, calls.MakeCgroup)]
    top = "/sys/fs/cgroup"
    assert made == [f"{top}/lesson", f"{top}/lesson/deep/{ID}"], "one parent comes with it"


# ── Changes while it lives ───────────────────────────────────────────────────────────────


def limited(memory: int, swap: int = 0) -> ContainerSpec:
    return replace(
        decide(wish()),
        memory_bytes=memory * MIB,
        memory_swap_bytes=(swap or 2 * memory) * MIB,
    )


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        (decide(wish()), limited(64), "memory.limit_in_bytes"),
        (limited(64), limited(32), "memory.limit_in_bytes"),
        (limited(32), limited(64), "memory.memsw.limit_in_bytes"),
        (limited(64, 64), limited(64, 128), "memory.memsw.limit_in_bytes"),
        (limited(64), decide(wish()), "memory.memsw.limit_in_bytes"),
    ],
)
def test_swap_is_never_below_memory_not_even_between_two_writes(
    before: ContainerSpec, after: ContainerSpec, first: str
) -> None:
    files = [file for _, file, _ in changed_rows(before, after, 1)]
    assert files[0] == first


def test_what_does_not_change_is_not_written() -> None:
    before = replace(limited(64), pids_limit=5)
    assert update_plan(before, before, V1) == ()
    (only,) = update_plan(before, replace(before, pids_limit=0), V1)
    assert isinstance(only, calls.LimitCgroup)
    assert (only.file, only.value) == ("pids.max", "max")
