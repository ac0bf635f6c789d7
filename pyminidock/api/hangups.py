"""How the server notices that somebody stopped listening.

A thread that waits for the next event of a quiet story does not look at its connection, so
one other thread looks at all of them: the kernel tells it of a connection whose other end
was closed, by `close` or by the death of the client, within microseconds.  Closing only
the sending half is no hang-up, for a client may do that and still read; but an answer may
want to know, and say its last word.

Source: man 7 epoll (EPOLLHUP is always reported), Linux, net/unix/af_unix.c: unix_poll().
"""

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_Do = Callable[[], None]


class HangUps:
    """Calls back once for each watched connection whose other end has gone."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, tuple[socket.socket, _Do, _Do]] = {}
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._thread = threading.Thread(target=self._watch, name="hangups", daemon=True)
        self._thread.start()

    @contextmanager
    def watching(
        self,
        connection: socket.socket,
        gone: Callable[[], None],
        silent: Callable[[], None] | None = None,
    ) -> Iterator[None]:
        """Call `gone`, in another thread, if the other end closes within the `with`.

        Call `silent` instead if it closes its sending half only.
        """
        number = connection.fileno()
        self._watched[number] = (connection, gone, silent or _do_nothing)
        half = select.EPOLLRDHUP if silent else 0
        self._epoll.register(number, select.EPOLLONESHOT | half)
        try:
            yield
        finally:
            self._epoll.unregister(number)
            del self._watched[number]

    def close(self) -> None:
        """Stop watching."""
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        self._epoll.close()
        os.close(self._wake)

    def _watch(self) -> None:
        while True:
            for number, _ in self._epoll.poll():
                if number == self._wake:
                    return
                watched = self._watched.get(number)
                if watched:
                    connection, gone, silent = watched
                    (gone if _has_hung_up(connection) else silent)()


def _do_nothing() -> None:
    """Let it be."""


def _has_hung_up(connection: socket.socket) -> bool:
    """Look again: the number may have been given to a newer connection meanwhile."""
    poll = select.poll()
    try:
        poll.register(connection, 0)
    except (OSError, ValueError):  # closed on our side
        return False
    return bool(poll.poll(0))
