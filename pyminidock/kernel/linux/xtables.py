"""What the older tables of other programs do with packets that pass through this host.

Before nftables each table was one block of bytes that a program fetched, changed and put
back.  Some firewalls still do (`iptables-legacy`), and no netlink shows these tables:

    struct ipt_getinfo      name[32], hooks, hook_entry[5], underflow[5], entries, size
    struct ipt_get_entries  name[32], size, then the entries one behind the other
    an entry                what it matches, where its target begins, counters, target
    a standard target       size, name[29], revision, verdict: -1 drop, -2 accept

The last word of a chain is the entry at its `underflow`.  Whoever asks for a table that
nobody uses makes it, so /proc is asked first.

Source: linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h, netfilter/x_tables.h.
"""

import ctypes
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_libc = ctypes.CDLL(None, use_errno=True)
_IP, _IPV6 = 0, 41  # levels of options
_GET_INFO, _GET_ENTRIES = 64, 65
_INFO = struct.Struct("=32sI5I5III")
_ENTRIES = struct.Struct("=32sI4x")
_TARGET_NAME_BYTES = 32  # behind them comes the verdict
_FORWARD = 2
_DROP = -1
_TABLE = "filter"


class _Kind(NamedTuple):
    """One program and its tables; `matches` are so many bytes until the target's place."""

    program: str
    family: int
    level: int
    names: str
    matches: int


_KINDS = (
    _Kind("iptables-legacy", socket.AF_INET, _IP, "ip_tables_names", 88),
    _Kind("ip6tables-legacy", socket.AF_INET6, _IPV6, "ip6_tables_names", 140),
)


def forward_drops() -> tuple[str, ...]:
    """Name the older chains that drop what passes through and nobody accepts.

    Nothing where there are none, or where they are not ours to see.
    """
    found = []
    for kind in _KINDS:
        with suppress(OSError):
            used = Path("/proc/thread-self/net", kind.names).read_text("ascii").split()
            if _TABLE in used and _last_word(kind) == _DROP:
                found.append(f"{kind.program} {_TABLE} FORWARD")
    return tuple(found)


def _last_word(kind: _Kind) -> int:
    """Fetch the table, and read the verdict at the end of its chain FORWARD."""
    name = _TABLE.encode()
    with socket.socket(kind.family, socket.SOCK_RAW, socket.IPPROTO_RAW) as line:
        asked = _INFO.pack(name, *[0] * 13)
        told = _INFO.unpack(_ask(line, kind.level, _GET_INFO, asked))
        underflow, size = told[7 + _FORWARD], told[-1]
        asked = _ENTRIES.pack(name, size) + bytes(size)
        table = _ask(line, kind.level, _GET_ENTRIES, asked)[_ENTRIES.size :]
    (target,) = struct.unpack_from("=H", table, underflow + kind.matches)
    verdict: int
    (verdict,) = struct.unpack_from("=i", table, underflow + target + _TARGET_NAME_BYTES)
    return verdict


def _ask(line: socket.socket, level: int, option: int, asked: bytes) -> bytes:
    """Ask with words, which Python's own getsockopt cannot.  Source: man 2 getsockopt."""
    words = ctypes.create_string_buffer(asked, len(asked))
    size = ctypes.c_uint32(len(asked))
    if _libc.getsockopt(line.fileno(), level, option, words, ctypes.byref(size)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return words.raw[: size.value]
