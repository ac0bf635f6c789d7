"""The rows of networks survive, also their database."""

import json
from pathlib import Path

import pytest

from pyminidock.store.database import NAME
from pyminidock.store.networks import BESIDE, NetworkRow, NetworkTaken
from pyminidock.store.opening import Store, open_store


def row(number: int, name: str, **more: object) -> NetworkRow:
    identity = f"{number:064x}"
    return NetworkRow(identity, name, {"id": identity, "name": name, **more})


def named(store: Store) -> list[str]:
    return [each.name for each in store.networks.all()]


def test_networks_come_back_by_name(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.networks.add(row(2, "b", driver="bridge"))
    store.networks.add(row(1, "a"))
    store.close()
    again = open_store(tmp_path)
    assert again.networks.all() == (row(1, "a"), row(2, "b", driver="bridge"))
    again.networks.remove(row(1, "a").id)
    again.networks.remove("absent")
    assert named(again) == ["b"]
    again.networks.change(row(2, "c"))
    assert named(again) == ["c"]
    again.close()


def test_a_name_is_one_networks(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.networks.add(row(1, "a"))
    with pytest.raises(NetworkTaken, match=r"^network with name a already exists$"):
        store.networks.add(row(2, "a"))
    assert named(store) == ["a"]
    store.close()


def test_what_stands_beside_is_what_the_rows_say(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.networks.add(row(1, "a", labels=[["x", "1"]]))
    known = json.loads((tmp_path / BESIDE).read_text())
    assert known == [{"id": row(1, "a").id, "name": "a", "labels": [["x", "1"]]}]
    assert store.networks.project() is False
    store.close()


@pytest.mark.parametrize("how", ["lost", "damaged"])
def test_a_lost_database_does_not_lose_the_networks(tmp_path: Path, how: str) -> None:
    store = open_store(tmp_path)
    for each in (row(1, "a"), row(2, "b")):
        store.networks.add(each)
    store.close()
    if how == "lost":
        (tmp_path / NAME).unlink()
    else:
        (tmp_path / NAME).write_bytes(b"no database" * 1000)
    again = open_store(tmp_path)
    assert named(again) == ["a", "b"]
    told = [each.name for each in again.repairs if each.what == "network"]
    assert told == ["a", "b"]
    again.close()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"id": 1, "name": "x"}]', "[[[["])
def test_what_cannot_be_read_beside_is_not_known(tmp_path: Path, text: str) -> None:
    (tmp_path / BESIDE).write_text(text)
    store = open_store(tmp_path)
    assert named(store) == []
    store.close()
