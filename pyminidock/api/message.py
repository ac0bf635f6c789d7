"""What goes into the router and what comes out: one request, one response.

Both are plain values, so that the same router serves a Unix socket, a notebook and a
browser.  An answer has one of three bodies:

    bytes      known at once
    Stream     comes bit by bit, for as long as the client listens
    upgrade    the connection itself: both sides speak freely from here on
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable

from pyminidock.api.streams import Wire

_NO = ("", "0", "no", "false", "none")  # moby, api/server/httputils/form.go: BoolValue


class ClientGone(ConnectionResetError):
    """The client left in the middle of what it was sending: nobody waits for an answer."""


class Reader(Protocol):
    """A body that is read bit by bit, for it may be larger than our memory."""

    def read(self, limit: int, /) -> bytes:
        """Give 1 to `limit` bytes, or none at the end."""


@runtime_checkable
class Cancellable(Protocol):
    """A stream that has a last word for a client that will say no more itself."""

    def cancel(self) -> None:
        """Say it, and end; from any thread."""


class Stream(Protocol):
    """A body that comes bit by bit.

    `close` may be called from any thread and more than once; a `__next__` that waits in
    another thread then ends.  A generator cannot promise that.
    """

    def __iter__(self) -> Self:
        """Give itself."""

    def __next__(self) -> bytes:
        """Wait for the next bytes."""

    def close(self) -> None:
        """Say that nobody listens any more."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asks, as the kernel tells: 0 and 0 for the process itself."""

    uid: int = 0
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One question.  Header names are lower case; of equal query fields the first counts.

    >>> Request("GET", "/containers/json", query={"all": "True"}).says("all")
    True
    """

    method: str
    path: str  # percent-decoded
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: Peer = Peer()
    version: tuple[int, ...] = ()  # of the API; the router takes it off the path
    stream: Reader | None = None  # the body, where it was not read beforehand
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def every(self, name: str) -> tuple[str, ...]:
        """Give every value of a query field that may come more than once.

        >>> Request("GET", "/images/get", query={"names": "a"}).every("names")
        ('a',)
        """
        first = self.query.get(name)
        return self.repeated.get(name, () if first is None else (first,))

    def reader(self) -> Reader:
        """Read the body bit by bit, however it came."""
        return self.stream or io.BytesIO(self.body)

    def says(self, name: str, default: str = "") -> bool:
        """Read a yes or no as Docker does: all but five words are yes."""
        return self.query.get(name, default).strip().lower() not in _NO


@dataclass(frozen=True, slots=True)
class Response:
    """One answer.

    If `upgrade` is set, the transport sends the headers and calls it once, even when the
    client has gone meanwhile; the connection is closed when it returns.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Stream = b""
    upgrade: Callable[[Wire], None] | None = None
