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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

from pyminidock.grammar.detachkeys import Watcher
from pyminidock.kernel.linux.unread import unread_bytes
from pyminidock.kernel.port import Streams

FRAMED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"
LINES = "application/x-ndjson"
STDOUT, STDERR = 1, 2
_PIECE_BYTES = 65536
_LAST_WORDS_S = 3.0  # for what a client has sent before it left
_HEAD_S = 1.0  # for a client to read the head of an answer
_LOOK_S = 0.001


def frame(number: int, data: bytes) -> bytes:
    r"""Put `data` of stream `number` into a frame.

    >>> frame(1, b"hi\n")
    b'\x01\x00\x00\x00\x00\x00\x00\x03hi\n'
    """
    return struct.pack(">BxxxL", number, len(data)) + data


def document(value: object, *, is_escaped: bool = True) -> bytes:
    r"""Write `value` as Docker writes JSON: no blanks, a newline.

    Markup is escaped in streams and headers, and stands as it is in whole answers.
    Source: moby, api/server/httputils/httputils_write_json.go, SetEscapeHTML(false).

    >>> document({"Cmd": ["<b>"]})
    b'{"Cmd":["\\u003cb\\u003e"]}\n'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&" if is_escaped else "":
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


class Carrier(Protocol):
    """What carries a program's streams: a connection as it is, or one with frames on it."""

    def receive(self) -> bytes:
        """Wait for bytes; none at the end, or when the other side broke off."""

    def send(self, data: bytes, /) -> bool:
        """Send all of `data`, however long it takes; False if the other side is gone."""

    def wait_for(self, streams: Streams, /) -> bool:
        """Wait for output of `streams`; False if the other side hangs up first."""

    def is_gone(self) -> bool:
        """Tell whether the other side has hung up, without waiting."""

    def end(self) -> None:
        """Stop both directions; whoever waits in `receive` gets no bytes."""


class Wire:
    """A connection that two sides speak on freely; `early` came before it was one."""

    def __init__(self, connection: socket.socket, early: bytes = b"") -> None:
        self._connection, self._early = connection, early
        self._is_head_new = False

    def send_head(self, head: bytes) -> None:
        """Send the head of an answer; what is sent next waits until it was read.

        Docker's SDK for Python reads a head through a buffer, and loses what came with it.
        Docker is slow enough for that to be rare.
        """
        self.send(head)
        self._is_head_new = True

    def _await_reader(self) -> None:
        """Wait until the other side has read all, or for a while; nothing announces it."""
        self._is_head_new = False
        deadline = time.monotonic() + _HEAD_S
        while time.monotonic() < deadline and unread_bytes(self._connection):
            time.sleep(_LOOK_S)

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
            if self._is_head_new:
                self._await_reader()
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

    def finish(self) -> None:
        """Stop both directions and take what lies unread, to be closed in peace.

        Closing a socket with something unread in it is told to the other side as a reset;
        a client that still types would call it a failure.  Docker ends its own half alone.
        Source: Linux, net/unix/af_unix.c, unix_release_sock.
        """
        self.end()
        while self.receive():
            pass  # no more can come


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a client is connected with a program."""

    is_framed: bool
    shows: frozenset[int] = frozenset((STDOUT, STDERR))  # which outputs the client gets
    takes_input: bool = False
    ends_input: bool = True  # closing its half ends the program's input, and not the visit
    keys: bytes = b""  # by which it leaves; none: it cannot


def carry(
    wire: Carrier, streams: Streams, terms: Terms,
    before_end: Callable[[], object] | None = None,
) -> bool:  # fmt: skip
    """Connect a client with a program until one of them has had enough.

    Each direction has its own thread: a program that prints more than it reads must not
    block, nor be blocked by, what is typed.  The program goes on when the client leaves.
    When the output ends, `before_end` may wait for what a client asks for next.  Gives True
    if the client left by its keys.
    """
    watcher = Watcher(terms.keys)
    typing = threading.Thread(
        target=_carry_input, args=(wire, streams, terms, watcher), daemon=True
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
            if number not in terms.shows:
                continue
            if not wire.send(frame(number, data) if terms.is_framed else data):
                break
    finally:
        wire.end()
        typing.join(_LAST_WORDS_S)  # what was typed still arrives, unless nobody reads it
        streams.close()
    return watcher.has_fired


def _carry_input(wire: Carrier, streams: Streams, terms: Terms, watcher: Watcher) -> None:
    """Bring what the client sends to the program, until it leaves or has no more.

    The end of what it sends is the end of the program's input, or else of the visit.
    """
    try:
        while data := wire.receive():
            if terms.takes_input:
                streams.write(watcher.feed(data))
            if watcher.has_fired:
                break
        if not terms.takes_input:
            return
        if terms.ends_input and not watcher.has_fired:
            streams.close_stdin()
        else:
            wire.end()
    except OSError:
        return  # the program ended first; its output says what there is to say
