"""What a program holds open.

A handle belongs to the file, not to the name: the file may be renamed, or lose its last
name, and is still read.  It belongs to what the *merged* tree shows, too.  Who opened a
lower file for reading, before somebody else wrote to it, reads the copy from then on.

Source: Linux, fs/overlayfs/file.c, ovl_real_file(): "has it been copied up since?"
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyminidock.unionfs.branches import UPPER
from pyminidock.unionfs.effects import CopyUp, Effect, Extent, Remove, Rename, Whiteout
from pyminidock.unionfs.model.tree import Inode, Tree


@dataclass(slots=True, eq=False)
class Handle:
    """One open file.  `path` is where it is now; None: its name is gone.

    `source` is where a file has its bytes whose upper inode is attributes only.
    """

    path: str | None
    inode: Inode
    source: Inode
    reads: bool
    writes: bool
    appends: bool = False
    is_unnamed: bool = False  # by O_TMPFILE, and not named since

    @property
    def content(self) -> bytearray:
        """Give the bytes it reads."""
        return (self.source if self.inode.is_metacopy else self.inode).content


def follow(handles: Sequence[Handle], trees: Sequence[Tree], effect: Effect) -> None:
    """Let open handles go where their files went; called after the effect."""
    match effect:
        case CopyUp(path, extent=extent) if extent is not Extent.DIRECTORY:
            for handle in handles:
                if handle.path == path:
                    handle.inode = trees[UPPER].at(path)
        case Whiteout(path) | Remove(path):
            for handle in handles:
                if handle.path == path:
                    handle.path = None
        case Rename(old, new, exchange, _, drops):
            for handle in handles:
                handle.path = _after(handle.path, old, new, exchange and not drops)


def _after(path: str | None, old: str, new: str, exchange: bool) -> str | None:
    """Give the path that a rename makes of this one."""
    if path is None:
        return None
    if path == old or path.startswith(f"{old}/"):
        return new + path.removeprefix(old)
    if path == new or path.startswith(f"{new}/"):
        return old + path.removeprefix(new) if exchange else None
    return path
