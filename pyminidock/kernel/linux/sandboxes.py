"""Network namespaces without anyone in them: made, held by a descriptor, let go.

    thread ── unshare ──► new namespace ── socket, handle ── setns ──► back on the host
                                               │
               Sandbox(handle, netlink socket) ┘   closed: gone, unless somebody lives in it

A namespace belongs to a thread, so one thread may go and look while the others stay on the
host.  It opens what will be needed from outside - a netlink socket stays in the network in
which it was opened - and is back within a millisecond.  No file is mounted anywhere, so
nothing can be left lying around, and no process is forked.

Source: man 2 unshare, setns; man 7 network_namespaces.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from pyminidock.kernel.linux import rtnetlink, syscalls
from pyminidock.kernel.linux.netlink import Netlink
from pyminidock.kernel.linux.proc import start_time

_NETWORK = syscalls.CLONE_FLAGS["network"]
_HERE = "/proc/thread-self/ns/net"
_FLAGS = os.O_RDONLY | os.O_CLOEXEC
_LOOPBACK = 1  # the number of lo, in every namespace


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A network namespace that is held: a handle to travel, a socket to talk to it."""

    handle: int
    netlink: Netlink

    def close(self) -> None:
        """Let go."""
        self.netlink.close()
        os.close(self.handle)


def make() -> Sandbox:
    """Make a namespace with lo up and, as far as there is any, no IPv6 beyond lo.

    Raises OSError: EPERM; ENOSPC, there are too many.
    """
    with _and_back():
        syscalls.unshare(_NETWORK)
        sandbox = _opened_here()
        try:
            with suppress(FileNotFoundError):  # a kernel without IPv6
                write_setting("ipv6/conf/all/disable_ipv6", "1")
                write_setting("ipv6/conf/lo/disable_ipv6", "0")
            sandbox.netlink.batch([rtnetlink.raise_link(_LOOPBACK)])
        except BaseException:
            sandbox.close()
            raise
        return sandbox


def find(pid: int, started: int) -> Sandbox:
    """Hold the namespace in which a process lives.

    Raises OSError: ENOENT, it is gone; ESRCH, its number belongs to another one.
    """
    handle = os.open(f"/proc/{pid}/ns/net", _FLAGS)
    try:
        if start_time(pid) != started:
            raise ProcessLookupError(errno.ESRCH, "the number belongs to another now")
        with standing_in(handle):
            return Sandbox(handle, Netlink())
    except BaseException:
        os.close(handle)
        raise


@contextmanager
def standing_in(handle: int) -> Iterator[None]:
    """Let this thread be in another network for a moment: sockets made now stay there."""
    with _and_back():
        syscalls.setns(handle, _NETWORK)
        yield


def write_setting(path: str, value: str) -> None:
    """Write a file below /proc/sys/net of the network in which this thread stands."""
    descriptor = os.open(f"/proc/sys/net/{path}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def _opened_here() -> Sandbox:
    with ExitStack() as undo:
        handle = os.open(_HERE, _FLAGS)
        undo.callback(os.close, handle)
        sandbox = Sandbox(handle, Netlink())
        undo.pop_all()
        return sandbox


@contextmanager
def _and_back() -> Iterator[None]:
    """Come back to where this thread was, whatever happens meanwhile."""
    here = os.open(_HERE, _FLAGS)
    try:
        yield
    finally:
        syscalls.setns(here, _NETWORK)
        os.close(here)
