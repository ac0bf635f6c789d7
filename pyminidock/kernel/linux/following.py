"""Which rules one packet meets: the kernel's own report, for packets that bear a mark.

    table inet T (owned by our socket) ── first of all chains: our packet? mark it
    packet ─► chain ─► rule ─► rule ─► end of chain        each step a message
                                                           to group "nftrace"

Only the first packet of our own connection is marked: its source port, its protocol, and of
tcp the flag that opens.  The table is gone with the socket that owns it, even if we are
killed.  What is decided outside nftables (older iptables) is not told.

Source: linux/netfilter/nf_tables.h, enum nft_trace_attributes; `nft monitor trace`.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from pyminidock.kernel.attempts import Passage
from pyminidock.kernel.linux import nftables, nftreading, nftwire
from pyminidock.kernel.linux.nftables import attributes_in, messages_in
from pyminidock.kernel.linux.nftwire import attribute, nest, number32, text

_FAMILIES = {number: name for name, number in nftwire.FAMILIES.items()}
_TRACE_GROUP = 9  # NFNLGRP_NFTRACE
_TRACE_MESSAGE = 17  # NFT_MSG_TRACE, below the number of nftables
_OWNED = 2  # NFT_TABLE_F_OWNER
_FIRST = -450  # before raw (-300) and before connections are known (-200)
_BRIDGES_FIRST = -400
_KINDS = {1: "policy", 2: "return", 3: "rule"}
_VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", -1: "continue", -2: "break",
             -3: "jump", -4: "goto", -5: "return"}  # fmt: skip
_NFTRACE = 12  # NFT_META_NFTRACE
_SYN, _SYN_ACK = b"\x02", b"\x12"
_ROOM_BYTES = 1 << 20
_NEW_CHAIN = nftables.NEW_CHAIN
_MOST = 200  # messages that are read


class Follower:
    """Marks the packet of one connection, and hears of it; for this thread's network.

    Raises OSError where the kernel has no nftables, or may not be asked.
    """

    def __init__(self, table: str, protocol: str, source_port: int) -> None:
        self._ear = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, nftables.NETFILTER
        )
        self._owner = nftables.Nftables()
        try:
            self._ear.setsockopt(socket.SOL_SOCKET, 33, _ROOM_BYTES)  # SO_RCVBUFFORCE
            self._ear.bind((0, 1 << _TRACE_GROUP - 1))
            self._mark(table, protocol, source_port)
        except BaseException:
            self.close()
            raise
        self._table = table

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the mark away; twice is fine."""
        self._owner.close()
        self._ear.close()

    def _mark(self, table: str, protocol: str, port: int) -> None:
        messages = []
        for family, hooks, first in (
            ("inet", ("prerouting", "output"), _FIRST),
            ("bridge", ("prerouting",), _BRIDGES_FIRST),
        ):
            name = text(1, table)
            made = name + number32(2, _OWNED)
            messages.append(nftables.Message(0, nftables.CREATE, family, made, table))
            for hook in hooks:
                where = nest(4, number32(1, nftwire.HOOKS[hook]), number32(2, first))
                chain = name + text(3, hook) + where + text(7, "filter") + number32(5, 1)
                rule = name + text(2, hook) + nest(4, *_program(family, protocol, port))
                messages += [
                    nftables.Message(_NEW_CHAIN, nftables.CREATE, family, chain, hook),
                    nftables.Message(
                        nftables.NEW_RULE, nftables.CREATE | nftables.APPEND, family,
                        rule, f"mark at {hook}",
                    ),
                ]  # fmt: skip
        self._owner.send(messages)

    def heard(self, patience_s: float = 0.02) -> tuple[Passage, ...]:
        """Give what the packet met so far, without our own mark and nothing twice.

        Waits for `patience_s` at most until something is told.
        """
        comments: dict[tuple[str, str], dict[tuple[str, int], str]] = {}
        found: list[Passage] = []
        for each in self._passages(time.monotonic() + patience_s):
            if each.table != self._table and each not in found:
                found.append(each)
        for family, table in {(one.family, one.table) for one in found}:
            with suppress(OSError):
                comments[family, table] = comments_of(family, table)
        return tuple(
            _commented(each, comments.get((each.family, each.table), {})) for each in found
        )

    def _passages(self, until: float) -> Iterator[Passage]:
        for _ in range(_MOST):
            left = until - time.monotonic()
            self._ear.settimeout(max(left, 0.001))
            try:
                told = self._ear.recv(1 << 16)
            except OSError:  # nothing more, or too much at once
                return
            for kind, _, body in messages_in(told):
                if kind == nftables.SUBSYSTEM << 8 | _TRACE_MESSAGE:
                    yield _passage(body)


