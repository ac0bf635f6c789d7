"""Two hundred runs and two hundred failed ones, over every call: nothing is left behind."""

from collections.abc import Callable

import pytest

from tests.edge.private import run

MOST_GROWN_KIB = 2048  # of the engine and its helpers, over all runs


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_runs_and_failed_runs_leave_nothing_behind(at_length: Callable[[int], int]) -> None:
    runs, failures = at_length(200), at_length(200)
    measured = run("tests.edge.leak_runs", str(runs), str(failures), timeout_s=3000)
    assert isinstance(measured, dict)
    assert (measured["left"], measured["lost"]) == ([], [])
    assert measured["grown_kib"] <= MOST_GROWN_KIB
    assert sum(measured["ends"].values()) == runs
    assert set(measured["ends"]) <= {"exit 0", "exit 3", "exit 137"}
    assert measured["failed"] == {"refused: StartRefused": failures}
