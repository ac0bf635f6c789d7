"""An engine killed in the midst of a real build: the next one finds nothing in its way."""

from collections.abc import Callable

import pytest

from tests.crash.matrix import DECLARED
from tests.edge.private import run


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_whatever_place_of_a_build_an_engine_dies_at_nothing_is_left(
    at_length: Callable[[int], int],
) -> None:
    """At each place the last time it is passed; in full length the first time as well."""
    only = () if at_length(20) == 20 else DECLARED["build"]
    died = run("tests.edge.build_crashes", *only, timeout_s=1500)
    assert isinstance(died, list)
    for each in died:
        print(f"{each['point']}:{each['nth']} {each['left'] or 'nothing left'}")  # noqa: T201
        assert each["left"] == [], each
    assert {each["point"] for each in died} == DECLARED["build"] | {"1 asleep"}
