"""What other programs' rules do with packets that pass through this host.

Their tables are read and never changed.  A chain of theirs whose last word is "drop" takes
our packets, too: an "accept" of ours does not overrule it.

Source: linux/netfilter/nf_tables.h; iptables-nft keeps its chains in nf_tables as well,
iptables-legacy in tables of its own (`xtables`).
"""

import os
import socket
import struct

from pyminidock.kernel.linux import nftables as wire
from pyminidock.kernel.linux import xtables
from pyminidock.kernel.linux.nftables import attributes_in
from pyminidock.kernel.linux.nftreading import cut
from pyminidock.kernel.linux.nftwire import FAMILIES, HOOKS

_GET_CHAIN = 4
_DROP = 0
_OURS = "minidock_"
_PASSING = ("inet", "ip", "ip6")


def forward_drops() -> tuple[str, ...]:
    """Name the chains of others that drop what passes through and nobody accepts.

    Raises OSError where nf_tables is not to be had, or not by us.
    """
    found: list[str] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, wire.NETFILTER) as line:
        line.bind((0, 0))
        line.settimeout(5.0)
        line.send(wire.spell(_GET_CHAIN, wire.DUMP, 1, 0, b""))
        while True:
            for kind, _, body in cut(line.recv(1 << 17)):
                if kind == wire.DONE:
                    return (*sorted(found), *xtables.forward_drops())
                if kind == wire.ERROR:
                    number = -struct.unpack_from("i", body)[0]
                    raise OSError(number, os.strerror(number))
                if name := _dropping(body):
                    found.append(name)


def _dropping(body: bytes) -> str:
    """Name the chain if it is one of those; "" if not."""
    families = {number: name for name, number in FAMILIES.items()}
    family = families.get(body[0], "")
    fields = dict(attributes_in(body[4:]))
    if family not in _PASSING or 4 not in fields or 5 not in fields:
        return ""
    hook = struct.unpack(">I", dict(attributes_in(fields[4]))[1])[0]
    policy = struct.unpack(">I", fields[5])[0]
    table, chain = (fields[n].rstrip(b"\0").decode(errors="replace") for n in (1, 3))
    if hook != HOOKS["forward"] or policy != _DROP or table.startswith(_OURS):
        return ""
    return f"{family} {table} {chain}"
