"""The codec by itself: what goes out has the length it says, what comes in is read."""

import os
import struct
from pathlib import Path

import pytest

from pyminidock.kernel.glass import wire
from pyminidock.kernel.glass.wire import Op

FOUND = Path(__file__).stat()
ATTR = wire.attr(77, FOUND, 1, FOUND.st_blocks)


def header(reply: bytes) -> tuple[int, int, int]:
    length, error, unique = struct.unpack_from("<IiQ", reply)
    return length, error, unique


@pytest.mark.parametrize(
    ("reply", "size"),
    [
        (wire.done(9), 0),
        (wire.entry(9, 5, ATTR), 128),  # sizeof(struct fuse_entry_out)
        (wire.attributes(9, ATTR), 104),  # fuse_attr_out
        (wire.opened(9, 3, 0), 16),  # fuse_open_out
        (wire.created(9, 5, ATTR, 3, 0), 144),  # fuse_entry_out, fuse_open_out
        (wire.count(9, 4096), 8),  # fuse_write_out
        (wire.position(9, 4096), 8),  # fuse_lseek_out
        (wire.space(9, os.statvfs("/")), 80),  # fuse_statfs_out
        (wire.data(9, b"12345"), 5),
    ],
)
def test_a_reply_is_as_long_as_the_struct_of_the_kernel(reply: bytes, size: int) -> None:
    assert len(reply) == 16 + size
    assert header(reply) == (16 + size, 0, 9)


def test_a_refusal_carries_the_errno_below_zero() -> None:
    assert header(wire.refusal(9, 2)) == (16, -2, 9)


def test_a_name_is_never_kept_and_its_attributes_always() -> None:
    nodeid, _, entry_s, attr_s = struct.unpack_from("<4Q", wire.entry(1, 5, ATTR), 16)
    assert (nodeid, entry_s, attr_s) == (5, 0, wire.FOREVER_S)


def test_times_before_1970_survive_the_way() -> None:
    body = wire.SETATTR_IN.pack(
        wire.FATTR_MTIME, 0, 0, 0, 0, 0, (1 << 64) - 2, 0, 0, 250_000_000, 0, 0, 0, 0, 0, 0
    )
    wanted = wire.Wanted(*wire.SETATTR_IN.unpack(body))
    assert wanted.mtime_ns == -1_750_000_000


def test_a_directory_is_padded_so_that_each_name_begins_at_eight_bytes() -> None:
    one = wire.dirent(7, 1, b"motd", FOUND.st_mode)
    assert len(one) == 32
    assert struct.unpack_from("<QQII", one) == (7, 1, 4, 8)
    assert one[24:28] == b"motd"


def test_the_greeting_asks_for_what_the_kernel_offers_and_no_more() -> None:
    offered = wire.WISHES & ~wire.FUSE_MAX_PAGES | wire.FUSE_ASYNC_READ
    low, high = offered & 0xFFFFFFFF, offered >> 32
    asked = memoryview(struct.pack("<IIIII", 7, 45, 131072, low, high) + bytes(44))
    reply = wire.greeting(1, asked)
    assert header(reply) == (80, 0, 1)
    assert struct.unpack_from("<IIII", reply, 16) == (7, 41, wire.MAX_WRITE, low)
    assert struct.unpack_from("<I", reply, 48) == (high,)


def test_another_version_is_refused() -> None:
    with pytest.raises(OSError, match="FUSE 8"):
        wire.greeting(1, memoryview(struct.pack("<IIII", 8, 0, 0, 0)))


def test_a_request_is_cut_where_it_says_that_it_ends() -> None:
    packet = wire.IN_HEADER.pack(52, Op.RENAME, 4, 1, 0, 0, 9, 0, 0)
    packet += wire.RENAME_IN.pack(6) + b"a\0b\0" + b"what an earlier request left"
    found = wire.request(memoryview(packet))
    assert (found.opcode, found.pid) == (Op.RENAME, 9)
    assert wire.names(found.body, 8) == [b"a", b"b"]
