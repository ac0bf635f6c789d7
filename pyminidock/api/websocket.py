r"""A WebSocket: frames on a connection that began as HTTP, as browsers' programs speak it.

    byte 0      1 bit: the last piece of a message, 3 bits: zero, 4 bits: what it is
                0 more of the same, 1 text, 2 binary, 8 close, 9 ping, 10 pong
    byte 1      1 bit: is it masked, 7 bits: the length; 126 and 127 say that it follows,
                in two bytes or in eight, big-endian
    4 bytes     the mask, from the client only: byte n of what follows is XORed with n mod 4
    then        that many bytes

A program's streams know no messages, so each piece of output is a message of its own, and
how a client cuts its input does not matter.  A close is answered when the streams end; a
client that breaks the rules hears 1002 and is not listened to any more.
Source: RFC 6455, sections 4.2 and 5; measured on Docker Engine 26.1.
"""

import base64
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyminidock.api.message import Response
from pyminidock.api.streams import Carrier
from pyminidock.kernel.port import Streams

MORE, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, BROKEN = 1000, 1002  # why it is closed
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3: nobody says it by accident
_LONGEST_CONTROL = 125
_VERSION = "13"


class Misspoken(ValueError):
    """The client broke the rules of the frames."""


# ── The handshake ────────────────────────────────────────────────────────────────────────


def greeting(headers: Mapping[str, str]) -> Response:
    """Answer the offer in `headers` (lower-case names): 101, or 400 and a bare sentence.

    >>> greeting({}).body
    b'not websocket protocol'
    """
    offers = [word.strip().lower() for word in headers.get("connection", "").split(",")]
    key, wanted = headers.get("sec-websocket-key", ""), _words(headers)
    if headers.get("upgrade", "").lower() != "websocket" or "upgrade" not in offers:
        return _refused("not websocket protocol")
    if not key:
        return _refused("mismatch challenge/response")
    if headers.get("sec-websocket-version") != _VERSION:
        speaks = ("Sec-WebSocket-Version", _VERSION)
        return _refused("missing or bad WebSocket Version", speaks)
    if len(wanted) > 1:
        return _refused("")
    chosen = [("Sec-WebSocket-Protocol", word) for word in wanted]
    upgrade = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
    return Response(101, (*upgrade, ("Sec-WebSocket-Accept", accepted(key)), *chosen))


def accepted(key: str) -> str:
    """Prove that `key` was read by somebody who knows the protocol.

    >>> accepted("dGhlIHNhbXBsZSBub25jZQ==")
    's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
    """
    known = hashlib.sha1(key.encode("latin-1") + _GUID, usedforsecurity=False)
    return base64.b64encode(known.digest()).decode()


def _words(headers: Mapping[str, str]) -> list[str]:
    """Give the protocols that a client would speak inside the frames."""
    said = headers.get("sec-websocket-protocol", "")
    return [word.strip() for word in said.split(",") if word.strip()]


def _refused(words: str, *headers: tuple[str, str]) -> Response:
    return Response(400, (("Content-Type", "text/plain"), *headers), words.encode())


# ── Frames ───────────────────────────────────────────────────────────────────────────────


def frame(kind: int, data: bytes) -> bytes:
    r"""Put a whole message into one frame; a server masks nothing.

    >>> frame(TEXT, b"hi")
    b'\x81\x02hi'
    >>> frame(BINARY, bytes(300))[:4]
    b'\x82~\x01,'
    """
    length = len(data)
    if length < 126:
        return bytes((0x80 | kind, length)) + data
    if length < 1 << 16:
        return bytes((0x80 | kind, 126)) + length.to_bytes(2, "big") + data
    return bytes((0x80 | kind, 127)) + length.to_bytes(8, "big") + data


