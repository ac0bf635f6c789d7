"""One client's connection: bytes become requests, responses become bytes, in turn.

h11 and `usual` know HTTP and do no I/O; this module does the I/O, with a bound on
everything that a client could make large or slow:

    waiting for a request    idle_s, then the connection is closed
    its header               header_s, header_bytes      408, 431
    its body                 body_s, body_bytes          408, 413
    a context, an image      stall_s for each piece, stream_bytes; read while it is used
    an answer not read       stall_s, then the connection is closed
    a live stream            as long as the client listens (see `hangups`)

What a head may say is told in `heading`, how a body comes in in `intake`.
Source: RFC 9112; measured on Docker Engine 26.1 for the upgrade.
"""

import re
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import unquote

import h11

from pyminidock.api import usual
from pyminidock.api.bounds import Bounds
from pyminidock.api.failures import Answers, answered, failure
from pyminidock.api.hangups import HangUps
from pyminidock.api.heading import (
    HeaderTooLarge,
    check_lines,
    check_sender,
    fields_of,
    query_of,
    unreadable,
)
from pyminidock.api.intake import PIECE_BYTES, Body, TooSlow, read_whole, too_large
from pyminidock.api.message import Cancellable, Peer, Request, Response, Stream
from pyminidock.api.streams import Wire
from pyminidock.errors import MinidockError

