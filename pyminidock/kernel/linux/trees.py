"""Trees of the host on their way into a container: cloned, attached nowhere yet.

Where only a part of a volume is shown, strangers have written that part: the way down goes
by handles, and no link in it leads out.

Source: man 2 open_tree, openat2 (RESOLVE_BENEATH).
"""

import os

from pyminidock.kernel.linux import syscalls

_BENEATH = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS


def clone_below(source: bytes, below: bytes = b"", *, is_recursive: bool = True) -> int:
    """Clone the mount at `source`, or at the path `below` in it.  Raises OSError."""
    if not below:
        return syscalls.open_tree_clone(syscalls.AT_FDCWD, source, recursive=is_recursive)
    top = os.open(source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        inner = syscalls.openat2(top, below, os.O_PATH, resolve=_BENEATH)
    finally:
        os.close(top)
    try:
        return syscalls.open_tree_clone(inner, b"", recursive=is_recursive)
    finally:
        os.close(inner)
