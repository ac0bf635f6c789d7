"""Images for tests of the store: made of little, complete in every respect."""

import json
from contextlib import closing
from pathlib import Path

from pyminidock.image.chain import extend
from pyminidock.image.digest import Digest, sha256_of
from pyminidock.store.images import ImageRow
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def name(word: str) -> str:
    return f"docker.io/library/{word}:latest"


def put_layer(store: Store, content: str, parent: Digest = "") -> LayerRow:
    """Bring in one layer as a load does: blob, tree, row."""
    archive = content.encode() * 3
    diff_id, size_bytes = sha256_of(archive), len(content)
    with store.blobs.writer() as out:
        for place in range(0, len(archive), 1024):
            out.write(archive[place : place + 1024])
        out.commit(diff_id)
    row = LayerRow(extend(parent, diff_id), diff_id, parent, diff_id, size_bytes, 1)
    making = store.layers.workshop()
    store.files.make_directory(making / "diff")
    _plain(store, making / "diff" / "file", content.encode())
    if not store.layers.settle(making, row):
        store.remove_tree(making)
    return row


def put_image(store: Store, tag: str, *contents: str, parent: Digest = "") -> ImageRow:
    """Bring in an image with one layer for each of `contents`, and name it."""
    with store.leases.lease(f"load {tag}"):
        rows: list[LayerRow] = []
        for content in contents:
            rows.append(put_layer(store, content, rows[-1].chain_id if rows else ""))
        diff_ids = [row.diff_id for row in rows]
        config = {"os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        config_blob = store.blobs.put(json.dumps(config).encode())
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": CONFIG,
                "digest": config_blob,
                "size": store.blobs.size(config_blob),
            },
            "layers": [
                {"mediaType": LAYER, "digest": row.blob, "size": store.blobs.size(row.blob)}
                for row in rows
            ],
        }
        image = ImageRow(
            config_blob,
            config_blob,
            store.blobs.put(json.dumps(manifest).encode()),
            parent,
            1.0,
            sum(row.size_bytes for row in rows),
            False,
            "",
            tuple(row.chain_id for row in rows),
        )
        with store.db.write():
            store.images.add(image)
            if tag:
                store.images.tag(name(tag), image.id)
    return image


def unsynced(store: Store) -> None:
    """Do not wait for the disk any more: nobody cuts the power here."""
    with store.db.guard, closing(store.db._writer.execute("PRAGMA synchronous=OFF")):
        pass


def _plain(store: Store, path: Path, content: bytes) -> None:
    descriptor = store.files.create(path)
    store.files.write(descriptor, content)
    store.files.sync(descriptor)
    store.files.close(descriptor)
    store.files.sync_directory(path.parent)