_STREAMED = re.compile(
    r"POST (?:/v[0-9.]{1,16})?/(?:build|images/load|images/create)"
    r"|PUT (?:/v[0-9.]{1,16})?/containers/[^/]+/archive"
)


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
        self._http = self._newly()
        self._is_usual = False  # the request under way, which h11 then does not know
        self._begun = b""  # bytes of the next request, not yet given to h11
        self._method = b""

    def _newly(self) -> h11.Connection:
        bound = self._bounds.header_bytes
        return h11.Connection(h11.SERVER, max_incomplete_event_size=bound)

    def run(self) -> None:
        """Answer requests until the connection ends."""
        with suppress(_Gone, OSError):  # a client that leaves is no fault
            while self._exchange():
                if not self._is_usual:
                    self._begun, self._method = self._http.trailing_data[0], b""
                    self._http = self._newly()

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
        if isinstance(request.stream, Body) and not request.stream.drain():
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
        head, self._is_usual = self._receive_head(), False
        read = usual.head_of(head)
        if read and not _STREAMED.fullmatch(f"{read[0].method} {_path(read[0].target)}"):
            return self._receive_usual(*read), "upgrade" in read[0].fields
        try:
            self._http.receive_data(head)
            begun = self._http.next_event()
            if not isinstance(begun, h11.Request):
                raise unreadable("the request line is missing")
            self._method = begun.method
            fields = fields_of(begun)
            target = begun.target.decode("ascii")
            method = begun.method.decode("ascii")
            stream = None
            if _STREAMED.fullmatch(f"{method} {_path(target)}"):
                stream, body = Body(self._http, self._connection, self._bounds), b""
            else:
                if int(fields.get("content-length", "0")) > self._bounds.body_bytes:
                    raise too_large(self._bounds.body_bytes)
                body = read_whole(
                    self._http, self._connection, self._bounds, self._next_piece
                )
        except h11.ProtocolError as mistake:
            raise unreadable(str(mistake)) from mistake
        request = self._request(method, target, fields, body, stream)
        return request, "upgrade" in fields

    def _receive_usual(self, head: usual.Head, rest: bytes) -> Request:
        """Read the body behind a head that says how long it is."""
        check_sender(head.fields)
        if head.length > self._bounds.body_bytes:
            raise too_large(self._bounds.body_bytes)
        deadline = time.monotonic() + self._bounds.body_s
        while len(rest) < head.length:
            rest += self._next_piece(deadline)
        body, self._begun = rest[: head.length], rest[head.length :]
        self._is_usual = True
        return self._request(head.method, head.target, head.fields, body)

    def _request(
        self, method: str, target: str, fields: Mapping[str, str], body: bytes,
        stream: Body | None = None,
    ) -> Request:  # fmt: skip
        pairs = query_of(target.partition("?")[2])
        return Request(
            method, _path(target), {name: values[0] for name, values in pairs.items()},
            fields, body, self._peer, stream=stream, repeated=pairs,
        )  # fmt: skip

    def _receive_head(self) -> bytes:
        """Read up to the empty line, and whatever came behind it."""
        head, self._begun = self._begun, b""
        deadline = time.monotonic() + self._bounds.header_s if head else None
        while True:
            end = head.find(b"\r\n\r\n")
            check_lines(head[: end + 2] if end >= 0 else head)
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

    def _next_piece(self, deadline: float, *, is_idle: bool = False) -> bytes:
        """Wait for bytes until `deadline` (monotonic seconds)."""
        try:
            self._connection.settimeout(max(deadline - time.monotonic(), 1e-6))
            piece = self._connection.recv(PIECE_BYTES)
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
        if self._is_usual and not is_last:
            return self._send_usual(response)
        headers = [*response.headers, ("Date", formatdate(usegmt=True))]
        body = response.body
        if isinstance(body, bytes) and response.status not in (204, 304):
            headers.append(("Content-Length", str(len(body))))
        if is_last:
            headers.append(("Connection", "close"))
        try:
            reason = HTTPStatus(response.status).phrase.encode()
            head = h11.Response(status_code=response.status, reason=reason, headers=headers)
            if isinstance(body, bytes):
                self._send_bytes(head, body)
            else:
                self._put(head)
                self._send_stream(body, lambda data: self._spelt(h11.Data(data=data)))
                self._put(h11.EndOfMessage())
        finally:
            if not isinstance(body, bytes):
                body.close()
        done = (self._http.our_state, self._http.their_state) == (h11.DONE, h11.DONE)
        return done and not is_last

    def _send_usual(self, response: Response) -> bool:
        """Send an answer to a request that h11 has not seen."""
        body = response.body
        try:
            self._connection.sendall(usual.answer(response))
            if not isinstance(body, bytes):
                self._send_stream(body, usual.chunk)
                self._connection.sendall(usual.LAST_CHUNK)
        finally:
            if not isinstance(body, bytes):
                body.close()
        return True

    def _send_bytes(self, head: h11.Response, body: bytes) -> None:
        """Send a whole answer in one piece, for a client wakes up at each."""
        parts: list[h11.Event] = [head]
        if body and self._method != b"HEAD":
            parts.append(h11.Data(data=body))
        parts.append(h11.EndOfMessage())
        self._connection.sendall(b"".join(map(self._spelt, parts)))

    def _send_stream(self, body: Stream, spell: Callable[[bytes], bytes]) -> None:
        """Send pieces as they come, however slowly the client reads them."""
        self._connection.settimeout(None)
        cancel = body.cancel if isinstance(body, Cancellable) else None
        with self._hangups.watching(self._connection, body.close, cancel):
            for piece in body:
                if data := spell(piece):
                    self._connection.sendall(data)

    def _hand_over(self, response: Response, is_upgrade: bool) -> None:
        """Let both sides speak freely.  Without an upgrade, raw bytes follow a 200.

        A refusal hands over, too: its words follow as they are, and then the end.
        """
        head = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        if is_upgrade and response.status == 200:
            head = ["HTTP/1.1 101 UPGRADED", "Connection: Upgrade", "Upgrade: tcp"]
        head += [f"{name}: {value}" for name, value in response.headers]
        self._connection.settimeout(None)
        spoken = self._begun if self._is_usual else self._http.trailing_data[0]
        wire = Wire(self._connection, spoken)
        wire.send_head("\r\n".join([*head, "", ""]).encode("ascii"))
        try:
            if response.upgrade:
                response.upgrade(wire)
        finally:
            wire.finish()

    def _put(self, event: h11.Event) -> None:
        if data := self._spelt(event):
            self._connection.sendall(data)

    def _spelt(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""


def _path(target: str) -> str:
    """Give the path, also of a target that repeats the host (RFC 9112, section 3.2.2)."""
    path = target.partition("?")[0]
    if not path.startswith("/"):
        path = re.sub(r"\Ahttps?://[^/]*", "", path) or "/"
    return unquote(path)
