"""What a container may use up: checked as Docker does, written where Linux reads it.

    asked for          cgroup v1 file                          cgroup v2 file
    --memory 64m       memory.limit_in_bytes   67108864        memory.max       67108864
                       memory.memsw.limit…    134217728        memory.swap.max  67108864
    --cpus 0.5         cpu.cfs_period_us         100000        cpu.max       50000 100000
                       cpu.cfs_quota_us           50000
    --pids-limit 20    pids.max                      20        pids.max                20

Memory and swap together are twice the memory, as in Docker; v1 counts the sum, v2 the swap
alone.  Who may use which device is one more limit on v1 (see `devicerules`).

Source: moby, daemon/daemon_unix.go, verifyPlatformContainerResources(); runc,
libcontainer/cgroups; the figures were read in containers of dockerd 26.1.5.
"""

import math
from collections.abc import Iterable, Iterator

from pyminidock.container.asked import DeviceRate
from pyminidock.container.devicerules import allowed
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.grammar.sizes import NANO
from pyminidock.kernel.port import Machine

PERIOD_US = 100_000


Row = tuple[str, str, str]  # controller, file, value


def swap_of(request: CreateRequest) -> int:
    """Give memory and swap together, in bytes: twice the memory unless told; -1: no limit.

    >>> swap_of(CreateRequest("busybox", memory_bytes=64 << 20)) >> 20
    128
    """
    return request.resources.memory_swap_bytes or 2 * request.memory_bytes


def first_rows(spec: ContainerSpec, machine: Machine, version: int) -> Iterator[Row]:
    """Give all that is written into an account before there is anyone in it."""
    return (_v1 if version == 1 else _v2)(spec, machine)


def changed_rows(before: ContainerSpec, after: ContainerSpec, version: int) -> list[Row]:
    """Give what has to be written so that the limits of `before` become those of `after`.

    On v1 swap may never be below memory: what grows is written from above, what shrinks
    from below.
    """
    old = list((limits_v1 if version == 1 else limits_v2)(before))
    new = list((limits_v1 if version == 1 else limits_v2)(after))
    rows = [row for row in new if row not in old]
    files = {file for _, file, _ in new}
    rows += [
        (controller, file, _UNLIMITED[file])
        for controller, file, _ in old
        if file not in files and file in _UNLIMITED
    ]
    grows = _swap(after) > _swap(before)
    if grows:
        rows.sort(key=lambda row: row[1] != "memory.memsw.limit_in_bytes")
    return rows


def _swap(spec: ContainerSpec) -> float:
    """Give memory and swap together; without a limit, more than any."""
    return spec.memory_swap_bytes if spec.memory_swap_bytes > 0 else math.inf


_UNLIMITED = {
    "pids.max": "max", "cpu.cfs_quota_us": "-1", "cpu.max": "max",
    "memory.limit_in_bytes": "-1", "memory.memsw.limit_in_bytes": "-1",
    "memory.max": "max", "memory.swap.max": "max",
}  # fmt: skip


THROTTLES = (
    ("blkio_read_bps", "blkio.throttle.read_bps_device", "rbps"),
    ("blkio_write_bps", "blkio.throttle.write_bps_device", "wbps"),
    ("blkio_read_iops", "blkio.throttle.read_iops_device", "riops"),
    ("blkio_write_iops", "blkio.throttle.write_iops_device", "wiops"),
)


def _v1(spec: ContainerSpec, machine: Machine) -> Iterator[Row]:
    yield "devices", "devices.deny", "a"
    for rule in ("a",) if spec.is_privileged else allowed(spec):
        yield "devices", "devices.allow", rule
    yield from limits_v1(spec)
    asked = spec.resources
    if asked.blkio_weight:
        yield "blkio", "blkio.weight", str(asked.blkio_weight)
    for number, rate in _numbered(asked.blkio_weights, machine):
        yield "blkio", "blkio.weight_device", f"{number} {rate}"
    for attribute, file, _ in THROTTLES:
        for number, rate in _numbered(getattr(asked, attribute), machine):
            yield "blkio", file, f"{number} {rate}"


