"""renameat2, which Python does not offer: names that change places, or leave a whiteout.

Source: man 2 renameat2; include/uapi/linux/fs.h.
"""

import os

from pyminidock.kernel.linux import syscalls

NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
_NUMBER = 276 if os.uname().machine == "aarch64" else 316


def rename(old: str, new: str, flags: int) -> None:
    """Rename with flags.  Raises OSError."""
    if not flags:
        os.rename(old, new)
        return
    at = syscalls.AT_FDCWD
    syscalls.enter(_NUMBER, at, os.fsencode(old), at, os.fsencode(new), flags)
