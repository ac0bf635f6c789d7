"""What happened to images: found, loaded, saved, named, removed."""

from dataclasses import dataclass

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class ImageFound(Event):
    """A name or id led to an image; `layers` are host paths of its trees, topmost first.

    `stand_in` says what it really is, if its name promises something else.  Who will look
    through the layers is told the instruction that made each, topmost first, too.
    """

    name: str
    image: str
    layers: tuple[str, ...] = ()
    stand_in: str = ""
    instructions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LayerUnpacked(Event):
    """An archive became a tree; `size_bytes` is the files' content, `files` all entries."""

    chain_id: str
    diff_id: str
    size_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class LayerReused(Event):
    """A layer was here already: other images stand on the same tree."""

    chain_id: str


@dataclass(frozen=True, slots=True)
class ImageLoaded(Event):
    """An image came in with an archive; `layers` counts its layers."""

    image: str
    names: tuple[str, ...]
    layers: int


@dataclass(frozen=True, slots=True)
class ImageImported(Event):
    """An image of one layer was made of an archive of files."""

    image: str


@dataclass(frozen=True, slots=True)
class ImageSaved(Event):
    """An image was written into an archive."""

    image: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageUntagged(Event):
    """An image has a name less."""

    image: str
    name: str


@dataclass(frozen=True, slots=True)
class ImageRemoved(Event):
    """An image is no more; its layers go when nobody else stands on them."""

    image: str


@dataclass(frozen=True, slots=True)
class LayersRemoved(Event):
    """Layers and blobs that nobody needed are gone, with so many bytes."""

    layers: tuple[str, ...]
    blobs: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ImagesPruned(Event):
    """All unused images that were meant are gone; `reclaimed` bytes came back."""

    reclaimed: int


@dataclass(frozen=True, slots=True)
class CachePruned(Event):
    """The records of the build cache that were meant are gone, with so many bytes."""

    reclaimed: int


@dataclass(frozen=True, slots=True)
class StoreRepaired(Event):
    """A new engine put in order what an earlier one left; `path` is where it is now."""

    deed: str
    what: str
    name: str
    why: str
    path: str = ""
