"""Do the rows still tell the truth?  What lost a part is set aside, the rest goes on.

    a row says                         is it so?                       if not
    image: config, manifest            same length, same digest        see below
    image, layer: other blobs          same length                     not named any more
    layer: tree                        a directory is there            its images go
    layer: chain id                    made of parent and diff id      its images go
    image: id, layers in order         its config's; one on the other  it goes
    a name, a part of an image         that image is there             the row goes

An image without its config is no image, and one without a tree cannot be stacked: its row,
its names and hard links to its blobs go to quarantine.  An image without its manifest, or
without the archive of a layer, still runs; it cannot be saved or pushed.

Archives are long, so their bytes are compared when they are first read (`Blobs.has`).

Source: hardening.md D.5, D.6.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

from pyminidock.image.chain import extend
from pyminidock.image.digest import Digest, DigestMalformed, hex_of
from pyminidock.store.blobs import Blobs
from pyminidock.store.database import Database
from pyminidock.store.files import Files, write_whole
from pyminidock.store.images import ImageRow, Images
from pyminidock.store.layers import LayerRow, LayerRows
from pyminidock.store.quarantine import set_aside


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that opening did; `deed` is removed, ended, set aside, rebuilt or lost."""

    deed: str
    what: str  # file, operation, database, blob, image, layer, index
    name: str
    why: str
    path: str = ""  # where it is now


@dataclass(frozen=True, slots=True)
class Parts:
    """What is compared with what."""

    db: Database
    blobs: Blobs
    images: Images
    layers: LayerRows
    files: Files
    wall: float


def examine(parts: Parts) -> list[Repair]:
    """Compare all rows with all files, a stat for each; set aside what lost a part."""
    with parts.db.guard:
        images, layers = (
            parts.images.all(),
            {row.chain_id: row for row in parts.layers.all()},
        )
        strays = _strays(parts)
        gone, found = _lost_blobs(parts, images)
        found = strays + found
        fallen = _fallen(parts, layers)
        muddled = _muddled(images, layers) | dict.fromkeys(
            _misnumbered(parts), "its layers are not numbered one by one"
        )
        doomed = {
            row.id: why for row in images
            if (why := _verdict(row, gone, fallen) or muddled.get(row.id, ""))
        }  # fmt: skip
        if not gone and not fallen and not doomed:
            return found
        for row in images:
            if row.id in doomed:
                found.append(_put_away(parts, row, doomed[row.id]))
        with parts.db.write(makes_room=True) as rows:
            for image in doomed:
                parts.images.remove(image)
            _forget(rows, gone)
            for chain_id in _upper_first(layers, fallen):
                rows.execute("DELETE FROM layers WHERE chain_id = ?", (chain_id,))
    found += [Repair("lost", "layer", each, why) for each, why in sorted(fallen.items())]
    found += [
        Repair("lost", "blob", digest, f"{why}; what it was for runs, but cannot be saved")
        for digest, why in sorted(gone.items())
        if digest not in {row.config_blob for row in images}
    ]
    return found


def _strays(parts: Parts) -> list[Repair]:
    """Remove rows that belong to an image which is not there."""
    lost = [Repair("lost", "name", each, "its image is not there") for (each,) in _ask(
        parts, "SELECT name FROM tags WHERE image NOT IN (SELECT id FROM images)"
    )]  # fmt: skip
    tables = [
        table for table in ("tags", "image_layers", "image_blobs", "cache")
        if _ask(parts, f"SELECT 1 FROM {table} WHERE image NOT IN"  # noqa: S608  (ours)
                       " (SELECT id FROM images) LIMIT 1")
    ]  # fmt: skip
    if tables:
        with parts.db.write(makes_room=True) as rows:
            for table in tables:
                rows.execute(
                    f"DELETE FROM {table} WHERE image NOT IN (SELECT id FROM images)"  # noqa: S608
                )
    return lost


def _misnumbered(parts: Parts) -> list[Digest]:
    """Find images whose layers are not numbered 0, 1, 2 and so on."""
    return [row[0] for row in _ask(
        parts, "SELECT image FROM image_layers GROUP BY image"
        " HAVING min(position) <> 0 OR max(position) <> count(*) - 1"
    )]  # fmt: skip


def _muddled(
    images: Iterable[ImageRow], layers: Mapping[Digest, LayerRow]
) -> dict[Digest, str]:
    """Find images that are not named by their config, or whose layers are no stack."""
    found: dict[Digest, str] = {}
    for image in images:
        if image.id != image.config_blob:
            found[image.id] = "its id is not that of its config: a row was changed"
        below = ""
        for chain_id in image.layers:
            if chain_id not in layers:
                found[image.id] = f"its layer {chain_id}: no row has it"
            elif layers[chain_id].parent != below:
                found[image.id] = f"its layer {chain_id} does not stand on the one before"
            below = chain_id
    return found


