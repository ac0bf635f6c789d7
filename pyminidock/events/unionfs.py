"""What the union filesystem answered."""

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
