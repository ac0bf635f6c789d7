"""Away with what nobody needs: first decide, as plain data, then remove, one by one.

    tags, images ──► layers ──► layers below, blobs        needed
    containers   ──► layers                                needed
    leases       ──► what was touched since                needed
    everything else                                        rubbish

The decision is a moment old when the removing begins, so each thing is asked about once
more, with the writer held off, right before it goes.  A row goes before its file: whatever
interrupts, there is never a row without a file.

Source: containerd, docs/garbage-collection.md; hardening.md D.1, F-70x.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pyminidock.image.digest import Digest, of_hex
from pyminidock.store.failpoints import reach
from pyminidock.store.files import temporary
from pyminidock.store.images import ImageRow
from pyminidock.store.layers import LayerRow
from pyminidock.store.opening import Store

_TREE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Needed:
    """What somebody needs: layers by chain id, blobs by digest."""

    layers: frozenset[Digest]
    blobs: frozenset[Digest]


@dataclass(frozen=True, slots=True)
class Swept:
    """What went: chain ids, digests, and the bytes that the files had."""

    layers: tuple[Digest, ...] = ()
    blobs: tuple[Digest, ...] = ()
    size_bytes: int = 0


def nobody() -> Iterable[Digest]:
    """Give no layers: no container is there."""
    return ()


def reachable(
    images: Iterable[ImageRow], layers: Mapping[Digest, LayerRow], in_use: Iterable[Digest]
) -> Needed:
    """Say what images and containers need; `in_use` are the chain ids that containers use.

    Costs one visit for each layer.
    """
    wanted, blobs = list(in_use), set[Digest]()
    for image in images:
        wanted.extend(image.layers)
        blobs.update((image.config_blob, image.manifest_digest, *image.blobs))
    seen = set[Digest]()
    while wanted:
        chain_id = wanted.pop()
        if chain_id in seen or chain_id not in layers:
            continue
        seen.add(chain_id)
        blobs.add(layers[chain_id].blob)
        if layers[chain_id].parent:
            wanted.append(layers[chain_id].parent)
    return Needed(frozenset(seen), frozenset(blobs - {""}))


def sweep(store: Store, in_use: Callable[[], Iterable[Digest]] = nobody) -> Swept:
    """Remove layers, trees and blobs that no image, container or lease needs.

    `in_use` gives the chain ids of all containers; it is asked before each removal, under
    the guard, so it must be quick and must not write.
    """
    with store.db.guard:
        rows = {row.chain_id: row for row in store.layers.all()}
        needed = reachable(store.images.all(), rows, in_use())
    reach("sweep.marked")
    size_bytes, layers, blobs = 0, list[Digest](), list[Digest]()
    for chain_id in _upper_first(rows):
        if chain_id not in needed.layers and _remove_layer(store, chain_id, in_use):
            layers.append(chain_id)
            size_bytes += rows[chain_id].size_bytes
    for chain_id in _trees_without_rows(store):
        if _remove_tree(store, chain_id, in_use):
            layers.append(chain_id)
    for digest in store.blobs.all():
        if (
            digest not in needed.blobs
            and (length := _remove_blob(store, digest)) is not None
        ):
            blobs.append(digest)
            size_bytes += length
    store.empty_trash()
    return Swept(tuple(layers), tuple(blobs), size_bytes)


def _upper_first(rows: Mapping[Digest, LayerRow]) -> list[Digest]:
    """Order layers so that none comes after the one below it."""
    depth: dict[Digest, int] = {}
    for each in rows:
        path, chain_id = list[Digest](), each
        while chain_id and chain_id not in depth:
            path.append(chain_id)
            chain_id = rows[chain_id].parent if chain_id in rows else ""
        base = depth.get(chain_id, 0)
        for distance, chain_id in enumerate(reversed(path), start=base + 1):
            depth[chain_id] = distance
    return sorted(rows, key=lambda chain_id: (-depth[chain_id], chain_id))


def _remove_layer(
    store: Store, chain_id: Digest, in_use: Callable[[], Iterable[Digest]]
) -> bool:
    with store.db.guard:
        if store.leases.protects(chain_id) or chain_id in set(in_use()):
            return False
        if not store.layers.remove(chain_id):  # an image or a layer came to need it
            return False
        reach("sweep.layer.row")
        _to_trash(store, chain_id)
    return True


def _remove_tree(
    store: Store, chain_id: Digest, in_use: Callable[[], Iterable[Digest]]
) -> bool:
    with store.db.guard:
        if store.leases.protects(chain_id) or chain_id in set(in_use()):
            return False
        with store.db.read() as rows:
            if rows.execute(
                "SELECT 1 FROM layers WHERE chain_id = ?", (chain_id,)
            ).fetchone():
                return False
        _to_trash(store, chain_id)
    return True


def _to_trash(store: Store, chain_id: Digest) -> None:
    with suppress(FileNotFoundError):
        store.files.rename(
            store.layers.directory(chain_id).parent, temporary(store.root / "trash")
        )
    reach("sweep.layer.trash")


def _trees_without_rows(store: Store) -> list[Digest]:
    """Find trees that a crash left; those of `roots/*.json` belong to a name."""
    named = set[str]()
    for path in (store.root / "roots").glob("*.json"):
        with suppress(ValueError, KeyError, TypeError, OSError):
            named.add(json.loads(path.read_bytes())["id"])
    known = {row.chain_id for row in store.layers.all()}
    found = [
        of_hex(path.name)
        for path in (store.root / "layers").iterdir()
        if _TREE.fullmatch(path.name) and path.name not in named
    ]
    return sorted(set(found) - known)


def _remove_blob(store: Store, digest: Digest) -> int | None:
    with store.db.guard:
        if store.leases.protects(digest):
            return None
        with store.db.read() as rows:
            needs = rows.execute(
                "SELECT 1 FROM image_blobs WHERE digest = ?1"
                " UNION ALL SELECT 1 FROM layers WHERE blob = ?1", (digest,)
            ).fetchone()  # fmt: skip
        if needs:
            return None
        try:
            length = store.blobs.path(digest).stat().st_size
        except FileNotFoundError:
            return None
        store.blobs.remove(digest)
    reach("sweep.blob")
    return length