def limits_v1(spec: ContainerSpec) -> Iterator[Row]:
    """Give the limits that can be changed while it lives, as cgroup v1 has them."""
    asked = spec.resources
    if spec.memory_bytes:
        yield "memory", "memory.limit_in_bytes", str(spec.memory_bytes)
    if spec.memory_bytes or spec.memory_swap_bytes == -1:
        swap = _at_most(spec.memory_swap_bytes)
        yield "memory", "memory.memsw.limit_in_bytes", str(max(-1, swap))
    if asked.memory_reservation_bytes:
        reserved = max(-1, asked.memory_reservation_bytes)
        yield "memory", "memory.soft_limit_in_bytes", str(reserved)
    if asked.memory_swappiness is not None:
        yield "memory", "memory.swappiness", str(asked.memory_swappiness)
    if asked.kernel_memory_tcp_bytes:
        tcp = str(asked.kernel_memory_tcp_bytes)
        yield "memory", "memory.kmem.tcp.limit_in_bytes", tcp
    if asked.disables_oom_killer:
        yield "memory", "memory.oom_control", "1"
    if asked.cpu_shares:
        yield "cpu", "cpu.shares", str(asked.cpu_shares)
    period, quota = _period_us(spec), _quota_us(spec)
    if period:
        yield "cpu", "cpu.cfs_period_us", str(period)
    if quota:
        yield "cpu", "cpu.cfs_quota_us", str(quota)
    if asked.cpu_realtime_period_us:
        yield "cpu", "cpu.rt_period_us", str(asked.cpu_realtime_period_us)
    if asked.cpu_realtime_runtime_us:
        yield "cpu", "cpu.rt_runtime_us", str(asked.cpu_realtime_runtime_us)
    yield from _sets_and_pids(spec)


def _v2(spec: ContainerSpec, machine: Machine) -> Iterator[Row]:
    yield from limits_v2(spec)
    asked = spec.resources
    for attribute, _, name in THROTTLES:
        for number, rate in _numbered(getattr(asked, attribute), machine):
            yield "io", "io.max", f"{number} {name}={rate}"
    if asked.blkio_weight:
        weight = 1 + (asked.blkio_weight - 10) * 9999 // 990
        yield "io", "io.weight", f"default {weight}"


def limits_v2(spec: ContainerSpec) -> Iterator[Row]:
    """Give the limits that can be changed while it lives, as cgroup v2 has them."""
    asked = spec.resources
    if spec.memory_bytes:
        yield "memory", "memory.max", str(spec.memory_bytes)
    if spec.memory_swap_bytes < 0:
        yield "memory", "memory.swap.max", "max"
    elif spec.memory_bytes:
        swap = _at_most(spec.memory_swap_bytes) - spec.memory_bytes
        yield "memory", "memory.swap.max", str(max(0, swap))
    if asked.memory_reservation_bytes > 0:
        yield "memory", "memory.low", str(asked.memory_reservation_bytes)
    if asked.cpu_shares:
        weight = 1 + (asked.cpu_shares - 2) * 9999 // 262_142
        yield "cpu", "cpu.weight", str(weight)
    period, quota = _period_us(spec), _quota_us(spec)
    if period or quota:
        most = str(quota) if quota > 0 else "max"
        yield "cpu", "cpu.max", f"{most} {period or PERIOD_US}"
    yield from _sets_and_pids(spec)


def _sets_and_pids(spec: ContainerSpec) -> Iterator[Row]:
    """Give what both versions spell alike."""
    if spec.resources.cpuset_cpus:
        yield "cpuset", "cpuset.cpus", spec.resources.cpuset_cpus
    if spec.resources.cpuset_mems:
        yield "cpuset", "cpuset.mems", spec.resources.cpuset_mems
    if spec.pids_limit:
        yield "pids", "pids.max", str(spec.pids_limit)


def _numbered(rates: Iterable[DeviceRate], machine: Machine) -> Iterator[tuple[str, int]]:
    """Give number and rate of each disk that is there; the others hinder the start."""
    for each in rates:
        for path, major, minor, *_ in machine.devices:
            if path == each.path:
                yield f"{major}:{minor}", each.rate


def _at_most(size: int) -> int:
    return min(size, (1 << 63) - 1)


def _period_us(spec: ContainerSpec) -> int:
    return PERIOD_US if spec.nano_cpus else spec.resources.cpu_period_us


def _quota_us(spec: ContainerSpec) -> int:
    if spec.nano_cpus:
        # Never 0, which would be no limit: the kernel refuses what is too small.
        return max(1, spec.nano_cpus * PERIOD_US // NANO)
    return spec.resources.cpu_quota_us
