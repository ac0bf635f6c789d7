"""Hearing that somebody else changed our table: a flush, or its removal.

nftables tells every change to whoever joined its group, with the port of who asked for it.
Ours carry the port of our own socket; of all others we listen for those about our table.

Source: linux/netfilter/nfnetlink.h, NFNLGRP_NFTABLES; man 7 netlink.
"""

import os
import select
import socket
import threading
from collections.abc import Callable

from pyminidock.kernel.linux import nftables as wire
from pyminidock.kernel.linux.nftables import attributes_in

_GROUP = 7  # NFNLGRP_NFTABLES
_ADD_MEMBERSHIP, _SOL_NETLINK = 1, 270
_NEW_GENERATION = 15  # comes with every change, and names no table
_SETTLE_S = 0.02  # one flush is many messages

Bell = Callable[[], object]


class RuleWatch:
    """One thread per table that is watched."""

    def __init__(self, table: str, is_ours: Callable[[int], bool], bell: Bell) -> None:
        """Begin to listen.  Raises OSError where nf_tables is not to be had."""
        self._table, self._is_ours, self._bell = table, is_ours, bell
        self._line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, wire.NETFILTER)
        try:
            self._line.bind((0, 0))
            self._line.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP)
            self._line.setblocking(False)
        except OSError:
            self._line.close()
            raise
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._listen, name="rules", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more; may be called twice."""
        with self._lock:
            thread, self._thread = self._thread, None  # type: ignore[assignment]
        if thread is None:
            return
        os.eventfd_write(self._wake, 1)
        if thread is not threading.current_thread():
            thread.join()
        self._line.close()
        os.close(self._wake)

    def _listen(self) -> None:
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while self._wake not in dict(poll.poll()):
            if self._was_touched():
                rest = select.poll()
                rest.register(self._wake, select.POLLIN)
                if rest.poll(1000 * _SETTLE_S):
                    return
                self._was_touched()
                self._bell()

    def _was_touched(self) -> bool:
        """Read all that was told; say whether others changed our table."""
        touched = False
        while True:
            try:
                told = self._line.recv(1 << 16)
            except BlockingIOError:
                return touched
            except OSError:  # more was told than there was room for
                touched = True
                continue
            touched |= any(self._is_about_us(*each) for each in _cut(told))

    def _is_about_us(self, kind: int, port: int, body: bytes) -> bool:
        if kind & 0xFF == _NEW_GENERATION or self._is_ours(port):
            return False
        name = dict(attributes_in(body[4:])).get(1, b"")
        return name.rstrip(b"\0").decode(errors="replace") == self._table


def _cut(told: bytes) -> list[tuple[int, int, bytes]]:
    found, at = [], 0
    while at + wire.HEADER.size <= len(told):
        length, kind, _, _, port = wire.HEADER.unpack_from(told, at)
        found.append((kind, port, told[at + wire.HEADER.size : at + length]))
        at += -(-max(length, 16) // 4) * 4
    return found
