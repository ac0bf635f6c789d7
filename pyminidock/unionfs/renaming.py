"""Moving: a rename in the upper layer, and what the layers below must not undo.

    mv /a /b          upper   b, and a whiteout at a        a file: copied up, then moved
    mv /dir /new      upper   new, redirect=dir             a directory: moved without what
                      lower   dir/one  dir/two              is in it, if redirect_dir=on;
                                                            else EXDEV, and mv(1) copies all

Where the new name had a whiteout, the two change places: the whiteout is needed where the
object was.

Source: Linux, fs/overlayfs/dir.c, ovl_rename(), ovl_set_redirect(), ovl_can_move();
fs/namei.c, do_renameat2() and vfs_rename() for what is refused before.
"""

import errno
from enum import IntFlag

from pyminidock.unionfs.branches import Spot, Stack, above
from pyminidock.unionfs.copyup import copy_trail, require
from pyminidock.unionfs.effects import (
    Clear,
    CopyUp,
    Effect,
    Effects,
    FillUp,
    Rename,
    SetOpaque,
)
from pyminidock.unionfs.lookup import Kind
from pyminidock.unionfs.naming import redirect, require_empty, shines_through
from pyminidock.unionfs.search import trail

Trail = tuple[Spot, ...]


class Flags(IntFlag):
    """The flags of renameat2(2)."""

    NOREPLACE = 1
    EXCHANGE = 2
    WHITEOUT = 4


NO_FLAGS = Flags(0)


def rename(stack: Stack, old: str, new: str, flags: Flags = NO_FLAGS) -> Effects:
    """Say what renaming does; with EXCHANGE both names stay and change places.

    Raises OSError: ENOENT, ENOTDIR, EISDIR, EEXIST, ENOTEMPTY, EINVAL (into itself, or a
    whiteout wished for: those are overlayfs's own business), EBUSY (the root), EROFS, and
    EXDEV for a directory of the layers below without redirects.
    """
    exchange = Flags.EXCHANGE in flags
    if exchange and flags != Flags.EXCHANGE:
        raise OSError(errno.EINVAL, old)
    if "/" in (old, new):
        raise OSError(errno.EBUSY, old)
    olds, news = trail(stack, old), trail(stack, new)
    _refuse(olds[-1], news[-1], flags)
    if _is_same(olds[-1], news[-1]):
        return ()
    _refuse_kinds(olds[-1], news[-1], exchange=exchange)
    if Flags.WHITEOUT in flags:
        raise OSError(errno.EINVAL, old)
    _refuse_moving(stack, olds[-1], news[-1], exchange=exchange)
    if not stack.has_upper:
        raise OSError(errno.EROFS, old)
    if exchange:
        return _exchange(stack, olds, news)
    return _replace(stack, olds, news)


def _replace(stack: Stack, olds: Trail, news: Trail) -> Effects:
    """Move over what is there, if anything is."""
    source, target = olds[-1], news[-1]
    needs_whiteout = shines_through(stack, olds[-2], source)
    swaps = target.is_covered and (needs_whiteout or source.is_directory)
    move = Rename(
        source.path,
        target.path,
        exchange=swaps,
        leaves_whiteout=needs_whiteout and not swaps,
        drops_whiteout=swaps and not needs_whiteout,
    )
    cleared: Effects = ()
    if target.is_directory and target.upper is not None and target.lower:
        cleared = (Clear(target.path),)
    return (
        *_once(*copy_trail(stack, olds), *copy_trail(stack, news[:-1])),
        *cleared,
        *_detach(stack, olds, news[-2]),
        move,
    )


def _exchange(stack: Stack, olds: Trail, news: Trail) -> Effects:
    """Let two names change places: both are in the upper layer then, so no whiteout."""
    return (
        *_once(*copy_trail(stack, olds), *copy_trail(stack, news)),
        *_detach(stack, olds, news[-2]),
        *_detach(stack, news, olds[-2]),
        Rename(olds[-1].path, news[-1].path, exchange=True),
    )


def _detach(stack: Stack, spots: Trail, goal: Spot) -> Effects:
    """Keep an object what it is under its next name: with its layers, or without any.

    A directory of its own that comes to lie in a merged one has to say that what the layers
    below have under its new name is not its.
    """
    spot = spots[-1]
    if not spot.is_directory or spot.lower:
        return redirect(stack, spots, keeps_directory=above(spot.path) == goal.path)
    if goal.lower and spot.top.kind is not Kind.OPAQUE:
        return (SetOpaque(spot.path),)
    return ()


def _once(*effects: Effect) -> Effects:
    """Drop what is said twice: two names may have directories in common."""
    copied: dict[str, Effect] = {}
    for effect in effects:
        if isinstance(effect, CopyUp | FillUp):
            copied.setdefault(f"{type(effect).__name__} {effect.path}", effect)
    return tuple(copied.values())


# ── What is refused, in the order in which the kernel does ───────────────────────────────


def _refuse(source: Spot, target: Spot, flags: Flags) -> None:
    exchange = Flags.EXCHANGE in flags
    require(source)
    if Flags.NOREPLACE in flags and target.exists:
        raise OSError(errno.EEXIST, target.path)
    if exchange:
        require(target)
    if target.path.startswith(f"{source.path}/"):
        raise OSError(errno.EINVAL, target.path)
    if source.path.startswith(f"{target.path}/"):
        raise OSError(errno.EINVAL if exchange else errno.ENOTEMPTY, target.path)


def _is_same(source: Spot, target: Spot) -> bool:
    """Tell whether both are names of one file: renaming then does nothing."""
    if source.path == target.path:
        return True
    if not source.upper or not target.upper or source.is_directory:
        return False
    identity = source.upper.seen.identity
    return identity is not None and identity == target.upper.seen.identity


def _refuse_kinds(source: Spot, target: Spot, *, exchange: bool) -> None:
    if exchange or not target.exists:
        return
    if source.is_directory and not target.is_directory:
        raise OSError(errno.ENOTDIR, target.path)
    if target.is_directory and not source.is_directory:
        raise OSError(errno.EISDIR, target.path)


def _refuse_moving(stack: Stack, source: Spot, target: Spot, *, exchange: bool) -> None:
    for spot in (source, target) if exchange else (source,):
        if spot.is_directory and spot.lower and not stack.redirects:
            raise OSError(errno.EXDEV, spot.path)
    if not exchange and target.is_directory:
        require_empty(stack, target)
