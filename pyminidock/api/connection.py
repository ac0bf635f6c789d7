"""One client's connection: bytes become requests, responses become bytes, in turn.

h11 knows HTTP and does no I/O; this module does the I/O, with a bound on everything that
a client could make large or slow:

    waiting for a request    idle_s, then the connection is closed
    its header               header_s, header_bytes      408, 431
    its body                 body_s, body_bytes          408, 413
    a context, an image      stall_s for each piece, stream_bytes; read while it is used
    an answer not read       stall_s, then the connection is closed
    a live stream            as long as the client listens (see `hangups`)

A browser must never get in, not even through a forwarded socket: whatever carries the
marks of one, or a host name that is not ours, is refused.  Where two readers could
disagree about where a request ends, it is refused too.
Source: RFC 9112 sections 2.2, 5.1, 6.3; measured on Docker Engine 26.1 for the upgrade.
"""

import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

import h11

from pyminidock.api.failures import Answers, BadRequest, answered, failure
from pyminidock.api.hangups import HangUps
from pyminidock.api.message import Peer, Request, Response, Stream
from pyminidock.api.streams import Wire
from pyminidock.errors import MinidockError

_PIECE_BYTES = 65536
_MAX_FIELDS = 100
_HOSTS = ("", "docker", "localhost", "api.moby.localhost", "unix")
_MARKS_OF_A_BROWSER = ("origin", "referer", "sec-fetch-site")
_STREAMED = re.compile(r"(?:/v[0-9.]{1,16})?/(?:build|images/load|images/create)")
_LEFT_BYTES = 64 << 20  # of a body that nobody wanted, read so that the answer is heard


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client may take of the engine; seconds, bytes, connections."""

    header_bytes: int = 64 << 10
    body_bytes: int = 4 << 20
    stream_bytes: int = 8 << 30
    header_s: float = 10.0
    body_s: float = 60.0
    idle_s: float = 120.0
    stall_s: float = 60.0
    connections: int = 256
    connections_per_user: int = 64


class TooSlow(MinidockError):
    """A request was begun and did not arrive in time."""

    status = 408


class HeaderTooLarge(MinidockError):
    """The request line and header fields exceed their bound."""

    status = 431


class BodyTooLarge(MinidockError):
    """The body exceeds its bound."""

    status = 413


class ForeignRequest(MinidockError):
    """The request carries the marks of a browser, or another host's name."""

    status = 403


class _Gone(Exception):
    """The client closed the connection, or never used it."""


