"""One birth, as newborn and usher know it: the order, the sockets, a word for each call.

    report    28 bytes (index, errno, value, monotonic ns, detail length), then the detail
    go        1 byte, awaited
    rest      2 bytes (is there a sandbox, is there a tree), and handles on them

Source: the daemon's side of the conversation is `nursery`, the spelling is `wire`.
"""

import os
import struct
import time

from pyminidock.kernel.linux import sockets
from pyminidock.kernel.linux.filesystems import Stock

Words = tuple[object, ...]  # plain numbers, bytes and tuples of these, as `wire` spells

_TOGETHER = 16  # reports
REPORT = struct.Struct("<iiqqi")  # index, errno, value, monotonic ns, length of the detail


class Aborted(Exception):
    """The daemon hung up: nobody wants this process any more."""


class Order:
    """What the daemon sent: the calls, and how to walk them."""

    calls: tuple[tuple[str, Words], ...]
    first: int  # index of the first call within the whole plan
    lockstep: bool
    last_capability: int
    fail_at: tuple[int, int]  # (index, errno): this call fails, for the fault sweep

    def __init__(self, message: dict[str, object]) -> None:
        vars(self).update(message)


class Birth:
    """What the child knows on its way: descriptors, and what the tail still has to do."""

    def __init__(
        self, report: int, shim: int, root_mount: int, order: "Order", ahead: str = ""
    ) -> None:
        self.report = report  # the birth socket, to the daemon
        self.shim = shim  # a socket to the shim: go bytes, and the pty master back
        self.root_mount = root_mount  # the detached tree; -1 for exec
        self.sandbox = -1  # the network namespace that the daemon has made
        self.is_waiting = False  # for these two, which the daemon makes meanwhile
        self.ahead = ahead  # a namespace that we are in before the plan asks for it
        self.stock = Stock()  # filesystems that were made before the plan asks for them
        self.order, self.lockstep = order, order.lockstep
        self.last_capability = order.last_capability
        self.fail_at = order.fail_at
        self.index = 0  # of the call being made, within the whole plan
        self.root = -1  # O_PATH handle on the container's root
        self.root_place = (-1, -1)  # its st_dev and st_ino
        self.proc = -1  # the procfs that we mounted ourselves, whatever lies on /proc now
        self.proc_device = self.devices = -1  # st_dev of that, and of our tmpfs on /dev
        self.own: dict[bytes, int] = {}  # what we mounted empty, by target: handles on it
        self.held: dict[bytes, int] = {}  # trees of the host that stay bound to it
        self.late_directory = b""  # a working directory that needs the user's own powers
        self.unsent: list[bytes] = []  # reports that wait for company

    def receive_rest(self) -> None:
        """Wait for the sandbox and the tree, unless they are here.  Raises Aborted."""
        if self.is_waiting:
            self.is_waiting = False
            self.sandbox, self.root_mount = handed_over(self.report)

    def note(self, index: int, value: int) -> None:
        """Report a call that worked: in lockstep at once, and wait for a go; else soon.

        A report costs as much as many a call, so a few travel together.
        """
        if self.lockstep:
            report(self.report, index, value=value)
            wait_for_go(self.report)
            return
        self.unsent.append(REPORT.pack(index, 0, value, time.monotonic_ns(), 0))
        if len(self.unsent) == _TOGETHER:
            self.catch_up()

    def catch_up(self) -> None:
        """Send the reports that wait.  Raises Aborted."""
        waiting, self.unsent = b"".join(self.unsent), []
        try:
            os.write(self.report, waiting)
        except OSError:
            raise Aborted from None

    def calls_from(self, index: int) -> tuple[tuple[str, Words], ...]:
        """Give the calls from the one of this number within the whole plan on."""
        return self.order.calls[index - self.order.first :]


def report(descriptor: int, index: int, *, error: int = 0, value: int = 0,
           detail: bytes = b"") -> None:  # fmt: skip
    """Tell the daemon how the call with this number ended."""
    detail = detail[:512]
    head = REPORT.pack(index, error, value, time.monotonic_ns(), len(detail))
    try:
        os.write(descriptor, head + detail)
    except OSError:
        raise Aborted from None


def handed_over(daemon: int) -> tuple[int, int]:
    """Wait for what the daemon has made meanwhile: a sandbox and a tree; -1: there is none.

    Raises Aborted when the daemon hung up instead.
    """
    line = sockets.of(daemon)
    try:
        word, handles = sockets.receive_handles(line, 2, 2)
    except OSError:
        raise Aborted from None
    finally:
        line.detach()
    if not word:
        raise Aborted
    tree = handles.pop() if word.endswith(b"1") else -1
    return handles.pop() if word.startswith(b"1") else -1, tree


def wait_for_go(descriptor: int) -> None:
    """Wait for one byte.  Raises Aborted when the other side hung up instead."""
    try:
        byte = os.read(descriptor, 1)
    except OSError:
        raise Aborted from None
    if not byte:
        raise Aborted
