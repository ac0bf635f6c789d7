"""Our tables in the kernel: batches of netlink messages, each one transaction.

    BEGIN, message, message, …, END ─► the kernel checks all, then does all, or nothing
    ◄─ for each that was refused: an error with the number of the message

The kernel answers before sendmsg returns, so nobody waits here.  No `nft` is needed, nor
any other program.

Source: linux/netfilter/nfnetlink.h, nf_tables.h; man 7 netlink.
"""

import errno
import os
import socket
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyminidock.kernel.linux import nftwire
from pyminidock.kernel.linux.nftwire import nest, number32, text
from pyminidock.kernel.rules import (
    AddElements,
    DropElements,
    Element,
    MakeTable,
    RemoveTable,
    RuleCall,
    Set,
    Table,
)

NETFILTER = 12  # NETLINK_NETFILTER
SUBSYSTEM = 10  # NFNL_SUBSYS_NFTABLES
REQUEST, ACKNOWLEDGE, DUMP, CREATE, APPEND = 0x1, 0x4, 0x300, 0x400, 0x800
NEW_TABLE, DEL_TABLE, NEW_CHAIN, NEW_RULE, NEW_SET, NEW_ELEMENT, DEL_ELEMENT = (
    0, 2, 3, 6, 9, 12, 14
)  # fmt: skip
_BEGIN, _END, ERROR, DONE = 16, 17, 2, 3
HEADER = struct.Struct("IHHII")  # length, type, flags, number, port
_OURS = struct.Struct(">BBH")  # family, version, resource
_AT_ONCE = 200  # elements in a message: an attribute holds at most 65535 bytes
_ROOM_BYTES = 4 << 20
_FORCE_SEND_ROOM = 32  # SO_SNDBUFFORCE


@dataclass(frozen=True, slots=True)
class Message:
    """One wish within a batch, and what it is about, for whoever reads the refusal."""

    kind: int
    flags: int
    family: str
    body: bytes
    about: str


class BatchRefused(OSError):
    """The kernel took nothing of a batch because of message `index`."""

    def __init__(self, number: int, index: int, about: str) -> None:
        super().__init__(number, f"{about}: {os.strerror(number).lower()}")
        self.index = index


