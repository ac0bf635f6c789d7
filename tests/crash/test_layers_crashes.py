"""Whatever moment an unpack or commit is killed in, the next engine finds no half layer."""

from pathlib import Path

import pytest

from pyminidock.store.failpoints import POINTS
from tests.crash.harness import Scenario, crashes

OWN = ("unpack", "diff")
LAYERS = (
    Scenario("unpack", "tests.crash.layers_scenarios:load"),
    Scenario("commit", "tests.crash.layers_scenarios:build"),
)


@pytest.fixture(scope="module")
def hit() -> set[str]:
    return set()


@pytest.mark.parametrize("scenario", LAYERS, ids=lambda scenario: scenario.name)
def test_a_killed_layer_is_there_or_is_not(
    scenario: Scenario, tmp_path: Path, hit: set[str]
) -> None:
    for crash in crashes(scenario, tmp_path):
        hit.add(crash.point)
        print(f"{scenario.name:12} {crash.point}:{crash.nth} {', '.join(crash.repaired)}")  # noqa: T201


def test_every_declared_place_of_the_layers_was_died_at(hit: set[str]) -> None:
    """Runs after the matrix above."""
    assert {each for each in POINTS if each.partition(".")[0] in OWN} <= hit
