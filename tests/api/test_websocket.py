"""Frames are taken as they come, and a client that breaks the rules is told and left."""

import struct

import pytest

from pyminidock.api.websocket import (
    BINARY,
    CLOSE,
    MORE,
    PING,
    PONG,
    TEXT,
    Frames,
    WebSocket,
    frame,
    greeting,
    masked,
)
from pyminidock.kernel.port import Streams

MASK = b"\x11\x22\x33\x44"
OFFER = {
    "connection": "keep-alive, Upgrade", "upgrade": "WebSocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13",
}  # fmt: skip


def typed(kind: int, data: bytes, *, is_last: bool = True, bits: int = 0) -> bytes:
    """Make a frame as a client does: masked."""
    length = len(data)
    size = (
        bytes((0x80 | length,)) if length < 126
        else b"\xfe" + struct.pack(">H", length) if length < 1 << 16
        else b"\xff" + struct.pack(">Q", length)
    )  # fmt: skip
    return bytes((is_last << 7 | bits | kind,)) + size + MASK + masked(data, MASK)


class Loop:
    """A connection that brings what it was given, and keeps what is sent."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.is_ended = list(pieces), False
        self.sent: list[bytes] = []

    def receive(self) -> bytes:
        """Give the next piece; none at the end."""
        return self.pieces.pop(0) if self.pieces else b""

    def send(self, data: bytes) -> bool:
        """Keep it."""
        self.sent.append(data)
        return True

    def wait_for(self, streams: Streams) -> bool:
        """See Carrier."""
        return not self.is_ended

    def is_gone(self) -> bool:
        """See Carrier."""
        return self.is_ended

    def end(self) -> None:
        """See Carrier."""
        self.is_ended = True


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_a_message_of_any_length_comes_out_as_it_was_typed(length: int) -> None:
    data = bytes(range(256)) * (length // 256 + 1)
    whole = typed(BINARY, data[:length])
    assert b"".join(piece for _, piece in Frames().feed(whole)) == data[:length]


def test_it_does_not_matter_where_the_bytes_are_cut() -> None:
    spoken = (
        typed(TEXT, b"ec", is_last=False) + typed(PING, b"well?") + typed(MORE, b"ho\n")
    )
    frames = Frames()
    heard = [each for n in range(len(spoken)) for each in frames.feed(spoken[n : n + 1])]
    assert heard == [
        (TEXT, b"e"), (TEXT, b"c"), (PING, b"well?"),
        (MORE, b"h"), (MORE, b"o"), (MORE, b"\n"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        frame(TEXT, b"bare"),
        typed(5, b"x"),
        typed(TEXT, b"x", bits=0x40),
        typed(PING, b"x", is_last=False),
        typed(PING, bytes(126)),
    ],
    ids=["no mask", "an unknown kind", "an extension", "half a ping", "a long ping"],
)
def test_whoever_breaks_the_rules_hears_1002_and_is_heard_no_more(wrong: bytes) -> None:
    line = Loop(typed(TEXT, b"ls\n") + wrong, typed(TEXT, b"more\n"))
    socket = WebSocket(line, BINARY)
    assert [socket.receive(), socket.receive()] == [b"ls\n", b""]
    assert not socket.send(b"nothing follows a close")
    socket.end()
    assert (line.sent, line.is_ended) == ([b"\x88\x02\x03\xea"], True)


def test_pings_are_answered_pongs_ignored_and_a_close_ends_what_is_typed() -> None:
    line = Loop(
        typed(PING, b"abc") + typed(PONG, b"x"), typed(TEXT, b"a") + typed(CLOSE, b"")
    )
    socket = WebSocket(line, TEXT)
    assert [socket.receive(), socket.receive()] == [b"a", b""]
    assert socket.send(b"last words")
    socket.end()
    assert line.sent == [
        frame(PONG, b"abc"), frame(TEXT, b"last words"), b"\x88\x02\x03\xe8",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"upgrade": "tcp"}, b"not websocket protocol"),
        ({"connection": "close"}, b"not websocket protocol"),
        ({"sec-websocket-key": ""}, b"mismatch challenge/response"),
        ({"sec-websocket-version": "8"}, b"missing or bad WebSocket Version"),
        ({"sec-websocket-protocol": "a, b"}, b""),
    ],
)
def test_an_offer_that_is_not_understood_is_refused(
    change: dict[str, str], words: bytes
) -> None:
    answer = greeting({**OFFER, **change})
    assert (answer.status, answer.body) == (400, words)


def test_an_offer_is_taken_with_the_one_protocol_that_it_names() -> None:
    answer = greeting({**OFFER, "sec-websocket-protocol": "tty"})
    headers = dict(answer.headers)
    assert answer.status == 101
    assert headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert headers["Sec-WebSocket-Protocol"] == "tty"
