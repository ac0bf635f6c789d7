"""Other programs' tables of nftables, read so that they can be made again elsewhere.

    dump of the host ─► tables ─► chains ─► objects ─► sets ─► elements ─► rules
                        less handles, counters and names that only the kernel gives

What the kernel tells of a table is spelt as what it takes to make one, so nothing has to be
understood here: a set, a map of verdicts or a match of iptables is carried over as it is.
Nothing is changed on the host.  What cannot be made again (a flow table needs its device)
is for whoever makes it to leave out, and to say so.

Source: linux/netfilter/nf_tables.h.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pyminidock.kernel.linux import nftables as wire
from pyminidock.kernel.linux import nftreading
from pyminidock.kernel.linux.nftables import Message, attributes_in
from pyminidock.kernel.linux.nftwire import attribute, number32, text

_GET = {"table": 1, "chain": 4, "rule": 7, "set": 10, "element": 13, "object": 19}
_NEW = {"table": 0, "chain": 3, "rule": 6, "set": 9, "element": 12, "object": 18}
_KEPT = {  # numbers of the attributes that are taken over; the others are the kernel's own
    "table": (1, 6), "chain": (1, 3, 4, 5, 7, 12), "rule": (1, 2, 4, 7),
    "set": (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 17, 18), "element": (1, 2, 3),
    "object": (1, 2, 3, 4),
}  # fmt: skip
_NAME, _SET_FLAGS, _SET_ID = 1, 3, 10
_ANONYMOUS = 1  # such a set lives in one rule, and the kernel names it
_FAMILIES = ("inet", "ip", "bridge")


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """One table, and the messages that make it; a batch of them is all or nothing."""

    family: str
    name: str
    messages: tuple[Message, ...]


def tables_of_others(own: str) -> tuple[ForeignTable, ...]:
    """Read every table that does not begin with `own`; none where there is no nf_tables."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, wire.NETFILTER) as line:
        line.bind((0, 0))
        line.settimeout(5.0)
        return tuple(
            ForeignTable(family, name, tuple(_messages(line, family, name)))
            for family in _FAMILIES
            for name in _names(line, family) if not name.startswith(own)
        )  # fmt: skip


def _names(line: socket.socket, family: str) -> Iterator[str]:
    for body in nftreading._dump(line, family, _GET["table"], b""):
        yield _word(dict(attributes_in(body))[_NAME])


def _messages(line: socket.socket, family: str, name: str) -> Iterator[Message]:
    """Give what makes a table, each thing after those that it speaks of."""
    yield _message("table", family, text(_NAME, name))
    sets = 0
    for kind in ("chain", "object", "set", "element", "rule"):
        for body in _bodies(line, family, name, kind):
            more = b""
            if kind == "set":
                sets += 1
                more = number32(_SET_ID, sets)
            yield _message(kind, family, body, more)


def _bodies(line: socket.socket, family: str, name: str, kind: str) -> Iterator[bytes]:
    """Dump what a table has of one kind; elements are asked for set by set."""
    table = text(_NAME, name)
    if kind == "element":
        for each in nftreading._dump(line, family, _GET["set"], table):
            set_name = attribute(2, dict(attributes_in(each))[2])
            yield from nftreading._dump(line, family, _GET["element"], table + set_name)
        return
    for each in nftreading._dump(line, family, _GET[kind], table):
        if _word(dict(attributes_in(each))[_NAME]) == name:  # chains: of all tables
            yield each


def _message(kind: str, family: str, body: bytes, more: bytes = b"") -> Message:
    kept = b"".join(_spelt(kind, body)) + more
    flags = wire.CREATE | (wire.APPEND if kind == "rule" else 0)
    return Message(_NEW[kind], flags, family, kept, f"{kind} of another program")


def _spelt(kind: str, body: bytes) -> Iterator[bytes]:
    """Give the attributes that are taken over, as they were told."""
    at = 0
    while at + 4 <= len(body):
        length, number = struct.unpack_from("HH", body, at)
        if length < 4:
            return
        whole = body[at : at + -(-length // 4) * 4]
        if kind == "set" and number == _SET_FLAGS:
            (flags,) = struct.unpack_from(">I", body, at + 4)
            whole = number32(_SET_FLAGS, flags & ~_ANONYMOUS)
        if number & 0x3FFF in _KEPT[kind]:
            yield whole
        at += -(-length // 4) * 4


def _word(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")
