"""A damaged file costs what it held, is told with a reason, and stops nothing else."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pyminidock.image.digest import Digest
from pyminidock.store.blobs import BlobMissing
from pyminidock.store.cache import CacheRow
from pyminidock.store.gc import sweep
from pyminidock.store.images import ImageRow
from pyminidock.store.opening import Store, open_store
from tests.store.invariants import check_invariants, check_swept, read_tables
from tests.store.stores import name, put_image

Deed = Callable[[Path], None]


def flip(path: Path, place: int = -2) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def blob(root: Path, digest: Digest) -> Path:
    return root / "oci" / "blobs" / "sha256" / digest.removeprefix("sha256:")


def pair(store: Store) -> tuple[ImageRow, ImageRow]:
    """Two images with a layer in common, the second built on the first."""
    web = put_image(store, "web", "below", "above")
    return web, put_image(store, "top", "below", "above", "top", parent=web.id)


def reopened(root: Path) -> Store:
    """Open after a damage: whatever it was, the second time nothing is left to do."""
    first = open_store(root, mounts="", wall=lambda: 1e9)
    first.close()
    check_invariants(root)
    second = open_store(root, mounts="")
    assert second.repairs == ()
    second.repairs = first.repairs
    return second


def told(store: Store) -> set[tuple[str, str]]:
    return {(each.deed, each.what) for each in store.repairs}


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
@pytest.mark.parametrize("part", ["config", "tree of the top", "tree of the bottom"])
def test_an_image_that_lost_a_part_is_set_aside_with_what_is_left(
    store: Store, harm: Deed, part: str
) -> None:
    """H-51: its config or a tree; the message names the image."""
    web, top = pair(store)
    other = put_image(store, "other", "alone")
    store.close()
    match part:
        case "config":
            harm(blob(store.root, top.config_blob))
        case "tree of the top":
            shutil.rmtree(store.layers.directory(top.layers[-1]))
        case _:
            shutil.rmtree(store.layers.directory(top.layers[0]))
    again = reopened(store.root)
    bottom = part.endswith("bottom")
    assert {row.id for row in again.images.all()} == {other.id} | (
        set() if bottom else {web.id}
    )
    assert ("set aside", "image") in told(again)
    images = [
        each for each in again.repairs if (each.deed, each.what) == ("set aside", "image")
    ]
    (aside,) = (each for each in images if each.name == top.id)
    kept = json.loads((Path(aside.path) / "image.json").read_bytes())
    assert (kept["id"], kept["names"]) == (top.id, [name("top")])
    assert top.id in (Path(aside.path) / "reason").read_text()
    assert (Path(aside.path) / top.manifest_digest.removeprefix("sha256:")).exists()
    assert Path(aside.path).name.startswith("20010909T014640-")
    sweep(again)
    again.close()
    check_invariants(store.root)
    check_swept(store.root)


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
def test_an_image_without_its_manifest_still_runs(store: Store, harm: Deed) -> None:
    """H-51."""
    web, top = pair(store)
    store.close()
    harm(blob(store.root, top.manifest_digest))
    again = reopened(store.root)
    found = again.images.tagged(name("top"))
    assert found is not None
    assert (found.id, found.layers, found.manifest_digest) == (top.id, top.layers, "")
    assert again.images.get(web.id) == web
    assert ("lost", "blob") in told(again)
    assert put_image(again, "top", "below", "above", "top", parent=web.id) == top
    assert again.images.get(top.id) == top  # healed by coming again
    again.close()


@pytest.mark.parametrize("harm", [cut, Path.unlink])
def test_an_image_without_an_archive_still_runs(store: Store, harm: Deed) -> None:
    """H-51."""
    web, top = pair(store)
    row = store.layers.get(top.layers[-1])
    assert row is not None
    store.close()
    harm(blob(store.root, row.blob))
    again = reopened(store.root)
    assert again.images.get(top.id) == top
    after = again.layers.get(row.chain_id)
    assert after is not None
    assert after.blob == ""
    put_image(again, "top", "below", "above", "top", parent=web.id)
    assert again.layers.get(row.chain_id) == row  # healed by coming again
    assert again.images.get(web.id) == web
    again.close()


def test_a_flipped_byte_in_an_archive_is_found_when_it_is_read(store: Store) -> None:
    """H-51: no start reads gigabytes to look for it."""
    web, _ = pair(store)
    row = store.layers.get(web.layers[0])
    assert row is not None
    store.close()
    flip(blob(store.root, row.blob))
    again = open_store(store.root, mounts="")
    with pytest.raises(BlobMissing):
        again.blobs.open(row.blob)
    assert not again.blobs.has(row.blob)
    (aside,) = (store.root / "quarantine").iterdir()
    assert "its content is sha256:" in (aside / "reason").read_text()
    assert (aside / row.blob.removeprefix("sha256:")).exists()
    again.close()
    reopened(store.root).close()


def test_a_damaged_blob_is_healed_by_the_same_blob_coming_again(store: Store) -> None:
    """H-51: what is damaged can be had again."""
    digest = store.blobs.put(b"precious")
    store.close()
    flip(blob(store.root, digest))
    again = open_store(store.root, mounts="")
    assert again.blobs.put(b"precious") == digest
    with again.blobs.open(digest) as file:
        assert file.read() == b"precious"
    assert len(list((store.root / "quarantine").iterdir())) == 1
    again.close()


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink])
@pytest.mark.parametrize("file", ["oci/index.json", "oci/oci-layout"])
def test_what_is_drawn_from_rows_is_drawn_again(
    store: Store, file: str, harm: Deed
) -> None:
    """H-51: index.json."""
    pair(store)
    store.close()
    before = (store.root / file).read_bytes()
    harm(store.root / file)
    again = reopened(store.root)
    assert (store.root / file).read_bytes() == before
    again.close()


def first_page(path: Path) -> None:
    flip(path, 30)


def every_page(path: Path) -> None:
    path.write_bytes(b"\xa5" * path.stat().st_size)


def a_tree_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    content[size] = 0x77  # the kind of the second page
    path.write_bytes(content)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    flip(path, 68)  # application_id


@pytest.mark.parametrize(
    "harm", [every_page, a_tree_page, foreign, half, empty, Path.unlink]
)
def test_lost_rows_come_back_from_the_files(store: Store, harm: Deed) -> None:
    """H-51: state.db, a page of it, or all."""
    web, top = pair(store)
    store.images.tag(name("alias"), top.id)
    store.cache.add(CacheRow(web.id, "key", {}, top.id, 1.0))
    before = read_tables(store.root)
    store.close()
    harm(store.root / "state.db")
    again = reopened(store.root)
    after = read_tables(store.root)
    for table in ("image_layers", "image_blobs", "layers", "tags"):
        assert after[table] == before[table]
    assert [row.parent for row in (again.images.get(web.id), again.images.get(top.id))] == [
        "",
        web.id,
    ]
    assert after["cache"] == []
    assert ("rebuilt", "image") in told(again)
    again.close()
    aside = list((store.root / "quarantine").glob("*state.db"))
    assert len(aside) == (0 if harm in (empty, Path.unlink) else 1)


def test_an_index_that_lost_a_row_is_made_anew_and_told(store: Store) -> None:
    web, top = pair(store)
    store.close()
    with closing(sqlite3.connect(store.root / "state.db")) as rows:
        rows.execute("PRAGMA writable_schema=ON")  # behind its back: not a row changes
        rows.execute("UPDATE sqlite_schema SET sql = sql || ' WHERE 0'"
                     " WHERE name = 'layers_by_parent'")  # fmt: skip
        rows.execute("PRAGMA writable_schema=RESET")
        rows.execute("REINDEX layers_by_parent")
        rows.execute("PRAGMA writable_schema=ON")
        rows.execute("UPDATE sqlite_schema SET sql = replace(sql, ' WHERE 0', '')"
                     " WHERE name = 'layers_by_parent'")  # fmt: skip
        rows.commit()
    again = reopened(store.root)
    assert ("rebuilt", "database") in told(again)
    assert {row.id for row in again.images.all()} == {web.id, top.id}
    assert again.db.check() == ()
    again.close()


def test_what_cannot_be_rebuilt_is_told_and_not_invented(store: Store) -> None:
    web, top = pair(store)
    store.close()
    shutil.rmtree(store.layers.directory(top.layers[-1]))
    every_page(store.root / "state.db")
    again = reopened(store.root)
    assert [row.id for row in again.images.all()] == [web.id]
    assert {
        each.name for each in again.repairs if (each.deed, each.what) == ("lost", "image")
    } == {top.manifest_digest}
    again.close()


def test_a_flipped_byte_in_the_log_of_the_database_costs_its_tail(store: Store) -> None:
    """H-51: the tail of the write-ahead log."""
    pair(store)
    snapshot = store.root.with_name("snapshot")  # as a power cut would leave it
    shutil.copytree(store.root, snapshot)
    store.close()
    flip(snapshot / "state.db-wal", -100)
    reopened(snapshot).close()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("layers", "diff_id"),
        ("images", "config_blob"),
        ("image_blobs", "digest"),
        ("images", "id"),
        ("tags", "image"),
        ("image_layers", "chain_id"),
        ("image_layers", "image"),
        ("layers", "parent"),
        ("layers", "chain_id"),
        ("images", "manifest_digest"),
        ("layers", "blob"),
        ("images", "parent"),
    ],
)
def test_a_row_with_nonsense_in_it_never_becomes_a_path(
    store: Store, table: str, column: str
) -> None:
    pair(store)
    store.close()
    with closing(sqlite3.connect(store.root / "state.db")) as rows, rows:
        rows.execute(  # as a disk would do it: no key is looked at
            f"UPDATE {table} SET {column} = '../../../etc/passwd'"  # noqa: S608
            f" WHERE {column} = (SELECT max({column}) FROM {table})"
        )
    again = reopened(store.root)
    sweep(again)
    again.close()
    check_swept(store.root)


def test_unfinished_things_go_and_cut_off_operations_are_told(store: Store) -> None:
    pair(store)
    snapshot = store.root.with_name("snapshot")
    with store.leases.lease("build web"):
        making = store.layers.workshop()
        (making / "diff").mkdir()
        with store.blobs.writer() as out:
            out.write(b"half")
            shutil.copytree(store.root, snapshot)
    again = reopened(snapshot)
    assert [(each.deed, each.what) for each in again.repairs].count(
        ("removed", "file")
    ) == 2
    assert [each.name for each in again.repairs if each.what == "operation"] == [
        "build web"
    ]
    again.close()
