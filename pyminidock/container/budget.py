"""What may be asked of a machine's accounts: in Docker's order, with Docker's words.

    refused     what no container could live with, or what is above the machine
    discarded   what this machine keeps no account of, and Docker does without; a warning
                says so
    impossible  what Docker would do and we cannot here: refused, never forgotten

Source: moby, daemon/daemon_unix.go, verifyPlatformContainerResources(), and
runconfig/hostconfig_unix.go.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pyminidock.container.asked import Resources
from pyminidock.container.faults import FAULT, refusal
from pyminidock.container.spec import CreateRequest
from pyminidock.grammar.cpusets import ListMalformed, parse_numbers
from pyminidock.grammar.sizes import NANO
from pyminidock.kernel.port import Machine

SMALLEST_MEMORY = 6 << 20  # bytes; less does not even hold the program that starts it
SMALLEST_NANO_CPUS = NANO // 100
_SHORTEST_US, _LONGEST_US = 1000, 1_000_000
_SHARES = (2, 262_144)
_BELOW = "below that the kernel kills the program before its first line"
_PERIOD = "a share is microseconds of a period on each processor"


_NOTHING = Resources()


def check_budget(
    request: CreateRequest, machine: Machine, *, is_update: bool = False
) -> None:
    """Refuse what cannot be; silence is consent.  Raises RequestRefused.

    `is_update`: what the request leaves out was set before.
    """
    is_silent = request.resources == _NOTHING and not request.nano_cpus
    if not is_silent or request.memory_bytes:
        _check_memory(request, is_update=is_update)
    if not is_silent:
        _check_processors(request, machine)
        _check_sets(request, machine)
        _check_disks(request)
    if not -1000 <= request.oom_score <= 1000:
        raise refusal(
            request,
            f"Invalid value {request.oom_score}, range for oom score adj is [-1000, 1000]",
            "the score is added to the badness of the processes when memory runs out",
            lesson="limits", oom_score=0,
        )  # fmt: skip


def _check_memory(request: CreateRequest, *, is_update: bool) -> None:
    memory, asked = request.memory_bytes, request.resources
    swap, reserved = asked.memory_swap_bytes, asked.memory_reservation_bytes
    swappiness = asked.memory_swappiness
    larger = replace(asked, memory_swap_bytes=0, memory_reservation_bytes=0)
    if memory < 0 or 0 < memory < SMALLEST_MEMORY:
        raise _no_memory(
            request,
            "Minimum memory limit allowed is 6MB",
            _BELOW,
            memory_bytes=SMALLEST_MEMORY,
        )
    if memory > 0 and 0 < swap < memory:
        raise _no_memory(
            request,
            "Minimum memoryswap limit should be larger than memory limit, see usage",
            "it counts memory and swap together",
            resources=larger,
        )
    if memory == 0 and swap > 0 and not is_update:
        raise _no_memory(
            request,
            "You should always set the Memory limit when using Memoryswap limit, see usage",
            "it counts memory and swap together",
            memory_bytes=swap,
        )
    if swappiness is not None and swappiness != -1 and not 0 <= swappiness <= 100:
        raise _no_memory(
            request,
            f"Invalid value: {swappiness}, valid memory swappiness range is 0-100",
            "it is a percentage",
            resources=replace(asked, memory_swappiness=None),
        )
    if 0 < reserved < SMALLEST_MEMORY:
        raise _no_memory(
            request, "Minimum memory reservation allowed is 6MB", _BELOW, resources=larger
        )
    if memory > 0 and reserved > memory:
        raise _no_memory(
            request,
            "Minimum memory limit can not be less than memory reservation limit, see usage",
            "what is held free for it has to lie within its limit",
            resources=larger,
        )


def _no_memory(request: CreateRequest, what: str, why: str, **instead: Any) -> Exception:
    return refusal(request, what, why, lesson="limits", **instead)


def _check_processors(request: CreateRequest, machine: Machine) -> None:
    asked, nano = request.resources, request.nano_cpus
    without = replace(
        asked, cpu_quota_us=0, cpu_period_us=0, cpu_realtime_period_us=0,
        cpu_realtime_runtime_us=0,
    )  # fmt: skip
    _check_realtime(request, without)
    for number, name in (
        (asked.cpu_quota_us, "CPU Quota"),
        (asked.cpu_period_us, "CPU Period"),
    ):
        if nano > 0 and number > 0:
            raise refusal(
                request, f"Conflicting options: Nano CPUs and {name} cannot both be set",
                _PERIOD, lesson="limits", resources=without,
            )  # fmt: skip
    highest = machine.cpus * NANO if machine.cpus else nano
    if nano < 0 or nano > highest:
        nearest = SMALLEST_NANO_CPUS if nano < SMALLEST_NANO_CPUS else highest
        raise refusal(
            request,
            f"Range of CPUs is from 0.01 to {machine.cpus}.00, as there are only "
            f"{machine.cpus} CPUs available",
            "a share is microseconds of every tenth of a second on each processor",
            lesson="limits", nano_cpus=nearest,
        )  # fmt: skip
    if asked.cpu_period_us and not _SHORTEST_US <= asked.cpu_period_us <= _LONGEST_US:
        raise refusal(
            request,
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s "
            "(i.e. 1000000)",
            _PERIOD, lesson="limits", resources=without,
        )  # fmt: skip
    if 0 < asked.cpu_quota_us < _SHORTEST_US:
        raise refusal(
            request, "CPU cfs quota can not be less than 1ms (i.e. 1000)", _PERIOD,
            lesson="limits", resources=without,
        )  # fmt: skip


def _check_realtime(request: CreateRequest, without: Resources) -> None:
    asked = request.resources
    runtime, period = asked.cpu_realtime_runtime_us, asked.cpu_realtime_period_us
    if period and runtime > period:
        raise refusal(
            request, "cpu real-time runtime cannot be higher than cpu real-time period",
            _PERIOD, lesson="limits", status=FAULT, resources=without,
        )  # fmt: skip


def _check_sets(request: CreateRequest, machine: Machine) -> None:
    """Refuse processors and memory nodes that are not there."""
    asked = request.resources
    for text, there, name, things in (
        (asked.cpuset_cpus, machine.cpu_list, "cpuset cpus", "CPUs"),
        (asked.cpuset_mems, machine.node_list, "cpuset mems", "memory nodes"),
    ):
        if not text:
            continue
        instead = replace(asked, cpuset_cpus="", cpuset_mems="")
        why = "numbers and ranges, as in 0-3,5, of what the engine itself may use"
        try:
            wanted = parse_numbers(text)
        except ListMalformed as fault:
            raise refusal(
                request, f"Invalid value {text} for {name}: {fault}", why, lesson="limits",
                resources=instead,
            ) from fault  # fmt: skip
        if there and not wanted <= parse_numbers(there):
            raise refusal(
                request,
                f"Requested {things} are not available - requested {text}, "
                f"available: {there}",
                why, lesson="limits", resources=instead,
            )  # fmt: skip


def _check_disks(request: CreateRequest) -> None:
    asked = request.resources
    for number, thing in (
        (asked.io_maximum_bandwidth, "maximum bandwidth"),
        (asked.io_maximum_iops, "maximum IOPs"),
    ):
        if number:
            raise refusal(
                request,
                f"Invalid QoS settings: linux does not support configuration of {thing}",
                "Linux counts bytes and operations for each disk",
                lesson="limits", status=FAULT,
                resources=replace(asked, io_maximum_bandwidth=0, io_maximum_iops=0),
            )  # fmt: skip


# ── What this machine does without ───────────────────────────────────────────────────────


def kept(asked: Resources, machine: Machine) -> Resources:
    """Give what is left of `asked` when what Docker would discard here is gone."""
    is_v2 = machine.cgroups is not None and machine.cgroups.version == 2
    swappiness = None if asked.memory_swappiness == -1 or is_v2 else asked.memory_swappiness
    return replace(
        asked,
        blkio_weight=asked.blkio_weight if machine.weighs_disks else 0,
        blkio_weights=asked.blkio_weights if machine.weighs_each_disk else (),
        cpu_percent=0,
        kernel_memory_bytes=0,
        memory_swappiness=swappiness,
        disables_oom_killer=None if is_v2 else asked.disables_oom_killer,
    )


def discards(request: CreateRequest, machine: Machine) -> Iterator[str]:
    """Say what is discarded, and what is dangerous, in Docker's words."""
    asked = request.resources
    is_v2 = machine.cgroups is not None and machine.cgroups.version == 2
    swappiness = asked.memory_swappiness
    if swappiness not in (None, -1) and is_v2:
        yield (
            "Your kernel does not support memory swappiness capabilities or the cgroup is "
            "not mounted. Memory swappiness discarded."
        )
    if asked.disables_oom_killer and is_v2:
        yield "Your kernel does not support OomKillDisable. OomKillDisable discarded."
    elif asked.disables_oom_killer and not request.memory_bytes:
        yield (
            "OOM killer is disabled for the container, but no memory limit is set, this "
            "can result in the system running out of resources."
        )
    if asked.cpu_percent:
        yield "linux does not support CPU percent. Percent discarded."
    if asked.blkio_weight and not machine.weighs_disks:
        yield (
            "Your kernel does not support Block I/O weight or the cgroup is not mounted. "
            "Weight discarded."
        )
    if asked.blkio_weights and not machine.weighs_each_disk:
        yield (
            "Your kernel does not support Block I/O weight_device or the cgroup is not "
            "mounted. Weight-device discarded."
        )


# ── What only a start finds out ──────────────────────────────────────────────────────────


def fault_at_start(request: CreateRequest) -> str:
    """Say which limit the kernel would not take, as runc does; "" if none."""
    shares = request.resources.cpu_shares
    lowest, highest = _SHARES
    if shares < 0:
        return "shares: invalid argument"
    if shares and shares < lowest:
        return f"the minimum allowed cpu-shares is {lowest}"
    if shares > highest:
        return f"the maximum allowed cpu-shares is {highest}"
    return ""
