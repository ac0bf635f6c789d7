"""Thirty-two clients run containers at once, and an engine with threads never forks."""

from collections.abc import Callable

import pytest

from tests.edge.private import run


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_parallel_runs_end_as_they_should_and_no_threaded_process_forks(
    at_length: Callable[[int], int],
) -> None:
    """H-34: under -W error, with an eye on each fork."""
    told = run("tests.edge.parallel_runs", "32", str(at_length(100)), timeout_s=3000)
    assert told == {"faults": [], "log": "", "code": 0}
