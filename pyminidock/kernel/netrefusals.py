"""What a refused call about networks means: what stands in the way, and the way out."""

import errno as numbers
from collections.abc import Mapping

from pyminidock.kernel import netcalls
from pyminidock.kernel.netcalls import NetCall

_NO_POWER = (
    "networks are made by a process with CAP_NET_ADMIN and CAP_SYS_ADMIN, and the engine "
    "lacks one of them",
    "run minidock as root, or start the container with --network none",
)
_WORDS: Mapping[tuple[type[NetCall] | None, int], tuple[str, str]] = {
    (None, numbers.EPERM): _NO_POWER,
    (None, numbers.EACCES): _NO_POWER,
    (None, numbers.EBADF): (
        "a sandbox is held by the plan that made it, and this plan did not",
        "MakeSandbox or FindSandbox has to come first: minidock explain plan",
    ),
    (netcalls.MakeBridge, numbers.EEXIST): (
        "the host has a network device of this name already, and it may be someone's",
        "ip -details link show {name}; if nobody needs it: ip link del {name}",
    ),
    (netcalls.MakeBridge, numbers.EOPNOTSUPP): (
        "the kernel does not know devices of kind bridge: the module is not there",
        "modprobe bridge; a container with --network none or host needs no bridge",
    ),
    (netcalls.MakeBridge, numbers.EINVAL): (
        "a name has at most 15 bytes without / : and spaces, an mtu 68 to 65535, and a "
        "hardware address six bytes of which the first is even",
        "ip link help; ip -details link show type bridge",
    ),
    (netcalls.Plug, numbers.EEXIST): (
        "a cable end, or an address, of this name is there already",
        "ip link show {name}",
    ),
    (netcalls.Plug, numbers.ENODEV): (
        "the bridge is gone: somebody removed it, or its engine was reset",
        "ip link show type bridge; restart minidock: it makes its bridges again",
    ),
    (netcalls.Plug, numbers.EOPNOTSUPP): (
        "either what should be the bridge is none, or the kernel has no module veth",
        "ip link show type bridge; modprobe veth",
    ),
    (netcalls.Plug, numbers.ENETUNREACH): (
        "a gateway has to lie in one of the networks of the device that leads to it",
        "minidock network inspect: compare subnet and gateway",
    ),
    (netcalls.Plug, numbers.EXFULL): (
        "a bridge has at most 1023 ports",
        "make a second network for the other containers",
    ),
    (netcalls.Route, numbers.ENETUNREACH): (
        "a gateway has to lie in one of the networks that the container is in",
        "minidock network inspect: compare subnet and gateway",
    ),
    (netcalls.MakeSandbox, numbers.ENOSPC): (
        "so many network namespaces may nobody make here",
        "cat /proc/sys/user/max_net_namespaces; stop containers that nobody needs",
    ),
    (netcalls.FindSandbox, numbers.ENOENT): (
        "the process has ended, and its network with it",
        "minidock ps --all",
    ),
    (netcalls.FindSandbox, numbers.ESRCH): (
        "the process has ended, and its number belongs to another one by now",
        "minidock ps --all",
    ),
}


def net_words(call: NetCall, errno: int) -> tuple[str, str] | None:
    """Give why, and what to try next; None where there is nothing special to say.

    >>> net_words(netcalls.RemoveLink("br0"), numbers.EPERM) == _NO_POWER
    True
    """
    found = _WORDS.get((type(call), errno)) or _WORDS.get((None, errno))
    if found is None:
        return None
    why, try_next = found
    return why, try_next.replace("{name}", net_object_of(call))


def net_object_of(call: NetCall) -> str:
    """Name what a call is about: a device, or the container of a sandbox."""
    match call:
        case netcalls.MakeBridge(name) | netcalls.RemoveLink(name):
            return name
        case netcalls.Plug(_, _, host_link) | netcalls.Unplug(_, _, host_link):
            return host_link
        case _:
            return call.sandbox[:12]
