"""Data in a volume is whole after every death, of engines and of programs."""

from collections.abc import Callable

import pytest

from tests.edge.private import run
from tests.edge.volume_crashes import PLACES


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_no_line_of_a_volume_is_lost_wherever_engine_or_program_is_killed(
    at_length: Callable[[int], int],
) -> None:
    """And a first use is complete or has not begun, whatever killed it."""
    is_whole = at_length(20) == 20
    told = run("tests.edge.volume_crashes", "0" if is_whole else "4", timeout_s=1700)
    assert isinstance(told, dict)
    for place, has_died in told["died"]:
        print(f"{place:32} {'died' if has_died else 'not reached'}")  # noqa: T201
    assert told["faults"] == []
    assert told["left"] == []
    assert told["lines"] > 0
    assert [place for place, has_died in told["died"] if not has_died] == []
    assert len(told["died"]) >= (40 if is_whole else 4)


def test_there_are_forty_places_to_die_at() -> None:
    assert len(set(PLACES)) == len(PLACES) >= 40
