"""An engine killed at any moment leaves its containers alone; the next one knows them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.edge.private import run

PRINTERS = {f"prints-{number}": 10 + number for number in range(5)}


@pytest.fixture(scope="module")
def afternoon(at_length: Callable[[int], int]) -> dict[str, Any]:
    """All deaths in full length, twelve of them otherwise."""
    most = 0 if at_length(20) == 20 else 12
    told = run("tests.edge.daemon_crashes", str(most), timeout_s=3000)
    assert isinstance(told, dict)
    for each in told["died"]:
        print(f"{each['kind']:28} {'died, adopted' if each['hit'] else 'not told'}")  # noqa: T201
    return told


@pytest.mark.edge
@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_an_engine_dies_at_every_event_it_tells(
    afternoon: dict[str, Any], at_length: Callable[[int], int]
) -> None:
    assert {each["kind"] for each in afternoon["died"] if not each["hit"]} == set()
    assert len(afternoon["died"]) >= (60 if at_length(20) == 20 else 12)


@pytest.mark.edge
def test_containers_go_on_through_every_death(afternoon: dict[str, Any]) -> None:
    assert afternoon["faults"] == []
    assert afternoon["states"]["well"] == "healthy"
    assert afternoon["states"]["again"] in ("running", "restarting")


@pytest.mark.edge
def test_no_line_of_output_is_lost_or_doubled(afternoon: dict[str, Any]) -> None:
    """H-31: whoever prints went on printing while no engine was there."""
    assert afternoon["lines"] == dict.fromkeys([*PRINTERS, "terminal"], "")


@pytest.mark.edge
def test_every_exit_code_is_the_program_s_own(afternoon: dict[str, Any]) -> None:
    assert afternoon["codes"] == PRINTERS | {"terminal": 20}


@pytest.mark.edge
def test_nothing_is_left_and_no_engine_had_a_fault(afternoon: dict[str, Any]) -> None:
    assert afternoon["left"] == []
    assert afternoon["tracebacks"] == 0, afternoon["log"]
