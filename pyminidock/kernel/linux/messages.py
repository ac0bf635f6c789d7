"""What is said on shim.sock, and one connection to it.

A message is 4 bytes length (big-endian), then lines "name value", the first of
them "op ...".  Lines that one side does not know are passed over, so shims and daemons of
different versions understand each other; JSON would cost every idle shim 150 KiB.

    wait      answered at the end with code, signal, oom and executed (0 or 1), finished
    signal    number                           resize    rows, columns
    dismiss   the exit record was read; the shim may go.  With `files` it leaves those to
              who asked, and need not be heard
    attach    after the answer the connection carries frames, both ways:
              1 byte stream (0 stdin, 1 stdout, 2 stderr), 3 zero bytes, 4 bytes length;
              an empty stdin frame closes standard input

Used by both sides: the shim answers, `streams` asks.
"""

import struct
import time
from collections.abc import Mapping

from pyminidock.kernel.linux.sockets import Socket

STDIN, STDOUT, STDERR = 0, 1, 2
FRAME = struct.Struct(">BxxxI")
LENGTH = struct.Struct(">I")


def spell(fields: Mapping[str, object]) -> bytes:
    """Write one message."""
    body = "\n".join(f"{name} {value}" for name, value in fields.items()).encode()
    return LENGTH.pack(len(body)) + body


def read(body: bytes) -> dict[str, str]:
    """Read the lines of one message."""
    pairs = (line.partition(" ") for line in body.decode().split("\n"))
    return {name: value for name, _, value in pairs}


class Client:
    """One connection to shim.sock."""

    def __init__(self, connection: Socket, *, is_attached: bool = False) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.is_attached = is_attached
        self.is_patient = is_attached  # was there first, and misses nothing
        self.is_waiting = False
        self.moved = 0.0  # monotonic seconds: when it last took something
        self.offset = -1  # in the backlog, as long as it reads from there
        self.lost = 0  # bytes of output that it will not see
        self.is_deaf = False  # it has hung up; what it has typed may still lie unread

    def send(self, data: bytes) -> None:
        """Queue bytes and write what goes at once."""
        self.outgoing += data
        self.flush()

    def flush(self) -> None:
        """Write what the socket takes.  Raises OSError when the other side is gone.

        Who is attached and gone gets nothing more, but is heard to the end: `cat` answers
        the first line of somebody who has typed two hundred and left.
        """
        while self.outgoing:
            try:
                sent = self.connection.send(self.outgoing)
            except BlockingIOError:
                return
            except OSError:
                if not self.is_attached:
                    raise
                self.is_deaf, self.offset, sent = True, -1, len(self.outgoing)
            del self.outgoing[:sent]
            self.moved = time.monotonic()

    def answer(self, **fields: float) -> None:
        """Send one message."""
        self.send(spell(fields))
