"""Messages about networks, byte by byte: as the kernel's headers lay them out."""

import errno
import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.kernel.linux import rtnetlink as rt
from pyminidock.kernel.linux.linkwatch import _lost
from pyminidock.kernel.linux.netfacts import link_of
from pyminidock.kernel.linux.netlink import Message, _refusal, split

EXT_ACK = 0x200
CAPPED = 0x100


def test_a_bridge_is_asked_for_in_the_words_of_the_headers() -> None:
    kind, flags, body = rt.make_bridge("br0", "02:42:00:00:00:01", 1400)
    assert (kind, flags) == (16, 0x600), "RTM_NEWLINK, CREATE and EXCL"
    assert body[:16] == bytes(16), "struct ifinfomsg: no family, no number, down"
    said = rt.attributes(body[16:])
    assert said[rt.IFLA_IFNAME] == b"br0\0"
    assert said[rt.IFLA_ADDRESS] == bytes.fromhex("024200000001")
    assert said[rt.IFLA_MTU] == struct.pack("=I", 1400)
    assert rt.attributes(said[rt.IFLA_LINKINFO]) == {rt.IFLA_INFO_KIND: b"bridge\0"}


def test_the_far_end_of_a_cable_is_born_where_it_belongs() -> None:
    _, _, body = rt.make_cable("mv0", "eth0", 9, bridge=7, mac="02:42:00:00:00:02", mtu=0)
    said = rt.attributes(body[16:])
    assert said[rt.IFLA_MASTER] == struct.pack("=I", 7)
    info = rt.attributes(said[rt.IFLA_LINKINFO])
    assert info[rt.IFLA_INFO_KIND] == b"veth\0"
    peer = rt.attributes(info[2])[1]  # IFLA_INFO_DATA, VETH_INFO_PEER
    far = rt.attributes(peer[16:])
    assert far[rt.IFLA_IFNAME] == b"eth0\0"
    assert far[rt.IFLA_NET_NS_FD] == struct.pack("=I", 9)
    assert rt.IFLA_MTU not in far, "0 is the kernel's choice"


@pytest.mark.parametrize(
    ("address", "family", "prefix", "flags", "broadcast"),
    [
        ("10.1.2.3/24", 2, 24, 0, b"\x0a\x01\x02\xff"),
        ("10.1.2.3/31", 2, 31, 0, None),
        ("10.1.2.3/32", 2, 32, 0, None),
        ("fd00::1/64", 10, 64, 2, None),
    ],
)
def test_an_address_has_its_prefix_and_whom_it_calls_all(
    address: str, family: int, prefix: int, flags: int, broadcast: bytes | None
) -> None:
    _, _, body = rt.add_address(5, address)
    assert rt.IFADDR.unpack_from(body) == (family, prefix, flags, 0, 5)
    assert rt.attributes(body[8:]).get(4) == broadcast


def test_a_way_out_takes_the_place_of_an_earlier_one() -> None:
    kind, flags, body = rt.set_way_out("10.1.2.1", 5)
    assert (kind, flags) == (24, 0x500), "RTM_NEWROUTE, CREATE and REPLACE"
    assert rt.attributes(body[12:]) == {5: b"\x0a\x01\x02\x01", 4: struct.pack("=I", 5)}


@given(st.binary(max_size=200))
def test_whatever_comes_is_taken_apart_or_left(data: bytes) -> None:
    for message in split(data):
        rt.attributes(message.body)
    assert sum(len(value) for value in rt.attributes(data).values()) <= len(data)


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=60), max_size=6))
def test_attributes_come_back_as_they_were_spelled(said: dict[int, bytes]) -> None:
    data = b"".join(rt.attribute(kind, value) for kind, value in said.items())
    assert rt.attributes(data) == said


def refused(code: int, said: bytes, flags: int, request: bytes = bytes(16)) -> OSError:
    """What becomes of an answer with these words."""
    words = rt.attribute(1, said + b"\0") if said else b""
    body = struct.pack("=i", -code) + request + words
    found = _refusal(Message(2, flags, 1, body))
    assert found is not None
    return found


def test_a_refusal_has_the_words_of_the_kernel_if_it_has_some() -> None:
    refusal = refused(errno.ENETUNREACH, b"Nexthop has invalid gateway", EXT_ACK | CAPPED)
    assert (refusal.errno, refusal.strerror) == (
        errno.ENETUNREACH,
        "Nexthop has invalid gateway",
    )
    whole = struct.pack("=IHHII", 24, 16, 0, 1, 0) + bytes(8)
    refusal = refused(errno.EINVAL, b"no", EXT_ACK, whole)
    assert refusal.strerror == "no", "behind a request that came back whole"
    refusal = refused(errno.EEXIST, b"", 0)
    assert refusal.strerror == os.strerror(errno.EEXIST)


def test_an_acknowledgement_is_no_refusal() -> None:
    assert _refusal(Message(2, CAPPED, 1, bytes(20))) is None


def link(name: str, *, index: int = 3, flags: int = 1, family: int = 0) -> bytes:
    """A message about a device."""
    said = rt.attribute(rt.IFLA_IFNAME, name.encode() + b"\0")
    return rt.IFINFO.pack(family, 0, index, flags, 0) + said


def test_a_device_is_read_with_what_was_left_out_empty() -> None:
    found, master = link_of(link("eth0", flags=rt.IFF_UP))
    assert (found.name, found.index, found.is_up, found.mac, master) == (
        "eth0", 3, True, "", 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "lost"),
    [
        pytest.param(17, link("br0"), "br0", id="it is gone"),
        pytest.param(17, link("br0", family=7), "", id="it left a bridge, and is there"),
        pytest.param(16, link("br1"), "br0", id="it has another name"),
        pytest.param(16, link("br0", flags=0), "br0", id="somebody lowered it"),
        pytest.param(16, link("br0"), "", id="it is as it was"),
        pytest.param(16, link("br9", index=9), "", id="it is new"),
        pytest.param(17, link("br9", index=9), "br9", id="it came and went"),
    ],
)
def test_who_watches_is_told_the_name_that_it_knew(
    kind: int, body: bytes, lost: str
) -> None:
    assert _lost(Message(kind, 0, 0, body), {3: ("br0", True)}) == lost
