"""Limits of a container change while it lives; what could not be written is not kept."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.container.faults import RequestRefused
from pyminidock.engine import inspect, run
from pyminidock.engine.house import House
from pyminidock.engine.listing import Asked, list_
from pyminidock.engine.pruning import PruneRuns, prune
from pyminidock.engine.updating import update
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import (
    WISH,
    body_of,
    finish,
    house_over,
    kinds,
    prepared,
    started,
)

MIB = 1 << 20
NO_POLICY: dict[str, Any] = {"restart_policy": "", "restart_retries": 0}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as made:
        yield made


def budget(house: House, container: str) -> dict[str, str]:
    """What the simulated kernel has in the container's accounts."""
    found: dict[str, str] = {}
    for path, cgroup in body_of(house).world.cgroups.items():
        if path.endswith(container):
            found |= cgroup.limits
    return found


def test_a_limit_is_written_while_it_runs_and_kept_for_the_next_start(house: House) -> None:
    life = started(house, replace(WISH, memory_bytes=64 * MIB))
    change = {"memory_bytes": 32 * MIB, "resources.memory_swap_bytes": 64 * MIB}
    assert update(house, life.id, change | {"pids_limit": 7}, NO_POLICY) == []
    assert budget(house, life.id)["pids.max"] == "7"
    told = inspect.inspect(house, life.id)["HostConfig"]
    assert (told["Memory"], told["MemorySwap"]) == (32 * MIB, 64 * MIB)
    assert kinds(house, life.story)[-1] == "container.updated"
    finish(house, life)
    run.start(house, life.id)
    assert budget(house, life.id)["pids.max"] == "7"


def test_what_the_kernel_does_not_take_changes_nothing(house: House) -> None:
    life = started(house, replace(WISH, nano_cpus=10**9, pids_limit=5))
    before = budget(house, life.id), inspect.inspect(house, life.id)["HostConfig"]
    impossible = {"pids_limit": 9, "nano_cpus": 1}  # a quota of no microsecond
    with pytest.raises(RequestRefused) as refusal:
        update(house, life.id, impossible, NO_POLICY)
    assert refusal.value.status == 500
    assert refusal.value.what.startswith(f"Cannot update container {life.id}: ")
    assert (budget(house, life.id), inspect.inspect(house, life.id)["HostConfig"]) == before


def test_the_policy_alone_touches_no_account(house: House) -> None:
    container = run.create(house, WISH)
    policy = {"restart_policy": "on-failure", "restart_retries": 3}
    update(house, container, {}, policy)
    told = inspect.inspect(house, container)["HostConfig"]["RestartPolicy"]
    assert told == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert house.kept(container).spec.restart_policy == "on-failure"


# ── Prune and list ───────────────────────────────────────────────────────────────────────


def test_a_prune_leaves_what_runs_and_removes_the_rest(house: House) -> None:
    runs = started(house)
    waits = run.create(house, WISH)
    ended = started(house)
    finish(house, ended)
    answer = prune(house, {})
    assert sorted(answer["ContainersDeleted"]) == sorted([waits, ended.id])
    assert [life.id for life in house.lives()] == [runs.id]
    assert prune(house, {}) == {"ContainersDeleted": None, "SpaceReclaimed": 0}


def test_two_prunes_do_not_meet(house: House) -> None:
    with house.pruning, pytest.raises(PruneRuns) as refusal:
        prune(house, {})
    assert (refusal.value.status, refusal.value.what) == (
        409,
        "a prune operation is already running",
    )


def test_a_limit_counts_what_the_filters_let_pass(house: House) -> None:
    wanted = [run.create(house, replace(WISH, labels=(("a", str(n)),))) for n in range(3)]
    run.create(house, WISH)
    rows = list_(house, Asked(limit=2), {"label": ["a"]})
    assert [row["Id"] for row in rows] == wanted[:0:-1]
    assert list_(house, Asked(), {"label": ["a"]}) == [], "none of them runs"
