"""How a rule is spelt for the kernel: a small program for a machine with 64 bytes.

nftables is a virtual machine.  A rule is a list of expressions; most of them load something
of the packet into registers, or compare what is there:

    iifname . ip saddr @endpoints drop

    meta load iifname ─► register 1   (16 bytes: an interface name)
    payload load 4 bytes at network header + 12 ─► register 2
    lookup registers 1… in set "endpoints"      not there: the rule ends here
    immediate drop ─► verdict

Registers 1 to 4 have 16 bytes each; 8 to 23 are the same ones by four bytes, so that
fields of different lengths can lie behind each other.  Everything travels as netlink
attributes: length, number, value, padded to four bytes.

Source: linux/netfilter/nf_tables.h; `nft --debug=netlink` prints such programs.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator, Sequence

from pyminidock.kernel.rules import (
    Count,
    Decide,
    Element,
    In,
    Is,
    Masquerade,
    Rule,
    SendTo,
    Set,
    Statement,
    Words,
)

NESTED = 0x8000
EQUAL, NOT_EQUAL = 0, 1
FAMILIES = {"inet": 1, "ip": 2, "arp": 3, "netdev": 5, "bridge": 7, "ip6": 10}
HOOKS = {
    "prerouting": 0, "input": 1, "forward": 2, "output": 3, "postrouting": 4
}  # fmt: skip
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "sctp": 132}
# nft's number of each type, and its length in bytes.  A concatenation is the numbers one
# behind the other, six bits each, from the left.
TYPES = {
    "ipv4_addr": (7, 4), "ipv6_addr": (8, 16), "ether_addr": (9, 6), "inet_proto": (12, 1),
    "inet_service": (13, 2), "ifname": (41, 16),
}  # fmt: skip
_VERDICTS = {"drop": 0, "accept": 1}
_STATES = {"invalid": 1, "established": 2, "related": 4, "new": 8}
_STATUS = {"snat": 0x10, "dnat": 0x20}
_META = {"protocol": 1, "iifname": 6, "oifname": 7, "nfproto": 15, "l4proto": 16}
_LINK, _NETWORK, _TRANSPORT = 0, 1, 2
# Fields of the packet: header, offset, length, type, and what has to be true before.
_PAYLOAD = {
    "ether saddr": (_LINK, 6, 6, "ether_addr", ""),
    "ip saddr": (_NETWORK, 12, 4, "ipv4_addr", "ip"),
    "ip daddr": (_NETWORK, 16, 4, "ipv4_addr", "ip"),
    "ip6 saddr": (_NETWORK, 8, 16, "ipv6_addr", "ip6"),
    "ip6 daddr": (_NETWORK, 24, 16, "ipv6_addr", "ip6"),
    "arp saddr ip": (_NETWORK, 14, 4, "ipv4_addr", "arp"),
    "th dport": (_TRANSPORT, 2, 2, "inet_service", ""),
}
_ETHERTYPES = {"ip": b"\x08\x00", "arp": b"\x08\x06", "ip6": b"\x86\xdd"}
_NFPROTO = {"ip": b"\x02", "ip6": b"\x0a"}
COMMENT = 0  # its number in what a rule carries for people
EXPRESSION = 1  # an element of any list


def attribute(number: int, value: bytes) -> bytes:
    """Spell one attribute."""
    return struct.pack("HH", 4 + len(value), number) + value + bytes(-len(value) % 4)


def nest(number: int, *parts: bytes) -> bytes:
    """Spell an attribute made of attributes."""
    return attribute(NESTED | number, b"".join(parts))


def text(number: int, value: str) -> bytes:
    """Spell an attribute that is a name."""
    return attribute(number, value.encode() + b"\0")


def number32(number: int, value: int) -> bytes:
    """Spell an attribute that is a number, most significant byte first."""
    return attribute(number, struct.pack(">I", value & 0xFFFF_FFFF))


# ── Values ────────────────────────────────────────────────────────────────────────────────


def value_of(kind: str, word: str) -> bytes:
    """Spell one word of a type.

    >>> value_of("inet_service", "8080").hex()
    '1f90'
    """
    match kind:
        case "ifname":
            return word.encode().ljust(16, b"\0")
        case "ether_addr":
            return bytes.fromhex(word.replace(":", ""))
        case "ipv4_addr" | "ipv6_addr":
            return ipaddress.ip_address(word).packed
        case "inet_proto":
            return bytes([PROTOCOLS[word]])
        case "inet_service":
            return struct.pack(">H", int(word))
    raise ValueError(f"{kind}: there is no such type here")


def word_of(kind: str, value: bytes) -> str:
    """Read what value_of spelt."""
    match kind:
        case "ifname":
            return value.rstrip(b"\0").decode(errors="replace")
        case "ether_addr":
            return value.hex(":")
        case "ipv4_addr" | "ipv6_addr":
            return str(ipaddress.ip_address(value))
        case "inet_proto":
            names = {number: name for name, number in PROTOCOLS.items()}
            return names.get(value[0], str(value[0]))
        case _:
            return str(int.from_bytes(value, "big"))


def key_of(kinds: Words, words: Words) -> bytes:
    """Spell a key; of several fields each begins at a multiple of four bytes."""
    values = [value_of(*pair) for pair in zip(kinds, words, strict=True)]
    if len(values) == 1:
        return values[0]
    return b"".join(value + bytes(-len(value) % 4) for value in values)


def type_number(kinds: Words) -> int:
    """Give the number of a type, or of several behind each other.

    >>> type_number(("ipv4_addr", "inet_service")) == 7 << 6 | 13
    True
    """
    number = 0
    for kind in kinds:
        number = number << 6 | TYPES[kind][0]
    return number


def length_of(kinds: Words) -> int:
    """Give the length of a key in bytes."""
    if len(kinds) == 1:
        return TYPES[kinds[0]][1]
    return sum(-(-TYPES[kind][1] // 4) * 4 for kind in kinds)


# ── Expressions ───────────────────────────────────────────────────────────────────────────


def rule_body(family: str, rule: Rule) -> bytes:
    """Spell the attributes of a rule: its program, and its comment for people."""
    spelt = [part for each in rule.statements for part in _statement(family, each)]
    seen: set[bytes] = set()
    program = []
    for part, is_condition in spelt:  # what was asked once needs not be asked again
        if not is_condition or part not in seen:
            program.append(part)
        seen.add(part)
    comment = rule.comment.encode() + b"\0"
    people = attribute(7, bytes([COMMENT, len(comment)]) + comment)
    return nest(4, *program) + people


def _expression(name: str, *parts: bytes) -> bytes:
    return nest(EXPRESSION, text(1, name), nest(2, *parts))


def _data(number: int, value: bytes) -> bytes:
    return nest(number, attribute(1, value))


def _register(offset: int) -> int:
    """Name the register that begins at this byte."""
    return 1 + offset // 16 if offset % 16 == 0 else 8 + offset // 4


def _compare(value: bytes, *, is_not: bool = False) -> bytes:
    operator = NOT_EQUAL if is_not else EQUAL
    return _expression("cmp", number32(1, 1), number32(2, operator), _data(3, value))


def _load(field: str, offset: int = 0) -> tuple[bytes, int]:
    """Load a field into the registers from `offset` on; give its length too."""
    register = number32(1, _register(offset))
    if field in _PAYLOAD:
        header, at, length, _, _ = _PAYLOAD[field]
        return _payload(register, header, at, length), length
    if field == "fib daddr type":
        return _expression("fib", register, number32(3, 2), number32(2, 3)), 4
    if field.startswith("ct "):
        key = {"ct state": 0, "ct status": 2}[field]
        return _expression("ct", number32(2, key), register), 4
    name = field.removeprefix("meta ")
    length = {"iifname": 16, "oifname": 16, "protocol": 2}.get(name, 1)
    return _expression("meta", number32(2, _META[name]), register), length


def _payload(register: bytes, header: int, at: int, length: int) -> bytes:
    return _expression(
        "payload", register, number32(2, header), number32(3, at), number32(4, length)
    )


def _needs(family: str, fields: Sequence[str]) -> Iterator[tuple[bytes, bool]]:
    """Ask first what kind of packet it is, where a field exists in one kind only."""
    wanted = {_PAYLOAD[field][4] for field in fields if field in _PAYLOAD} - {""}
    for kind in sorted(wanted):
        if family == "bridge" and kind == "arp":
            load, value = _payload(number32(1, 1), _LINK, 12, 2), _ETHERTYPES[kind]
        elif family == "bridge":
            load, value = _load("meta protocol")[0], _ETHERTYPES[kind]
        else:
            load, value = _load("meta nfproto")[0], _NFPROTO[kind]
        yield load + _compare(value), True


def _gather(fields: Sequence[str]) -> bytes:
    """Load fields behind each other."""
    offset, loads = 0, b""
    for field in fields:
        load, length = _load(field, offset)
        loads, offset = loads + load, offset + -(-length // 4) * 4
    return loads


def _statement(family: str, statement: Statement) -> Iterator[tuple[bytes, bool]]:
    """Spell a statement; with each part goes whether it only asks."""
    match statement:
        case In(fields, name, is_not):
            yield from _needs(family, fields)
            look = [text(1, name), number32(2, 1)] + [number32(5, 1)] * is_not
            yield _gather(fields) + _expression("lookup", *look), True
        case Is(field, value, is_not):
            yield from _needs(family, [field])
            yield _is(field, value, is_not=is_not), True
        case Count():
            zero = struct.pack(">Q", 0)
            counter = _expression("counter", attribute(1, zero), attribute(2, zero))
            yield counter, False
        case Decide(verdict):
            code = nest(2, nest(2, number32(1, _VERDICTS[verdict])))
            yield _expression("immediate", number32(1, 0), code), False
        case Masquerade():
            yield _expression("masq"), False
        case SendTo(fields, name):
            yield from _needs(family, fields)
            found = _expression("lookup", text(1, name), number32(2, 1), number32(3, 1))
            nat = (number32(1, 1), number32(2, socket.AF_INET), number32(3, 1),
                   number32(5, _register(4)))  # fmt: skip
            yield _gather(fields) + found + _expression("nat", *nat), False


def _is(field: str, value: str, *, is_not: bool) -> bytes:
    """Compare a field; a prefix of whole bytes is a shorter field, as nft has it."""
    load, length = _load(field)
    if field == "fib daddr type":
        return load + _compare(struct.pack("I", {"local": 2}[value]), is_not=is_not)
    if field.startswith("ct "):
        names = _STATES if field == "ct state" else _STATUS
        bits = sum(names[word] for word in value.split(","))
        operator = not is_not  # some of these bits: not equal to zero
        mask = _mask(struct.pack("I", bits))
        return load + mask + _compare(bytes(4), is_not=operator)
    if field in ("iifname", "oifname"):
        prefix = value.removesuffix("*")
        whole = prefix.encode() if prefix != value else value_of("ifname", value)
        return load + _compare(whole, is_not=is_not)
    if field in ("meta nfproto", "meta l4proto"):
        known = {"ipv4": 2, "ipv6": 10} if field == "meta nfproto" else PROTOCOLS
        return load + _compare(bytes([known[value]]), is_not=is_not)
    header, at, _, kind, _ = _PAYLOAD[field]
    address, _, prefix = value.partition("/")
    whole, bits = value_of(kind, address), int(prefix or 8 * length)
    if bits % 8 == 0:
        load = _payload(number32(1, 1), header, at, bits // 8)
        return load + _compare(whole[: bits // 8], is_not=is_not)
    net = (1 << 8 * length) - (1 << 8 * length - bits)
    return load + _mask(net.to_bytes(length, "big")) + _compare(whole, is_not=is_not)


def _mask(bits: bytes) -> bytes:
    return _expression(
        "bitwise", number32(1, 1), number32(2, 1), number32(3, len(bits)), _data(4, bits),
        _data(5, bytes(len(bits))),
    )  # fmt: skip


# ── Sets ──────────────────────────────────────────────────────────────────────────────────

_IS_MAP, _HAS_EXPRESSION = 8, 0x100
_BYTE_ORDER, _AS_HOST = 0, 1  # in what a set carries for people


def set_body(each: Set, identifier: int) -> bytes:
    """Spell the attributes of a set, but for the name of its table."""
    flags = _IS_MAP if each.data else 0
    parts = [text(2, each.name), number32(4, type_number(each.key)),
             number32(5, length_of(each.key)), number32(10, identifier)]  # fmt: skip
    if each.data:
        parts += [number32(6, type_number(each.data)), number32(7, length_of(each.data))]
    if each.key == ("ifname",):  # for `nft list`: not to be read backwards
        parts.append(attribute(13, bytes([_BYTE_ORDER, 4]) + struct.pack("I", _AS_HOST)))
    if each.counts:
        flags |= _HAS_EXPRESSION
        parts.append(nest(17, text(1, "counter"), nest(2)))
    return b"".join((*parts[:1], number32(3, flags), *parts[1:]))


def element_of(each: Set, element: Element) -> bytes:
    """Spell one element of a set."""
    parts = [_data(1, key_of(each.key, element.key))]
    if each.data:
        parts.append(_data(2, key_of(each.data, element.data)))
    return nest(EXPRESSION, *parts)
