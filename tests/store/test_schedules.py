"""Whoever meets whom in the store, in whatever order: rows have files, one winner each."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pyminidock.store.gc import sweep
from pyminidock.store.images import NoSuchImage
from pyminidock.store.layers import NoSuchLayer
from pyminidock.store.opening import Store, open_store
from tests.store.invariants import check_invariants, check_swept
from tests.store.stores import name, put_image, unsynced
from tests.store.turns import TurningFiles, Turns

Deed = Callable[[Store], object]


def load(store: Store) -> None:
    put_image(store, "web", "below", "above")


def load_beside(store: Store) -> None:
    put_image(store, "top", "below", "above", "top")


def load_other(store: Store) -> None:
    put_image(store, "web", "below", "other")


def remove(store: Store) -> None:
    for image in store.images.all():
        store.images.remove(image.id)
    sweep(store)


def collect(store: Store) -> None:
    sweep(store)


def retag(store: Store) -> None:
    found = store.images.tagged(name("web"))
    if found:
        store.images.tag(name("alias"), found.id)
        store.images.untag(name("web"))


def build(store: Store) -> None:
    """Stand on an image for a while, then add to it: its layers may not go meanwhile."""
    with store.leases.lease("build"):
        base = store.images.tagged(name("web"))
        if base is None:
            return
        for chain_id in base.layers:
            assert store.layers.directory(chain_id).is_dir()
        put_image(store, "built", "below", "above", "built", parent=base.id)
        for chain_id in base.layers:
            assert store.layers.directory(chain_id).is_dir()


MEETINGS: dict[str, tuple[Deed, ...]] = {
    "two loads of one image": (load, load),
    "loads of images that share layers": (load, load_beside),
    "load and removal": (load, remove),
    "load and sweep": (load_beside, collect),
    "build, removal and sweep": (build, remove, collect),
    "tag, removal": (retag, remove),
    "two tags of one name": (retag, retag),
    "load, load of the same name": (load, load_other),
    "everybody": (load, load_beside, build, retag, remove, collect),
}


@pytest.mark.soak
@pytest.mark.parametrize("meeting", MEETINGS)
@pytest.mark.parametrize("is_there", [False, True], ids=["on nothing", "on an image"])
def test_whatever_the_order_rows_have_files(
    meeting: str, is_there: bool, tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    """H-56, H-55: a seeded schedule decides; one winner, and nothing that nobody needs."""
    for seed in range(at_length(160)):
        root = tmp_path / f"root-{seed}"
        turns = Turns(seed)
        store = open_store(root, mounts="", files=TurningFiles(turns), guard=turns)
        unsynced(store)
        if is_there:
            put_image(store, "web", "below", "above")
        deeds = MEETINGS[meeting]
        raised = turns.run(*(_of(deed, store) for deed in deeds))
        # A tag or a build may come too late for its image; nothing else may fail.
        odd = [each for each in raised if not isinstance(each, NoSuchImage | NoSuchLayer)]
        assert not odd, (seed, turns.order)
        unsynced(store)
        sweep(store)
        store.close()
        check_invariants(root)
        check_swept(root)
        if deeds in ((load, load), (load, load_beside), (load_beside, collect)):
            assert not raised, seed
            assert name("web" if deeds[0] is load else "top") in _names(root)
        shutil.rmtree(root)


def _of(deed: Deed, store: Store) -> Callable[[], object]:
    return lambda: deed(store)


def _names(root: Path) -> set[str]:
    with closing(sqlite3.connect(root / "state.db")) as rows:
        return {row[0] for row in rows.execute("SELECT name FROM tags")}


def test_the_same_seed_is_the_same_order(tmp_path: Path) -> None:
    orders = []
    for place in "ab":
        turns = Turns(7)
        store = open_store(
            tmp_path / place, mounts="", files=TurningFiles(turns), guard=turns
        )
        turns.run(_of(load, store), _of(remove, store))
        store.close()
        orders.append(turns.order)
    assert orders[0] == orders[1]
    assert len(set(orders[0])) > 2
