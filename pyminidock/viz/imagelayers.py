"""What an engine tells of the layers of an image, as values that a picture can be made of.

    ImageLayers                    one image; its layers bottom up
      Layer A, B, …                one tree: what it changed and hid, and who shares it
        File                       one name, and what became of it
      Hidden                       a file that an upper layer hides, and why

`read` takes the JSON of `GET /minidock/images/NAME/layers`, and leaves what is new to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """One name of a layer: `change` is added, changed, deleted or same; see `detail`."""

    change: str
    path: str
    kind: str = ""
    mode: str = ""
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    link: str = ""
    detail: str = ""
    before: tuple[str, str, int, int] | None = None  # kind, mode, uid, gid
    hides_names: int = 0
    hides_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Hidden:
    """A file whose bytes nobody sees; layers are numbered from 1 at the bottom."""

    path: str
    size_bytes: int
    layer: int
    by: int
    reason: str


@dataclass(frozen=True, slots=True)
class Waste:
    """All that is hidden: the biggest files, and the sums of all."""

    size_bytes: int = 0
    files: int = 0
    named: tuple[Hidden, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One tree of the stack; `files` are its biggest names, `more` are not named."""

    number: int
    instruction: str
    size_bytes: int
    added: int
    changed: int
    deleted: int
    is_base: bool
    is_missing: bool
    metadata_only: int
    identical: int
    hidden_bytes: int
    shared_by: tuple[str, ...]
    files: tuple[File, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ImageLayers:
    """One image, its layers bottom up; `waste` is its own, `base_waste` that below FROM."""

    name: str
    stand_in: str
    backend: str
    size_bytes: int
    layers: tuple[Layer, ...]
    without_layer: tuple[str, ...]
    waste: Waste
    base_layers: int
    base_name: str
    base_known_by: str
    base_waste: Waste


def read(told: Told) -> ImageLayers:
    """Read what the engine told."""
    names, base = told.get("names") or [short(told["image"])], told["base"]
    return ImageLayers(
        str(names[0]), str(told.get("stand_in", "")), str(told.get("backend", "")),
        int(told["size_bytes"]), tuple(map(_layer, told["layers"])),
        tuple(map(str, told.get("without_layer", ()))), _waste(told),
        int(base["layers"]), str(next(iter(base["names"]), short(base["image"]))),
        str(base["known_by"]), _waste(base),
    )  # fmt: skip


def files(told: Iterable[Told]) -> tuple[File, ...]:
    """Read the names of a layer, as `diff` tells them, too."""
    return tuple(map(_file, told))


def short(digest: str) -> str:
    """Give the twelve digits by which people know an image.

    >>> short("sha256:dc74b43906e25393628bc8318ce207f2")
    'dc74b43906e2'
    """
    return str(digest).removeprefix("sha256:")[:12]


def _layer(told: Told) -> Layer:
    return Layer(
        int(told["number"]), str(told["instruction"]), int(told["size_bytes"]),
        int(told["added"]), int(told["changed"]), int(told["deleted"]),
        bool(told["is_base"]), bool(told["is_missing"]), int(told["metadata_only"]),
        int(told["identical"]), int(told["hidden_bytes"]),
        tuple(map(str, told["shared_by"])), files(told["entries"]), int(told["more"]),
    )  # fmt: skip


def _file(told: Told) -> File:
    before = told.get("before")
    return File(
        str(told["change"]), str(told["path"]), str(told.get("kind", "")),
        str(told.get("mode", "")), int(told.get("uid", 0)), int(told.get("gid", 0)),
        int(told.get("size_bytes", 0)), str(told.get("link", "")),
        str(told.get("detail", "")),
        None if before is None else (str(before["kind"]), str(before["mode"]),
                                     int(before["uid"]), int(before["gid"])),
        int(told.get("hides_names", 0)), int(told.get("hides_bytes", 0)),
    )  # fmt: skip


def _waste(told: Told) -> Waste:
    named = tuple(
        Hidden(str(each["path"]), int(each["size_bytes"]), int(each["layer"]),
               int(each["hidden_by"]), str(each["reason"]))
        for each in told["reclaimable"]
    )  # fmt: skip
    return Waste(int(told["reclaimable_bytes"]), int(told["reclaimable_files"]), named)
