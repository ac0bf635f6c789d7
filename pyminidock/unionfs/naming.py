"""Making names and taking them away.

Two questions decide everything:

* is there a whiteout where the new name goes?  Then it gives way, and a new directory has
  to say that what the whiteout hid is still hidden: it is *opaque*;
* does a layer below know the name that goes away?  Then removing is not enough, the name
  would shine through again: a whiteout takes its place.

    rm -r /d; mkdir /d     upper   d  opaque      the old /d/a, in a layer below, stays gone
                           lower   d/a

Source: Linux, fs/overlayfs/dir.c, ovl_create_or_link(), ovl_do_remove(), ovl_link(),
ovl_tmpfile(); util.c, ovl_lower_positive().
"""

import errno
import stat

from pyminidock.unionfs.branches import Spot, Stack, inside
from pyminidock.unionfs.copyup import copy_trail, require
from pyminidock.unionfs.effects import (
    Effect,
    Effects,
    Link,
    Make,
    MakeUnnamed,
    Newborn,
    Remove,
    SetRedirect,
    Whiteout,
)
from pyminidock.unionfs.lookup import Kind
from pyminidock.unionfs.search import listing, trail


def create(stack: Stack, path: str, newborn: Newborn) -> Effects:
    """Say what making a file, directory, symlink or device does.

    A directory is opaque if a whiteout gives way to it.  Where layers never change, it is
    so in every merged directory: nothing is below it, and nobody should have to look.
    Raises OSError: EEXIST, ENOENT, ENOTDIR, EROFS.
    """
    *way, spot = trail(stack, path)
    _require_absent(spot)
    is_lonely = bool(way[-1].lower) and not stack.allows_offline_changes
    is_opaque = stat.S_ISDIR(newborn.mode) and (spot.is_covered or is_lonely)
    return (
        *copy_trail(stack, tuple(way)),
        Make(path, newborn, is_opaque, over_whiteout=spot.is_covered),
    )


def make_unnamed(stack: Stack, directory: str, newborn: Newborn) -> Effects:
    """Say what O_TMPFILE does.  Raises OSError: ENOENT, ENOTDIR, EROFS."""
    spots = trail(stack, directory)
    require(spots[-1])
    if not spots[-1].is_directory:
        raise OSError(errno.ENOTDIR, directory)
    return (*copy_trail(stack, spots), MakeUnnamed(directory, newborn))


def link(stack: Stack, old: str, new: str) -> Effects:
    """Say what a second name for a file does: copied up it is, so both names are one file.

    Raises OSError: ENOENT, ENOTDIR, EEXIST, EPERM (a directory), EROFS.
    """
    sources = trail(stack, old)
    require(sources[-1])
    *way, spot = trail(stack, new)
    _require_absent(spot)
    if sources[-1].is_directory:
        raise OSError(errno.EPERM, old)
    copied = copy_trail(stack, sources)
    return (
        *copied,
        *_without(copied, copy_trail(stack, tuple(way))),
        *redirect(stack, sources, keeps_directory=False),
        Link(old, new, over_whiteout=spot.is_covered),
    )


def link_unnamed(stack: Stack, new: str) -> Effects:
    """Say what giving an O_TMPFILE file its first name does.  Raises as `create` does."""
    *way, spot = trail(stack, new)
    _require_absent(spot)
    return (*copy_trail(stack, tuple(way)), Link(None, new, spot.is_covered))


def unlink(stack: Stack, path: str) -> Effects:
    """Say what deleting a file does.  Raises OSError: ENOENT, ENOTDIR, EISDIR, EROFS."""
    spots = trail(stack, path)
    require(spots[-1])
    if spots[-1].is_directory:
        raise OSError(errno.EISDIR, path)
    return _remove(stack, spots)


def rmdir(stack: Stack, path: str) -> Effects:
    """Say what deleting a directory does: it is empty if its merged listing is.

    Raises OSError: ENOENT, ENOTDIR, ENOTEMPTY, EBUSY (the root), EROFS.
    """
    spots = trail(stack, path)
    require(spots[-1])
    if path == "/":
        raise OSError(errno.EBUSY, path)
    if not spots[-1].is_directory:
        raise OSError(errno.ENOTDIR, path)
    require_empty(stack, spots[-1])
    return _remove(stack, spots)


def _remove(stack: Stack, spots: tuple[Spot, ...]) -> Effects:
    if not stack.has_upper:
        raise OSError(errno.EROFS, spots[-1].path)
    *way, spot = spots
    is_known = shines_through(stack, way[-1], spot)
    gone = Whiteout(spot.path) if is_known else Remove(spot.path)
    return (*copy_trail(stack, tuple(way)), gone)


# ── Also asked by renaming ───────────────────────────────────────────────────────────────


def require_empty(stack: Stack, spot: Spot) -> None:
    """Refuse a directory that shows anything.  Raises OSError: ENOTEMPTY."""
    if listing(stack, spot):
        raise OSError(errno.ENOTEMPTY, spot.path)


def shines_through(stack: Stack, directory: Spot, spot: Spot) -> bool:
    """Tell whether a layer below would show this name, if the upper one had no opinion."""
    if spot.upper is None:
        return spot.exists or spot.is_covered
    for part in directory.lower:
        seen = stack.branches[part.branch].look(inside(part.path, spot.name))
        if seen is not None:
            return seen.kind is not Kind.WHITEOUT
    return False


def redirect(stack: Stack, spots: tuple[Spot, ...], *, keeps_directory: bool) -> Effects:
    """Say where the layers below know an object, before its name changes.

    Only what still needs them has to: a directory that merges, attributes whose content is
    below.  Within one directory the old name is enough, unless a file has more names.
    """
    spot = spots[-1]
    is_metacopy = spot.upper.seen.is_metacopy if spot.upper else stack.metacopy
    if not spot.is_directory and not (
        is_metacopy
        and spot.lower
        and spot.top.is_regular
        and spot.content in spot.lower[:1]
    ):
        return ()
    known = spot.upper.seen.redirect if spot.upper else ""
    is_short = keeps_directory and (spot.is_directory or spot.content.seen.links == 1)
    if known and (is_short or known.startswith("/")):
        return ()
    return (SetRedirect(spot.path, spot.name if is_short else _origin(spots)),)


def _origin(spots: tuple[Spot, ...]) -> str:
    """Give the path under which the layers below know it: names that changed are known."""
    words: list[str] = []
    for spot in reversed(spots[1:]):
        words.insert(0, (spot.upper.seen.redirect if spot.upper else "") or spot.name)
        if words[0].startswith("/"):
            return "/".join(words)
    return "/" + "/".join(words)


def _require_absent(spot: Spot) -> None:
    if spot.exists:
        raise OSError(errno.EEXIST, spot.path)


def _without(done: Effects, effects: Effects) -> tuple[Effect, ...]:
    return tuple(effect for effect in effects if effect not in done)
