"""Sixteen clients keep an engine busy, and it is afterwards what it was before."""

from collections.abc import Callable

import pytest

from tests.edge.private import run

MOST_GROWN_KIB = 2048  # in the second half of the work, engine and helpers together


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_thousands_of_operations_by_many_clients_leave_nothing_behind(
    at_length: Callable[[int], int],
) -> None:
    operations = at_length(5000)
    measured = run("tests.edge.leak_operations", str(operations), "16", timeout_s=3000)
    assert isinstance(measured, dict)
    memory = measured["memory"]
    print(  # noqa: T201
        f"{measured['operations']} operations: p50 {measured['p50_ms']:.0f} ms, "
        f"p99 {measured['p99_ms']:.0f} ms; memory {memory['last'] / 1024:.1f} MiB, "
        f"{memory['slope']:+.0f} ± {memory['within']:.0f} KiB over the second half"
    )
    assert measured["operations"] >= operations
    assert measured["faults"] == []
    assert (measured["left"], measured["lost"]) == ([], [])
    assert memory["slope"] <= MOST_GROWN_KIB
