"""The same sweep on the kernel of this machine: nothing is left behind, call by call."""

from collections.abc import Callable
from itertools import cycle, islice

import pytest

from pyminidock.kernel.calls import Plan
from pyminidock.kernel.port import CallFailed
from tests import leaks
from tests.contract.plans import Place, accounts, birth, joining, sharing, wiring_all
from tests.contract.stands import LinuxStand, assert_as_before, beside, end, start
from tests.sweep.faults import every_fault, plausible
from tests.sweep.test_model import told_before

pytestmark = [pytest.mark.edge, pytest.mark.soak]

PLANS: dict[str, Callable[[Place], Plan]] = {
    "a start": birth,
    "a start as a user": lambda place: birth(
        place, uid=1000, gid=1000, no_new_privileges=True
    ),
    "a start with a terminal": lambda place: birth(place, has_terminal=True),
    "a start on a network": lambda place: birth(place, wires=wiring_all(place)),
    "accounts alone": accounts,
}


def faults(plan: Plan, *, is_full: bool) -> list[tuple[int, int]]:
    """Every call with every errno; or every call once, with errnos in turn."""
    if is_full:
        return list(every_fault(plan))
    return [
        (index, next(islice(cycle(plausible(call)), index, None)))
        for index, call in enumerate(plan)
    ]


def fail(stand: LinuxStand, plan: Plan, index: int, code: int) -> None:
    """Perform `plan` with one failing call; check what is told."""
    stand.body.fail_at = (index, code)
    try:
        with pytest.raises(CallFailed) as refusal:
            start(stand, plan)
    finally:
        stand.body.fail_at = None
    failed = refusal.value
    assert (failed.index, failed.call, failed.errno) == (index, plan[index], code)
    assert tuple(call for call, _ in stand.heard) == told_before(plan, index)
    assert all((failed.what, failed.why, failed.try_next))


@pytest.mark.parametrize("name", PLANS)
def test_a_start_that_fails_at_any_call_leaves_nothing_behind(
    linux: LinuxStand, at_length: Callable[[int], int], name: str
) -> None:
    plan = PLANS[name](linux.place)
    before = leaks.at_rest(linux.picture)
    for index, code in faults(plan, is_full=at_length(20) == 20):
        fail(linux, plan, index, code)
        assert_as_before(linux, before)


def test_an_exec_that_fails_at_any_call_leaves_the_container_alone(
    linux: LinuxStand, at_length: Callable[[int], int]
) -> None:
    first = start(linux, birth(linux.place))
    plan = joining(linux.place, first, linux.second)
    before, observed = leaks.at_rest(linux.picture), linux.body.observe(first)
    for index, code in faults(plan, is_full=at_length(20) == 20):
        fail(linux, plan, index, code)
        assert_as_before(linux, before)
    assert linux.body.observe(first) == observed
    end(linux, first)


def test_a_start_that_shares_and_fails_leaves_the_other_alone(
    linux: LinuxStand, at_length: Callable[[int], int]
) -> None:
    first = start(linux, birth(linux.place))
    plan = sharing(beside(linux), first)
    before, observed = leaks.at_rest(linux.picture), linux.body.observe(first)
    for index, code in faults(plan, is_full=at_length(20) == 20):
        fail(linux, plan, index, code)
        assert_as_before(linux, before)
    assert linux.body.observe(first) == observed
    end(linux, first)


def test_after_a_fault_the_same_plan_succeeds(linux: LinuxStand) -> None:
    plan = birth(linux.place)
    for index in range(0, len(plan), 10):
        fail(linux, plan, index, 12)
        end(linux, start(linux, plan))
