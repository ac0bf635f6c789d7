"""What is asked and what comes back, whichever way it travels.

Two ways exist: `http` speaks over the engine's socket, `inprocess` calls the router in the
same process.  Both pass the same tests, so nobody above can tell them apart.
"""

import json
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyminidock.errors import MinidockError


@dataclass(frozen=True, slots=True)
class Question:
    """One request; `body` becomes JSON, None is no body at all.

    A field of the query with several values is sent once for each.
    `stream` is a body of another kind that comes piece by piece, with its content type.
    """

    method: str
    path: str
    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    body: object = None
    stream: Iterable[bytes] | None = None
    content_type: str = "application/x-tar"

    def content(self) -> bytes:
        """Write the body as bytes."""
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, whole.  Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)


class Live(Protocol):
    """An answer that comes bit by bit; `close` may be called from any thread."""

    def __iter__(self) -> Iterator[bytes]:
        """Wait for each piece."""

    def close(self) -> None:
        """Stop listening; the engine notices."""


class Transport(Protocol):
    """A way to an engine.  Every method raises Refused for a status of 400 and above."""

    def ask(self, question: Question) -> Reply:
        """Ask, and wait for the whole answer; the one that never raises Refused."""

    def listen(self, question: Question) -> Live:
        """Ask for an answer that comes bit by bit."""

    def read(self, question: Question) -> tuple[Live, Mapping[str, str]]:
        """Ask for an answer that comes bit by bit; give its header, too."""

    def talk(self, question: Question) -> tuple[socket.socket, str]:
        """Ask for the connection itself; give it and its content type."""


class Refused(MinidockError):
    """The engine said no; `status` is its HTTP status, `what` Docker's sentence."""

    def __init__(self, what: str, *, status: int, **said: str) -> None:
        super().__init__(
            what, why=said["why"], try_next=said["try_next"], lesson=said["lesson"]
        )
        self.status = status


class ConnectionLost(MinidockError):
    """The engine ended, or broke off in the middle of an answer."""

    status = 503


def lost(what: str) -> ConnectionLost:
    """Say that the engine is gone."""
    return ConnectionLost(
        what,
        why="the engine ended in the middle of an answer",
        try_next="ask again: the next command starts an engine, and containers go on",
    )


def refusal(reply: Reply) -> Refused:
    """Read why the engine said no; a stranger's answer may lack our words."""
    try:
        told = reply.json()
    except ValueError:
        told = None
    said = (
        told if isinstance(told, dict) else {"message": reply.body.decode(errors="replace")}
    )
    words = {name: str(said.get(name, "")) for name in ("why", "try_next", "lesson")}
    return Refused(str(said.get("message", reply.status)), status=reply.status, **words)


def lines(live: Live) -> Iterator[bytes]:
    """Cut a live answer into its lines, without their ends."""
    rest = b""
    for piece in live:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest
