"""A disk that is full when a record is to be written: refused in Docker's words, undone."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.engine import run
from pyminidock.engine.house import House
from pyminidock.engine.updating import update
from pyminidock.kernel.model.body import ModelBody
from pyminidock.store import failpoints
from pyminidock.store.files import StoreFull
from tests.engine.houses import WISH, house_over, kinds, prepared

Deed = Callable[[House, str], object]
NO_POLICY = {"restart_policy": "", "restart_retries": 0}
DEEDS: dict[str, Deed] = {
    "create": lambda house, _: run.create(house, replace(WISH, name="second")),
    "rename": lambda house, container: run.rename(house, container, "second"),
    "update": lambda house, container: update(
        house, container, {"pids_limit": 7}, NO_POLICY
    ),
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as made:
        yield made


@pytest.mark.parametrize("place", ["record.temporary", "record.renamed"])
@pytest.mark.parametrize("verb", DEEDS)
def test_a_record_that_does_not_fit_is_refused_and_the_deed_can_be_done_later(
    house: House, monkeypatch: pytest.MonkeyPatch, verb: str, place: str
) -> None:
    container = run.create(house, WISH)
    before = house.kept(container)
    nth = failpoints._seen[place] + 1
    monkeypatch.setenv(failpoints.VARIABLE, f"{place}:{nth}=enospc")
    with pytest.raises(StoreFull, match="no space left on device") as refusal:
        DEEDS[verb](house, container)
    assert refusal.value.status == 500
    assert "bytes" in refusal.value.why
    assert house.kept(container) == before
    assert [life.id for life in house.lives()] == [container]
    monkeypatch.delenv(failpoints.VARIABLE)
    story = house.life(container).story
    if verb != "create":
        assert kinds(house, story)[-1] == "request.refused"
    DEEDS[verb](house, container)
