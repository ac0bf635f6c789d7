"""How the body of a request comes in: whole and small, or piece by piece while it is used.

    read_whole()    a document: body_s for all of it, body_bytes
    Body.read(n)    a context, an image, a tree: stall_s for each piece, stream_bytes

A client may wait for "100 Continue" before it sends anything; it is told as soon as
somebody wants the body.
"""

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import h11

from pyminidock.api.bounds import Bounds
from pyminidock.api.heading import unreadable
from pyminidock.api.message import ClientGone
from pyminidock.errors import MinidockError

PIECE_BYTES = 65536
_LEFT_BYTES = 64 << 20  # of a body that nobody wanted, read so that the answer is heard


class TooSlow(MinidockError):
    """A request was begun and did not arrive in time."""

    status = 408


class BodyTooLarge(MinidockError):
    """The body exceeds its bound."""

    status = 413


def read_whole(
    http: h11.Connection,
    connection: socket.socket,
    bounds: Bounds,
    next_piece: Callable[[float], bytes],
) -> bytes:
    """Read the body, once the client may send it; `next_piece` waits until a deadline.

    Raises BodyTooLarge, and whatever `next_piece` raises.
    """
    deadline = time.monotonic() + bounds.body_s
    pieces, size = [], 0
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            _let_it_come(http, connection)
            http.receive_data(next_piece(deadline))
        elif isinstance(event, h11.Data):
            pieces.append(bytes(event.data))
            size += len(event.data)
            if size > bounds.body_bytes:
                raise too_large(bounds.body_bytes)
        else:  # EndOfMessage, or PAUSED behind it
            return b"".join(pieces)


def _let_it_come(http: h11.Connection, connection: socket.socket) -> None:
    """Tell a client that waits for it that its body is wanted."""
    if http.they_are_waiting_for_100_continue:
        go_on = h11.InformationalResponse(status_code=100, headers=[])
        connection.sendall(http.send(go_on) or b"")


class Body:
    """A body that is taken from the connection piece by piece, while it is used."""

    def __init__(
        self, http: h11.Connection, connection: socket.socket, bounds: Bounds
    ) -> None:
        self._http, self._connection, self._bounds = http, connection, bounds
        self._rest, self._length, self._is_over = b"", 0, False

    def read(self, limit: int, /) -> bytes:
        """See Reader.  Raises BadRequest, BodyTooLarge, TooSlow; ConnectionError."""
        if not self._rest and not self._is_over:
            self._rest = self._next()
        piece, self._rest = self._rest[:limit], self._rest[limit:]
        return piece

    def drain(self) -> bool:
        """Read what is left, so that whoever sends it comes to listen; False: too much."""
        left = 0
        with suppress(OSError, MinidockError):
            while left < _LEFT_BYTES and (piece := self.read(PIECE_BYTES)):
                left += len(piece)
        return self._is_over

    def _next(self) -> bytes:
        """Wait for the next piece; b"" is the end of the body."""
        self._connection.settimeout(self._bounds.stall_s)
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    self._length += len(event.data)
                    if self._length > self._bounds.stream_bytes:
                        raise too_large(self._bounds.stream_bytes)
                    if event.data:
                        return bytes(event.data)
                elif event is h11.NEED_DATA:
                    self._fill()
                else:  # EndOfMessage, or PAUSED behind it
                    self._is_over = True
                    return b""
        except h11.ProtocolError as mistake:
            raise unreadable(str(mistake)) from mistake

    def _fill(self) -> None:
        _let_it_come(self._http, self._connection)
        try:
            data = self._connection.recv(PIECE_BYTES)
        except TimeoutError as passed:
            raise TooSlow(
                "the request did not arrive in time",
                why=f"no byte came for {self._bounds.stall_s:g} s",
                try_next="send it again, without a pause",
            ) from passed
        if not data:
            raise ClientGone("the client left in the middle of its request")
        self._http.receive_data(data)


def too_large(bound: int) -> BodyTooLarge:
    """Say that a body exceeds `bound` bytes."""
    return BodyTooLarge(
        "the request body is too large",
        why=f"a document may have {bound} bytes",
        try_next="shorten the longest value in it",
    )
