"""Carrying out: what the decisions say, done to the upper tree in memory.

Each effect is a few lines on names and inodes.  With real directories the same effects are
system calls; here nothing can fail, so nothing has to be undone.
"""

import stat
from collections.abc import Sequence

from pyminidock.unionfs.branches import UPPER
from pyminidock.unionfs.effects import (
    Clear,
    CopyUp,
    Effect,
    Extent,
    FillUp,
    Link,
    Make,
    MakeUnnamed,
    Remove,
    Rename,
    SetOpaque,
    SetRedirect,
    Whiteout,
)
from pyminidock.unionfs.model.tree import Inode, Tree, born


def carry_out(trees: Sequence[Tree], effect: Effect, unnamed: Inode | None = None) -> None:
    """Do one effect; `unnamed` is the O_TMPFILE file that a Link without a name means."""
    upper = trees[UPPER]
    match effect:
        case CopyUp(path, branch, source, extent):
            upper.put(path, _copied(trees[branch].at(source), extent))
        case FillUp(path, branch, source):
            inode = upper.at(path)
            inode.content[:] = trees[branch].at(source).content
            inode.is_metacopy = False
        case Make(path, newborn, is_opaque):
            inode = born(newborn)
            inode.is_opaque = is_opaque
            upper.put(path, inode)
        case Link(old, new):
            named = upper.at(old) if old is not None else unnamed
            if named is not None:
                upper.put(new, named)
        case Remove(path):
            upper.take(path)
        case Whiteout(path):
            upper.put(path, _whiteout())
        case Clear(path):
            upper.at(path).is_opaque = True
            upper.at(path).entries.clear()
        case Rename():
            _rename(upper, effect)
        case SetOpaque(path):
            upper.at(path).is_opaque = True
        case SetRedirect(path, to):
            upper.at(path).redirect = to
        case MakeUnnamed():
            pass  # nothing leads to it: the handle is all there is


def _copied(source: Inode, extent: Extent) -> Inode:
    """Copy an inode with its attributes; a directory comes without what is in it."""
    return Inode(
        source.mode,
        source.uid,
        source.gid,
        source.device,
        source.target,
        content=bytearray(source.content if extent is Extent.CONTENT else b""),
        xattrs=dict(source.xattrs),
        is_metacopy=extent is Extent.METADATA,
    )


def _whiteout() -> Inode:
    return Inode(stat.S_IFCHR)


def _rename(upper: Tree, move: Rename) -> None:
    """Let the names change places, or let one take the other's."""
    moved = upper.take(move.old)
    if moved is None:
        raise KeyError(move.old)
    target = upper.take(move.new)
    upper.put(move.new, moved)
    if move.exchange and target is not None and not move.drops_whiteout:
        upper.put(move.old, target)
    if move.leaves_whiteout:
        upper.put(move.old, _whiteout())
