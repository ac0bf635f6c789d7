"""Limits and restart policy of a container change while it lives, or before it starts.

What is 0, "" or null in the request stays as it is.  The new limits are checked like those
of a new container, then against what was set before, then written through the kernel into
the accounts of a container that runs; only if that worked are they kept.

Source: moby, container/container_unix.go, UpdateContainer(); daemon/update.go.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyminidock.container.accounts import check_accounts
from pyminidock.container.budget import check_budget, discards, kept
from pyminidock.container.faults import RequestRefused
from pyminidock.container.limits import swap_of
from pyminidock.container.plan import update_plan
from pyminidock.container.spec import ContainerSpec, CreateRequest
from pyminidock.container.states import State
from pyminidock.container.verify import check_policy
from pyminidock.engine.house import House, Kept
from pyminidock.engine.lives import Life
from pyminidock.engine.operations import NOBODY, Via, operation
from pyminidock.events import ContainerUpdated
from pyminidock.kernel.port import CallFailed

CONFLICT, FAULT = 409, 500
_PLAIN = ("memory_bytes", "nano_cpus")
_RESOURCES = (
    "blkio_weight", "cpu_shares", "cpu_period_us", "cpu_quota_us", "cpuset_cpus",
    "cpuset_mems", "memory_swap_bytes", "memory_reservation_bytes",
    "cpu_realtime_period_us", "cpu_realtime_runtime_us",
)  # fmt: skip


def update(
    house: House,
    reference: str,
    values: Mapping[str, Any],
    policy: Mapping[str, Any],
    *,
    via: Via = NOBODY,
) -> list[str]:
    """Change what `values` (attributes of a request, with dots) and `policy` say.

    Gives the warnings.  Raises NoSuchContainer, RequestRefused, ContainerBusy.
    """
    life = house.life(reference)
    with operation(house, life.story, "update", via) as voice:
        asked = _request_of(values, policy)
        check_policy(asked)
        check_budget(asked, house.machine, is_update=True)
        with life.only("update", voice):
            before = house.kept(life.id)
            request = _changed(before, life, values, policy)
            check_accounts(request, house.machine)
            spec = _decided(before.spec, request, house)
            if life.state in (State.RUNNING, State.PAUSED):
                _write(house, life, before.spec, spec)
            house.amend(life, request=request, spec=spec)
        voice(ContainerUpdated(life.id))
    return list(discards(asked, house.machine))


def _request_of(values: Mapping[str, Any], policy: Mapping[str, Any]) -> CreateRequest:
    """Make a request of the change alone, to check it like one."""
    blank = CreateRequest("")
    resources = {
        name.partition(".")[2]: value
        for name, value in values.items()
        if name.startswith("resources.")
    }
    plain = {name: value for name, value in values.items() if "." not in name}
    return replace(
        blank, **plain, **policy, resources=replace(blank.resources, **resources)
    )


def _changed(
    before: Kept, life: Life, values: Mapping[str, Any], policy: Mapping[str, Any]
) -> CreateRequest:
    """Lay the change over what was asked for.  Raises RequestRefused."""
    request = before.request
    if fault := _conflict(before, values, policy):
        raise RequestRefused(
            f"Cannot update container {life.id}: {fault}",
            why="the new limits have to fit the ones that stay",
            try_next=f"docker inspect {life.name}",
            lesson="limits",
            status=CONFLICT,
        )
    plain = {name: values[name] for name in _PLAIN if values.get(name)}
    if "pids_limit" in values:
        plain["pids_limit"] = max(0, values["pids_limit"])
        # From now on inspect tells the number, be it 0, where it said null before.
        plain["given_empty"] = tuple({**dict.fromkeys(request.given_empty), "PidsLimit": 0})
    inner = {
        name: values[f"resources.{name}"]
        for name in _RESOURCES
        if values.get(f"resources.{name}")
    }
    if policy.get("restart_policy"):
        plain |= policy
    if "memory_bytes" in plain and "memory_swap_bytes" not in inner:
        inner["memory_swap_bytes"] = swap_of(request)  # what was the double stays
    return replace(request, **plain, resources=replace(request.resources, **inner))


def _conflict(before: Kept, values: Mapping[str, Any], policy: Mapping[str, Any]) -> str:
    """Say what of the change does not fit what was set before, in Docker's words."""
    request, set_before = before.request, before.request.resources
    nano = values.get("nano_cpus", 0)
    period = values.get("resources.cpu_period_us", 0)
    quota = values.get("resources.cpu_quota_us", 0)
    memory, swap = (
        values.get("memory_bytes", 0),
        values.get("resources.memory_swap_bytes", 0),
    )
    new = policy.get("restart_policy", "")
    for is_so, what in (
        (
            nano > 0 and set_before.cpu_period_us > 0,
            "Conflicting options: Nano CPUs cannot be updated as CPU Period has already "
            "been set",
        ),
        (
            nano > 0 and set_before.cpu_quota_us > 0,
            "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already "
            "been set",
        ),
        (
            period > 0 and request.nano_cpus > 0,
            "Conflicting options: CPU Period cannot be updated as NanoCPUs has already "
            "been set",
        ),
        (
            quota > 0 and request.nano_cpus > 0,
            "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already "
            "been set",
        ),
        (
            memory and memory > swap_of(request) and not swap,
            "Memory limit should be smaller than already set memoryswap limit, update the "
            "memoryswap at the same time",
        ),
        (
            request.auto_remove and new not in ("", "no"),
            "Restart policy cannot be updated because AutoRemove is enabled for the "
            "container",
        ),
    ):
        if is_so:
            return what
    return ""


def _decided(spec: ContainerSpec, request: CreateRequest, house: House) -> ContainerSpec:
    return replace(
        spec,
        memory_bytes=request.memory_bytes,
        memory_swap_bytes=swap_of(request),
        nano_cpus=request.nano_cpus,
        pids_limit=max(0, request.pids_limit),
        resources=kept(request.resources, house.machine),
        restart_policy=request.restart_policy or "no",
        restart_retries=request.restart_retries,
    )


def _write(house: House, life: Life, before: ContainerSpec, after: ContainerSpec) -> None:
    """Write the limits into the accounts; what was written is taken back on failure."""
    plan = update_plan(before, after, house.machine)
    try:
        house.kernel.perform(plan)
    except CallFailed as failure:
        for call in update_plan(after, before, house.machine):
            try:
                house.kernel.perform((call,))
            except CallFailed:
                continue
        raise RequestRefused(
            f"Cannot update container {life.id}: {failure.what}",
            why=failure.why,
            try_next=failure.try_next,
            lesson="limits",
            status=FAULT,
        ) from failure
