"""Bridges and cables on Linux: each verb as one batch of requests to the kernel.

A `Wiring` belongs to one plan.  What it holds - handles on sandboxes - it lets go when the
plan is over; what it made is taken back if the plan fails, a cable by removing one end.

Source: man 4 veth; man 8 ip-link; Documentation/networking/bridge.rst, ip-sysctl.rst.
"""

import errno
import fcntl
import socket
import struct
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pyminidock.kernel import netcalls
from pyminidock.kernel.calls import Plan
from pyminidock.kernel.linux import rtnetlink, sandboxes
from pyminidock.kernel.linux.namedesks import NameDesks
from pyminidock.kernel.linux.netlink import Netlink
from pyminidock.kernel.linux.rtnetlink import IFINFO
from pyminidock.kernel.linux.sandboxes import Sandbox
from pyminidock.kernel.netcalls import NetCall

_SIOCETHTOOL, _ETHTOOL_GLINK = 0x8946, 0x0A
_IFREQ = struct.Struct("@16sP16x")
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


class Wiring:
    """The networks of one plan: its sandboxes by the ids of their containers."""

    def __init__(self, names: NameDesks) -> None:
        self.names = names
        self.sandboxes: dict[str, Sandbox] = {}

    def do(self, call: NetCall, undo: ExitStack) -> None:
        """Perform one call; push how it is taken back.  Raises OSError."""
        match call:
            case netcalls.MakeBridge():
                make_bridge(call, undo)
            case netcalls.RemoveLink(name):
                remove_link(name)
            case netcalls.MakeSandbox(sandbox):
                self._hold(sandbox, sandboxes.make())
            case netcalls.FindSandbox(sandbox, pid, started):
                self._hold(sandbox, sandboxes.find(pid, started))
            case netcalls.Plug(sandbox):
                plug(self._held(sandbox), call, undo)
            case netcalls.Unplug(sandbox):
                unplug(self._held(sandbox), call)
            case netcalls.Route(sandbox):
                route(self._held(sandbox), call)
            case netcalls.OpenNames(sandbox):
                self.names.open(sandbox, self._held(sandbox).handle, undo)
            case netcalls.JoinSandbox():
                raise OSError(errno.EINVAL, "only a child can do this")

    def destination(self, plan: Plan) -> int:
        """Give the handle of the sandbox that a child will join; -1: none is held."""
        joins = [call for call in plan if isinstance(call, netcalls.JoinSandbox)]
        held = self.sandboxes.get(joins[0].sandbox) if joins else None
        return held.handle if held else -1

    def close(self) -> None:
        """Let all sandboxes go."""
        while self.sandboxes:
            self.sandboxes.popitem()[1].close()

    def _hold(self, name: str, sandbox: Sandbox) -> None:
        earlier, self.sandboxes[name] = self.sandboxes.get(name), sandbox
        if earlier:
            earlier.close()

    def _held(self, name: str) -> Sandbox:
        if name not in self.sandboxes:
            raise OSError(errno.EBADF, "this plan holds no such sandbox")
        return self.sandboxes[name]


def make_bridge(call: netcalls.MakeBridge, undo: ExitStack) -> None:
    """Make a bridge, tell it how to behave, raise it."""
    _check_name(call.name)
    with Netlink() as host:
        host.batch([rtnetlink.make_bridge(call.name, call.mac, call.mtu)])
        with _taken_back(call.name, undo):
            if _FORWARDING.read_text().strip() != "1":
                sandboxes.write_setting("ipv4/ip_forward", "1")
            # What is for a published port of 127.0.0.1 may leave by this device.
            sandboxes.write_setting(f"ipv4/conf/{call.name}/route_localnet", "1")
            _speak_ipv6(call.name, is_on=call.is_ipv6)
            index = _index_of(call.name)
            given = [rtnetlink.add_address(index, each) for each in call.addresses]
            host.batch([*given, rtnetlink.raise_link(index)])


def remove_link(name: str) -> None:
    """Remove a device of the host; none of this name is fine."""
    with Netlink() as host:
        host.batch([rtnetlink.remove_link(name)], forgiven=(errno.ENODEV, errno.EINVAL))


