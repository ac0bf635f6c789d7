"""Who waits for requests in a network: sockets from /proc, and who holds them.

    sl  local_address rem_address   st … inode
    0:  0100007F:1F90 00000000:0000 0A … 52817      127.0.0.1:8080 listens, socket 52817

    /proc/PID/fd/3 → socket:[52817]                 and that process holds it

Addresses are numbers as the processor keeps them, four bytes at a time.  Of a process that
nobody may look into, the socket is told without its holder.

Source: man 5 proc_pid_net, proc_pid_fd.
"""

import os
import socket
import sys
from collections.abc import Iterator

from pyminidock.kernel.attempts import Listening

_FILES = (("tcp", "tcp", "0A"), ("tcp6", "tcp", "0A"), ("udp", "udp", "07"),
          ("udp6", "udp", "07"))  # fmt: skip
_SOCKET = "socket:["


def listening(pid: int) -> tuple[Listening, ...]:
    """List the sockets that wait in the network of a process.

    Raises ProcessLookupError.
    """
    found = [each for name, kind, state in _FILES for each in _rows(pid, name, kind, state)]
    holders = _holders(os.stat(f"/proc/{pid}/ns/net").st_ino, {one[3] for one in found})
    return tuple(
        Listening(protocol, address, port, inode, *holders.get(inode, (0, "")))
        for protocol, address, port, inode in found
    )


_Row = tuple[str, str, int, int]


def _rows(pid: int, name: str, protocol: str, state: str) -> Iterator[_Row]:
    try:
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
            lines = file.readlines()[1:]
    except FileNotFoundError:
        if not os.path.exists(f"/proc/{pid}"):
            raise ProcessLookupError(3, f"no process {pid}") from None
        return  # no IPv6
    for line in lines:
        fields = line.split()
        if fields[3] == state:
            yield protocol, *_address(fields[1]), int(fields[9])


def _address(text: str) -> tuple[str, int]:
    """Read an address and a port.

    >>> _address("0100007F:1F90")
    ('127.0.0.1', 8080)
    """
    packed, _, port = text.partition(":")
    whole = bytes.fromhex(packed)
    if sys.byteorder == "little":
        whole = b"".join(whole[at : at + 4][::-1] for at in range(0, len(whole), 4))
    family = socket.AF_INET if len(whole) == 4 else socket.AF_INET6
    address = socket.inet_ntop(family, whole)
    return address.removeprefix("::ffff:") if "." in address else address, int(port, 16)


def _holders(network: int, inodes: set[int]) -> dict[int, tuple[int, str]]:
    """Find who holds sockets: pid and program by inode; only processes of one network."""
    found: dict[int, tuple[int, str]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        if len(found) == len(inodes):
            break
        try:
            if os.stat(f"/proc/{name}/ns/net").st_ino != network:
                continue
            for inode in _sockets(name) & inodes - found.keys():
                found[inode] = (int(name), _program(name))
        except OSError:  # it ended, or is none of our business
            continue
    return found


def _sockets(pid: str) -> set[int]:
    found = set()
    for handle in os.scandir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(handle.path)
        except OSError:
            continue
        if target.startswith(_SOCKET):
            found.add(int(target[len(_SOCKET) : -1]))
    return found


def _program(pid: str) -> str:
    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()
