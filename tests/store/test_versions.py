"""A root directory belongs to one release at a time, on one machine: H-53."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pyminidock.store.database import (
    Database,
    DatabaseTooNew,
    DatabaseUnreadable,
    NetworkFilesystem,
)
from pyminidock.store.opening import Store, open_store
from pyminidock.store.schema import MIGRATIONS
from tests.store.invariants import read_tables
from tests.store.stores import put_image

MOUNTS = (
    "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 0:50 / {} rw,relatime shared:1 - {} x rw\n"
)


def version_of(root: Path) -> int:
    with closing(sqlite3.connect(root / "state.db")) as rows:
        return int(rows.execute("PRAGMA user_version").fetchone()[0])


def summed(root: Path) -> dict[str, str]:
    """Sum up every file but those of SQLite's own that come and go."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in (".db-wal", ".db-shm")
    }


def test_a_root_of_the_release_before_is_brought_up_and_a_copy_is_kept(
    store: Store,
) -> None:
    """H-53: version n-1; nothing that was there is lost."""
    put_image(store, "web", "below", "above")
    store.close()
    before = read_tables(store.root)
    newer = (*MIGRATIONS, "CREATE TABLE later (a TEXT);\nINSERT INTO later VALUES ('x')")
    Database(store.root, migrations=newer, mounts="").close()
    assert read_tables(store.root) == before
    assert version_of(store.root) == len(newer)
    kept = store.root / f"state.db.v{len(MIGRATIONS)}"
    assert kept.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(kept)) as rows:
        assert rows.execute("SELECT count(*) FROM images").fetchone() == (1,)
        assert rows.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_a_migration_that_fails_leaves_the_version_before(store: Store) -> None:
    """H-53: all of it or nothing."""
    put_image(store, "web", "below")
    store.close()
    before = read_tables(store.root)
    broken = (*MIGRATIONS, "CREATE TABLE later (a TEXT);\nINSERT INTO nowhere VALUES (1)")
    with pytest.raises(DatabaseUnreadable):
        Database(store.root, migrations=broken, mounts="")
    assert version_of(store.root) == len(MIGRATIONS)
    assert read_tables(store.root) == before
    open_store(store.root, mounts="").close()


def test_a_root_of_a_newer_release_is_refused_and_not_touched(store: Store) -> None:
    """H-53: version n+1; the refusal names both versions and the way out."""
    put_image(store, "web", "below")
    store.close()
    with closing(sqlite3.connect(store.root / "state.db")) as rows:
        rows.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    before = summed(store.root)
    with pytest.raises(DatabaseTooNew) as refusal:
        open_store(store.root, mounts="")
    assert f"version {len(MIGRATIONS) + 1}" in refusal.value.why
    assert f"up to {len(MIGRATIONS)}" in refusal.value.why
    assert "--root" in refusal.value.try_next
    assert summed(store.root) == before


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.glusterfs"]
)
def test_a_root_on_a_network_filesystem_is_refused_by_its_type(
    tmp_path: Path, kind: str
) -> None:
    """H-53: locks and shared memory end at the border of a machine."""
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(NetworkFilesystem, match=kind) as refusal:
        open_store(root, mounts=MOUNTS.format(tmp_path, kind))
    assert str(root) in refusal.value.what
    assert not (root / "state.db").exists()


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("{}", "ext4"),
        ("{}", "tmpfs"),
        ("{}/other", "nfs"),
        ("{}/roo", "nfs"),
        ("/mnt", "nfs"),
    ],
)
def test_a_root_beside_a_network_filesystem_is_taken(
    tmp_path: Path, place: str, kind: str
) -> None:
    """H-53: what counts is the mount that holds the root."""
    root = tmp_path / "root"
    root.mkdir()
    open_store(root, mounts=MOUNTS.format(place.format(tmp_path), kind)).close()
