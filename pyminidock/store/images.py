"""Which images there are, how they are called, and what each is made of.

An image is its config document; the digest of that document is its id.  Its row adds what
the document does not say: where it came from, which blobs and trees it stands on, and, for
one that a build made, the image of the step before.  Names are rows of their own, because
names move.  `oci/index.json` is drawn anew after each change.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyminidock.errors import MinidockError
from pyminidock.image.digest import Digest
from pyminidock.store.blobs import Blobs
from pyminidock.store.database import Database
from pyminidock.store.leases import Leases

_WITH_PARTS = (  # the parts of each as one text, in order, with blanks between
    "SELECT images.*, (SELECT group_concat(chain_id, ' ') FROM (SELECT chain_id"
    " FROM image_layers WHERE image = id ORDER BY position)) AS layers,"
    " (SELECT group_concat(digest, ' ') FROM (SELECT digest"
    " FROM image_blobs WHERE image = id ORDER BY digest)) AS blobs FROM images WHERE "
)


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image; what is "" is not there.

    `layers` are chain ids, bottom first.  `blobs` are all that its manifest names besides
    the config and the blobs of its layers' rows.  `stand_in` says what it really is, if its
    name promises more.  `created_wall` is when it came here, in seconds since 1970.
    """

    id: Digest
    config_blob: Digest
    manifest_digest: Digest
    parent: Digest
    created_wall: float
    size_bytes: int
    is_local_build: bool
    stand_in: str
    layers: tuple[Digest, ...]
    blobs: tuple[Digest, ...] = ()


class NoSuchImage(MinidockError):
    """No image has this name or id."""

    status = 404


class ImageIncomplete(MinidockError):
    """An image was to be noted whose blobs or layers are not here."""


