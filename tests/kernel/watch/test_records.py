"""What fanotify tells is read as the kernel wrote it."""

import struct

from pyminidock.kernel.watch import records
from pyminidock.kernel.watch.records import Notice, Place

HANDLE = struct.pack("<Ii", 8, 1) + b"\x11" * 8


def information(kind: int, name: bytes) -> bytes:
    told = bytes(8) + HANDLE + name + b"\0"
    told += bytes(-(len(told) + 4) % 4)
    return struct.pack("<BBH", kind, 0, 4 + len(told)) + told


def record(mask: int, pid: int, *parts: bytes, descriptor: int = -1) -> bytes:
    told = b"".join(parts)
    return struct.pack("<IBBHQii", 24 + len(told), 3, 0, 24, mask, descriptor, pid) + told


def test_a_name_comes_with_the_handle_of_its_directory() -> None:
    told = record(records.OPEN, 7, information(2, b"motd"))
    assert list(records.parse(told)) == [
        Notice(records.OPEN, 7, place=Place(HANDLE, b"motd"))
    ]


def test_a_rename_has_two_names() -> None:
    told = record(records.RENAME, 7, information(10, b"a"), information(12, b"longer"))
    (notice,) = records.parse(told)
    assert (notice.place, notice.to) == (Place(HANDLE, b"a"), Place(HANDLE, b"longer"))


def test_information_of_an_unknown_kind_is_passed_over() -> None:
    told = record(records.OPEN, 7, information(99, b"x"), information(2, b"y"))
    (notice,) = records.parse(told)
    assert notice.place == Place(HANDLE, b"y")


def test_several_records_of_one_read_are_told_apart() -> None:
    told = record(records.CREATE, 1, information(2, b"a")) + record(
        records.OPEN_PERM, 2, descriptor=9
    )
    first, second = records.parse(told)
    assert (first.pid, first.descriptor) == (1, -1)
    assert (second.pid, second.descriptor, second.place) == (2, 9, None)


def test_half_a_record_is_not_read() -> None:
    assert list(records.parse(record(records.OPEN, 7)[:20])) == []


def test_deeds_that_became_one_record_are_told_in_an_order_that_can_be() -> None:
    mask = records.CLOSE_WRITE | records.CREATE | records.OPEN | records.MODIFY
    assert records.deeds(mask) == ("created", "opened", "changed", "closed")
    assert records.deeds(records.OPEN_EXEC_PERM) == ("executed",)
