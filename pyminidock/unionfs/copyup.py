"""The first write: copying up.

A lower layer is shared by everybody, so nobody may write into it.  Whoever wants to change
a file first gets a copy of his own in the upper layer, and every directory on the way gets
one too, because the copy has to lie somewhere:

    chmod 600 /srv/big        upper                    lower
                              srv/      ◄── copied ──  srv/
                              srv/big   ◄── copied ──  srv/big   20 MB, for one bit

The unit is the file, not the byte.  `metacopy=on` is the remedy for changed attributes:
they alone are copied, and the content is still read from below.

Source: Linux, fs/overlayfs/copy_up.c, ovl_copy_up_flags(), ovl_need_meta_copy_up().
"""

import errno

from pyminidock.unionfs.branches import Spot, Stack
from pyminidock.unionfs.effects import CopyUp, Effects, Extent, FillUp
from pyminidock.unionfs.search import trail


def copy_up(stack: Stack, path: str, extent: Extent = Extent.METADATA) -> Effects:
    """Say what has to be copied before `path` can change; nothing, if it was before.

    `extent` is what the change needs: METADATA for chmod, chown, xattrs, times, links and
    renames, CONTENT for writing, EMPTY if it truncates to nothing.  Raises OSError: ENOENT,
    ENOTDIR, EROFS.
    """
    spots = trail(stack, path)
    require(spots[-1])
    return copy_trail(stack, spots, extent)


def copy_trail(
    stack: Stack, spots: tuple[Spot, ...], extent: Extent = Extent.METADATA
) -> Effects:
    """Say it for spots that were walked already, the root first."""
    if not stack.has_upper:
        raise OSError(errno.EROFS, spots[-1].path)
    return tuple(effect for spot in spots for effect in _copy_one(stack, spot, extent))


def require(spot: Spot) -> None:
    """Refuse what is not there.  Raises OSError: ENOENT."""
    if not spot.exists:
        raise OSError(errno.ENOENT, spot.path)


def open_file(stack: Stack, path: str, *, writes: bool, truncates: bool) -> Effects:
    """Say what opening a file does: reading copies nothing.

    Devices, sockets and pipes are written through, not copied.  Raises OSError: ENOENT,
    ENOTDIR, EISDIR, EROFS.
    """
    spots = trail(stack, path)
    require(spots[-1])
    if not writes and not truncates:
        return ()
    if spots[-1].is_directory:
        raise OSError(errno.EISDIR, path)
    if not spots[-1].top.is_regular:
        return ()
    return copy_trail(stack, spots, Extent.EMPTY if truncates else Extent.CONTENT)


def _copy_one(stack: Stack, spot: Spot, extent: Extent) -> Effects:
    """Copy one object, or the rest of it."""
    needs_content = extent is not Extent.METADATA
    if spot.upper is not None:
        if spot.upper.seen.is_metacopy and needs_content:
            content = spot.content
            size = 0 if extent is Extent.EMPTY else content.seen.size_bytes
            return (FillUp(spot.path, content.branch, content.path, size),)
        return ()
    source, content = spot.lower[0], spot.content
    if spot.is_directory:
        return (CopyUp(spot.path, source.branch, source.path, Extent.DIRECTORY),)
    if not source.seen.is_regular:
        return (CopyUp(spot.path, source.branch, source.path, Extent.OTHER),)
    # Attributes of attributes would need a redirect of their own: copy all, once.
    if not needs_content and (not stack.metacopy or source is not content):
        extent = Extent.CONTENT
    size = content.seen.size_bytes if extent is Extent.CONTENT else 0
    copied = CopyUp(spot.path, source.branch, source.path, extent, size)
    if source is content or extent is Extent.EMPTY:
        return (copied,)
    bare = CopyUp(spot.path, source.branch, source.path, Extent.METADATA)
    return (bare, FillUp(spot.path, content.branch, content.path, size))