def _ask(parts: Parts, question: str) -> list[sqlite3.Row]:
    with parts.db.read() as rows:
        return rows.execute(question).fetchall()


def _lost_blobs(
    parts: Parts, images: tuple[ImageRow, ...]
) -> tuple[dict[Digest, str], list[Repair]]:
    """Find blobs that rows name and that are absent or changed."""
    documents = {each for row in images for each in (row.config_blob, row.manifest_digest)}
    with parts.db.read() as rows:
        expected: dict[Digest, int] = {
            row[0]: row[1]
            for row in rows.execute(
                "SELECT digest, size_bytes FROM image_blobs WHERE digest <> ''"
                " UNION SELECT blob, blob_bytes FROM layers WHERE blob <> ''"
            )
        }
    gone = dict.fromkeys(documents - expected.keys() - {""}, "no row counts it")
    found: list[Repair] = []
    for digest, length in expected.items():
        why, path = _compare(parts.blobs, digest, length, is_document=digest in documents)
        if why:
            gone[digest] = why
        if path:
            found.append(Repair("set aside", "blob", digest, why, path))
    return gone, found


def _compare(
    blobs: Blobs, digest: Digest, length: int, *, is_document: bool
) -> tuple[str, str]:
    """Give ("", "") for a good blob, else why it is none, and where it was put."""
    try:
        size = blobs.path(digest).stat().st_size
    except FileNotFoundError:
        return "its file is not there", ""
    except (DigestMalformed, ValueError):
        return "its row holds no digest", ""
    if size != length:
        why = f"it has {size} bytes, not {length}"
        return why, str(blobs.set_aside(digest, why))
    if is_document and (place := blobs.verify(digest)) is not None:
        return "its content has changed", str(place)
    return "", ""


def _fallen(parts: Parts, layers: dict[Digest, LayerRow]) -> dict[Digest, str]:
    """Find layers without a tree, and those that stand on one."""
    fallen: dict[Digest, str] = {}
    for row in layers.values():
        try:
            if row.parent and row.parent not in layers:
                fallen[row.chain_id] = f"it stood on {row.parent}, which no row has"
            elif extend(row.parent, row.diff_id) != row.chain_id:
                fallen[row.chain_id] = "its id is not made of its parts: a row was changed"
            elif not parts.layers.directory(row.chain_id).is_dir():
                fallen[row.chain_id] = "its tree is not there"
        except DigestMalformed:
            fallen[row.chain_id] = "its row holds no digest"
    for row in reversed([layers[each] for each in _upper_first(layers, layers)]):
        if row.parent in fallen:
            fallen.setdefault(row.chain_id, f"it stood on {row.parent}")
    return fallen


def _upper_first(
    layers: Mapping[Digest, LayerRow], chosen: Iterable[Digest]
) -> list[Digest]:
    def depth(chain_id: Digest) -> int:
        seen = set[Digest]()
        while chain_id in layers and chain_id not in seen:
            seen.add(chain_id)
            chain_id = layers[chain_id].parent
        return len(seen)

    return sorted(chosen, key=lambda chain_id: (-depth(chain_id), chain_id))


def _verdict(row: ImageRow, gone: dict[Digest, str], fallen: dict[Digest, str]) -> str:
    """Say why an image cannot go on, or ""."""
    if row.config_blob in gone:
        return f"its config {row.config_blob}: {gone[row.config_blob]}"
    for chain_id in row.layers:
        if chain_id in fallen:
            return f"its layer {chain_id}: {fallen[chain_id]}"
    return ""


def _put_away(parts: Parts, row: ImageRow, why: str) -> Repair:
    """Keep what is left of an image where no sweeper comes."""
    name = "image"
    with suppress(DigestMalformed):
        name = hex_of(row.id)
    root = parts.db.path.parent
    place = set_aside(root, name, f"image {row.id}: {why}", parts.wall, files=parts.files)
    told = {**asdict(row), "names": parts.images.names(row.id)}
    write_whole(place / "image.json", json.dumps(told).encode(), files=parts.files)
    archives = [found.blob for each in row.layers if (found := parts.layers.get(each))]
    for digest in {row.config_blob, row.manifest_digest, *row.blobs, *archives} - {""}:
        with suppress(OSError, DigestMalformed):
            path = parts.blobs.path(digest)
            parts.files.link(path, place / path.name)
    return Repair("set aside", "image", row.id, why, os.fspath(place))


def _forget(rows: sqlite3.Connection, gone: Iterable[Digest]) -> None:
    """Let no row name a blob that is not there."""
    for digest in gone:
        rows.execute("DELETE FROM image_blobs WHERE digest = ?", (digest,))
        rows.execute(
            "UPDATE layers SET blob = '', blob_bytes = 0 WHERE blob = ?", (digest,)
        )
        rows.execute(
            "UPDATE images SET manifest_digest = '' WHERE manifest_digest = ?", (digest,)
        )
