"""A connection that an engine gives away, seen from the client, byte for byte."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from tests.compat.sides import Side

UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}
PATIENCE_S = 60.0
_ID = re.compile(rb"[0-9a-f]{64}")


class Given(NamedTuple):
    """What came: the status line, the headers that count, and all that followed."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Line:
    """One connection, whose request was sent."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._seen = connection, b""

    def send(self, data: bytes) -> None:
        """Send bytes, however long the engine takes to read them."""
        self._connection.sendall(data)

    def end_input(self) -> None:
        """Close our half."""
        with suppress(OSError):  # the engine was faster
            self._connection.shutdown(socket.SHUT_WR)

    def head(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Read the status line and the headers that count."""
        while b"\r\n\r\n" not in self._seen:
            self._seen += self._piece()
        head, _, self._seen = self._seen.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        pairs = (tuple(line.split(": ", 1)) for line in lines)
        wanted = [
            (n, v) for n, v in pairs if n in ("Content-Type", "Connection", "Upgrade")
        ]
        return first, tuple(sorted(wanted))

    def await_bytes(self, wanted: bytes) -> bytes:
        """Read up to some bytes."""
        seen, looked = bytearray(self._seen), 0
        while (found := seen.find(wanted, looked)) < 0:
            looked = max(0, len(seen) - len(wanted))
            piece = self._piece()
            assert piece, (wanted, seen[-200:])
            seen += piece
        end = found + len(wanted)
        self._seen = bytes(seen[end:])
        return bytes(seen[:end])

    def rest(self) -> bytes:
        """Read to the end."""
        pieces = [self._seen]
        while piece := self._piece():
            pieces.append(piece)
        self._seen = b""
        return b"".join(pieces)

    def _piece(self) -> bytes:
        try:
            return self._connection.recv(1 << 20)
        except ConnectionResetError:
            return b""


@contextmanager
def line(  # noqa: PLR0913  (a request has so many parts)
    side: Side, path: str, body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] = UPGRADE, *, method: str = "POST", version: str = "v1.45",
) -> Iterator[Line]:  # fmt: skip
    """Ask for a connection and keep it for a while."""
    content = b"" if body is None else json.dumps(body).encode()
    fields = {"Host": "docker", **headers, "Content-Length": str(len(content))}
    fields |= {"Content-Type": "application/json"} if body is not None else {}
    head = [
        f"{method} /{version}{path} HTTP/1.1",
        *(f"{n}: {v}" for n, v in fields.items()),
    ]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(side.socket))
        connection.sendall("\r\n".join([*head, "", ""]).encode() + content)
        yield Line(connection)


def given(side: Side, path: str, body: Mapping[str, Any] | None = None, *,
          stdin: bytes | None = None, **more: Any) -> Given:  # fmt: skip
    """Ask, send all of `stdin` and its end, and take what comes up to the end."""
    with line(side, path, body, **more) as made:
        first, headers = made.head()
        typing = threading.Thread(target=_type, args=(made, stdin))
        typing.start()
        told = made.rest()
        typing.join(PATIENCE_S)
        return Given(first, headers, _ID.sub(b"ID", told))


def _type(made: Line, stdin: bytes | None) -> None:
    if stdin is None:
        return
    with suppress(OSError):
        made.send(stdin)
        made.end_input()


def equal(sides: tuple[Side, Side], ask: Callable[[Side], object]) -> Any:
    """Ask both engines; the answers must be equal, and one of them is given."""
    theirs, ours = (ask(side) for side in sides)
    assert ours == theirs, f"\n  ours   {ours!r}\n  Docker {theirs!r}"
    return ours


def unframed(data: bytes) -> dict[int, bytes]:
    """Put the frames of each stream together."""
    streams: dict[int, bytearray] = {}
    at = 0
    while at < len(data):
        number, length = data[at], int.from_bytes(data[at + 4 : at + 8], "big")
        streams.setdefault(number, bytearray()).extend(data[at + 8 : at + 8 + length])
        at += 8 + length
    return {number: bytes(told) for number, told in streams.items()}
