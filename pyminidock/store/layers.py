"""The trees that images are stacked from, by chain id.

    layers/<hex of the chain id>/diff     the unpacked tree
    layers/tmp-…/diff                     one that is being unpacked
    row                                   what it is made from, and what lies below it

A row names the layer below it, and SQLite refuses a row whose parent is not there: a chain
is complete or absent.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from pyminidock.errors import MinidockError
from pyminidock.image.digest import Digest, hex_of
from pyminidock.store.blobs import Blobs
from pyminidock.store.database import Database
from pyminidock.store.failpoints import reach
from pyminidock.store.files import DISK, Files, telling_full, temporary
from pyminidock.store.leases import Leases


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer: `parent` is the chain id below it or "", `blob` its archive or "".

    `size_bytes` counts the files' content, `files` all entries.
    """

    chain_id: Digest
    diff_id: Digest
    parent: Digest
    blob: Digest
    size_bytes: int
    files: int


class NoSuchLayer(MinidockError):
    """No layer has this chain id."""

    status = 404


class LayerRows:
    """The layers of one root.  Any thread may ask."""

    def __init__(
        self, root: Path, db: Database, blobs: Blobs, leases: Leases, files: Files = DISK
    ) -> None:
        self._root, self._db, self._blobs = root, db, blobs
        self._leases, self._files = leases, files

    def workshop(self) -> Path:
        """Make an empty directory, 0700, to unpack into (`diff`); swept after a crash."""
        self._leases.write_down()
        path = self.place()
        self._files.make_directory(path)
        return path

    def place(self) -> Path:
        """Give the name that a workshop would have, for who may need none."""
        return temporary(self._root / "layers")

    def directory(self, chain_id: Digest) -> Path:
        """Say where the tree of a layer lies."""
        return directory(self._root, chain_id)

    def settle(self, making: Path, row: LayerRow) -> bool:
        """Give a finished, synced tree its name and its row, in one step to everybody else.

        `making` comes from `workshop` and holds `diff`.  False if the layer is here
        already: `making` is then left to the caller.  Raises NoSuchLayer, BlobMissing.
        """
        target = self.directory(row.chain_id).parent
        with self._db.guard:
            if (known := self.get(row.chain_id)) is not None:
                if row.blob and not known.blob:
                    self.add(row)
                return False
            if row.parent and self.get(row.parent) is None:
                raise no_such_layer(row.parent, "a layer needs the one below it")
            if row.blob:
                self._blobs.size(row.blob)
            if (
                target.exists()
            ):  # its row is gone: it was on its way out, or a crash left it
                self._files.rename(target, temporary(self._root / "trash"))
            self._files.rename(making, target)
            reach("layer.renamed")
            self._files.sync_directory(target.parent)
            reach("layer.directory")
            self.add(row)
        return True

    def add(self, row: LayerRow) -> None:
        """Note a layer whose tree and blob are in place; noting it twice is fine.

        Raises NoSuchLayer if the parent or the tree is not here, BlobMissing.
        """
        self._leases.touch(row.chain_id)
        if not self.directory(row.chain_id).is_dir():
            raise no_such_layer(row.chain_id, "its tree is not in place")
        with self._db.guard, telling_full(self._root):
            length = self._blobs.size(row.blob) if row.blob else 0
            try:
                with self._db.write() as rows:
                    rows.execute(
                        "INSERT INTO layers VALUES (?, ?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT (chain_id) DO UPDATE SET blob = excluded.blob,"
                        " blob_bytes = excluded.blob_bytes WHERE blob = ''",
                        (row.chain_id, row.diff_id, row.parent or None, row.blob, length,
                         row.size_bytes, row.files),
                    )  # fmt: skip
            except sqlite3.IntegrityError as refusal:
                raise no_such_layer(
                    row.parent, "a layer needs the one below it"
                ) from refusal

    def get(self, chain_id: Digest) -> LayerRow | None:
        """Give a layer, or None; under a lease it then stays."""
        with self._db.guard:
            self._leases.touch(chain_id)
            query = "SELECT * FROM layers WHERE chain_id = ?"
            found = self._db.recall(_layer, query, chain_id)
        return found[0] if found else None

    def all(self) -> tuple[LayerRow, ...]:
        """Give every layer, in the order of the chain ids."""
        with self._db.read() as rows:
            found = rows.execute("SELECT * FROM layers ORDER BY chain_id").fetchall()
        return tuple(map(_layer, found))

    def remove(self, chain_id: Digest) -> bool:
        """Remove the row, not the tree.  False if an image or a layer above needs it."""
        try:
            with self._db.write(makes_room=True) as rows:
                rows.execute("DELETE FROM layers WHERE chain_id = ?", (chain_id,))
        except sqlite3.IntegrityError:
            return False
        return True


def directory(root: Path, chain_id: Digest) -> Path:
    """Say where the tree of a layer lies below an engine's root directory."""
    return Path(f"{root}/layers/{hex_of(chain_id)}/diff")  # read once, not thrice: hot


def no_such_layer(chain_id: Digest, why: str) -> NoSuchLayer:
    """Make the refusal for a layer that is not here."""
    return NoSuchLayer(
        f"layer does not exist: {chain_id}",
        why=why,
        try_next="load, pull or build its image again",
        lesson="layers",
    )


def _layer(row: sqlite3.Row) -> LayerRow:
    return LayerRow(
        row["chain_id"], row["diff_id"], row["parent"] or "", row["blob"],
        row["size_bytes"], row["files"],
    )  # fmt: skip
