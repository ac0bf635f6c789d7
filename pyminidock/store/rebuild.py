"""What can be known again when the rows are lost.

    oci/index.json ──► manifest ──► config ──► diff ids ──► chain ids ──► layers/<id>/diff
         names            archives                                             trees

    networks.json ──► networks

An image all of whose parts are still there gets its rows back, with its names, its parent
and what it stands in for.  What a build step was made from is nowhere else: the cache is
lost.  Nothing is invented: an image that lacks a part is told as lost, its blobs stay.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyminidock.errors import MinidockError
from pyminidock.image.chain import chain_ids
from pyminidock.image.digest import Digest, check
from pyminidock.image.document import read_image
from pyminidock.image.manifest import Manifest, read_manifest
from pyminidock.store import layout
from pyminidock.store.blobs import Blobs
from pyminidock.store.examine import Repair
from pyminidock.store.images import ImageRow, Images
from pyminidock.store.layers import LayerRow, LayerRows
from pyminidock.store.networks import NetworkRows, NetworkTaken

MAX_INDEX_BYTES = 64 << 20  # our own: it may be longer than one that we would accept


def rebuild(root: Path, blobs: Blobs, images: Images, layers: LayerRows) -> list[Repair]:
    """Write rows for all images that `oci/index.json` names; the caller is in a write."""
    done: list[Repair] = []
    for entry in _entries(root / "oci" / "index.json"):
        name = str(entry.get("digest"))
        try:
            row = _image(entry, blobs, layers)
            name = row.id
            images.add(row)
            called = _notes(entry).get(layout.FULL_NAME, "")
            if called:
                images.tag(called, row.id)
        except MinidockError as refusal:
            done.append(Repair("lost", "image", name, f"{refusal.what}: {refusal.why}"))
        else:
            done.append(Repair("rebuilt", "image", name, "from its blobs and trees"))
    return list(dict.fromkeys(done))


def rebuild_networks(networks: NetworkRows) -> list[Repair]:
    """Write rows for all networks that are known beside; the caller is in a write."""
    done: list[Repair] = []
    for row in networks.beside():
        with suppress(NetworkTaken):
            networks.add(row)
            done.append(Repair("rebuilt", "network", row.name, "from networks.json"))
    return done


def _entries(path: Path) -> Iterator[Mapping[str, Any]]:
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= MAX_INDEX_BYTES:
            document = json.loads(path.read_bytes())
            if isinstance(document, dict) and isinstance(document.get("manifests"), list):
                yield from (
                    each for each in document["manifests"] if isinstance(each, dict)
                )


def _notes(entry: Mapping[str, Any]) -> Mapping[str, str]:
    notes = entry.get("annotations")
    if not isinstance(notes, dict):
        return {}
    return {key: value for key, value in notes.items() if isinstance(value, str)}


def _image(entry: Mapping[str, Any], blobs: Blobs, layers: LayerRows) -> ImageRow:
    manifest_digest = check(entry.get("digest"))
    manifest = read_manifest(blobs.read(manifest_digest))
    config = manifest.config.digest
    diff_ids = read_image(blobs.read(config)).diff_ids
    rows = _layers(diff_ids, manifest, blobs, layers)
    for row in rows:
        layers.add(row)
    notes = _notes(entry)
    archives = {each.digest for each in manifest.layers}
    return ImageRow(
        id=config,
        config_blob=config,
        manifest_digest=manifest_digest,
        parent=notes.get(layout.PARENT, ""),
        created_wall=blobs.path(config).stat().st_mtime,
        size_bytes=sum(row.size_bytes for row in rows),
        is_local_build=layout.IS_BUILT in notes,
        stand_in=notes.get(layout.STAND_IN, ""),
        layers=tuple(row.chain_id for row in rows),
        blobs=tuple(sorted(filter(blobs.has, archives - {row.blob for row in rows}))),
    )


def _layers(
    diff_ids: tuple[Digest, ...], manifest: Manifest, blobs: Blobs, layers: LayerRows
) -> list[LayerRow]:
    rows: list[LayerRow] = []
    archives = [each.digest for each in manifest.layers]
    for place, (chain_id, diff_id) in enumerate(
        zip(chain_ids(diff_ids), diff_ids, strict=True)
    ):
        known = layers.get(chain_id)
        if known is not None:
            rows.append(known)
            continue
        offered = [diff_id, *archives[place : place + 1]]
        archive = next(filter(blobs.has, offered), "")
        size_bytes, files = _measure(layers.directory(chain_id))
        parent = rows[-1].chain_id if rows else ""
        rows.append(LayerRow(chain_id, diff_id, parent, archive, size_bytes, files))
    return rows


def _measure(tree: Path) -> tuple[int, int]:
    """Count the bytes and the entries of a tree; a file with many names counts once."""
    size_bytes = files = 0
    seen = set[int]()
    for directory, names, others in os.walk(tree):
        files += len(names) + len(others)
        for name in others:
            facts = (Path(directory) / name).lstat()
            if facts.st_ino not in seen:
                seen.add(facts.st_ino)
                size_bytes += facts.st_size
    return size_bytes, files
