"""Each cause, planted in a request that was answered, is named; where none is, none is."""

import pytest
from hypothesis import given

from pyminidock.network.causes import CAUSES, judge
from pyminidock.network.hops import DIES, OK, UNSEEN
from pyminidock.network.remedies import remedy
from pyminidock.network.sight import Sight
from pyminidock.network.walk import walk
from tests.network.sights import (
    OF_PAIRS,
    OF_PORTS,
    healthy_pairs,
    healthy_ports,
    older_firewall,
)


def test_there_are_twelve_causes_and_each_can_be_planted() -> None:
    assert {each.name for each in CAUSES} == {*OF_PORTS, *OF_PAIRS}
    assert len(CAUSES) == 12


@given(healthy_ports() | healthy_pairs())
def test_a_request_that_arrives_dies_of_nothing(sight: Sight) -> None:
    assert judge(sight) is None
    assert {hop.state for hop in walk(sight)} == {OK}


@pytest.mark.parametrize("name", OF_PORTS)
@given(sight=healthy_ports())
def test_what_is_wrong_with_a_port_is_named(name: str, sight: Sight) -> None:
    _named(OF_PORTS[name](sight), name)


@pytest.mark.parametrize("name", OF_PAIRS)
@given(sight=healthy_pairs())
def test_what_is_wrong_between_containers_is_named(name: str, sight: Sight) -> None:
    _named(OF_PAIRS[name](sight), name)


@given(healthy_ports())
def test_older_tables_are_suspected_where_nothing_else_explains_it(sight: Sight) -> None:
    _named(older_firewall(sight), "foreign-firewall")


def _named(sight: Sight, name: str) -> None:
    cause = judge(sight)
    assert cause
    assert cause.name == name
    states = [hop.state for hop in walk(sight, cause)]
    assert states.count(DIES) == 1
    end = states.index(DIES)
    assert states == [OK] * end + [DIES] + [UNSEEN] * (len(states) - end - 1)
    helps = remedy(sight, cause)
    assert helps.command
    assert helps.why
