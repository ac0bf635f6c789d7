"""A disk that is full in the midst of a build, a load or a tag; an ext4 where it can be."""

from collections.abc import Callable

import pytest

from tests.edge.private import run

POINTS = 20


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_full_disk_is_said_in_dockers_words_and_costs_nothing_else(
    at_length: Callable[[int], int],
) -> None:
    """Removing and pruning go on working meanwhile; with room the same deed succeeds."""
    points = POINTS if at_length(20) == 20 else POINTS // 4
    measured = run("tests.edge.full_disk", str(points), timeout_s=1100)
    assert isinstance(measured, dict)
    print(f"on {measured['disk']}")  # noqa: T201
    for verb, told in measured["told"].items():
        assert len(told) == points
        for free, said in told:
            print(f"{verb:13} {free:>10} free: {said or 'done'}")  # noqa: T201
            assert said == "" or "no space left on device" in said
        is_done = [said == "" for _, said in told]
        assert (is_done[0], is_done[-1]) == (False, True), verb
