"""How a process gives up what it may do, in the order that Linux allows.

    bounding set ──► user ──► permitted and effective ──► execve
    needs            keeps      can only shrink           root: the bounding set
    CAP_SETPCAP      permitted,                           anyone else: nothing,
                     loses effective                      as no ambient set is left

The rules are those of man 7 capabilities, "Effect of user ID changes on capabilities" and
"Transformation of capabilities during execve()".
"""

from dataclasses import replace

from pyminidock.kernel.model.world import Powers


def bounded(powers: Powers, kept: int) -> Powers:
    """Drop all but `kept` from the bounding set; what is held already is held still.

    >>> bounded(Powers(7, 7, 7), kept=9).bounding
    1
    """
    return replace(powers, bounding=powers.bounding & kept)


def as_user(powers: Powers, before: int, after: int) -> Powers:
    """Change the user from `before` to `after` with PR_SET_KEEPCAPS set.

    Leaving root empties effective and ambient; permitted is kept because we asked for it.

    >>> as_user(Powers(3, 3, 3), before=0, after=1000)
    Powers(effective=0, permitted=3, bounding=3, inheritable=0, ambient=0)
    """
    if before == 0 and after != 0:
        return replace(powers, effective=0, ambient=0)
    return powers


def holding(powers: Powers, mask: int) -> Powers:
    """Make permitted and effective `mask`, inheritable and ambient empty.

    Raises EPERM where permitted would grow: capset(2) takes away, never gives.
    """
    if mask & ~powers.permitted:
        raise PermissionError(1, "a permitted set can shrink and never grow")
    return Powers(mask, mask, powers.bounding)


def after_exec(powers: Powers, uid: int) -> Powers:
    """Foretell the masks of a program whose file carries no capabilities.

    >>> after_exec(Powers(1, 1, bounding=3), uid=0).effective
    3
    >>> after_exec(Powers(1, 1, bounding=3), uid=1000).permitted
    0
    """
    held = powers.bounding | powers.inheritable if uid == 0 else powers.ambient
    ambient = 0 if uid == 0 else powers.ambient
    return Powers(held, held, powers.bounding, powers.inheritable, ambient)
