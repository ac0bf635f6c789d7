"""Two spellings of "deleted here": one in archives, one on disk.

A layer only adds, so deleting has to be written down as something that is there:

    in an archive (OCI)            on disk (overlayfs)
    d/.wh.NAME   an empty file     d/NAME  a character device 0:0
    d/.wh..wh..opq                 d       with the attribute trusted.overlay.opaque=y

The left one travels, the right one is what the kernel understands when it stacks trees.
A user without privileges may neither make devices nor set `trusted` attributes; the kernel
then reads `user.overlay.*`, and an empty file with user.overlay.whiteout is a whiteout.

Source: OCI image-spec, layer.md "Whiteouts"; Documentation/filesystems/overlayfs.rst.
"""

from dataclasses import dataclass
from enum import Enum

from pyminidock.errors import MinidockError

PREFIX = b".wh."
OPAQUE = b".wh..wh..opq"
_AUFS = b".wh..wh."


class Mark(Enum):
    """What a name in an archive means."""

    WHITEOUT = "whiteout"
    OPAQUE = "opaque"
    FOREIGN = "foreign"  # the private language of aufs, an older union filesystem


@dataclass(frozen=True, slots=True)
class Spelling:
    """How whiteouts are written on disk; `prefix` begins overlayfs's attribute names."""

    prefix: str
    has_devices: bool

    @property
    def opaque(self) -> str:
        """Name the attribute of an opaque directory; its value is `y`."""
        return f"{self.prefix}opaque"

    @property
    def whiteout(self) -> str:
        """Name the attribute that makes a whiteout of an empty file, without devices."""
        return f"{self.prefix}whiteout"


TRUSTED = Spelling("trusted.overlay.", has_devices=True)
USER = Spelling("user.overlay.", has_devices=False)


class WhiteoutMalformed(MinidockError):
    """A whiteout that names nothing, or cannot be written down."""

    status = 400


def read(name: bytes) -> tuple[Mark, bytes] | None:
    """Read the last name of an archive's path; None: an ordinary name.

    Raises WhiteoutMalformed if it would delete nothing, `.` or `..`.

    >>> read(b".wh.motd")
    (<Mark.WHITEOUT: 'whiteout'>, b'motd')
    >>> read(b".wh..wh..opq")
    (<Mark.OPAQUE: 'opaque'>, b'')
    >>> read(b"motd")
    """
    if not name.startswith(PREFIX):
        return None
    if name == OPAQUE:
        return Mark.OPAQUE, b""
    if name.startswith(_AUFS):
        return Mark.FOREIGN, b""
    if (hidden := name.removeprefix(PREFIX)) in (b"", b".", b".."):
        raise WhiteoutMalformed(
            f"whiteout {name.decode(errors='backslashreplace')!r} names no file",
            why="what follows .wh. is the name that is deleted in its own directory",
            try_next="build the image again; its archive was not made by a builder we know",
            lesson="whiteouts",
        )
    return Mark.WHITEOUT, hidden


def spell(name: bytes) -> bytes:
    """Give the archive's word for "`name` is deleted here".

    >>> spell(b"motd")
    b'.wh.motd'
    """
    return PREFIX + name


def check_speakable(name: bytes) -> None:
    """Refuse a file that a container gave a name which archives read as a whiteout.

    Raises WhiteoutMalformed.
    """
    if name.startswith(PREFIX):
        raise WhiteoutMalformed(
            f"a layer cannot hold a file named {name.decode(errors='backslashreplace')!r}",
            why="in an archive a name that begins with .wh. means that a file is deleted, "
            "so this one would delete another instead of travelling",
            try_next="give the file another name, or remove it in the same RUN",
            lesson="whiteouts",
        )
