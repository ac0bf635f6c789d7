"""Which moment of a story is meant, and what began there: an image, or a layer's copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.engine.house import House
from pyminidock.engine.origins import NoOrigin, find
from pyminidock.events import GateHeld, StepFinished
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import house_over, prepared, started


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


@pytest.fixture
def build(house: House) -> str:
    """A build of two steps, held once between them."""
    house.recorder.story("build-1", "build .")
    voice = house.recorder.operation("build-1", "build")
    voice(StepFinished(1, "sha256:one", 5, was_cached=False))
    voice(GateHeld("g1", 1, "step.finished"))
    voice(StepFinished(2, "sha256:two", 5, was_cached=False))
    return "build-1"


def test_a_step_of_a_build_is_the_image_that_was_the_newest_then(
    house: House, build: str
) -> None:
    assert find(house, f"{build}@1").image == "sha256:one"
    assert find(house, f"{build}@2").image == "sha256:two"
    assert find(house, f"{build}@last").image == "sha256:two"


@pytest.mark.parametrize("step", ["0", "3", "-1", "x", ""])
def test_a_step_that_is_none_is_refused(house: House, build: str, step: str) -> None:
    with pytest.raises(NoOrigin):
        find(house, f"{build}@{step}")


def test_a_container_is_run_from_where_it_was_held_and_only_there(house: House) -> None:
    life = started(house)
    house.recorder.flush()
    records = house.journals.read(life.story).records
    kept = house.kept(life.id)
    tree = house.directory(life.id) / "frames" / str(records[4].seq)
    tree.mkdir(parents=True)
    for step in ("5", "last"):
        origin = find(house, f"{life.story}@{step}")
        assert (origin.image, origin.tree, origin.kept) == (kept.image, tree, kept)
    with pytest.raises(NoOrigin, match="nothing can be run from"):
        find(house, f"{life.story}@4")
