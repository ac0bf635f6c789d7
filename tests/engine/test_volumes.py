"""Volumes as the engine keeps them: names, uses, removals, and what a new engine finds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.container.asked import Places
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import run, volumes
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.events import Event
from pyminidock.kernel.model.body import ModelBody
from pyminidock.store.opening import open_store
from tests.engine.houses import house_over, prepared


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as made:
        yield made


def using(house: House, *binds: str, volumes: tuple[str, ...] = ()) -> str:
    wish = CreateRequest(
        "busybox", command=("true",), network_mode="none",
        places=Places(binds=binds, volumes=volumes),
    )  # fmt: skip
    return run.create(house, wish)


def names(house: House) -> list[str]:
    return [row.name for row in house.store.volumes.all()]


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "a\0b", "..", "x" * 300, "é", "-a"])
def test_a_name_that_is_none_makes_no_volume_and_no_file(house: House, name: str) -> None:
    """H-07: a story is a file, too."""
    before = sorted(house.root.rglob("*"))
    with pytest.raises(MinidockError) as refusal:
        volumes.create(house, name)
    assert refusal.value.status == 400
    with pytest.raises(MinidockError):
        volumes.remove(house, name)
    house.recorder.flush()
    after = [path for path in sorted(house.root.rglob("*")) if path not in before]
    assert all(path.parent == house.root / "journal" for path in after)
    assert names(house) == []


def test_a_volume_that_is_there_is_given_as_it_is(house: House) -> None:
    first = volumes.create(house, "data", labels={"a": "1"})
    assert volumes.create(house, "data", labels={"b": "2"}) == first


def test_a_container_that_never_ran_keeps_its_volumes_in_use(house: House) -> None:
    container = using(house, "data:/d")
    with pytest.raises(volumes.VolumeInUse) as refusal:
        volumes.remove(house, "data", force=True)
    assert refusal.value.what == f"remove data: volume is in use - [{container}]"
    run.remove(house, container)
    volumes.remove(house, "data")
    assert names(house) == []


def test_a_removal_takes_what_nobody_named_and_only_if_asked(house: House) -> None:
    run.remove(house, using(house, "data:/d", volumes=("/u",)))
    assert len(names(house)) == 2
    run.remove(house, using(house, "data:/d", volumes=("/v",)), volumes=True)
    assert len(names(house)) == 2
    assert "data" in names(house)


def test_a_creation_that_fails_leaves_no_volume_that_nobody_named(house: House) -> None:
    with pytest.raises(MinidockError):
        using(house, "data:/d", "a:/x", volumes=("/u",))
    assert [name for name in names(house) if len(name) == 64] == []


def test_what_is_told_of_a_volume_is_its_story(house: House) -> None:
    heard: list[Event] = []
    volumes.create(house, "data")
    volumes.remove(house, "data")
    house.recorder.flush()
    records = house.journals.read("volume-data").records
    kinds = [each.kind for each in records]
    assert kinds == ["volume.created", "volume.removed"]
    assert heard == []


def test_rows_that_are_lost_come_back_from_the_directories(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with house_over(prepared(root), ModelBody()) as house:
        volumes.create(house, "empty", labels={"a": "1"})
        volumes.create(house, "full", options={"type": "none", "device": "/x", "o": "bind"})
    for path in root.glob("state.db*"):
        path.unlink()
    store = open_store(root)
    rows = {row.name: row for row in store.volumes.all()}
    store.close()
    assert rows["empty"].labels == (("a", "1"),)
    assert rows["full"].options == (("device", "/x"), ("o", "bind"), ("type", "none"))


def test_data_without_a_row_comes_back_and_an_empty_directory_goes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    with house_over(prepared(root), ModelBody()) as house:
        for name in ("full", "empty"):
            volumes.create(house, name)
        (house.store.volumes.data("full") / "file").write_text("x")
        with house.store.db.write() as rows:
            rows.execute("DELETE FROM volumes")
    store = open_store(root)
    assert [row.name for row in store.volumes.all()] == ["full"]
    assert {(each.deed, each.name) for each in store.repairs} == {
        ("rebuilt", "full"), ("removed", "empty"),
    }  # fmt: skip
    store.close()
