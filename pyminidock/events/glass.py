"""What a union filesystem of our own was asked by a live program, and what it did.

Everything here was seen: the kernel asked, and this was answered.  `command` is the name of
the program, `pid` its number on the host.
"""

from dataclasses import dataclass
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class LayerAsked(Event):
    """A program's path came to a layer, which had `answer`: "absent" or a unionfs.Kind."""

    evidence: ClassVar[str] = "observed"
    path: str
    layer: str
    answer: str
    pid: int
    command: str


@dataclass(frozen=True, slots=True)
class NameAnswered(Event):
    """A program learned what a name is; `layers` contribute, topmost first, or none."""

    evidence: ClassVar[str] = "observed"
    path: str
    layers: tuple[str, ...]
    pid: int
    command: str


@dataclass(frozen=True, slots=True)
class FileRaised(Event):
    """A program's change copied what `layer` had into the upper layer, as PathCopiedUp."""

    evidence: ClassVar[str] = "observed"
    path: str
    layer: str
    extent: str
    size_bytes: int
    pid: int
    command: str


@dataclass(frozen=True, slots=True)
class WhiteoutWritten(Event):
    """A program deleted a name that a layer below has."""

    evidence: ClassVar[str] = "observed"
    path: str
    pid: int
    command: str


@dataclass(frozen=True, slots=True)
class OpaqueWritten(Event):
    """A program made a directory that hides what the layers below have there."""

    evidence: ClassVar[str] = "observed"
    path: str
    pid: int
    command: str
