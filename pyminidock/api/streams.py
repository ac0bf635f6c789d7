"""How several streams share one connection.

Without a terminal, a program has two outputs and its client must tell them apart, so each
piece travels in a frame.  With a terminal there is one stream and no frame at all.

    byte 0      0 stdin, 1 stdout, 2 stderr
    bytes 1-3   zero
    bytes 4-7   length, big-endian
    then        that many bytes

What the client types comes back on the same connection, never framed; when it closes its
half, the program sees the end of its input and may still answer.
Source: Docker Engine API v1.45, ContainerAttach, "Stream format".
"""

import json
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Self

from pyminidock.kernel.port import Streams

FRAMED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"
LINES = "application/x-ndjson"
_PIECE_BYTES = 65536


def frame(number: int, data: bytes) -> bytes:
    r"""Put `data` of stream `number` into a frame.

    >>> frame(1, b"hi\n")
    b'\x01\x00\x00\x00\x00\x00\x00\x03hi\n'
    """
    return struct.pack(">BxxxL", number, len(data)) + data


def document(value: object) -> bytes:
    r"""Write `value` as Docker writes JSON: no blanks, markup escaped, a newline.

    >>> document({"Cmd": ["<b>"]})
    b'{"Cmd":["\\u003cb\\u003e"]}\n'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode() + b"\n"


class Lines:
    """A live stream of lines: a `source` that waits, and the way to end its wait."""

    def __init__(self, source: Iterator[bytes], close: Callable[[], None]) -> None:
        self._source, self._close = source, close

    def __iter__(self) -> Self:
        """Give itself."""
        return self

    def __next__(self) -> bytes:
        """Wait for the next line."""
        return next(self._source)

    def close(self) -> None:
        """End the wait, from any thread."""
        self._close()


class Wire:
    """A connection that two sides speak on freely; `early` came before it was one."""

    def __init__(self, connection: socket.socket, early: bytes = b"") -> None:
        self._connection, self._early = connection, early

    def receive(self) -> bytes:
        """Wait for bytes; none at the end, or when the other side broke off."""
        if self._early:
            early, self._early = self._early, b""
            return early
        try:
            return self._connection.recv(_PIECE_BYTES)
        except OSError:
            return b""

    def send(self, data: bytes) -> bool:
        """Send all of `data`, however long it takes; False if the other side is gone."""
        try:
            self._connection.sendall(data)
        except OSError:
            return False
        return True

    def wait_for(self, streams: Streams) -> bool:
        """Wait for output of `streams`; False if the other side hangs up first.

        A client that closed only its sending half has not hung up.
        """
        poll = select.poll()
        poll.register(self._connection, 0)  # hang-up and error are always told
        poll.register(streams.fileno(), select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll()}
        return self._connection.fileno() not in ready

    def is_gone(self) -> bool:
        """Tell whether the other side has hung up, without waiting."""
        poll = select.poll()
        poll.register(self._connection, 0)
        return bool(poll.poll(0))

    def end(self) -> None:
        """Stop both directions; whoever waits in `receive` gets no bytes."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # gone already


def carry(
    wire: Wire, streams: Streams, *, is_framed: bool, takes_input: bool,
    before_end: Callable[[], object] | None = None,
) -> None:  # fmt: skip
    """Connect a client with a program until the output ends or the client goes.

    Each direction has its own thread: a program that prints more than it reads must not
    block, nor be blocked by, what is typed.  The program goes on when the client leaves.
    When the output ends, `before_end` may wait for what a client asks for next.
    """
    typing = threading.Thread(
        target=_carry_input, args=(wire, streams, takes_input), daemon=True
    )
    typing.start()
    try:
        while wire.wait_for(streams):
            piece = streams.read()
            if piece is None:
                if before_end:
                    before_end()
                break
            number, data = piece
            if not wire.send(frame(number, data) if is_framed else data):
                break
    finally:
        wire.end()
        typing.join(timeout=1.0)  # it has to say that no more comes, unless nobody reads
        streams.close()


def _carry_input(wire: Wire, streams: Streams, takes_input: bool) -> None:
    """Bring what the client sends to the program; its end is the end of the input."""
    try:
        while data := wire.receive():
            if takes_input:
                streams.write(data)
        if takes_input:
            streams.close_stdin()
    except OSError:
        return  # the program ended first; its output says what there is to say
