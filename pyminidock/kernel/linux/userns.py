"""Root without root: a user namespace in which one person is uid 0.

Whoever makes a user namespace has every capability inside it, and none outside.  The
engine of an unprivileged person enters one before it does anything else, together with a
mount namespace of its own; the same code then makes containers as if it were root.  Only
one uid exists there, so files belong to that person and `--user 1000` is refused.

Source: man 7 user_namespaces, "Defining user and group ID mappings".
"""

import functools
import os
import threading
from pathlib import Path

from pyminidock.kernel.linux import syscalls


@functools.cache
def is_single_user() -> bool:
    """Tell whether this process lives in a user namespace with one uid; asked once."""
    return Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2:] == ["1"]


def enter() -> None:
    """Become uid 0 of a new user namespace, with a mount namespace of its own.

    Only a process with one thread may do this, and the maps can be written once.
    Raises OSError where the machine forbids it (EPERM, or ENOSPC at the limit).
    """
    if threading.active_count() != 1:
        raise OSError(22, "a process with threads cannot enter a user namespace")
    uid, gid = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.CLONE_FLAGS["user"] | syscalls.CLONE_FLAGS["mount"])
    is_single_user.cache_clear()
    # Without "deny" an unprivileged gid_map is refused: dropping a group could be used to
    # get past a file that its members may not read.
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")
    syscalls.mount_setattr(
        syscalls.AT_FDCWD, b"/", recursive=True, propagation=syscalls.MS_SLAVE
    )
