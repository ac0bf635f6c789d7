"""Any file, harmed anyhow: the store opens, and what it then says is true."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pyminidock.store.cache import CacheRow
from pyminidock.store.gc import sweep
from pyminidock.store.opening import open_store
from tests.store.invariants import check_invariants, check_swept
from tests.store.stores import name, put_image

Harm = Callable[[Path, random.Random], object]


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def scribble(path: Path, chance: random.Random) -> None:
    """Write rubbish over a piece, as a disk does that mixes up its blocks."""
    content = bytearray(path.read_bytes())
    at = chance.randrange(len(content) + 1)
    content[at : at + 512] = chance.randbytes(len(content[at : at + 512]))
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size + 1)])


def remove(path: Path, chance: random.Random) -> None:
    path.unlink()


def grow(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.randrange(1, 5000)))


HARMS: tuple[Harm, ...] = (flip, scribble, cut, remove, grow)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    root = tmp_path / "whole"
    store = open_store(root, mounts="")
    web = put_image(store, "web", "below", "above")
    top = put_image(store, "top", "below", "above", "top", parent=web.id)
    put_image(store, "other", "alone")
    store.images.tag(name("alias"), top.id)
    store.cache.add(CacheRow(web.id, "key", {"names": [""]}, top.id, 1.0))
    store.close()
    return root


@pytest.mark.soak
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_whatever_is_harmed_the_store_opens_and_tells_the_truth(
    harm: Harm, whole: Path, tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    """In the end nothing more is found; what was not harmed is still there."""
    files = sorted(
        path.relative_to(whole) for path in whole.rglob("*")
        if path.is_file() and path.name not in ("ballast", "file")
    )  # fmt: skip
    database = [Path("state.db")] * len(files)  # most of what can be told is in there
    for seed in range(at_length(400)):
        chance = random.Random(seed)
        root = tmp_path / "root"
        shutil.copytree(whole, root)
        harmed = chance.choice(files + database)
        harm(root / harmed, chance)
        told = set[str]()
        for _ in (1, 2):  # a damaged archive is found when it is read
            store = open_store(root, mounts="")
            told |= {each.deed for each in store.repairs}
            for digest in store.blobs.all():
                store.blobs.has(digest)
            store.close()
        check_invariants(root)
        last = open_store(root, mounts="")
        assert last.repairs == (), (seed, harmed)
        sweep(last)
        last.close()
        check_swept(root)
        if harmed.parts[0] == "oci" and len(harmed.parts) == 2:
            assert _names(root) == _names(whole), (seed, harmed)
        assert _names(root) <= _names(whole) or harmed.name == "state.db"
        if _names(root) != _names(whole):
            assert told, (seed, harmed)  # "rebuilt": the index had other names
        shutil.rmtree(root)


def _names(root: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(root / "state.db")) as rows:
        return set(rows.execute("SELECT name, image FROM tags"))