class Images:
    """The images of one root.  Any thread may ask."""

    def __init__(self, db: Database, blobs: Blobs, leases: Leases) -> None:
        self._db, self._blobs, self._leases = db, blobs, leases
        self._deeds: list[Callable[[], object]] = []

    def when_changed(self, deed: Callable[[], object]) -> None:
        """Have `deed` done after each commit that changed an image or a name."""
        self._deeds.append(deed)

    def add(self, row: ImageRow) -> None:
        """Note an image, in one piece; one that is here keeps its first row.

        Raises ImageIncomplete if a blob or a layer of it is not here.
        """
        self._leases.touch(row.id, *row.layers)
        needed = dict.fromkeys((row.config_blob, row.manifest_digest, *row.blobs))
        lengths = {}
        with self._db.guard:  # the sweeper waits from the look at the files to the commit
            for digest in filter(None, needed):
                if not self._blobs.has(digest):
                    raise _incomplete(row, f"blob {digest} is not here")
                lengths[digest] = self._blobs.size(digest)
            try:
                with self._db.write() as rows:
                    self._insert(rows, row, lengths)
            except sqlite3.IntegrityError as refusal:
                raise _incomplete(row, "a layer of it is not here") from refusal

    def _insert(
        self, rows: sqlite3.Connection, row: ImageRow, lengths: dict[Digest, int]
    ) -> None:
        made = rows.execute(
            "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET manifest_digest = excluded.manifest_digest"
            " WHERE manifest_digest = ''",  # it was lost, and is here again
            (row.id, row.config_blob, row.manifest_digest, row.parent, row.created_wall,
             row.size_bytes, int(row.is_local_build), row.stand_in),
        )  # fmt: skip
        if made.rowcount == 0:
            return
        rows.executemany(
            "INSERT OR IGNORE INTO image_layers VALUES (?, ?, ?)",
            [(row.id, place, chain_id) for place, chain_id in enumerate(row.layers)],
        )
        rows.executemany(
            "INSERT OR IGNORE INTO image_blobs VALUES (?, ?, ?)",
            [(row.id, digest, length) for digest, length in lengths.items()],
        )
        self._change()

    def get(self, image: Digest) -> ImageRow:
        """Give an image by its full id; under a lease it keeps what it needs.

        Raises NoSuchImage.
        """
        found = self._find("id = ?", image)
        if not found:
            raise no_such_image(image)
        return found[0]

    def tagged(self, name: str) -> ImageRow | None:
        """Give the image of a name like `docker.io/library/busybox:latest`, or None."""
        found = self._find("id = (SELECT image FROM tags WHERE name = ?)", name)
        return next(iter(found), None)

    def beginning(self, digits: str) -> tuple[ImageRow, ...]:
        """Give the images whose id begins so, with or without `sha256:`."""
        prefix = f"sha256:{digits.removeprefix('sha256:')}"
        which = "substr(id, 1, ?) = ? ORDER BY id"
        return self._find(which, len(prefix), prefix) if prefix != "sha256:" else ()

    def all(self) -> tuple[ImageRow, ...]:
        """Give every image, the newest first."""
        with self._db.read() as rows:
            layers, blobs = (
                _by_image(rows.execute(query).fetchall())
                for query in (
                    "SELECT image, chain_id FROM image_layers ORDER BY image, position",
                    "SELECT image, digest FROM image_blobs ORDER BY image, digest",
                )
            )
            found = rows.execute("SELECT * FROM images ORDER BY created_wall DESC, id")
            return tuple(
                _image(row, layers.get(row["id"], ()), blobs.get(row["id"], ()))
                for row in found.fetchall()
            )

    def children(self, image: Digest) -> tuple[Digest, ...]:
        """Give the images that a build made directly from this one."""
        with self._db.read() as rows:
            found = rows.execute(
                "SELECT id FROM images WHERE parent = ? ORDER BY id", (image,)
            )
            return tuple(row["id"] for row in found.fetchall())

    def tag(self, name: str, image: Digest) -> Digest:
        """Let a canonical name mean `image`; give what it meant before, or "".

        Costs a look only, where it means that already.  Raises NoSuchImage.
        """
        with self._db.guard:
            query = "SELECT image FROM tags WHERE name = ?"
            found = self._db.recall(_first, query, name)
            before: Digest = found[0] if found else ""
            if before != image:
                self._move(name, image)
        return before

    def _move(self, name: str, image: Digest) -> None:
        with self._db.write() as rows:
            try:
                rows.execute(
                    "INSERT INTO tags VALUES (?, ?)"
                    " ON CONFLICT (name) DO UPDATE SET image = excluded.image",
                    (name, image),
                )
            except sqlite3.IntegrityError as refusal:
                raise no_such_image(image) from refusal
            self._change()

    def untag(self, name: str) -> bool:
        """Forget a name; False if nothing had it."""
        with self._db.write(makes_room=True) as rows:
            gone = rows.execute("DELETE FROM tags WHERE name = ?", (name,)).rowcount
            self._change()
        return gone > 0

    def names(self, image: Digest = "") -> tuple[str, ...]:
        """Give the names of an image, or all names, sorted."""
        with self._db.read() as rows:
            found = rows.execute(
                "SELECT name FROM tags WHERE ? IN ('', image) ORDER BY name", (image,)
            )
            return tuple(row["name"] for row in found.fetchall())

    def names_on(self, layer: Digest, most: int = 8) -> tuple[str, ...]:
        """Give names of images that stand on a layer, by its chain id; at most `most`."""
        return self._db.recall(
            _first,
            "SELECT DISTINCT name FROM tags JOIN image_layers USING (image)"
            " WHERE chain_id = ? ORDER BY name LIMIT ?",
            layer, most,
        )  # fmt: skip

    def tags(self) -> dict[str, Digest]:
        """Give every name with the id of its image."""
        with self._db.read() as rows:
            found = rows.execute("SELECT name, image FROM tags ORDER BY name").fetchall()
        return {row["name"]: row["image"] for row in found}

    def parent(self, image: Digest) -> Digest:
        """Give the image that a build made this one from, or "".  Raises NoSuchImage."""
        return self.get(image).parent

    def remove(self, image: Digest) -> None:
        """Forget an image with its names and what the cache says of it; absent is fine.

        Its layers and blobs stay until the sweeper finds that nobody needs them.
        """
        with self._db.write(makes_room=True) as rows:
            rows.execute("DELETE FROM images WHERE id = ?", (image,))
            self._change()

    def _change(self) -> None:
        for deed in self._deeds:
            self._db.after_commit(deed)

    def _find(self, which: str, *values: object) -> tuple[ImageRow, ...]:
        with self._db.guard:  # no sweeper comes between the look and the touch
            found = self._db.recall(_whole, _WITH_PARTS + which, *values)
            for image in found:
                self._leases.touch(
                    image.id, image.config_blob, image.manifest_digest,
                    *image.blobs, *image.layers,
                )  # fmt: skip
        return found


def _by_image(rows: Sequence[sqlite3.Row]) -> dict[Digest, list[Digest]]:
    """Gather (image, digest) by image."""
    found: dict[Digest, list[Digest]] = {}
    for image, digest in rows:
        found.setdefault(image, []).append(digest)
    return found


def _first(row: sqlite3.Row) -> str:
    return str(row[0])


def _whole(row: sqlite3.Row) -> ImageRow:
    return _image(row, (row["layers"] or "").split(), (row["blobs"] or "").split())


def _image(row: sqlite3.Row, layers: Sequence[Digest], blobs: Sequence[Digest]) -> ImageRow:
    own = {row["config_blob"], row["manifest_digest"]}
    return ImageRow(
        row["id"], row["config_blob"], row["manifest_digest"], row["parent"],
        row["created_wall"], row["size_bytes"], bool(row["is_local_build"]),
        row["stand_in"], tuple(layers), tuple(each for each in blobs if each not in own),
    )  # fmt: skip


def no_such_image(name: str) -> NoSuchImage:
    """Make the refusal for a name or id that leads nowhere; `name` as Docker shows it."""
    return NoSuchImage(
        f"No such image: {name}",
        why="neither a name nor the beginning of exactly one id reads so",
        try_next="docker images --all",
        lesson="images",
    )


def _incomplete(row: ImageRow, why: str) -> ImageIncomplete:
    return ImageIncomplete(
        f"image {row.id} is not complete",
        why=why,
        try_next="do it again; what is missing comes anew",
        lesson="images",
    )
