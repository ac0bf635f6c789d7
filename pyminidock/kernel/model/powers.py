"""How a process gives up what it may do, in the order that Linux allows.

    bounding set ──► user ──► permitted and effective ──► execve
    needs            keeps      can only shrink           root: the bounding set
    CAP_SETPCAP      permitted,                           anyone else: nothing,
                     loses effective                      as no ambient set is left

The rules are those of man 7 capabilities, "Effect of user ID changes on capabilities" and
"Transformation of capabilities during execve()".
"""

import errno
from dataclasses import replace

from pyminidock.grammar.capabilities import mask_of
from pyminidock.kernel import calls
from pyminidock.kernel.model.stage import Stage, act, demand
from pyminidock.kernel.model.world import Powers

MOST_INSTRUCTIONS = 4096  # Source: Linux, BPF_MAXINSNS
MOST_GROUPS = 65_536  # Source: man 2 setgroups
HIGHEST_ID = (1 << 31) - 1


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


# ── The verbs ─────────────────────────────────────────────────────────────────────────────


def _mask(names: tuple[str, ...]) -> int:
    try:
        return mask_of(names)
    except KeyError as unknown:
        raise OSError(errno.EINVAL, f"no capability is called {unknown}") from unknown


def drop_bounding_set(stage: Stage, kept: tuple[str, ...], last: int) -> Stage:
    """Shrink the bounding set of `last` + 1 bits.  Raises EPERM without CAP_SETPCAP."""
    wanted = _mask(kept)
    if ((1 << last + 1) - 1) & ~wanted:
        demand(stage, "CAP_SETPCAP")
    return act(stage, replace(stage.task, powers=bounded(stage.task.powers, wanted)))


def become_user(stage: Stage, call: calls.BecomeUser) -> Stage:
    """Take groups, gid, uid.  Raises EPERM, EINVAL."""
    if not (0 <= call.uid <= HIGHEST_ID and 0 <= call.gid <= HIGHEST_ID):
        raise OSError(errno.EINVAL, "ids go from 0 to 2147483647")
    if len(call.groups) > MOST_GROUPS:
        raise OSError(errno.EINVAL, f"{MOST_GROUPS} groups are the most")
    demand(stage, "CAP_SETGID")
    demand(stage, "CAP_SETUID")
    task = stage.task
    groups = tuple(sorted(call.groups)) or task.groups  # as the kernel keeps them
    taken = replace(
        task, groups=groups, gids=(call.gid,) * 4, uids=(call.uid,) * 4,
        powers=as_user(task.powers, task.uids[1], call.uid),
    )  # fmt: skip
    return act(stage, taken)


def set_capabilities(stage: Stage, names: tuple[str, ...]) -> Stage:
    """Shrink permitted and effective.  Raises EPERM where they would grow."""
    return act(stage, replace(stage.task, powers=holding(stage.task.powers, _mask(names))))


def install_seccomp(stage: Stage, program: bytes) -> Stage:
    """Load a filter.  Raises EINVAL for no program, EACCES without the right to."""
    count, rest = divmod(len(program), 8)
    if rest or not 0 < count <= MOST_INSTRUCTIONS or program[-8] & 7 != 6:
        raise OSError(errno.EINVAL, "a filter is 1 to 4096 instructions and ends in return")
    if not stage.task.no_new_privileges:
        demand(stage, "CAP_SYS_ADMIN", errno.EACCES)
    return act(stage, replace(stage.task, filters=(*stage.task.filters, count)))
