"""How an image comes in: its document and a manifest as blobs, then one row.

    config blob ─┐
    layer rows ──┼─► manifest blob ──► row ──► index.json
    …           ─┘

Everything that the row names is on the disk before the row is.  Whoever brings an image
holds a lease from before its first layer until after this.

Source: OCI image specification, manifest.md; hardening.md D.1.
"""

from collections.abc import Sequence

from pyminidock.image.digest import Digest
from pyminidock.image.document import read_image
from pyminidock.image.manifest import (
    OCI_CONFIG,
    OCI_LAYER,
    Descriptor,
    Manifest,
    write_manifest,
)
from pyminidock.store.images import ImageIncomplete, ImageRow
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store

_MAGIC = ((b"\x1f\x8b", "+gzip"), (b"\x28\xb5\x2f\xfd", "+zstd"))


def admit(  # noqa: PLR0913  (what a row has and a document does not say)
    store: Store, document: bytes, layers: Sequence[LayerRow], *, parent: Digest = "",
    is_local_build: bool = False, stand_in: str = "", manifest: bytes = b"",
    blobs: Sequence[Digest] = (),
) -> ImageRow:  # fmt: skip
    """Note an image made of `document` (its exact bytes) and `layers`, bottom first.

    Without `manifest` one is made; `blobs` are what it names besides the config and the
    layers' own blobs.  An image that is here keeps its first row, which is given.
    Raises ImageMalformed, ImageIncomplete where document and layers differ, StoreFull.
    """
    image = read_image(document)
    if image.diff_ids != tuple(row.diff_id for row in layers):
        raise ImageIncomplete(
            "the image does not fit its layers",
            why=f"its document names {len(image.diff_ids)} layers, and these are others",
            try_next="save or build the image again",
            lesson="images",
        )
    config = store.blobs.put(document)
    row = ImageRow(
        config, config, store.blobs.put(manifest or _manifest(store, config, layers)),
        parent, store.wall(), sum(layer.size_bytes for layer in layers), is_local_build,
        stand_in, tuple(layer.chain_id for layer in layers), tuple(blobs),
    )  # fmt: skip
    store.images.add(row)
    return store.images.get(row.id)


def _manifest(store: Store, config: Digest, layers: Sequence[LayerRow]) -> bytes:
    described = tuple(
        Descriptor(
            OCI_LAYER + _suffix(store, row.blob), row.blob, store.blobs.size(row.blob)
        )
        for row in layers
    )
    return write_manifest(
        Manifest(Descriptor(OCI_CONFIG, config, store.blobs.size(config)), described)
    )


def _suffix(store: Store, blob: Digest) -> str:
    """Say how a layer is compressed, by its first bytes."""
    with store.blobs.open(blob) as file:
        first = file.read(4)
    return next((suffix for magic, suffix in _MAGIC if first.startswith(magic)), "")
