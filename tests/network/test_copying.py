"""Copies of the wiring: what is proved, and that each cure changes something."""

import pytest
from hypothesis import given

from pyminidock.kernel.netcalls import MakeSandbox, Plug
from pyminidock.network.causes import judge
from pyminidock.network.copying import TARGET, copied, cured, rehearsal
from pyminidock.network.sight import Sight
from tests.network.sights import OF_PAIRS, OF_PORTS, healthy_pairs, healthy_ports


@given(healthy_ports() | healthy_pairs())
def test_a_copy_has_the_addresses_of_the_original(sight: Sight) -> None:
    assert sight.target
    plan = rehearsal(copied(sight)).plan
    cables = [each for each in plan if isinstance(each, Plug) and each.sandbox == TARGET]
    assert {a.partition("/")[0] for each in cables for a in each.addresses} == {
        place.address for place in sight.target.places
    }
    assert MakeSandbox(TARGET) in plan


@pytest.mark.parametrize("name", OF_PORTS)
@given(sight=healthy_ports())
def test_a_cure_changes_the_copy_of_a_port(name: str, sight: Sight) -> None:
    _changes(OF_PORTS[name](sight))


@pytest.mark.parametrize("name", OF_PAIRS)
@given(sight=healthy_pairs())
def test_a_cure_changes_the_copy_of_a_pair(name: str, sight: Sight) -> None:
    _changes(OF_PAIRS[name](sight))


def _changes(sight: Sight) -> None:
    cause = judge(sight)
    assert cause
    cure = cured(sight, cause)
    assert cure != copied(sight)
    made = rehearsal(cure)
    assert made.wanted.address
    assert len({each.host_link for each in made.plan if isinstance(each, Plug)}) == len(
        [each for each in made.plan if isinstance(each, Plug)]
    )
