"""The way to an engine over its Unix socket: one connection for each question.

A connection to a Unix socket costs some fifty microseconds, so none is kept.  When the
connection itself is asked for (attach, exec), the header of the answer is taken from the
socket to the byte: what follows belongs to the program and stays in the socket, where
`select` can see it.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import h11

from pyminidock.client.transport import Question, Reply, lost, refusal

_PIECE_BYTES = 65536
_UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "tcp")]


class SocketTransport:
    """A way to the engine that listens at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ask(self, question: Question) -> Reply:
        """See Transport.  Raises ConnectionLost, and OSError if nobody listens."""
        exchange = _Exchange(self.path, question)
        try:
            reply = exchange.begin()
            return Reply(reply.status, reply.headers, b"".join(exchange))
        finally:
            exchange.close()

    def listen(self, question: Question) -> "_Exchange":
        """See Transport.  Raises as `ask`, and Refused."""
        exchange = _Exchange(self.path, question)
        exchange.accept()
        return exchange

    def read(self, question: Question) -> "tuple[_Exchange, Mapping[str, str]]":
        """See Transport.  Raises as `ask`, and Refused."""
        exchange = _Exchange(self.path, question)
        return exchange, exchange.accept().headers

    def talk(self, question: Question) -> tuple[socket.socket, str]:
        """See Transport.  Raises as `ask`, and Refused."""
        exchange = _Exchange(self.path, question, is_upgrade=True)
        reply = exchange.accept()
        return exchange.connection, reply.headers.get("content-type", "")


class _Exchange:
    """One question on its own connection, and its answer as it comes."""

    def __init__(self, path: Path, question: Question, *, is_upgrade: bool = False) -> None:
        self._http = h11.Connection(h11.CLIENT)
        self._is_closed = False
        self.connection = connect(path)
        target = quote(question.path, safe="/:")
        if question.query:
            target += "?" + urlencode(question.query, doseq=True)
        body = question.content()
        length = [("Content-Length", str(len(body)))]
        if question.stream is not None:
            length = [("Transfer-Encoding", "chunked")]
            length += [("Content-Type", question.content_type)]
        headers = [("Host", "localhost"), *length]
        headers += _UPGRADE if is_upgrade else [("Connection", "close")]
        if body:
            headers.append(("Content-Type", "application/json"))
        head = h11.Request(method=question.method, target=target, headers=headers)
        message = [head, h11.Data(data=body)]
        # An engine that is full answers before it has read: read what it says.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._send(*message[: 1 if question.stream is not None else 2])
            for piece in question.stream or ():
                self._send(h11.Data(data=piece))
            self._send(h11.EndOfMessage())

    def _send(self, *events: h11.Event) -> None:
        self.connection.sendall(b"".join(self._http.send(each) or b"" for each in events))

    def begin(self) -> Reply:
        """Wait for the header of the answer, and take no byte behind it."""
        head = _receive_head(self.connection)
        if not head:
            raise lost("the engine broke off before it answered")
        self._http.receive_data(head)
        try:
            event = self._http.next_event()
        except h11.RemoteProtocolError as mistake:
            raise lost(f"what answers at the socket is no engine: {mistake}") from mistake
        if not isinstance(event, h11.Response | h11.InformationalResponse):
            raise lost("the engine broke off before it answered")
        headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
        return Reply(event.status_code, headers)

    def accept(self) -> Reply:
        """Wait for the header of the answer; raise Refused if it says no."""
        try:
            reply = self.begin()
            if reply.status >= 400:
                raise refusal(Reply(reply.status, reply.headers, b"".join(self)))
        except BaseException:
            self.close()
            raise
        return reply

    def __iter__(self) -> Iterator[bytes]:
        """Give the pieces of the body as they come; close at its end."""
        while True:
            try:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    self._http.receive_data(self.connection.recv(_PIECE_BYTES))
                elif isinstance(event, h11.Data):
                    yield bytes(event.data)
                else:
                    break
            except (h11.RemoteProtocolError, OSError) as mistake:
                if self._is_closed:
                    break  # by us, in another thread
                self.close()
                raise lost("the engine broke off in the middle of an answer") from mistake
        self.close()

    def close(self) -> None:
        """See Live."""
        self._is_closed = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in recv
        self.connection.close()


def connect(path: Path) -> socket.socket:
    """Connect to a Unix socket at a path of any length.  Raises OSError.

    An address has 108 bytes (man 7 unix); a handle on the socket makes do with few.
    """
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(f"/proc/self/fd/{handle}")
    except OSError:
        connection.close()
        raise
    finally:
        os.close(handle)
    return connection


def _receive_head(connection: socket.socket) -> bytes:
    """Take the header of an answer, up to its empty line; less if the engine ended."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        try:
            seen = connection.recv(_PIECE_BYTES, socket.MSG_PEEK)
        except ConnectionResetError:
            break
        if not seen:
            break
        end = (head + seen).find(b"\r\n\r\n")
        taken = len(seen) if end < 0 else end + 4 - len(head)
        head += connection.recv(taken)
    return head
