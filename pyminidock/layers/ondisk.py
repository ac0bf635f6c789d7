"""What overlayfs wrote into a tree, read back: which names are whiteouts.

With devices a whiteout is a character device 0/0; without (in a user namespace) it is an
empty file with an attribute.

Source: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories".
"""

import os
import stat

from pyminidock.unionfs.whiteout import Spelling

FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""How a file of a tree that strangers wrote is opened: no link, no waiting, no terminal."""


def is_whiteout(
    spelling: Spelling, status: os.stat_result, name: bytes, handle: int
) -> bool:
    """Say whether `name`, beneath the open directory `handle`, hides what is below it."""
    if spelling.has_devices:
        return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
    if not stat.S_ISREG(status.st_mode) or status.st_size:
        return False
    try:
        opened = os.open(name, FILE, dir_fd=handle)
    except PermissionError:  # whiteouts are made readable
        return False
    try:
        return spelling.whiteout in os.listxattr(opened)
    finally:
        os.close(opened)
