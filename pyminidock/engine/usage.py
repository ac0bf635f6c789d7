"""What `docker system df` counts: who takes how much of the disk.

An image is as large as its layers.  Two images that stand on one layer share it, and it is
there once: so the sum of all images is more than what they take.  A container takes what it
has written.  The build cache takes nothing of its own, for what a step made *is* an image
here, and is counted among the images.

Source: moby, daemon/disk_usage.go, daemon/images/images.go.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any

from pyminidock.engine import images, listing, volumes
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.store.images import ImageRow

Document = dict[str, Any]
TYPES = ("container", "image", "volume", "build-cache")


class UnknownType(MinidockError):
    """Nothing of this type takes place on the disk."""

    status = 400


def usage(house: House, types: Collection[str] = TYPES) -> Document:
    """Count what is of these types; what was not asked for is null.

    Raises UnknownType, in Docker's words.
    """
    for each in types:
        if each not in TYPES:
            raise UnknownType(
                f"unknown object type: {each[:80]}",
                why=f"what takes place is one of {', '.join(TYPES)}",
                try_next="type=image",
                lesson="layers",
            )
    layers = house.store.layers.all() if "image" in types else ()
    return {
        "LayersSize": sum(layer.size_bytes for layer in layers),
        "Images": _images(house) if "image" in types else None,
        "Containers": _containers(house) if "container" in types else None,
        "Volumes": volumes.usage(house) if "volume" in types else None,
        "BuildCache": [] if "build-cache" in types else None,
    }


def _images(house: House) -> list[Document]:
    """List what has a name, or no children, with what others share of it."""
    rows = {row.id: row for row in house.store.images.all()}
    users = Counter(house.kept(life.id).image for life in house.lives())
    standing = Counter(chain for row in rows.values() for chain in row.layers)
    sizes = {layer.chain_id: layer.size_bytes for layer in house.store.layers.all()}
    return [
        line | {
            "Containers": users[line["Id"]],
            "SharedSize": _shared(rows[line["Id"]], standing, sizes),
            "RepoDigests": line["RepoDigests"] or None,
        }
        for line in images.list_(house) if line["Id"] in rows
    ]  # fmt: skip


def _shared(row: ImageRow, standing: Counter[str], sizes: dict[str, int]) -> int:
    return sum(sizes.get(chain, 0) for chain in row.layers if standing[chain] > 1)


def _containers(house: House) -> list[Document]:
    rows = listing.list_(house, listing.Asked(everything=True, size=True))
    return [{"SizeRw": 0, **row} for row in rows]
