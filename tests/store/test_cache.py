"""What is remembered of a name's last build, and that it outlives the images."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pyminidock.store.cache import BuildCache, CacheRow, DoneStep, FileRow, Hit
from pyminidock.store.database import Database
from pyminidock.store.opening import Store, open_store
from pyminidock.store.schema import MIGRATIONS

STEPS = (
    DoneStep("", "k1", "sha256:1", "RUN a"),
    DoneStep("sha256:1", "k2", "sha256:2", "CMD b"),
)


def changes(store: Store) -> int:
    with store.db.write() as rows:
        return int(rows.execute("SELECT total_changes()").fetchone()[0])


def test_the_last_build_of_a_stage_is_told_step_by_step(store: Store) -> None:
    store.cache.remember("app", "0", STEPS)
    store.cache.remember("app", "build", STEPS[:1])
    assert store.cache.last("app", "0") == STEPS
    assert store.cache.last("app", "build") == STEPS[:1]
    assert store.cache.last("other", "0") == ()
    store.cache.remember("app", "0", STEPS[1:])
    assert store.cache.last("app", "0") == STEPS[1:]


def test_a_build_that_went_as_before_writes_nothing(store: Store) -> None:
    store.cache.remember("app", "0", STEPS)
    before = changes(store)
    store.cache.remember("app", "0", STEPS)
    assert changes(store) == before
    store.cache.remember("app", "0", STEPS[:1])
    assert changes(store) > before


def test_forgetting_all_steps_leaves_what_was_built(store: Store) -> None:
    store.cache.remember("app", "0", STEPS)
    store.cache.clear()
    assert store.cache.last("app", "0") == STEPS


def test_of_very_many_names_the_oldest_are_forgotten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyminidock.store.cache._MOST_BUILDS", 3)
    for number in range(5):
        store.cache.remember(f"app{number}", "0", STEPS)
    known = [bool(store.cache.last(f"app{number}", "0")) for number in range(5)]
    assert known == [False, False, True, True, True]


def test_a_root_of_the_first_version_keeps_its_steps(tmp_path: Path) -> None:
    Database(tmp_path, migrations=MIGRATIONS[:1]).close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as rows, rows:
        rows.execute("INSERT INTO images VALUES ('i', 'c', 'm', '', 0.0, 0, 1, '')")
        rows.execute(
            "INSERT INTO cache (parent, key, place, inputs, image, created)"
            " VALUES ('p', 'k', '', '{}', 'i', 1.0)"
        )
    db = Database(tmp_path)
    assert BuildCache(db).probe("p", "k") == Hit("i", 0, 0)
    assert BuildCache(db).of_image("i") == CacheRow("p", "k", {}, "i", 1.0)
    db.close()
    open_store(tmp_path).close()


def test_what_a_step_cost_is_kept_with_it(store: Store) -> None:
    with store.db.write() as rows:
        rows.execute("INSERT INTO images VALUES ('i', 'c', '', '', 0.0, 0, 1, '')")
        row = CacheRow("p", "k", {"text": "RUN a"}, "i", 1.0, 40, 7)
        store.cache.add(row)
    assert store.cache.probe("p", "k") == Hit("i", 40, 7)
    assert store.cache.of_image("i") == row


def a_file(path: bytes) -> FileRow:
    return FileRow(path, "file", 0o644, 0, 0, 7, b"", "ab", 1)


def test_the_files_of_a_step_are_read_in_the_order_of_their_names(store: Store) -> None:
    names = [b"d/%d" % number for number in range(2500)] + [b"odd \xff", b"a"]
    with store.db.write() as rows:
        rows.execute("INSERT INTO images VALUES ('i', 'c', '', '', 0.0, 0, 1, '')")
        store.cache.add(CacheRow("p", "k", {}, "i", 1.0, files=map(a_file, names)))
    found = store.cache.of_image("i")
    assert found is not None
    assert [*store.cache.files(found)] == [a_file(name) for name in sorted(names)]


@pytest.mark.parametrize("forget", ["again", "image", "clear"])
def test_the_files_of_a_step_go_with_it(store: Store, forget: str) -> None:
    with store.db.write() as rows:
        rows.execute("INSERT INTO images VALUES ('i', 'c', '', '', 0.0, 0, 1, '')")
    store.cache.add(CacheRow("p", "k", {}, "i", 1.0, files=[a_file(b"a"), a_file(b"b")]))
    match forget:
        case "again":
            store.cache.add(CacheRow("p", "k", {}, "i", 2.0, files=[a_file(b"c")]))
        case "image":
            store.cache.forget_image("i")
        case _:
            store.cache.clear()
    left = [bytes(path) for (path,) in store.db.ask("SELECT path FROM cache_files")]
    assert left == ([b"c"] if forget == "again" else [])
