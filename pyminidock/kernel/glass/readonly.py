"""A union without an upper directory: everything can be read, nothing changed.

Source: Documentation/filesystems/overlayfs.rst, "Multiple lower layers".
"""

import errno
import os

from pyminidock.kernel.glass import wire
from pyminidock.kernel.glass.loop import Perform, Reply
from pyminidock.kernel.glass.reading import Reading
from pyminidock.kernel.glass.wire import Op, Request

_CHANGES = (
    Op.SETATTR, Op.SYMLINK, Op.MKNOD, Op.MKDIR, Op.UNLINK, Op.RMDIR, Op.RENAME, Op.RENAME2,
    Op.LINK, Op.WRITE, Op.SETXATTR, Op.REMOVEXATTR, Op.CREATE, Op.TMPFILE, Op.FALLOCATE,
    Op.COPY_FILE_RANGE,
)  # fmt: skip


def refusing(reading: Reading) -> dict[int, Perform]:
    """Tell who performs what changes something: all of it is refused."""

    def refuse(asked: Request) -> Reply:
        raise OSError(errno.EROFS, "no upper directory")

    def open_file(asked: Request) -> Reply:
        flags, _ = wire.OPEN_IN.unpack_from(asked.body)
        if flags & os.O_ACCMODE != os.O_RDONLY or flags & os.O_TRUNC:
            raise OSError(errno.EROFS, "no upper directory")
        return reading.open_to_read(asked.unique, reading.tree.node(asked.nodeid), flags)

    def sync(asked: Request) -> Reply:
        return wire.done(asked.unique)

    changes: dict[int, Perform] = dict.fromkeys(_CHANGES, refuse)
    return changes | {
        Op.OPEN: open_file, Op.FSYNC: sync, Op.FSYNCDIR: sync, Op.SYNCFS: sync,
    }  # fmt: skip
