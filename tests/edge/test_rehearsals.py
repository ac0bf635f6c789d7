"""Copies of wiring, made for real: each cause dies in them, and its cure helps."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pyminidock.kernel.linux.copies import rehearse
from pyminidock.kernel.linux.namedesks import NameDesks
from pyminidock.network.causes import judge
from pyminidock.network.copying import TARGET, copied, cured, rehearsal
from pyminidock.network.sight import Sight
from tests.network.sights import OF_PAIRS, OF_PORTS, healthy_pairs, healthy_ports

pytestmark = pytest.mark.edge
FEW = settings(
    max_examples=2, deadline=None, database=None, phases=(Phase.generate,),
    suppress_health_check=tuple(HealthCheck),
)  # fmt: skip


@FEW
@given(healthy_ports() | healthy_pairs())
def test_what_arrives_arrives_in_the_copy_too(sight: Sight) -> None:
    assert _taker(sight) == TARGET


@pytest.mark.parametrize("name", OF_PORTS)
@FEW
@given(sight=healthy_ports())
def test_a_request_to_a_port_dies_and_is_cured(name: str, sight: Sight) -> None:
    _dies_and_is_cured(OF_PORTS[name](sight))


@pytest.mark.parametrize("name", OF_PAIRS)
@FEW
@given(sight=healthy_pairs())
def test_a_request_between_containers_dies_and_is_cured(name: str, sight: Sight) -> None:
    _dies_and_is_cured(OF_PAIRS[name](sight))


def _taker(sight: Sight) -> str | None:
    return rehearse(rehearsal(copied(sight)), NameDesks()).taken_by


def _dies_and_is_cured(sight: Sight) -> None:
    cause = judge(sight)
    assert cause
    if sight.address:  # else no request leaves, as nobody knows where to
        assert _taker(sight) != TARGET
    assert rehearse(rehearsal(cured(sight, cause)), NameDesks()).taken_by == TARGET
