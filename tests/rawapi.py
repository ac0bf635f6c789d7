"""The API of an engine on the wire, ours or Docker's: a question, and all of its answer.

Whoever wants an answer piece by piece, or one connection for many questions, takes a
`UnixConnection` itself.
"""

import http.client
import json
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0  # for a connection, and for every piece of an answer


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        super().__init__("docker", timeout=patience_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the engine's socket in place of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> Any:
        """Read the body as JSON; what is none, or nothing, is given as text."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode("utf-8", "replace")


def ask(  # noqa: PLR0913  (where, what, how, and for how long)
    path: Path, method: str, target: str, body: object = None, *,
    headers: Mapping[str, str] | None = None, patience_s: float = PATIENCE_S,
) -> Answer:  # fmt: skip
    """Ask whoever listens at `path`; a refusal is an answer.  Raises OSError.

    A body of bytes is an archive, any other is sent as JSON; `headers` say it otherwise.
    """
    kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
    sent = body if isinstance(body, bytes) or body is None else json.dumps(body)
    fields = {"Content-Type": kind} if headers is None else dict(headers)
    with closing(UnixConnection(path, patience_s)) as line:
        line.request(method, target, sent, fields)
        answer = line.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
