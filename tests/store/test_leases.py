"""A lease protects at once, and gets its row when there is something to leave behind."""

from pathlib import Path

from pyminidock.store.opening import Store


def rows(store: Store) -> list[str]:
    return [row["operation"] for row in store.db.ask("SELECT operation FROM leases")]


def test_who_only_looks_writes_nothing(store: Store) -> None:
    digest = store.blobs.put(b"here")
    before = store.db.path.with_name("state.db-wal").read_bytes()
    with store.leases.lease("save"):
        store.blobs.read(digest)
        assert store.leases.protects(digest)
        assert store.leases.held() == ("save",)
        assert rows(store) == []
    assert store.leases.held() == ()
    assert store.db.path.with_name("state.db-wal").read_bytes() == before


def test_the_row_is_there_before_the_first_blob_and_goes_with_the_lease(
    store: Store,
) -> None:
    with store.leases.lease("load"):
        with store.blobs.writer() as out:
            assert rows(store) == ["load"]
            out.write(b"half")
        assert store.leases.held() == ("load",)
    assert rows(store) == []


def test_the_row_is_there_before_the_first_tree(store: Store) -> None:
    made: list[Path] = []
    with store.leases.lease("look"), store.leases.lease("build"):
        made.append(store.layers.workshop())
        assert rows(store) == ["look", "build"]
    assert rows(store) == []
    made[0].rmdir()


def test_a_lease_that_begins_later_is_written_down_too(store: Store) -> None:
    with store.leases.lease("first"):
        store.blobs.put(b"one")
        with store.leases.lease("second"):
            assert rows(store) == ["first"]
            assert store.leases.held() == ("first", "second")
            store.blobs.put(b"two")
            assert rows(store) == ["first", "second"]
        assert rows(store) == ["first"]
