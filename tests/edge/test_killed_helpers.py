"""A killed shim takes its program along, a killed spawner nobody; both are told."""

from typing import Any

import pytest

from tests.edge.private import run


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What became of containers whose helpers were killed."""
    found = run("tests.edge.killed_helpers", timeout_s=300)
    assert isinstance(found, dict)
    return found


@pytest.mark.edge
def test_a_container_without_its_shim_has_ended_and_says_why(told: dict[str, Any]) -> None:
    shims = told["shims"]
    assert shims["plain"] == {
        "Status": "exited", "Running": False, "ExitCode": 137, "Error": "shim lost",
        "Pid": 0, "restarts": 0,
    }  # fmt: skip
    assert shims["waited"] == 137
    assert shims["removed"] == [204, 204]


@pytest.mark.edge
def test_its_restart_policy_holds_all_the_same(told: dict[str, Any]) -> None:
    assert told["shims"]["again"]


@pytest.mark.edge
def test_without_a_spawner_containers_go_on_and_others_can_be_started(
    told: dict[str, Any],
) -> None:
    assert told["spawner"] == {
        "before": True, "first": 204, "second": 204, "after": True, "stopped": 204,
        "removed": [204, 204],
    }  # fmt: skip


@pytest.mark.edge
def test_no_killed_helper_leaves_anything_behind(told: dict[str, Any]) -> None:
    assert told["left"] == []
