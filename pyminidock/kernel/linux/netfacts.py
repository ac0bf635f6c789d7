"""What the kernel says about a network: four questions, each answered with a whole list.

Source: man 7 rtnetlink, RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH;
linux/if_link.h, struct rtnl_link_stats64.
"""

import ipaddress
import socket
import struct
from collections import defaultdict
from dataclasses import replace

from pyminidock.kernel.linux import rtnetlink as rt
from pyminidock.kernel.linux import sandboxes
from pyminidock.kernel.linux.netlink import Netlink
from pyminidock.kernel.netanswers import Link, Neighbour, NetFacts, RouteEntry, Traffic
from pyminidock.kernel.port import Process

_COUNTERS = struct.Struct("=8Q")  # packets, bytes, errors, dropped: received, sent each
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
_STATES = {
    0x01: "incomplete", 0x02: "reachable", 0x04: "stale", 0x08: "delay", 0x10: "probe",
    0x20: "failed", 0x40: "noarp", 0x80: "permanent",
}  # fmt: skip
_NOT_SEEN = "noarp"  # multicast and loopback: nobody was asked


def host_facts() -> NetFacts:
    """Look at the network in which the engine lives."""
    with Netlink() as host:
        return _facts(host)


def facts_inside(process: Process) -> NetFacts:
    """Look at the network in which a process lives.  Raises OSError: it is gone."""
    sandbox = sandboxes.find(process.pid, process.start_time)
    try:
        return _facts(sandbox.netlink)
    finally:
        sandbox.close()


def read_links(netlink: Netlink) -> dict[int, Link]:
    """Give all devices by their numbers, without addresses."""
    found = [link_of(body) for body in netlink.ask(rt.all_of(rt.RTM_GETLINK))]
    names = {link.index: link.name for link, _ in found}
    return {
        link.index: replace(link, master=names.get(master, "")) for link, master in found
    }


def link_of(body: bytes) -> tuple[Link, int]:
    """Read one device, and the number of its bridge (0: none)."""
    _, _, index, flags, _ = _ifinfo(body)
    said = rt.attributes(body[rt.IFINFO.size :])
    kind = rt.attributes(said.get(rt.IFLA_LINKINFO, b"")).get(rt.IFLA_INFO_KIND, b"")
    link = Link(
        index,
        rt.text(said.get(rt.IFLA_IFNAME, b"")),
        rt.text(kind),
        rt.hardware(said.get(rt.IFLA_ADDRESS, b"")),
        rt.number(said.get(rt.IFLA_MTU, b"")),
        bool(flags & rt.IFF_UP),
        bool(flags & rt.IFF_RUNNING),
        peer_index=rt.number(said.get(rt.IFLA_LINK, b"")),
        traffic=_traffic(said.get(rt.IFLA_STATS64, b"")),
    )
    return link, rt.number(said.get(rt.IFLA_MASTER, b""))


def _facts(netlink: Netlink) -> NetFacts:
    links = read_links(netlink)
    addresses = defaultdict[int, list[str]](list)
    for body in netlink.ask(rt.all_of(rt.RTM_GETADDR)):
        _, prefix, _, _, index = rt.IFADDR.unpack_from(body)
        said = rt.attributes(body[rt.IFADDR.size :])
        own = said.get(rt.IFA_LOCAL) or said.get(rt.IFA_ADDRESS, b"")
        addresses[index].append(f"{rt.address(own)}/{prefix}")
    names = {index: link.name for index, link in links.items()}
    return NetFacts(
        tuple(replace(k, addresses=tuple(addresses[n])) for n, k in sorted(links.items())),
        tuple(_routes(netlink, names)),
        tuple(_neighbours(netlink, names)),
    )


def _routes(netlink: Netlink, names: dict[int, str]) -> list[RouteEntry]:
    """Read the main table; what the kernel does by itself is in others."""
    found = []
    for body in netlink.ask(rt.all_of(rt.RTM_GETROUTE)):
        family, prefix, *_ = head = rt.RTMSG.unpack_from(body)
        said = rt.attributes(body[rt.RTMSG.size :])
        table = rt.number(said.get(rt.RTA_TABLE, b"")) or head[4]
        if table != rt.RT_TABLE_MAIN or family not in _FAMILIES:
            continue
        every = bytes(16 if family == socket.AF_INET6 else 4)
        to = ipaddress.ip_address(said.get(rt.RTA_DST, every))
        found.append(
            RouteEntry(
                f"{to}/{prefix}",
                names.get(rt.number(said.get(rt.RTA_OIF, b"")), ""),
                rt.address(said.get(rt.RTA_GATEWAY, b"")),
                rt.address(said.get(rt.RTA_PREFSRC, b"")),
                rt.number(said.get(rt.RTA_PRIORITY, b"")),
            )
        )
    return found


def _neighbours(netlink: Netlink, names: dict[int, str]) -> list[Neighbour]:
    found = []
    for body in netlink.ask(rt.all_of(rt.RTM_GETNEIGH)):
        family, index, state, _, _ = rt.NDMSG.unpack_from(body)
        said = rt.attributes(body[rt.NDMSG.size :])
        word = _STATES.get(state, "")
        if family in _FAMILIES and word != _NOT_SEEN:
            found.append(
                Neighbour(
                    rt.address(said.get(rt.NDA_DST, b"")),
                    names.get(index, ""),
                    rt.hardware(said.get(rt.NDA_LLADDR, b"")),
                    word,
                )
            )
    return found


def _traffic(counters: bytes) -> Traffic:
    if len(counters) < _COUNTERS.size:
        return Traffic()
    (
        packets_in,
        packets_out,
        bytes_in,
        bytes_out,
        errors_in,
        errors_out,
        lost_in,
        lost_out,
    ) = _COUNTERS.unpack_from(counters)
    return Traffic(
        bytes_in, packets_in, errors_in, lost_in,
        bytes_out, packets_out, errors_out, lost_out,
    )  # fmt: skip


def _ifinfo(body: bytes) -> tuple[int, int, int, int, int]:
    family, kind, index, flags, change = rt.IFINFO.unpack_from(body)
    return family, kind, index, flags, change
