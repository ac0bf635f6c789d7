"""Requests about devices, addresses and routes as bytes, and answers as values.

    request   struct nlmsghdr, then a struct of its kind (ifinfomsg, ifaddrmsg, rtmsg,
              ndmsg), then attributes
    attribute length, type (2 bytes each), value, filled up to a multiple of 4

Only what a container's network takes is spelled here, and nothing is sent: `netlink` does.
A whole library for this takes longer to import than fifty cables take to lay.

Source: man 7 rtnetlink; linux/if_link.h, if_addr.h, rtnetlink.h, neighbour.h, veth.h.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_GETADDR = 20, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
IFF_UP, IFF_RUNNING = 1, 0x40
GROUP_LINKS = 1

_NLM_F_ROOT_MATCH = 0x300  # a dump
_NLM_F_REPLACE, _NLM_F_EXCL, _NLM_F_CREATE = 0x100, 0x200, 0x400
_NESTED = 0x8000

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_MASTER = 1, 3, 4, 5, 10
IFLA_LINKINFO, IFLA_STATS64, IFLA_NET_NS_FD = 18, 23, 28
IFLA_INFO_KIND, _IFLA_INFO_DATA, _IFLA_INFO_SLAVE_KIND, _IFLA_INFO_SLAVE_DATA = 1, 2, 4, 5
_VETH_INFO_PEER = 1
_IFLA_BRPORT_MODE, _IFLA_BRPORT_ISOLATED = 4, 33
IFA_ADDRESS, IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_IFA_F_NODAD = 2
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_TABLE = 1, 4, 5, 6, 7, 15
NDA_DST, NDA_LLADDR = 1, 2
_AF_BRIDGE, _NUD_STALE, _NUD_NOARP, _NTF_MASTER = 7, 4, 0x40, 4
RT_TABLE_MAIN, _RTPROT_BOOT, _RTN_UNICAST = 254, 3, 1

IFINFO, IFADDR = struct.Struct("=BxHiII"), struct.Struct("=BBBBI")
RTMSG, NDMSG = struct.Struct("=BBBBBBBBI"), struct.Struct("=BxxxiHBB")
_ATTRIBUTE = struct.Struct("=HH")
_NUMBER = struct.Struct("=I")


class Request(NamedTuple):
    """One message to be: its type, its flags beside REQUEST and ACK, what it says."""

    kind: int
    flags: int
    body: bytes


# ── Requests ─────────────────────────────────────────────────────────────────────────────


def make_bridge(name: str, mac: str, mtu: int) -> Request:
    """Make a bridge that is down.  Refused: EEXIST, EOPNOTSUPP (no such kind)."""
    said = _text(IFLA_IFNAME, name) + _hardware(mac) + _mtu(mtu)
    said += attribute(IFLA_LINKINFO | _NESTED, _text(IFLA_INFO_KIND, "bridge"))
    return Request(
        RTM_NEWLINK, _NLM_F_CREATE | _NLM_F_EXCL, IFINFO.pack(0, 0, 0, 0, 0) + said
    )


def make_cable(
    ours: str, inside: str, namespace: int, *, bridge: int, mac: str, mtu: int
) -> Request:
    """Make a pair of devices that are down: one here, in `bridge`, one in `namespace`.

    `bridge` is a device number, `namespace` a descriptor.
    """
    its = _text(IFLA_IFNAME, inside) + _hardware(mac) + _mtu(mtu)
    its += attribute(IFLA_NET_NS_FD, _NUMBER.pack(namespace))
    peer = attribute(_VETH_INFO_PEER, IFINFO.pack(0, 0, 0, 0, 0) + its)
    kind = _text(IFLA_INFO_KIND, "veth") + attribute(_IFLA_INFO_DATA | _NESTED, peer)
    said = _text(IFLA_IFNAME, ours) + _mtu(mtu)
    said += attribute(IFLA_MASTER, _NUMBER.pack(bridge))
    said += attribute(IFLA_LINKINFO | _NESTED, kind)
    return Request(
        RTM_NEWLINK, _NLM_F_CREATE | _NLM_F_EXCL, IFINFO.pack(0, 0, 0, 0, 0) + said
    )


def raise_link(index: int) -> Request:
    """Bring a device up."""
    return Request(RTM_NEWLINK, 0, IFINFO.pack(0, 0, index, IFF_UP, IFF_UP))


def raise_named(
    name: str, *, is_hairpin: bool = False, is_isolated: bool = False
) -> Request:
    """Bring a device up by its name; as a port of a bridge it may be given two habits."""
    said = _text(IFLA_IFNAME, name)
    habits = b"".join(
        attribute(kind, b"\1")
        for kind, is_on in (
            (_IFLA_BRPORT_MODE, is_hairpin),
            (_IFLA_BRPORT_ISOLATED, is_isolated),
        )
        if is_on
    )
    if habits:
        port = _text(_IFLA_INFO_SLAVE_KIND, "bridge")
        port += attribute(_IFLA_INFO_SLAVE_DATA | _NESTED, habits)
        said += attribute(IFLA_LINKINFO | _NESTED, port)
    return Request(RTM_NEWLINK, 0, IFINFO.pack(0, 0, 0, IFF_UP, IFF_UP) + said)


def remove_link(name: str) -> Request:
    """Take a device away, and the other end of it.  Refused: ENODEV."""
    return Request(RTM_DELLINK, 0, IFINFO.pack(0, 0, 0, 0, 0) + _text(IFLA_IFNAME, name))


def hold_neighbour(index: int, mac: str) -> Request:
    """Let the bridge of a port know who is behind it, before a word is said.

    Else it would send what is for this address to the port that had it before.
    Source: man 8 bridge, fdb replace … master static.
    """
    body = NDMSG.pack(_AF_BRIDGE, index, _NUD_NOARP, _NTF_MASTER, 0)
    said = attribute(NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
    return Request(RTM_NEWNEIGH, _NLM_F_CREATE | _NLM_F_REPLACE, body + said)


def know_neighbour(index: int, address: str, mac: str) -> Request:
    """Believe that `mac` answers for `address` behind a device, until that is checked.

    Whoever has asked already is answered by this, and not after the second that the kernel
    waits between two questions.  Source: man 8 ip-neighbour, replace … nud stale.
    """
    it = ipaddress.ip_interface(address).ip
    body = NDMSG.pack(_family(it.version), index, _NUD_STALE, 0, 0)
    said = attribute(NDA_DST, it.packed)
    said += attribute(NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
    return Request(RTM_NEWNEIGH, _NLM_F_CREATE | _NLM_F_REPLACE, body + said)


def add_address(index: int, address: str) -> Request:
    """Give a device an address; nobody is asked whether another one has it already."""
    it = ipaddress.ip_interface(address)
    packed = it.ip.packed
    prefix = it.network.prefixlen
    said = attribute(IFA_LOCAL, packed) + attribute(IFA_ADDRESS, packed)
    family, flags = _family(it.version), 0
    if it.version == 6:
        flags = _IFA_F_NODAD
    elif prefix < 31:
        said += attribute(_IFA_BROADCAST, it.network.broadcast_address.packed)
    body = IFADDR.pack(family, prefix, flags, 0, index) + said
    return Request(RTM_NEWADDR, _NLM_F_CREATE | _NLM_F_EXCL, body)


def set_way_out(gateway: str, index: int = 0) -> Request:
    """Send what is for nobody near to `gateway`, in the place of an earlier one."""
    way = ipaddress.ip_address(gateway)
    said = attribute(RTA_GATEWAY, way.packed)
    if index:
        said += attribute(RTA_OIF, _NUMBER.pack(index))
    head = _default_route(_family(way.version))
    return Request(RTM_NEWROUTE, _NLM_F_CREATE | _NLM_F_REPLACE, head + said)


def drop_way_out(version: int) -> Request:
    """Take the way out of a family (4 or 6) away.  Refused: ESRCH, there is none."""
    return Request(RTM_DELROUTE, 0, _default_route(_family(version)))


def get_link(name: str) -> Request:
    """Ask for one device.  Refused: ENODEV."""
    return Request(RTM_GETLINK, 0, IFINFO.pack(0, 0, 0, 0, 0) + _text(IFLA_IFNAME, name))


def all_of(kind: int) -> Request:
    """Ask for every device, address, route or neighbour."""
    size = {RTM_GETLINK: IFINFO, RTM_GETADDR: IFADDR, RTM_GETROUTE: RTMSG}
    return Request(kind, _NLM_F_ROOT_MATCH, bytes(size.get(kind, NDMSG).size))


def _default_route(family: int) -> bytes:
    return RTMSG.pack(family, 0, 0, 0, RT_TABLE_MAIN, _RTPROT_BOOT, 0, _RTN_UNICAST, 0)


def _family(version: int) -> int:
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def _hardware(mac: str) -> bytes:
    return attribute(IFLA_ADDRESS, bytes.fromhex(mac.replace(":", ""))) if mac else b""


def _mtu(mtu: int) -> bytes:
    return attribute(IFLA_MTU, _NUMBER.pack(mtu)) if mtu else b""


def _text(kind: int, text: str) -> bytes:
    return attribute(kind, text.encode("utf-8", "surrogateescape") + b"\0")


def attribute(kind: int, value: bytes) -> bytes:
    r"""Spell one attribute.

    >>> attribute(IFLA_IFNAME, b"lo\0")
    b'\x07\x00\x03\x00lo\x00\x00'
    """
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


# ── Answers ──────────────────────────────────────────────────────────────────────────────


def attributes(data: bytes) -> dict[int, bytes]:
    r"""Take attributes apart, by type; what is cut short ends them.

    >>> attributes(attribute(IFLA_IFNAME, b"lo\0"))
    {3: b'lo\x00'}
    """
    return dict(_each(data))


def _each(data: bytes) -> Iterator[tuple[int, bytes]]:
    begin = 0
    while begin + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, begin)
        if length < _ATTRIBUTE.size or begin + length > len(data):
            return
        yield kind & 0x3FFF, data[begin + _ATTRIBUTE.size : begin + length]
        begin += length + -length % 4


def number(value: bytes) -> int:
    """Read a number of the kernel's own byte order; absent is 0."""
    return int.from_bytes(value, "little")


def text(value: bytes) -> str:
    """Read a name."""
    return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def hardware(value: bytes) -> str:
    r"""Read a hardware address.

    >>> hardware(b"\x02B\xac\x11\x00\x02")
    '02:42:ac:11:00:02'
    """
    return value.hex(":") if value else ""


def address(value: bytes) -> str:
    r"""Read an address; neither 4 nor 16 bytes are "".

    >>> address(b"\x7f\0\0\1")
    '127.0.0.1'
    """
    return str(ipaddress.ip_address(value)) if len(value) in (4, 16) else ""
