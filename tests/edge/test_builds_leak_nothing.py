"""Two hundred builds and two hundred failing ones, over every call: nothing is left."""

from collections.abc import Callable

import pytest

from tests.edge.private import run

MOST_GROWN_KIB = 2048  # of the engine and its helpers, over all builds


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_builds_and_failing_builds_leave_nothing_behind(
    at_length: Callable[[int], int],
) -> None:
    builds, failures = at_length(200), at_length(200)
    measured = run("tests.edge.leak_builds", str(builds), str(failures), timeout_s=3000)
    assert isinstance(measured, dict)
    print({name: measured[name] for name in ("ends", "failed", "calls", "grown_kib")})  # noqa: T201
    assert (measured["left"], measured["lost"]) == ([], [])
    assert measured["grown_kib"] <= MOST_GROWN_KIB
    assert measured["ends"] == {"built": builds}
    assert sum(measured["failed"].values()) == failures
    assert "built" not in measured["failed"]
