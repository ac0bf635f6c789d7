"""What happened to layers and to the writable directories on top of them."""

from dataclasses import dataclass

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class ArchiveWarned(Event):
    """An archive was odd but readable; `offset` is in bytes of the uncompressed stream.

    `entry` is the name it was about, printable, and empty if it was about no entry.
    """

    what: str
    entry: str
    offset: int


@dataclass(frozen=True, slots=True)
class LayerFound(Event):
    """A layer is here and is stood upon; `names` are images that stand on it, at most 8.

    `size_bytes` is the content of its files, `files` counts all its names.
    """

    chain_id: str
    diff_id: str
    size_bytes: int
    files: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotPrepared(Event):
    """A container got an empty `upper` directory above its read-only `lower` ones."""

    container: str
    lower: tuple[str, ...]
    upper: str
    work: str


@dataclass(frozen=True, slots=True)
class SnapshotRemoved(Event):
    """The writable directory of a container is gone, with all that it had written."""

    container: str