class Nftables:
    """One socket on which batches are sent; opened when the first one is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._number = 0
        self._sets: dict[tuple[str, str], tuple[Set, ...]] = {}  # by family and table
        self.port = 0  # of our socket: changes that carry it are our own

    def close(self) -> None:
        """Let go of the socket; rules stay."""
        with self._lock:
            if self._socket:
                self._socket.close()
                self._socket = None

    def do(self, call: RuleCall) -> None:
        """Perform one call.  Raises BatchRefused, OSError."""
        match call:
            case MakeTable(tables, elements):
                self.learn(tables)
                made = [message for table in tables for message in making(table)]
                name = tables[0].name if tables else ""
                self.send([*made, *self._moving(NEW_ELEMENT, name, elements)])
            case AddElements(table, elements):
                self.move(table, elements)
            case DropElements(table, elements):
                self.drop(table, elements)
            case RemoveTable(families, table):
                self.send([each for family in families for each in removing(family, table)])

    def learn(self, tables: Iterable[Table]) -> None:
        """Hear of tables that an earlier engine made: how their sets are spelt."""
        for table in tables:
            self._sets[table.family, table.name] = table.sets

    def send(self, messages: Sequence[Message]) -> None:
        """Send a batch and hear what became of it.  Raises BatchRefused, OSError."""
        if not messages:
            return
        with self._lock:
            line = self._socket or self._open()
            first = self._number + 1
            self._number = first + len(messages) + 1
            line.send(_batch(messages, first))
            answers = list(_answers(line))
        for number, refusal in sorted(answers):
            if refusal:
                index = min(max(number - first - 1, 0), len(messages) - 1)
                raise BatchRefused(refusal, index, messages[index].about)

    def _open(self) -> socket.socket:
        line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
        line.setsockopt(socket.SOL_SOCKET, _FORCE_SEND_ROOM, _ROOM_BYTES)
        line.bind((0, 0))
        self._socket, self.port = line, line.getsockname()[0]
        return line

    def move(self, table: str, elements: tuple[Element, ...]) -> None:
        """Put elements in."""
        self.send(list(self._moving(NEW_ELEMENT, table, elements)))

    def drop(self, table: str, elements: tuple[Element, ...]) -> None:
        """Take elements out; if one is not there, each by itself."""
        try:
            self.send(list(self._moving(DEL_ELEMENT, table, elements)))
        except OSError as refusal:
            if refusal.errno != errno.ENOENT:
                raise
            if len(elements) > 1:
                for each in elements:
                    self.drop(table, (each,))

    def _moving(
        self, kind: int, table: str, elements: tuple[Element, ...]
    ) -> Iterator[Message]:
        places: dict[tuple[str, str], list[Element]] = {}
        for each in elements:
            places.setdefault((each.family, each.set), []).append(each)
        flags = CREATE if kind == NEW_ELEMENT else 0
        for (family, name), members in places.items():
            described = self._set(family, table, name)
            for start in range(0, len(members), _AT_ONCE):
                part = members[start : start + _AT_ONCE]
                spelt = (nftwire.element_of(described, each) for each in part)
                body = text(1, table) + text(2, name) + nest(3, *spelt)
                about = f"{name} {{ {', '.join(map(str, part[:3]))} }}"
                yield Message(kind, flags, family, body, about)

    def _set(self, family: str, table: str, name: str) -> Set:
        for each in self._sets.get((family, table), ()):
            if each.name == name:
                return each
        raise OSError(errno.ENOENT, f"no set {name} in table {family} {table}")


def making(table: Table) -> Iterator[Message]:
    """Replace a table: what there was goes in the same transaction."""
    name, family = text(1, table.name), table.family
    yield from removing(family, table.name)
    yield Message(NEW_TABLE, CREATE, family, name, f"table {table.name}")
    for number, each in enumerate(table.sets, 1):
        body = name + nftwire.set_body(each, number)
        yield Message(NEW_SET, CREATE, family, body, f"set {each.name}")
    for chain in table.chains:
        hook = nest(4, number32(1, nftwire.HOOKS[chain.hook]), number32(2, chain.priority))
        body = name + text(3, chain.name) + hook + text(7, chain.type)
        body += number32(5, 1)  # whoever gets through may pass
        yield Message(NEW_CHAIN, CREATE, family, body, f"chain {chain.name}")
        for rule in chain.rules:
            body = name + text(2, chain.name) + nftwire.rule_body(family, rule)
            yield Message(NEW_RULE, CREATE | APPEND, family, body, f"rule {rule.comment}")


def removing(family: str, table: str) -> Iterator[Message]:
    """Remove a table; made first, so that it is there to be removed."""
    about = f"table {table}"
    yield Message(NEW_TABLE, CREATE, family, text(1, table), about)
    yield Message(DEL_TABLE, 0, family, text(1, table), about)


def spell(kind: int, flags: int, number: int, family: int, body: bytes) -> bytes:
    """Spell one message of nftables."""
    whole = _OURS.pack(family, 0, 0) + body
    kind |= SUBSYSTEM << 8
    return HEADER.pack(HEADER.size + len(whole), kind, flags | REQUEST, number, 0) + whole


def _batch(messages: Sequence[Message], first: int) -> bytes:
    size = HEADER.size + _OURS.size
    for_us = _OURS.pack(0, 0, SUBSYSTEM)
    last = len(messages) - 1
    parts = [HEADER.pack(size, _BEGIN, REQUEST, first, 0) + for_us]
    for index, each in enumerate(messages):
        flags = each.flags | (ACKNOWLEDGE if index == last else 0)
        family = nftwire.FAMILIES[each.family]
        parts.append(spell(each.kind, flags, first + 1 + index, family, each.body))
    end = HEADER.pack(size, _END, REQUEST, first + 1 + len(messages), 0)
    return b"".join((*parts, end + for_us))


def _answers(line: socket.socket) -> Iterator[tuple[int, int]]:
    """Read what the kernel has answered: numbers of messages, and errno or 0."""
    while True:
        try:
            told = line.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        for kind, number, body in messages_in(told):
            if kind == ERROR:
                yield number, -struct.unpack_from("i", body)[0]


def messages_in(told: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Cut what was received into messages: type, number, and what follows the header."""
    at = 0
    while at + HEADER.size <= len(told):
        length, kind, _, number, _ = HEADER.unpack_from(told, at)
        if length < HEADER.size:
            return
        yield kind, number, told[at + HEADER.size : at + length]
        at += -(-length // 4) * 4


def attributes_in(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut a body into attributes: number and value."""
    at = 0
    while at + 4 <= len(body):
        length, number = struct.unpack_from("HH", body, at)
        if length < 4:
            return
        yield number & 0x3FFF, body[at + 4 : at + length]
        at += -(-length // 4) * 4
