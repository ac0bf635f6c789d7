"""Every plan, failed at every call in every plausible way: the world is as it was."""

import errno
from collections.abc import Callable

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call, Plan
from pyminidock.kernel.model import ModelBody
from pyminidock.kernel.port import CallFailed, Process
from tests.contract.plans import (
    Place,
    accounts,
    birth,
    bridging,
    cabling,
    ending,
    joining,
    sharing,
    sifting,
    wiring,
    wiring_all,
)
from tests.contract.stands import ModelStand, beside, model_stand, start
from tests.sweep.faults import every_fault

Make = Callable[[ModelStand], Plan]
PLANS: dict[str, Make] = {
    "a start": lambda stand: birth(stand.place),
    "a start as a user": lambda stand: birth(stand.place, uid=1000, gid=1000),
    "a start with a terminal": lambda stand: birth(stand.place, has_terminal=True),
    "a read-only start": lambda stand: birth(
        stand.place, is_readonly=True, no_new_privileges=True
    ),
    "a start on a network": lambda stand: birth(
        stand.place, wires=wiring_all(stand.place), holds=(calls.HoldTree("/srv"),)
    ),
    "rules and ports": lambda stand: sifting(stand.place),
    "cables of a container that runs": lambda stand: cabling(
        stand.place, on_a_network(stand)
    ),
    "accounts alone": lambda stand: accounts(stand.place),
    "an exec": lambda stand: joining(
        stand.place, start(stand, birth(stand.place)), stand.second
    ),
    "a start that shares": lambda stand: sharing(
        beside(stand), start(stand, birth(stand.place))
    ),
    "an end": lambda stand: ending(after_a_life(stand)),
}


def on_a_network(stand: ModelStand) -> Process:
    """Somebody lives on a network."""
    wires = (bridging(stand.place), *wiring(stand.place))
    return start(stand, birth(stand.place, wires=wires))


def after_a_life(stand: ModelStand) -> Place:
    """Somebody has lived here, so that there is something to remove."""
    start(stand, birth(stand.place))
    return stand.place


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_fails_at_any_call_leaves_the_world_as_it_was(name: str) -> None:
    stand = model_stand()
    plan = PLANS[name](stand)
    before = stand.body.world
    for index, code in every_fault(plan):
        failing = failing_body(stand, index, code)
        heard: list[Call] = []
        with pytest.raises(CallFailed) as refusal:
            failing.perform(plan, answer=lambda call, value, at: heard.append(call))  # noqa: B023
        failed = refusal.value
        assert failing.world == before
        assert (failed.index, failed.call, failed.errno) == (index, plan[index], code)
        assert tuple(heard) == told_before(plan, index)
        assert all((failed.what, failed.why, failed.try_next))
    assert stand.body.world == before


def failing_body(stand: ModelStand, index: int, code: int) -> ModelBody:
    """A body in the same world, told to fail there."""
    body = ModelBody(fail_at=index, errno=code)
    body.world = stand.body.world
    return body


def told_before(plan: Plan, index: int) -> Plan:
    """Which calls have been answered when the one at `index` fails.

    Behind AnnounceReady nothing is reported but a failure.
    """
    ready = calls.AnnounceReady()
    last = plan.index(ready) + 1 if ready in plan else len(plan)
    return plan[: min(index, last)]


def test_a_fault_is_the_same_on_a_world_that_others_changed_meanwhile() -> None:
    """Undoing takes back one's own cells only: the other start goes on."""
    stand = model_stand()
    other = birth(stand.place)
    plan = tuple(
        calls.MakeCgroup(f"{path}-mine") for path in stand.place.accounts("memory", "pids")
    )
    processes: list[Process | None] = []

    def answer(call: Call, value: int, at: float) -> None:
        if not processes:
            processes.append(stand.body.perform(other, answer=lambda c, v, at: None))
        else:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        stand.body.perform(plan, answer=answer)
    (process,) = processes
    assert process is not None
    assert stand.body.observe(process).seccomp_mode == 2
    assert not [path for path in stand.body.world.cgroups if path.endswith("-mine")]


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_after_a_fault_the_same_plan_succeeds(code: int) -> None:
    stand = model_stand()
    plan = birth(stand.place)
    for index in range(0, len(plan), 5):
        failing = failing_body(stand, index, code)
        with pytest.raises(CallFailed):
            failing.perform(plan, answer=lambda call, value, at: None)
        stand.body.world = failing.world
    assert stand.body.observe(start(stand, plan)).hostname == "contract"