class Conversation:
    """Questions and answers on one connection, until either side has had enough."""

    def __init__(
        self, connection: socket.socket, peer: Peer, router: Answers,
        bounds: Bounds, hangups: HangUps,
    ) -> None:  # fmt: skip
        self._connection, self._peer, self._router = connection, peer, router
        self._bounds, self._hangups = bounds, hangups
        self._http = h11.Connection(
            h11.SERVER, max_incomplete_event_size=bounds.header_bytes
        )
        self._begun = b""  # bytes of the next request, not yet given to h11
        self._method = b""

    def run(self) -> None:
        """Answer requests until the connection ends."""
        with suppress(_Gone, OSError):  # a client that leaves is no fault
            while self._exchange():
                self._begun, self._method = self._http.trailing_data[0], b""
                self._http = h11.Connection(
                    h11.SERVER, max_incomplete_event_size=self._bounds.header_bytes
                )

    def refuse(self, error: MinidockError, *, linger_s: float = 1.0) -> None:
        """Answer without having read the whole request, and be done.

        The client gets `linger_s` to read the refusal: closing on unread bytes would
        discard it.  Source: Linux, net/unix/af_unix.c: unix_release_sock(), ECONNRESET.
        """
        deadline = time.monotonic() + linger_s
        with suppress(_Gone, OSError, h11.LocalProtocolError):
            self._send(failure(error), is_last=True)
            self._connection.shutdown(socket.SHUT_WR)
            while True:
                self._next_piece(deadline, is_idle=True)

    def _exchange(self) -> bool:
        """Answer one request; tell whether another may follow."""
        try:
            request, is_upgrade = self._receive()
        except MinidockError as refusal:
            self.refuse(refusal)
            return False
        response = answered(self._router.handle, request)
        if isinstance(request.stream, _Body) and not request.stream.drain():
            response = replace(
                response, headers=(*response.headers, ("Connection", "close"))
            )
        if response.upgrade:
            self._hand_over(response, is_upgrade)
            return False
        return self._send(response)

    # ── Receiving ────────────────────────────────────────────────────────────────────────

    def _receive(self) -> tuple[Request, bool]:
        """Read one request; tell also whether it offers an upgrade."""
        head = self._receive_head()
        try:
            self._http.receive_data(head)
            begun = self._http.next_event()
            if not isinstance(begun, h11.Request):
                raise _unreadable("the request line is missing")
            self._method = begun.method
            fields = _fields(begun)
            path, _, query = begun.target.decode("ascii").partition("?")
            method = begun.method.decode("ascii")
            stream = None
            if method == "POST" and _STREAMED.fullmatch(unquote(path)):
                stream, body = _Body(self._http, self._connection, self._bounds), b""
            else:
                if int(fields.get("content-length", "0")) > self._bounds.body_bytes:
                    raise _too_large(self._bounds.body_bytes)
                body = self._receive_body()
        except h11.ProtocolError as mistake:
            raise _unreadable(str(mistake)) from mistake
        pairs = _query(query)
        request = Request(
            method, unquote(path), {name: values[0] for name, values in pairs.items()},
            fields, body, self._peer, stream=stream, repeated=pairs,
        )  # fmt: skip
        return request, "upgrade" in fields.get("connection", "").lower()

    def _receive_head(self) -> bytes:
        """Read up to the empty line, and whatever came behind it."""
        head, self._begun = self._begun, b""
        deadline = time.monotonic() + self._bounds.header_s if head else None
        while True:
            end = head.find(b"\r\n\r\n")
            _check_lines(head[: end + 2] if end >= 0 else head)
            if end >= 0 and end <= self._bounds.header_bytes:
                return head
            if len(head) > self._bounds.header_bytes:
                raise HeaderTooLarge(
                    "the request header is too large",
                    why=f"a header may have {self._bounds.header_bytes} bytes",
                    try_next="send long values in the body",
                )
            if deadline is None:
                head += self._next_piece(
                    time.monotonic() + self._bounds.idle_s, is_idle=True
                )
                deadline = time.monotonic() + self._bounds.header_s
            else:
                head += self._next_piece(deadline)

    def _receive_body(self) -> bytes:
        """Read the body, once the client may send it."""
        deadline = time.monotonic() + self._bounds.body_s
        pieces, size = [], 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    self._connection.sendall(self._http.send(go_on) or b"")
                self._http.receive_data(self._next_piece(deadline))
            elif isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
                size += len(event.data)
                if size > self._bounds.body_bytes:
                    raise _too_large(self._bounds.body_bytes)
            else:  # EndOfMessage, or PAUSED behind it
                return b"".join(pieces)

    def _next_piece(self, deadline: float, *, is_idle: bool = False) -> bytes:
        """Wait for bytes until `deadline` (monotonic seconds)."""
        try:
            self._connection.settimeout(max(deadline - time.monotonic(), 1e-6))
            piece = self._connection.recv(_PIECE_BYTES)
        except TimeoutError as passed:
            if is_idle:
                raise _Gone from passed
            raise TooSlow(
                "the request did not arrive in time",
                why=f"a header has {self._bounds.header_s:g} s, "
                f"a body {self._bounds.body_s:g} s",
                try_next="send the whole request at once",
            ) from passed
        if not piece:
            raise _Gone
        return piece

    # ── Sending ──────────────────────────────────────────────────────────────────────────

    def _send(self, response: Response, *, is_last: bool = False) -> bool:
        """Send an answer; tell whether the connection can serve another request."""
        self._connection.settimeout(self._bounds.stall_s)
        headers = [*response.headers, ("Date", formatdate(usegmt=True))]
        body = response.body
        if isinstance(body, bytes) and response.status not in (204, 304):
            headers.append(("Content-Length", str(len(body))))
        if is_last:
            headers.append(("Connection", "close"))
        try:
            reason = HTTPStatus(response.status).phrase.encode()
            self._put(
                h11.Response(status_code=response.status, reason=reason, headers=headers)
            )
            if isinstance(body, bytes):
                self._send_bytes(body)
            else:
                self._send_stream(body)
            self._put(h11.EndOfMessage())
        finally:
            if not isinstance(body, bytes):
                body.close()
        done = (self._http.our_state, self._http.their_state) == (h11.DONE, h11.DONE)
        return done and not is_last

    def _send_bytes(self, body: bytes) -> None:
        if self._method == b"HEAD":
            return
        for start in range(0, len(body), _PIECE_BYTES):
            self._put(h11.Data(data=body[start : start + _PIECE_BYTES]))

    def _send_stream(self, body: Stream) -> None:
        """Send pieces as they come, however slowly the client reads them."""
        self._connection.settimeout(None)
        with self._hangups.watching(self._connection, body.close):
            for piece in body:
                self._put(h11.Data(data=piece))

    def _hand_over(self, response: Response, is_upgrade: bool) -> None:
        """Let both sides speak freely.  Without an upgrade, raw bytes follow a 200."""
        head = ["HTTP/1.1 200 OK"]
        if is_upgrade:
            head = ["HTTP/1.1 101 UPGRADED", "Connection: Upgrade", "Upgrade: tcp"]
        head += [f"{name}: {value}" for name, value in response.headers]
        self._connection.settimeout(None)
        wire = Wire(self._connection, self._http.trailing_data[0])
        wire.send("\r\n".join([*head, "", ""]).encode("ascii"))
        if response.upgrade:
            response.upgrade(wire)

    def _put(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._connection.sendall(data)


class _Body:
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
            while left < _LEFT_BYTES and (piece := self.read(_PIECE_BYTES)):
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
                        raise _too_large(self._bounds.stream_bytes)
                    if event.data:
                        return bytes(event.data)
                elif event is h11.NEED_DATA:
                    self._fill()
                else:  # EndOfMessage, or PAUSED behind it
                    self._is_over = True
                    return b""
        except h11.ProtocolError as mistake:
            raise _unreadable(str(mistake)) from mistake

    def _fill(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self._connection.sendall(self._http.send(go_on) or b"")
        try:
            data = self._connection.recv(_PIECE_BYTES)
        except TimeoutError as passed:
            raise TooSlow(
                "the request did not arrive in time",
                why=f"no byte came for {self._bounds.stall_s:g} s",
                try_next="send it again, without a pause",
            ) from passed
        if not data:
            raise ConnectionResetError("the client left in the middle of its request")
        self._http.receive_data(data)


def _check_lines(head: bytes) -> None:
    """Refuse what one reader takes for a line end and another does not."""
    if re.search(rb"(?<!\r)\n|\n[ \t]|\r(?!\n)(?!\Z)", head):
        raise _unreadable("a header line ends or continues in a way that is not allowed")


def _fields(request: h11.Request) -> Mapping[str, str]:
    """Check the header fields and give them by lower-case name."""
    if request.http_version not in (b"1.0", b"1.1"):
        raise _unreadable("the HTTP version is neither 1.0 nor 1.1")
    fields: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    if "content-length" in fields and "transfer-encoding" in fields:
        raise _unreadable("the request has two lengths")
    host = unquote(fields.get("host", ""))
    marks = [name for name in _MARKS_OF_A_BROWSER if name in fields]
    if marks or not (host in _HOSTS or host.startswith("/")):
        named = f"the header {marks[0]}" if marks else f"the host {host[:80]!r}"
        raise ForeignRequest(
            f"refused because of {named}",
            why="a web page must not reach the engine, not even through a forwarded socket",
            try_next="docker -H unix:///run/minidock.sock version",
        )
    return fields


def _query(text: str) -> Mapping[str, tuple[str, ...]]:
    """Read the part behind "?": each field with its values, in their order."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as mistake:
        raise _unreadable("the query has too many fields") from mistake
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def _too_large(bound: int) -> BodyTooLarge:
    return BodyTooLarge(
        "the request body is too large",
        why=f"a document may have {bound} bytes",
        try_next="shorten the longest value in it",
    )


def _unreadable(what: str) -> BadRequest:
    return BadRequest(
        f"malformed request: {what}",
        why="where two readers could disagree about a request, a third one gets in",
        try_next="send plain HTTP/1.1: lines end in CR LF, one Host, one length",
    )
