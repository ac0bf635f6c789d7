"""What the kernel has under our name: rules with their counters, elements with theirs.

Rules are known by their chain and the comment that they carry; keys of elements are read
back by the types that their set was made with.

Source: linux/netfilter/nf_tables.h.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator

from pyminidock.kernel.linux import nftables as wire
from pyminidock.kernel.linux.nftables import attributes_in
from pyminidock.kernel.linux.nftwire import COMMENT, FAMILIES, TYPES, text, word_of
from pyminidock.kernel.rules import Counted, Element, FoundTable, Words

_GET_TABLE, _GET_RULE, _GET_SET, _GET_ELEMENT = 1, 7, 10, 13
_NAMES = {number: name for name, (number, _) in TYPES.items()}
_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR: somebody changed it meanwhile
_TRIES = 5
Kinds = dict[str, tuple[Words, Words]]


def read_tables(table: str, families: Words = ("inet", "bridge")) -> tuple[FoundTable, ...]:
    """Read the tables of this name; those that are not there are left out.

    Raises OSError where nf_tables is not to be had.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, wire.NETFILTER) as line:
        line.bind((0, 0))
        found = (_table(line, family, table) for family in families)
        return tuple(each for each in found if each)


def _table(line: socket.socket, family: str, table: str) -> FoundTable | None:
    name = text(1, table)
    try:
        kinds = dict(_kinds(each) for each in _dump(line, family, _GET_SET, name))
        elements = [
            element
            for set_name in kinds
            for body in _dump(line, family, _GET_ELEMENT, name + text(2, set_name))
            for element in _elements(family, set_name, kinds[set_name], body)
        ]
        list(_ask(line, family, _GET_TABLE, name, 0))
    except FileNotFoundError:
        return None
    bodies = [dict(attributes_in(each)) for each in _dump(line, family, _GET_RULE, name)]
    rules = tuple(_rule(body) for body in bodies if _word(body[1]) == table)
    return FoundTable(family, table, rules, tuple(elements))


def _dump(line: socket.socket, family: str, kind: int, body: bytes) -> list[bytes]:
    for _ in range(_TRIES):
        try:
            return list(_ask(line, family, kind, body, wire.DUMP))
        except InterruptedError:
            continue
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _ask(
    line: socket.socket, family: str, kind: int, body: bytes, flags: int
) -> Iterator[bytes]:
    flags = flags or wire.ACKNOWLEDGE
    line.send(wire.spell(kind, flags, 1, FAMILIES[family], body))
    was_changed = False
    while True:
        told = line.recv(1 << 17)
        for answer, flagged, content in cut(told):
            was_changed |= bool(flagged & _INTERRUPTED)
            if answer == wire.ERROR:
                number = -struct.unpack_from("i", content)[0]
                if number:
                    raise OSError(number, os.strerror(number))
                return
            if answer == wire.DONE:
                if was_changed:
                    raise InterruptedError
                return
            yield content[4:]


def cut(told: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Cut what was received into messages: type, flags, and what follows the header."""
    at = 0
    while at + wire.HEADER.size <= len(told):
        length, kind, flags, _, _ = wire.HEADER.unpack_from(told, at)
        yield kind, flags, told[at + wire.HEADER.size : at + length]
        at += -(-length // 4) * 4


def _word(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")


def _kinds(body: bytes) -> tuple[str, tuple[Words, Words]]:
    """Read the name of a set, and the types of its keys and of what they lead to."""
    fields = dict(attributes_in(body))
    key = struct.unpack(">I", fields[4])[0]
    data = struct.unpack(">I", fields[6])[0] if 6 in fields else 0
    return _word(fields[2]), (_types(key), _types(data))


def _types(number: int) -> Words:
    names: list[str] = []
    while number:
        names.insert(0, _NAMES.get(number & 63, "inet_service"))
        number >>= 6
    return tuple(names)


def _elements(
    family: str, name: str, kinds: tuple[Words, Words], body: bytes
) -> Iterator[tuple[Element, Counted | None]]:
    for _, each in attributes_in(dict(attributes_in(body)).get(3, b"")):
        fields = dict(attributes_in(each))
        key = _words(kinds[0], fields[1])
        data = _words(kinds[1], fields[2]) if 2 in fields and kinds[1] else ()
        counted = _counter(fields[7]) if 7 in fields else None
        yield Element(name, key, data, family), counted


def _words(kinds: Words, field: bytes) -> Words:
    value = dict(attributes_in(field))[1]
    words, at = [], 0
    for kind in kinds:
        length = TYPES[kind][1]
        words.append(word_of(kind, value[at : at + length]))
        at += -(-length // 4) * 4
    return tuple(words)


def _rule(body: dict[int, bytes]) -> tuple[str, str, Counted | None]:
    counted = None
    for _, expression in attributes_in(body.get(4, b"")):
        counted = _counter(expression) or counted
    return _word(body[2]), _comment(body.get(7, b"")), counted


def _comment(carried: bytes) -> str:
    at = 0
    while at + 2 <= len(carried):
        kind, length = carried[at], carried[at + 1]
        if kind == COMMENT:
            return _word(carried[at + 2 : at + 2 + length])
        at += 2 + length
    return ""


def _counter(expression: bytes) -> Counted | None:
    fields = dict(attributes_in(expression))
    if _word(fields.get(1, b"")) != "counter":
        return None
    numbers = dict(attributes_in(fields[2]))
    size, packets = (struct.unpack(">Q", numbers[n])[0] for n in (1, 2))
    return Counted(packets, size)