def masked(data: bytes, mask: bytes, begins_at: int = 0) -> bytes:
    """XOR each byte with a byte of `mask`; twice is as if it had not been.

    >>> masked(masked(b"secret", b"abcd"), b"abcd")
    b'secret'
    """
    turned = mask[begins_at % 4 :] + mask[: begins_at % 4]
    key = (turned * (len(data) // 4 + 1))[: len(data)]
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(key, "big")
    return mixed.to_bytes(len(data), "big")


@dataclass(slots=True)
class _Begun:
    """A frame whose head was read."""

    kind: int
    mask: bytes
    length: int
    given: int = 0


class Frames:
    """Takes bytes as they come and gives pieces: what kind they are of, and the bytes.

    A long message is given as it comes; a ping or a close is whole, for it is short.
    """

    def __init__(self) -> None:
        self._bytes = b""
        self._frame: _Begun | None = None

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Give what `data` completes.  Raises Misspoken."""
        self._bytes += data
        while frame := self._frame or self._head():
            self._frame = frame
            left = frame.length - frame.given
            is_control = frame.kind >= CLOSE
            if len(self._bytes) < (left if is_control else min(left, 1)):
                return
            piece, self._bytes = self._bytes[:left], self._bytes[left:]
            shown = masked(piece, frame.mask, frame.given)
            frame.given += len(piece)
            if frame.given == frame.length:
                self._frame = None
            if shown or is_control:
                yield frame.kind, shown

    def _head(self) -> _Begun | None:
        """Read the head of the next frame, once it is all there."""
        if len(self._bytes) < 2:
            return None
        first, second = self._bytes[:2]
        kind, length, more = first & 0xF, second & 0x7F, 0
        if kind not in (MORE, TEXT, BINARY, CLOSE, PING, PONG) or first & 0x70:
            raise Misspoken("no such frame")
        if not second & 0x80:
            raise Misspoken("a client masks what it sends")
        if kind >= CLOSE and (length > _LONGEST_CONTROL or not first & 0x80):
            raise Misspoken("a control frame is short and whole")
        if length > _LONGEST_CONTROL:
            more = 2 if length == 126 else 8
            length = int.from_bytes(self._bytes[2 : 2 + more], "big")
        size = 2 + more + 4
        if len(self._bytes) < size:
            return None
        mask, self._bytes = self._bytes[size - 4 : size], self._bytes[size:]
        return _Begun(kind, mask, length)


class WebSocket:
    """A connection on which each piece travels in a frame; else as `streams.Wire`.

    `kind` is what output is called: BINARY, or TEXT for who is older than API 1.28.
    """

    def __init__(self, wire: Carrier, kind: int) -> None:
        self._wire, self._kind = wire, kind
        self._frames, self._ready = Frames(), b""
        self._sending = threading.Lock()  # answers to pings come between the output
        self._is_deaf = self._is_closed = False

    def receive(self) -> bytes:
        """Wait for what the client types; none when it closed or broke off."""
        while not self._is_deaf:
            data = self._wire.receive()
            typed = self._understood(data) if data else b""
            self._is_deaf = self._is_deaf or not data
            if typed:
                return typed
        return b""

    def _understood(self, data: bytes) -> bytes:
        """Answer what has to be answered, and give the rest."""
        typed = b""
        try:
            for kind, piece in self._frames.feed(data):
                if kind == CLOSE:
                    self._is_deaf = True
                    break
                if kind == PING:
                    self._say(PONG, piece)
                elif kind != PONG:
                    typed += piece
        except Misspoken:
            self._is_deaf = True
            self._say(CLOSE, BROKEN.to_bytes(2, "big"))
        return typed

    def send(self, data: bytes) -> bool:
        """Send `data` as one message; False if the other side is gone."""
        return self._say(self._kind, data)

    def _say(self, kind: int, data: bytes) -> bool:
        with self._sending:
            if self._is_closed:  # nothing may follow a close
                return False
            self._is_closed = kind == CLOSE
            return self._wire.send(frame(kind, data))

    def wait_for(self, streams: Streams) -> bool:
        """See `Carrier`."""
        return self._wire.wait_for(streams)

    def is_gone(self) -> bool:
        """See `Carrier`."""
        return self._wire.is_gone()

    def end(self) -> None:
        """Close: say so, and stop both directions."""
        self._say(CLOSE, NORMAL.to_bytes(2, "big"))
        self._wire.end()