def _program(family: str, protocol: str, port: int) -> list[bytes]:
    """Spell the rule: our packet? then mark it."""
    expression, compare = nftwire._expression, nftwire._compare
    payload = nftwire._payload
    register = number32(1, 1)
    program = []
    if family == "bridge":
        program += [nftwire._load("meta protocol")[0], compare(b"\x08\x00")]
    program += [
        nftwire._load("meta l4proto")[0],
        compare(bytes([nftwire.PROTOCOLS[protocol]])),
        payload(register, 2, 0, 2), compare(struct.pack(">H", port)),
    ]  # fmt: skip
    if protocol == "tcp":  # the packet that opens a connection, and no other
        program += [
            payload(register, 2, 13, 1), nftwire._mask(_SYN_ACK), compare(_SYN)
        ]  # fmt: skip
    one = nest(2, attribute(1, b"\1"))
    program.append(expression("immediate", register, one))
    program.append(expression("meta", number32(2, _NFTRACE), number32(3, 1)))
    return program


def _passage(body: bytes) -> Passage:
    """Read one message."""
    fields = dict(attributes_in(body[4:]))
    kind = _KINDS.get(_number(fields.get(4)), "")
    verdict, target = _verdict(fields.get(5, b""))
    if kind == "policy":
        verdict = _VERDICTS.get(_number(fields.get(16)), "")
    source, destination = _ends(fields)
    return Passage(
        _FAMILIES.get(body[0], str(body[0])), _name(fields.get(1)), _name(fields.get(2)),
        kind, f"{verdict} {target}".strip(), _number(fields.get(3)), "",
        _device(fields.get(10)), _device(fields.get(12)), source, destination,
    )  # fmt: skip


def _verdict(value: bytes) -> tuple[str, str]:
    fields = dict(attributes_in(value))
    (code,) = struct.unpack(">i", fields[1]) if 1 in fields else (-1,)
    return _VERDICTS.get(code, str(code)), _name(fields.get(2))


def _ends(fields: dict[int, bytes]) -> tuple[str, str]:
    """Read from where to where the packet goes, of IPv4 with its ports."""
    network, transport = fields.get(8, b""), fields.get(9, b"")
    if len(network) < 20 or network[0] >> 4 != 4 or len(transport) < 4:
        return "", ""
    ports = struct.unpack(">HH", transport[:4])
    ends = (network[12:16], network[16:20])
    both = [
        f"{socket.inet_ntoa(end)}:{port}" for end, port in zip(ends, ports, strict=True)
    ]
    return both[0], both[1]


def _number(value: bytes | None) -> int:
    return int.from_bytes(value or b"", "big")


def _name(value: bytes | None) -> str:
    return (value or b"").rstrip(b"\0").decode(errors="replace")


def _device(value: bytes | None) -> str:
    index = _number(value)
    try:
        return socket.if_indextoname(index) if index else ""
    except OSError:
        return str(index)


def comments_of(family: str, table: str) -> dict[tuple[str, int], str]:
    """Give what the rules of a table say about themselves, by chain and number."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, nftables.NETFILTER) as line:
        line.bind((0, 0))
        found = {}
        for each in nftreading._dump(line, family, 7, text(1, table)):
            fields = dict(attributes_in(each))
            if _name(fields.get(1)) == table:
                comment = nftreading._comment(fields.get(7, b""))
                found[_name(fields.get(2)), _number(fields.get(3))] = comment
        return found


def _commented(each: Passage, comments: dict[tuple[str, int], str]) -> Passage:
    said = comments.get((each.chain, each.handle), "")
    return Passage(
        each.family, each.table, each.chain, each.kind, each.verdict, each.handle, said,
        each.entered, each.leaves, each.source, each.destination,
    )  # fmt: skip
