"""What fanotify tells, byte by byte: whose file, what was done to it, by whom.

     0        4     5     6           8        16    20    24
     +--------+-----+-----+-----------+--------+-----+-----+---------------- ... --+
     | length | ver | res | head len  |  mask  | fd  | pid | information records   |
     +--------+-----+-----+-----------+--------+-----+-----+---------------- ... --+

A group that holds programs gets a descriptor; one that only listens gets information
records instead: a handle on the directory, and the name in it.  Two deeds of one program
on one file that nobody has read yet become one record with both bits set.

Source: man 7 fanotify; Linux, include/uapi/linux/fanotify.h.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = struct.Struct("<IBBHQii")
_INFORMATION = struct.Struct("<BBH")
_HANDLE = struct.Struct("<Ii")
_FSID_BYTES = 8

MODIFY, ATTRIB, CLOSE_WRITE, OPEN = 0x2, 0x4, 0x8, 0x20
CREATE, DELETE, OPEN_EXEC, OVERFLOW = 0x100, 0x200, 0x1000, 0x4000
OPEN_PERM, OPEN_EXEC_PERM = 0x10000, 0x40000
RENAME, ONDIR = 0x10000000, 0x40000000

_NAME, _OLD, _NEW = 2, 10, 12  # FAN_EVENT_INFO_TYPE_*: DFID_NAME, OLD_ and NEW_DFID_NAME

# In the order in which they can follow each other, where a record holds several.
_DEEDS = (
    (CREATE, "created"), (OPEN, "opened"), (OPEN_EXEC, "executed"),
    (OPEN_EXEC_PERM, "executed"), (OPEN_PERM, "opened"), (MODIFY, "changed"),
    (CLOSE_WRITE, "closed"), (ATTRIB, "given attributes"), (RENAME, "renamed"),
    (DELETE, "removed"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A name in a directory that is known by its handle (struct file_handle)."""

    directory: bytes
    name: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """One record.  `descriptor` is -1 where `place` says which file it is."""

    mask: int
    pid: int
    descriptor: int = -1
    place: Place | None = None
    to: Place | None = None  # after RENAME


def parse(told: bytes) -> Iterator[Notice]:
    """Take apart what one read gave.

    >>> overflow = _HEAD.pack(24, 3, 0, 24, OVERFLOW, -1, 0)
    >>> list(parse(overflow))
    [Notice(mask=16384, pid=0, descriptor=-1, place=None, to=None)]
    """
    at = 0
    while at + _HEAD.size <= len(told):
        length, _, _, head, mask, descriptor, pid = _HEAD.unpack_from(told, at)
        places = dict(_places(told, at + head, at + length))
        yield Notice(
            mask, pid, descriptor, places.get(_NAME) or places.get(_OLD), places.get(_NEW)
        )
        at += length


def _places(told: bytes, at: int, end: int) -> Iterator[tuple[int, Place]]:
    """Read information records; of a kind that is not known only the length is."""
    while at < end:
        kind, _, length = _INFORMATION.unpack_from(told, at)
        if kind in (_NAME, _OLD, _NEW):
            begin = at + _INFORMATION.size + _FSID_BYTES
            size, _ = _HANDLE.unpack_from(told, begin)
            behind = begin + _HANDLE.size + size
            name = told[behind : at + length].partition(b"\0")[0]
            yield kind, Place(told[begin:behind], name)
        at += length


def deeds(mask: int) -> tuple[str, ...]:
    """Name what was done, in an order in which it can have happened.

    >>> deeds(OPEN | MODIFY | CLOSE_WRITE)
    ('opened', 'changed', 'closed')
    """
    return tuple(dict.fromkeys(word for bit, word in _DEEDS if mask & bit))
