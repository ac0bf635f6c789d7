r"""The streams of a program at the other end of a connection.

Without a terminal its two outputs come in frames: one byte says which (1 or 2), three are
zero, four hold the length.  With a terminal there is one stream and no frame.  What is
typed goes back as it is; closing one's half of the connection ends the program's input.
"""

import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

from pyminidock.client.transport import lost

STDOUT, STDERR = 1, 2
_FRAMED = "application/vnd.docker.multiplexed-stream"
_PIECE_BYTES = 65536
_HEAD_BYTES = 8


class Attached:
    """A connection to a running program.

    `read` takes exactly one piece from the socket, so `fileno` may be given to select.
    """

    def __init__(self, connection: socket.socket, kind: str) -> None:
        self._connection, self.is_framed = connection, kind == _FRAMED
        self._left, self._number = 0, STDOUT  # of the frame that is being read

    def fileno(self) -> int:
        """Give the descriptor, for select."""
        return self._connection.fileno()

    def read(self) -> tuple[int, bytes] | None:
        """Wait for output: (1 stdout or 2 stderr, bytes); None at the end.

        Raises ConnectionLost if the engine ended within a frame.
        """
        if not self.is_framed:
            data = self._receive(_PIECE_BYTES)
            return (STDOUT, data) if data else None
        while not self._left:
            head = self._exactly(8)
            if not head:
                return None
            self._number, self._left = struct.unpack(">BxxxL", head)
        data = self._receive(min(self._left, _PIECE_BYTES))
        if not data:
            raise lost("the output broke off within a frame")
        self._left -= len(data)
        return self._number, data

    def write(self, data: bytes) -> None:
        """Send bytes to the program's standard input.  Raises OSError at its end."""
        self._connection.sendall(data)

    def close_stdin(self) -> None:
        """Say that no more input will come; output still does."""
        with suppress(OSError):  # the program was faster
            self._connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Detach; the program goes on."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in read
        self._connection.close()

    def __enter__(self) -> "Attached":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exactly(self, size: int) -> bytes:
        """Receive `size` bytes, or none at the end."""
        data = b""
        while len(data) < size:
            piece = self._receive(size - len(data))
            if not piece and data:
                raise lost("the output broke off within a frame")
            if not piece:
                break
            data += piece
        return data

    def _receive(self, size: int) -> bytes:
        try:
            return self._connection.recv(size)
        except ConnectionResetError:
            return b""


def frames(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    r"""Take an answer in frames apart: (1 stdout or 2 stderr, bytes), as they come.

    >>> list(frames([b"\x01\0\0\0\0\0\0\x02h", b"i"]))
    [(1, b'h'), (1, b'i')]
    """
    rest, left, number = b"", 0, STDOUT
    for piece in pieces:
        rest += piece
        while rest:
            if not left:
                if len(rest) < _HEAD_BYTES:
                    break
                number, left = struct.unpack(">BxxxL", rest[:_HEAD_BYTES])
                rest = rest[_HEAD_BYTES:]
                continue
            data, rest = rest[:left], rest[left:]
            left -= len(data)
            yield number, data
