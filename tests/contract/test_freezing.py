"""Who is frozen stands still, takes no signal, and goes on where it was."""

import errno

import pytest

from pyminidock.kernel import calls
from pyminidock.kernel.calls import Call
from pyminidock.kernel.port import CallFailed
from tests.contract.plans import birth
from tests.contract.stands import WAIT_S, Stand, end, start


def switch(stand: Stand, *, frozen: bool) -> Call:
    """The call that freezes or thaws, in the words of this machine's cgroups."""
    machine = stand.place.machine
    assert machine.cgroups is not None
    if machine.cgroups.version == 2:
        (path,) = stand.place.accounts("freezer")
        return calls.LimitCgroup(path, "cgroup.freeze", "1" if frozen else "0")
    path = next(
        f"{top}/{stand.place.cgroup}"
        for names, top in machine.cgroups.hierarchies
        if "freezer" in names.split(",")
    )
    return calls.LimitCgroup(path, "freezer.state", "FROZEN" if frozen else "THAWED")


def perform(stand: Stand, call: Call) -> None:
    heard: list[Call] = []
    stand.body.perform((call,), answer=lambda call, value, at: heard.append(call))
    assert heard == [call]


def test_it_is_frozen_until_it_is_thawed(stand: Stand) -> None:
    process = start(stand, birth(stand.place))
    try:
        assert not stand.body.is_frozen(process)
        for _ in range(2):  # to freeze what is frozen changes nothing
            perform(stand, switch(stand, frozen=True))
            assert stand.body.is_frozen(process)
        for _ in range(2):
            perform(stand, switch(stand, frozen=False))
            assert not stand.body.is_frozen(process)
    finally:
        end(stand, process)


def test_a_signal_waits_for_the_thaw(stand: Stand) -> None:
    """In version 2 KILL alone does not: who is frozen there can die."""
    process = start(stand, birth(stand.place))
    perform(stand, switch(stand, frozen=True))
    tree = stand.place.machine.cgroups
    assert tree is not None
    stand.body.signal(process, 9)
    if tree.version == 1:
        assert stand.body.wait(process, 0.2) is None
        perform(stand, switch(stand, frozen=False))
    status = stand.body.wait(process, WAIT_S)
    assert status is not None
    assert status.signal == 9
    stand.body.dismiss(process)
    stand.clear()


@pytest.mark.parametrize("value", ["ICE", "2"])
def test_there_is_nothing_between_frozen_and_thawed(stand: Stand, value: str) -> None:
    process = start(stand, birth(stand.place))
    wanted = switch(stand, frozen=True)
    assert isinstance(wanted, calls.LimitCgroup)
    try:
        with pytest.raises(CallFailed) as refusal:
            perform(stand, calls.LimitCgroup(wanted.path, wanted.file, value))
        assert refusal.value.errno == errno.EINVAL
        assert not stand.body.is_frozen(process)
    finally:
        end(stand, process)
