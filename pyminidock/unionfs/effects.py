"""What a change of the merged tree does to the upper branch: decisions as data.

A lower branch never changes, so everything a program does ends in the upper one.  The
modules `copyup`, `naming` and `renaming` decide *what* has to happen there and give it as
a tuple of effects; somebody else carries them out, one after the other: with system calls,
or on a tree in memory.  A decision can so be printed, compared and tested by itself.

    rm /etc/motd   →   CopyUp("/etc", …, DIRECTORY)   a place for the whiteout
                       Whiteout("/etc/motd")          "deleted here"

Source: Linux, fs/overlayfs/copy_up.c and dir.c.
"""

from dataclasses import dataclass
from enum import Enum

from pyminidock.events import (
    Event,
    OpaqueMade,
    PathCopiedUp,
    RedirectMade,
    WhiteoutMade,
)


class Extent(Enum):
    """How much of an object is copied up."""

    DIRECTORY = "directory"  # itself, with its attributes; not what is in it
    CONTENT = "content"  # attributes and every byte
    METADATA = "metadata"  # attributes; a mark says that the bytes are below (metacopy)
    EMPTY = "empty"  # attributes; the bytes are about to be thrown away (O_TRUNC)
    OTHER = "other"  # a symlink, a device: there are no bytes


@dataclass(frozen=True, slots=True)
class Newborn:
    """A new object; `mode` has the type in it, as in st_mode.

    `heritage` is the access list that its directory gives to what is made in it.
    """

    mode: int
    uid: int = 0
    gid: int = 0
    device: int = 0
    target: str = ""
    heritage: bytes = b""


@dataclass(frozen=True, slots=True)
class CopyUp:
    """Copy `source` of a lower branch to `path`, whose directory is there already."""

    path: str
    branch: int
    source: str
    extent: Extent
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FillUp:
    """Copy the content, too, below attributes that were copied before; drop their mark."""

    path: str
    branch: int
    source: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Make:
    """Make something new; if a whiteout is there, it gives way in one step."""

    path: str
    newborn: Newborn
    is_opaque: bool = False
    over_whiteout: bool = False


@dataclass(frozen=True, slots=True)
class MakeUnnamed:
    """Make a file that is in no directory (O_TMPFILE), on the upper branch's filesystem."""

    directory: str
    newborn: Newborn


@dataclass(frozen=True, slots=True)
class Link:
    """Give an object one more name; `old` None: the unnamed file in the caller's hand."""

    old: str | None
    new: str
    over_whiteout: bool = False


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a name away; of a directory the whiteouts in it, too: nothing else is there."""

    path: str


@dataclass(frozen=True, slots=True)
class Whiteout:
    """Write "deleted here", instead of whatever the upper branch had there."""

    path: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Make a directory that holds nothing but whiteouts opaque, and drop the whiteouts."""

    path: str


@dataclass(frozen=True, slots=True)
class Rename:
    """One renameat2 in the upper branch; with `drops_whiteout` the exchanged one goes."""

    old: str
    new: str
    exchange: bool = False
    leaves_whiteout: bool = False
    drops_whiteout: bool = False


@dataclass(frozen=True, slots=True)
class SetOpaque:
    """Say that nothing below this directory belongs to it."""

    path: str


@dataclass(frozen=True, slots=True)
class SetRedirect:
    """Say where the layers below know this object."""

    path: str
    to: str


Effect = (
    CopyUp | FillUp | Make | MakeUnnamed | Link | Remove | Whiteout | Clear | Rename
    | SetOpaque | SetRedirect
)  # fmt: skip
Effects = tuple[Effect, ...]


def told(effect: Effect, layers: tuple[str, ...]) -> Event | None:
    """Give the fact to emit once the effect is carried out; None: nothing union-like.

    `layers` are the names of the branches, topmost first.

    >>> told(Whiteout("/etc/motd"), ("upper", "base"))
    WhiteoutMade(path='/etc/motd')
    >>> told(Remove("/tmp/x"), ("upper", "base"))
    """
    match effect:
        case CopyUp(path, branch, _, extent, size):
            return PathCopiedUp(path, layers[branch], extent.value, size)
        case FillUp(path, branch, _, size):
            return PathCopiedUp(path, layers[branch], Extent.CONTENT.value, size)
        case Whiteout(path) | Rename(path, _, leaves_whiteout=True):
            return WhiteoutMade(path)
        case SetOpaque(path) | Clear(path) | Make(path, is_opaque=True):
            return OpaqueMade(path)
        case SetRedirect(path, to):
            return RedirectMade(path, to)
        case _:
            return None
