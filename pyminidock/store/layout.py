"""The store as other tools see it: an OCI image layout.

    oci/oci-layout      {"imageLayoutVersion":"1.0.0"}
    oci/index.json      one entry for each name, one for each image without a name
    oci/blobs/sha256/…

`index.json` is drawn from the rows and never read while they are there, so it needs no care
to be durable.  If the rows are lost, it is what the images are found by.

Source: OCI image layout specification; image-spec annotations.md ("ref.name"); containerd's
`io.containerd.image.name`.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyminidock.image.digest import Digest
from pyminidock.store.blobs import BlobMissing, Blobs
from pyminidock.store.failpoints import reach
from pyminidock.store.files import DISK, Files, StoreFull, write_whole
from pyminidock.store.images import ImageRow

LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
NAME = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"
STAND_IN = "io.pyminidock.stand-in"
PARENT = "io.pyminidock.parent"
IS_BUILT = "io.pyminidock.local-build"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def draw(
    images: Iterable[ImageRow], tags: Mapping[str, Digest], blobs: Blobs,
    known: dict[Digest, dict[str, Any]],
) -> bytes:  # fmt: skip
    """Give the text of `index.json`; images without a manifest cannot be in it.

    `known` are the descriptors of manifests that were read before; new ones are put in.
    """
    entries: list[dict[str, Any]] = []
    names: dict[Digest, list[str]] = {}
    for name, image in sorted(tags.items()):
        names.setdefault(image, []).append(name)
    for row in sorted(images, key=lambda each: each.id):
        if not row.manifest_digest:
            continue
        try:
            if row.manifest_digest not in known:
                known[row.manifest_digest] = _descriptor(row.manifest_digest, blobs)
        except BlobMissing:  # damage; the next engine looks after it
            continue
        said = {
            STAND_IN: row.stand_in,
            PARENT: row.parent,
            IS_BUILT: "1" * row.is_local_build,
        }
        notes = {key: value for key, value in said.items() if value}
        for name in names.get(row.id, [""]):
            called = {NAME: name, FULL_NAME: name} if name else {}
            both, entry = {**called, **notes}, known[row.manifest_digest]
            entries.append({**entry, "annotations": both} if both else entry)
    for gone in known.keys() - {entry["digest"] for entry in entries}:
        del known[gone]
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def project(root: Path, text: bytes, *, files: Files = DISK) -> bool:
    """Bring `oci/` up to date with `text`; False if it was, or if the disk is full.

    A full disk is no error here: the rows are right, and the next engine draws again.
    """
    oci, changed = root / "oci", False
    for path, content in ((oci / "oci-layout", LAYOUT), (oci / "index.json", text)):
        if not path.is_file() or path.read_bytes() != content:
            try:
                write_whole(path, content, is_durable=False, files=files)
            except StoreFull:
                return False
            changed = True
    reach("index.written")
    return changed


def _descriptor(digest: Digest, blobs: Blobs) -> dict[str, Any]:
    kind = MANIFEST
    path = blobs.path(digest)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise BlobMissing(
            f"blob {digest} is not here",
            why="it is damage",
            try_next="start the engine anew",
        ) from None
    with suppress(ValueError, AttributeError, RecursionError):
        kind = json.loads(text).get("mediaType") or MANIFEST
    return {"mediaType": kind, "digest": digest, "size": len(text)}