def plug(sandbox: Sandbox, call: netcalls.Plug, undo: ExitStack) -> None:
    """Lay a cable: both ends, addresses and ways out inside, both raised.

    Both sides know each other's address from the beginning.  Else the first packet waits
    for the answer to a question, and where the question was asked before the cable was
    there - by a program that tries the address again and again - for up to a second.
    """
    _check_name(call.host_link)
    _check_name(call.inside)
    bridge = _index_of(call.bridge)
    with Netlink() as host:
        cable = rtnetlink.make_cable(
            call.host_link, call.inside, sandbox.handle,
            bridge=bridge, mac=call.mac, mtu=call.mtu,
        )  # fmt: skip
        host.batch([cable])
        with _taken_back(call.host_link, undo):
            _speak_ipv6(call.host_link, is_on=False)  # nobody lives at this end
            index, mac = _device(sandbox.netlink, call.inside)
            if any(":" in address for address in call.addresses):
                with sandboxes.standing_in(sandbox.handle):
                    _speak_ipv6(call.inside, is_on=True)
            raised = rtnetlink.raise_named(
                call.host_link, is_hairpin=call.is_hairpin, is_isolated=call.is_isolated
            )
            port = rtnetlink.hold_neighbour(_index_of(call.host_link), mac)
            host.batch([raised, port])
            given = [rtnetlink.add_address(index, each) for each in call.addresses]
            ways = [way for way in (call.gateway, call.gateway6) if way]
            _, bridge_mac = _device(host, call.bridge)  # it may be that of its first port
            sandbox.netlink.batch(
                [
                    *given,
                    rtnetlink.raise_link(index),
                    *(rtnetlink.set_way_out(way, index) for way in ways),
                    *(rtnetlink.know_neighbour(index, way, bridge_mac) for way in ways),
                ]
            )
            for device in (call.host_link, call.bridge):
                _let_through(host, device)
            host.batch(
                [rtnetlink.know_neighbour(bridge, each, mac) for each in call.addresses],
                forgiven=(errno.EINVAL,),  # the host speaks no IPv6 on this bridge
            )


def unplug(sandbox: Sandbox, call: netcalls.Unplug) -> None:
    """Take a cable away, by whichever of its ends is still there."""
    gone = (errno.ENODEV, errno.EINVAL)
    sandbox.netlink.batch([rtnetlink.remove_link(call.inside)], forgiven=gone)
    remove_link(call.host_link)


def route(sandbox: Sandbox, call: netcalls.Route) -> None:
    """Choose the ways out."""
    for version, gateway in ((4, call.gateway), (6, call.gateway6)):
        if gateway:
            sandbox.netlink.batch([rtnetlink.set_way_out(gateway)])
            continue
        none = (errno.ESRCH, errno.EAFNOSUPPORT, errno.EOPNOTSUPP)
        sandbox.netlink.batch([rtnetlink.drop_way_out(version)], forgiven=none)


@contextmanager
def _taken_back(name: str, undo: ExitStack) -> Iterator[None]:
    """Remove a device that was just made if the rest fails, now or later in the plan."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            remove_link(name)
        raise
    undo.callback(remove_link, name)


def _let_through(host: Netlink, device: str) -> None:
    """Ask whether a device has its carrier, for whoever asks makes the kernel act on it.

    Else a worker does, somewhat later, and the device drops what is sent meanwhile: the
    question who has an address, for one, which is asked again only after a second.  Of
    forty first questions over new bridges 23 were lost without this.
    Source: linux/ethtool.h, ETHTOOL_GLINK; net/core/link_watch.c, linkwatch_sync_dev().
    """
    answer = array("I", (_ETHTOOL_GLINK, 0))
    request = _IFREQ.pack(device.encode(), answer.buffer_info()[0])
    with suppress(OSError):
        fcntl.ioctl(host.socket, _SIOCETHTOOL, request)


def _index_of(name: str) -> int:
    """Give the number of a device of the host.  Raises OSError ENODEV."""
    try:
        return socket.if_nametoindex(name)
    except OSError as absent:  # it comes without a number
        raise OSError(errno.ENODEV, f"there is no device {name}") from absent


def _device(netlink: Netlink, name: str) -> tuple[int, str]:
    """Give the number and the hardware address of a device.  Raises OSError ENODEV."""
    (found,) = netlink.ask(rtnetlink.get_link(name))
    index: int = IFINFO.unpack_from(found)[2]
    said = rtnetlink.attributes(found[IFINFO.size :])
    return index, rtnetlink.hardware(said.get(rtnetlink.IFLA_ADDRESS, b""))


def _speak_ipv6(device: str, *, is_on: bool) -> None:
    """Turn IPv6 on or off; nobody's advertisements are believed.  Without it: fine."""
    with suppress(FileNotFoundError):
        if is_on:
            sandboxes.write_setting(f"ipv6/conf/{device}/accept_ra", "0")
        sandboxes.write_setting(f"ipv6/conf/{device}/disable_ipv6", str(int(not is_on)))


def _check_name(name: str) -> None:
    """Refuse what no device can be called.  Source: net/core/dev.c, dev_valid_name."""
    odd = not name or name in (".", "..") or any(c in name for c in "/:%")
    if odd or len(name.encode()) > 15 or any(c.isspace() for c in name):  # IFNAMSIZ
        raise OSError(errno.EINVAL, f"no device can be called {name!r}")
