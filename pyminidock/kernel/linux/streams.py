"""Talking to a shim: short questions, and the standard streams of its program.

How they are spelled is told in `messages`.
"""

import contextlib
import os
import socket
from collections.abc import Iterator

from pyminidock.kernel.linux.messages import FRAME, LENGTH, STDIN, read, spell

ANSWER_S = 10.0  # seconds a shim has to answer anything but "wait"


def connect(directory: str, timeout_s: float | None = ANSWER_S) -> socket.socket:
    """Connect to the shim that lives in `directory`.  Raises OSError if none answers."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with closed_on_refusal(connection):
            connection.settimeout(timeout_s)
            connection.connect(f"/proc/self/fd/{handle}/shim.sock")
    finally:
        os.close(handle)
    return connection


@contextlib.contextmanager
def closed_on_refusal(connection: socket.socket) -> Iterator[None]:
    """Close it if what is done with it fails, which is raised all the same."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def ask(connection: socket.socket, **fields: object) -> dict[str, str]:
    """Send one message and read its answer.  Raises OSError."""
    send(connection, **fields)
    return hear(connection)


def send(connection: socket.socket, **fields: object) -> None:
    """Send one message, whose answer may take its time.  Raises OSError."""
    connection.sendall(spell(fields))


def hear(connection: socket.socket) -> dict[str, str]:
    """Wait for one answer.  Raises OSError, TimeoutError before it has begun to come."""
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    return read(_exactly(connection, length))


def overhear(connection: socket.socket) -> dict[str, str]:
    """Wait for one answer, and leave it there for the next `hear`.  Raises OSError."""
    flags = socket.MSG_PEEK | socket.MSG_WAITALL
    head = connection.recv(LENGTH.size, flags)
    if len(head) < LENGTH.size:
        raise ConnectionResetError("the shim hung up")
    size = LENGTH.size + LENGTH.unpack(head)[0]
    return read(connection.recv(size, flags)[LENGTH.size :])


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionResetError("the shim hung up")
        data += part
    return data


class ShimStreams:
    """An attached connection: frames of output in, frames of input out (port.Streams)."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        self._connection = connection

    def fileno(self) -> int:
        """See port."""
        return self._connection.fileno()

    def read(self) -> tuple[int, bytes] | None:
        """See port."""
        try:
            stream, length = FRAME.unpack(_exactly(self._connection, FRAME.size))
            return (stream, _exactly(self._connection, length)) if length else None
        except OSError:
            return None

    def write(self, data: bytes) -> None:
        """See port."""
        if data:
            self._connection.sendall(FRAME.pack(STDIN, len(data)) + data)

    def close_stdin(self) -> None:
        """See port."""
        self._connection.sendall(FRAME.pack(STDIN, 0))

    def close(self) -> None:
        """See port."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()
