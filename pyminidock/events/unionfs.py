"""What the union filesystem answered, and what a change did to its upper layer.

One family for all who tell it: the pure algorithms (*explained*), a union filesystem of our
own that a live program asks (*observed*, *remembered*; what it did: *acknowledged*), and
whoever watches the kernel's.  `command` and `pid`, on the host, say which program it was;
"" and 0: none, somebody only wanted to know.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from pyminidock.events.base import Event


@dataclass(frozen=True, slots=True)
class LayerProbed(Event):
    """One layer was asked for one path and had `answer`: "absent" or a unionfs.Kind."""

    evidence: ClassVar[str] = "explained"
    path: str
    layer: str
    answer: str
    pid: int = field(default=0, repr=False)
    command: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PathResolved(Event):
    """The walk ended; `layers` contribute, topmost first; none: the path is absent."""

    evidence: ClassVar[str] = "explained"
    path: str
    layers: tuple[str, ...]
    pid: int = field(default=0, repr=False)
    command: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CallAnswered(Event):
    """A program's `call` came to its end; `error` is the name of an errno, "": it worked.

    `call` is "open", "create", "mkdir", "mknod", "symlink", "link", "unlink", "rmdir" or
    "rename"; of two names `path` is the one that there is afterwards, `old` the other.
    """

    evidence: ClassVar[str] = "observed"
    call: str
    path: str
    error: str = ""
    old: str = ""
    pid: int = field(default=0, repr=False)
    command: str = field(default="", repr=False)


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
    pid: int = field(default=0, repr=False)
    command: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WhiteoutMade(Event):
    """The upper layer says "deleted here", because a layer below has that name."""

    evidence: ClassVar[str] = "explained"
    path: str
    pid: int = field(default=0, repr=False)
    command: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OpaqueMade(Event):
    """A directory of the upper layer hides what the layers below have under its name."""

    evidence: ClassVar[str] = "explained"
    path: str
    pid: int = field(default=0, repr=False)
    command: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RedirectMade(Event):
    """What the upper layer shows at `path`, the layers below know as `to`."""

    evidence: ClassVar[str] = "explained"
    path: str
    to: str
    pid: int = field(default=0, repr=False)
    command: str = field(default="", repr=False)
