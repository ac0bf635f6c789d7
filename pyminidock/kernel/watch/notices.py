"""Which system calls name files, and where in their arguments the names are.

     0        8     12      16    20     24       32                         80
     +--------+-----+-------+-----+------+--------+------- ... -------------+
     |   id   | pid | flags | nr  | arch |   ip   |  args[0] … args[5]      |
     +--------+-----+-------+-----+------+--------+------- ... -------------+

A name is read relative to a directory: the one that an argument says, or where the process
is.  Two names: what is there before, and what is there afterwards.

Source: man 2 seccomp_unotify, struct seccomp_notif; the manual page of each call.
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

NOTICE = struct.Struct("<QIIiIQ6Q")
ANSWER = struct.Struct("<QqiI")  # id, val, error, flags

HERE = None  # a name without a directory of its own


class Shape(NamedTuple):
    """The numbers of a call on x86_64 and aarch64 (-1: there is none), and its names.

    Each name is (argument of the directory or HERE, argument of the name).
    """

    x86_64: int
    aarch64: int
    names: tuple[tuple[int | None, int], ...]


_ONE, _AT = ((HERE, 0),), ((0, 1),)

SHAPES: Mapping[str, Shape] = {
    "open": Shape(2, -1, _ONE), "openat": Shape(257, 56, _AT),
    "openat2": Shape(437, 437, _AT), "creat": Shape(85, -1, _ONE),
    "execve": Shape(59, 221, _ONE), "execveat": Shape(322, 281, _AT),
    "stat": Shape(4, -1, _ONE), "lstat": Shape(6, -1, _ONE),
    "newfstatat": Shape(262, 79, _AT), "statx": Shape(332, 291, _AT),
    "access": Shape(21, -1, _ONE), "faccessat": Shape(269, 48, _AT),
    "faccessat2": Shape(439, 439, _AT),
    "readlink": Shape(89, -1, _ONE), "readlinkat": Shape(267, 78, _AT),
    "unlink": Shape(87, -1, _ONE), "unlinkat": Shape(263, 35, _AT),
    "rmdir": Shape(84, -1, _ONE),
    "rename": Shape(82, -1, ((HERE, 0), (HERE, 1))),
    "renameat": Shape(264, 38, ((0, 1), (2, 3))),
    "renameat2": Shape(316, 276, ((0, 1), (2, 3))),
    "link": Shape(86, -1, ((HERE, 0), (HERE, 1))),
    "linkat": Shape(265, 37, ((0, 1), (2, 3))),
    "symlink": Shape(88, -1, ((HERE, 1),)), "symlinkat": Shape(266, 36, ((1, 2),)),
    "mkdir": Shape(83, -1, _ONE), "mkdirat": Shape(258, 34, _AT),
    "mknod": Shape(133, -1, _ONE), "mknodat": Shape(259, 33, _AT),
    "chmod": Shape(90, -1, _ONE), "fchmodat": Shape(268, 53, _AT),
    "chown": Shape(92, -1, _ONE), "lchown": Shape(94, -1, _ONE),
    "fchownat": Shape(260, 54, _AT), "truncate": Shape(76, 45, _ONE),
    "chdir": Shape(80, 49, _ONE),
}  # fmt: skip


def calls_of(machine: str) -> dict[int, tuple[str, Shape]]:
    """Give name and shape by number, as `uname -m` numbers them."""
    numbered = (
        (shape.aarch64 if machine == "aarch64" else shape.x86_64, name, shape)
        for name, shape in SHAPES.items()
    )
    return {number: (name, shape) for number, name, shape in numbered if number >= 0}


class Notice(NamedTuple):
    """One system call that waits to be allowed."""

    id: int
    pid: int
    number: int
    arguments: tuple[int, ...]


def parse(told: bytes | memoryview) -> Notice:
    """Take a notification apart.

    >>> parse(NOTICE.pack(9, 7, 0, 257, 0xC000003E, 0, 1, 2, 3, 4, 5, 6))
    Notice(id=9, pid=7, number=257, arguments=(1, 2, 3, 4, 5, 6))
    """
    number, pid, _, call, _, _, *arguments = NOTICE.unpack_from(told)
    return Notice(number, pid, call, tuple(arguments))


def directory_of(argument: int) -> int:
    """Read a directory's number: 32 bits with a sign; AT_FDCWD is -100.

    >>> directory_of(0xFFFFFF9C), directory_of(3)
    (-100, 3)
    """
    low = argument & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low
