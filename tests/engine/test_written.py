"""What a container wrote is told while it is there, and by its story when it is over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyminidock.engine import written
from pyminidock.engine.house import House
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import finish, house_over, kinds, prepared, started


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as made:
        yield made


def upper(house: House, container: str) -> Path:
    return Path(house.kept(container).snapshot.upper)


def wrote(house: House, story: str) -> list[dict[str, Any]]:
    house.recorder.flush()
    records = house.journals.read(story).records
    return [dict(each.data) for each in records if each.kind == "container.wrote"]


def test_a_container_that_wrote_nothing_says_so_and_its_story_is_silent(
    house: House,
) -> None:
    life = started(house)
    assert written.told(house, life.id)["total"] == 0
    finish(house, life)
    assert "container.exited" in kinds(house, life.story)
    assert not wrote(house, life.story)


def test_names_sizes_and_the_place_are_told_page_by_page(house: House) -> None:
    life = started(house)
    here = upper(house, life.id)
    for name in ("a", "b", "c\x1b\udcff"):
        (here / name).write_text("1234", encoding="ascii")
    told = written.told(house, life.name)
    assert (told["upper"], told["added"], told["size_bytes"]) == (str(here), 3, 12)
    assert [each["path"] for each in told["entries"]] == ["/a", "/b", "/c\x1b\\xff"]
    page = written.told(house, life.id, start=1, most=1)
    assert [each["path"] for each in page["entries"]] == ["/b"]


def test_the_story_tells_the_first_names_and_counts_the_others(house: House) -> None:
    life = started(house)
    for number in range(70):
        (upper(house, life.id) / f"{number:02}").write_text("1", encoding="ascii")
    finish(house, life)
    (told,) = wrote(house, life.story)
    assert told["names"][0] == ("added", "/00", "file", "0644", 1)
    assert (len(told["names"]), told["more"], told["is_all"]) == (64, 6, True)
    assert told["upper"] == str(upper(house, life.id))


def test_of_very_many_names_nobody_looks_at_all(house: House) -> None:
    life = started(house)
    for number in range(300):
        (upper(house, life.id) / f"{number:03}").touch()
    finish(house, life)
    (told,) = wrote(house, life.story)
    assert (len(told["names"]), told["more"], told["is_all"]) == (64, 193, False)


def test_a_layer_that_cannot_be_looked_at_keeps_no_end_from_being_told(
    house: House,
) -> None:
    life = started(house)
    upper(house, life.id).rmdir()
    finish(house, life)
    assert "container.exited" in kinds(house, life.story)
    assert not wrote(house, life.story)
