"""What an engine tells of all its images, as a tree that a picture can be made of.

    Grove                the images of one engine
      Trunk              layers above each other where no image ends and none branches off
        layers, images   its layers, bottom up; the images that end on the topmost
        Trunk …          what goes on from there

`read` takes the JSON of `GET /minidock/images`, and leaves what is new to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One image; `own_bytes` are on the disk for it alone."""

    id: str
    names: tuple[str, ...]
    stand_in: str
    layers: int
    shared_bytes: int
    own_bytes: int
    is_asked: bool

    @property
    def size_bytes(self) -> int:
        """Give all of its bytes."""
        return self.shared_bytes + self.own_bytes


@dataclass(frozen=True, slots=True)
class Ring:
    """One layer; `depth` counts from 0 at the bottom, `images` stand on it."""

    chain_id: str
    depth: int
    instruction: str
    size_bytes: int
    images: int


@dataclass(frozen=True, slots=True)
class Trunk:
    """Layers in a row, bottom up, the images that end there, and what branches off."""

    layers: tuple[Ring, ...]
    images: tuple[Leaf, ...]
    branches: tuple["Trunk", ...]


@dataclass(frozen=True, slots=True)
class Grove:
    """All trees; `size_bytes` is what they take on the disk, each layer once."""

    backend: str
    size_bytes: int
    trunks: tuple[Trunk, ...]
    bare: tuple[Leaf, ...]  # images without any layer
    images: tuple[Leaf, ...]
    layers: int


def read(told: Told) -> Grove:
    """Read what the engine told."""
    leaves = [_leaf(each, str(told["asked"])) for each in told["images"]]
    ends: dict[str, list[Leaf]] = {}
    for each, leaf in zip(told["images"], leaves, strict=True):
        ends.setdefault(str(each["top"]), []).append(leaf)
    above: dict[str, list[Told]] = {}
    for layer in told["layers"]:
        above.setdefault(str(layer["on"]), []).append(layer)
    return Grove(
        str(told["backend"]), int(told["size_bytes"]),
        tuple(_trunk(layer, 0, above, ends) for layer in above.get("", ())),
        tuple(ends.get("", ())), tuple(leaves), len(told["layers"]),
    )  # fmt: skip


def _trunk(
    first: Told, depth: int, above: Mapping[str, Sequence[Told]],
    ends: Mapping[str, Sequence[Leaf]],
) -> Trunk:  # fmt: skip
    """Go up until an image ends or the way parts, and on from there."""
    rings, layer = [_ring(first, depth)], first
    while True:
        chain = str(layer["chain_id"])
        following, images = above.get(chain, ()), ends.get(chain, ())
        if images or len(following) != 1:
            break
        layer, depth = following[0], depth + 1
        rings.append(_ring(layer, depth))
    branches = tuple(_trunk(each, depth + 1, above, ends) for each in following)
    return Trunk(tuple(rings), tuple(images), branches)


def _ring(told: Told, depth: int) -> Ring:
    return Ring(
        str(told["chain_id"]), depth, str(told["instruction"]), int(told["size_bytes"]),
        int(told["images"]),
    )  # fmt: skip


def _leaf(told: Told, asked: str) -> Leaf:
    return Leaf(
        str(told["id"]), tuple(map(str, told["names"])), str(told["stand_in"]),
        int(told["layers"]), int(told["shared_bytes"]), int(told["own_bytes"]),
        str(told["id"]) == asked,
    )  # fmt: skip
