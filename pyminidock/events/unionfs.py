"""What the union filesystem answered, and what a change did to its upper layer."""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class LayerProbed(Event):
    """One layer was asked for one path and had `answer`: "absent" or a unionfs.Kind."""

    evidence: ClassVar[str] = "explained"
    path: str
    layer: str
    answer: str


@dataclass(frozen=True, slots=True)
class PathResolved(Event):
    """The walk ended; `layers` contribute, topmost first; none: the path is absent."""

    evidence: ClassVar[str] = "explained"
    path: str
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathCopiedUp(Event):
    """What `layer` had at `path` was copied into the upper layer, before it changes there.

    `extent` is "directory" (itself, not what is in it), "content", "metadata" (the bytes
    stay below), "empty" (they were about to be thrown away) or "other": no bytes at all.
    """

    evidence: ClassVar[str] = "explained"
    path: str
    layer: str
    extent: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class WhiteoutMade(Event):
    """The upper layer says "deleted here", because a layer below has that name."""

    evidence: ClassVar[str] = "explained"
    path: str


@dataclass(frozen=True, slots=True)
class OpaqueMade(Event):
    """A directory of the upper layer hides what the layers below have under its name."""

    evidence: ClassVar[str] = "explained"
    path: str


@dataclass(frozen=True, slots=True)
class RedirectMade(Event):
    """What the upper layer shows at `path`, the layers below know as `to`."""

    evidence: ClassVar[str] = "explained"
    path: str
    to: str
