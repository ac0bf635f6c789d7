"""What was sent and not read can be counted."""

import socket

from pyminidock.kernel.linux.unread import unread_bytes


def test_what_was_sent_counts_until_it_was_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert unread_bytes(here) == 0
        here.sendall(b"hello")
        assert unread_bytes(here) > 0
        there.recv(5)
        assert unread_bytes(here) == 0
