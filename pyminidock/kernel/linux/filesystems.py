"""Filesystems that are mounted nowhere yet, some of them made before a plan asks for them.

    fsopen ── fsconfig … ── create ──┬──► fsmount ── move_mount
                                     └ here a newborn waits, as nobody waits for it

To make one takes the kernel longer than to mount it.  Nearly every container has the same
few, so a newborn has them made when a plan comes.  A plan that asks for anything else, down
to a single option, gets one that is made when it asks.  Mounted they are at their step, in
the order of the plan, which is the order of mountinfo.

Not sysfs: a network namespace has one, and whoever makes it decides for all of its mounts
whether it can be written.

Source: man 2 fsopen, fsconfig, fsmount.
"""

import os

from pyminidock.kernel.linux import syscalls

Options = tuple[tuple[bytes, bytes], ...]
_Wish = tuple[bytes, bytes, Options, bool]  # filesystem, source, options, is it read-only

USUAL: tuple[_Wish, ...] = (
    (b"proc", b"proc", (), False),
    (b"tmpfs", b"tmpfs", ((b"size", b"65536k"), (b"mode", b"755")), False),
    (b"devpts", b"devpts",
     ((b"gid", b"5"), (b"mode", b"620"), (b"ptmxmode", b"666")), False),
    (b"tmpfs", b"tmpfs", ((b"mode", b"755"),), False),
    (b"tmpfs", b"shm", ((b"size", b"65536k"), (b"mode", b"1777")), False),
)  # fmt: skip


def new_filesystem(
    filesystem: bytes, source: bytes, options: Options, attributes: int,
    *, is_readonly: bool,
) -> int:  # fmt: skip
    """Make a filesystem that is mounted nowhere yet; give a handle on it."""
    return _mounted(_created(filesystem, source, options, is_readonly), attributes)


def _created(filesystem: bytes, source: bytes, options: Options, is_readonly: bool) -> int:
    context = syscalls.fsopen(filesystem)
    syscalls.fsconfig_string(context, b"source", source)
    for key, value in options:
        if value:
            syscalls.fsconfig_string(context, key, value)
        else:
            syscalls.fsconfig_flag(context, key)
    if is_readonly:
        syscalls.fsconfig_flag(context, b"ro")
    syscalls.fscreate(context)
    return context


def _mounted(context: int, attributes: int) -> int:
    mount = syscalls.fsmount(context, attributes)
    os.close(context)
    return mount


class Stock:
    """What one newborn has made ahead, each to be taken once."""

    def __init__(self) -> None:
        self._made: dict[_Wish, int] = {}

    def fill(self) -> None:
        """Make the usual ones; what is refused now is refused again, and told, in time."""
        for wish in USUAL:
            try:
                self._made[wish] = _created(*wish)
            except OSError:
                return

    def take(
        self, filesystem: bytes, source: bytes, options: Options, attributes: int,
        *, is_readonly: bool,
    ) -> int:  # fmt: skip
        """Give a handle on a filesystem that is mounted nowhere yet, made now or before."""
        wish = (filesystem, source, options, is_readonly)
        made = self._made.pop(wish, -1)
        return _mounted(made if made >= 0 else _created(*wish), attributes)
