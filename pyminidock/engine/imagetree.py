"""All images as one tree of layers: what they share, and what each has alone.

A layer stands on exactly one other, so layers that begin alike are one trunk, and images
part where they begin to differ:

    A  busybox ──┬── B ── C      app:1
                 └── D           app:2

What is shared is on the disk once.  So the sum of all images is more than what they take,
and removing one of them gives back only what no other stands on.

Told are the images that `docker images` tells: those with a name, or without children.  The
steps of a build are images too, but they hold nothing that their end does not hold.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pyminidock.engine import images
from pyminidock.engine.house import House
from pyminidock.engine.imagelayers import instructions
from pyminidock.image.digest import Digest
from pyminidock.store.images import ImageRow

Document = dict[str, Any]


def tree(house: House, reference: str = "") -> Document:
    """Tell the layers of all images, each with the one below it, lower ones first.

    With a reference only the images that share a layer with that one.
    Raises NoSuchImage, ReferenceMalformed.
    """
    with house.store.leases.lease("look at the tree of images"):
        rows, asked = _rows(house), ""
        if reference:
            found = images.row_of(house, reference)
            trunk, asked = found.layers[:1], found.id
            rows = [each for each in rows if each.layers[:1] == trunk and trunk]
            rows += [found] if found.id not in [each.id for each in rows] else []
        users = Counter(chain for each in rows for chain in each.layers)
        layers = _layers(house, rows, users)
    return {
        "backend": house.machine.backend, "asked": asked, "layers": layers,
        "size_bytes": sum(each["size_bytes"] for each in layers),
        "images": [_image(house, each, users) for each in rows],
    }  # fmt: skip


def _rows(house: House) -> list[ImageRow]:
    """Give the rows of what is listed, the oldest first."""
    rows = {row.id: row for row in house.store.images.all()}
    listed = [str(each["Id"]) for each in reversed(images.list_(house))]
    return [rows[id] for id in listed if id in rows]


def _layers(
    house: House, rows: Sequence[ImageRow], users: Counter[Digest]
) -> list[Document]:
    """Tell each layer once, after the one that it stands on."""
    told = dict[Digest, Document]()
    for row in rows:
        if all(chain in told for chain in row.layers):
            continue
        said, below = instructions(house, images.read(house, row)), ""
        for chain, instruction in zip(row.layers, said, strict=True):
            told.setdefault(chain, {
                "chain_id": chain, "on": below, "instruction": instruction,
                "size_bytes": _size(house, chain), "images": users[chain],
            })  # fmt: skip
            below = chain
    return list(told.values())


def _image(house: House, row: ImageRow, users: Counter[Digest]) -> Document:
    """Tell one image: its names, where it ends, and which bytes are its alone."""
    shared = sum(_size(house, chain) for chain in row.layers if users[chain] > 1)
    own = sum(_size(house, chain) for chain in row.layers if users[chain] == 1)
    return {
        "id": row.id, "names": images.names_of(house, row.id), "stand_in": row.stand_in,
        "top": row.layers[-1] if row.layers else "", "layers": len(row.layers),
        "shared_bytes": shared, "own_bytes": own,
    }  # fmt: skip


def _size(house: House, chain: Digest) -> int:
    """Give the bytes of a layer's files; none of one that the disk lost."""
    row = house.store.layers.get(chain)
    return row.size_bytes if row else 0
