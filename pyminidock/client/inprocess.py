"""The same engine without a socket: the router is called, not connected to.

For the simulated kernel, for a browser (where there are no sockets to listen on), and for
measuring without the wire.  Only a connection that is asked for (attach, exec) needs a
descriptor: a pair of sockets, one end for the client, one for the engine, in a thread.
"""

import socket
import threading
from collections.abc import Iterable, Iterator, Mapping

from pyminidock.api.failures import Answers, answered
from pyminidock.api.message import Request, Response
from pyminidock.api.routes import Router
from pyminidock.api.streams import Wire
from pyminidock.client import handles
from pyminidock.client.transport import Question, Reply, refusal
from pyminidock.engine.house import House


class RouterTransport:
    """A way to a router in this process."""

    def __init__(self, router: Answers) -> None:
        self._router = router

    def ask(self, question: Question) -> Reply:
        """See Transport."""
        return _whole(self._answer(question))

    def listen(self, question: Question) -> "_Listening":
        """See Transport."""
        return _Listening(self._accepted(question))

    def read(self, question: Question) -> "tuple[_Listening, Mapping[str, str]]":
        """See Transport."""
        response = self._accepted(question)
        headers = {name.lower(): value for name, value in response.headers}
        return _Listening(response), headers

    def talk(self, question: Question) -> tuple[socket.socket, str]:
        """See Transport."""
        response = self._accepted(question, upgrade="tcp")
        ours, theirs = socket.socketpair()
        threading.Thread(target=_converse, args=(response, theirs), daemon=True).start()
        return ours, dict(response.headers).get("Content-Type", "")

    def _answer(self, question: Question, **offered: str) -> Response:
        body = question.content()
        headers = {"content-type": "application/json"} if body else {}
        stream = None
        if question.stream is not None:
            headers = {"content-type": question.content_type}
            stream = _Pieces(question.stream)
        repeated = {
            name: (value,) if isinstance(value, str) else tuple(value)
            for name, value in question.query.items()
        }
        request = Request(
            question.method, question.path,
            {name: values[0] for name, values in repeated.items() if values},
            headers | offered, body,
            stream=stream, repeated=repeated,
        )  # fmt: skip
        return answered(self._router.handle, request)

    def _accepted(self, question: Question, **offered: str) -> Response:
        response = self._answer(question, **offered)
        if response.status >= 400:
            raise refusal(_whole(response))
        return response


class Client(handles.Client):
    """A client of a house in this process."""

    def __init__(self, house: House) -> None:
        super().__init__(RouterTransport(Router(house)))


class _Pieces:
    """A body as a reader, from the pieces in which a client gives it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._rest = iter(pieces), b""

    def read(self, limit: int, /) -> bytes:
        """See Reader."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        given, self._rest = self._rest[:limit], self._rest[limit:]
        return given


class _Listening:
    """An answer that comes bit by bit, or one that was there at once."""

    def __init__(self, response: Response) -> None:
        self._body = response.body

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._body,) if isinstance(self._body, bytes) else self._body)

    def close(self) -> None:
        """See Live."""
        if not isinstance(self._body, bytes):
            self._body.close()


def _whole(response: Response) -> Reply:
    """Wait for all of an answer."""
    headers = {name.lower(): value for name, value in response.headers}
    listening = _Listening(response)
    try:
        return Reply(response.status, headers, b"".join(listening))
    finally:
        listening.close()


def _converse(response: Response, theirs: socket.socket) -> None:
    """Be the engine's side of a connection."""
    with theirs:
        if response.upgrade:
            wire = Wire(theirs)
            response.upgrade(wire)
            wire.finish()
