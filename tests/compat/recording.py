"""A daemon that keeps what it is told and refuses it: so we see what a client sends."""

import json
import os
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.reference import program


class Asked(NamedTuple):
    """One request: its verb, path without version, query, and body."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, socket: Path) -> None:
        super().__init__(str(socket), _Answer)
        self.asked: list[Asked] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client may hang up as soon as it knows."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        if self.path.endswith("/_ping"):
            self._say(200, b"OK")
        else:
            self._keep()

    def do_HEAD(self) -> None:
        self._say(200, b"")

    def do_POST(self) -> None:
        self._keep()

    do_DELETE = do_PUT = do_POST  # noqa: N815  (names of the standard library)

    def _keep(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = "/" + parts.path.split("/", 2)[2] if "/v1." in parts.path else parts.path
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = json.loads(data) if data.startswith(b"{") else None
        self.server.asked.append(Asked(self.command, path, query, body))
        self._say(500, b'{"message":"kept"}')

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Api-Version", "1.45")
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Recorder:
    """Runs a client against a listener, and tells what it asked and what it said."""

    def __init__(self, listener: _Listener, folder: Path) -> None:
        self._listener, self._folder = listener, folder

    @property
    def address(self) -> str:
        """Where the listener is."""
        return f"unix://{self._listener.server_address!s}"

    def docker(self, *words: str) -> tuple[list[Asked], str]:
        """Run the stock command line."""
        names = {"DOCKER_HOST": self.address, "DOCKER_CONFIG": str(self._folder)}
        return self.run([program("docker"), *words], names)

    def run(
        self, command: Sequence[str], variables: dict[str, str]
    ) -> tuple[list[Asked], str]:
        """Run a command; give what it asked, and what it said."""
        self._listener.asked.clear()
        done = subprocess.run(
            command, cwd=self._folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "B": "there"}
            | variables,
        )  # fmt: skip
        return list(self._listener.asked), done.stderr or done.stdout


@contextmanager
def recorder(folder: Path) -> Iterator[Recorder]:
    """A listener with its socket below `folder`."""
    with _Listener(folder / "daemon.sock") as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Recorder(listener, folder)
        finally:
            listener.shutdown()
            thread.join()
