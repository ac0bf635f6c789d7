"""The stock `docker build`, speaking to a daemon that only keeps what it is told."""

import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.reference import program


class _Listener(socketserver.ThreadingUnixStreamServer):
    """Takes connections on a socket; `uploads` are the bodies of POST /build."""

    daemon_threads = True

    def __init__(self, socket: Path) -> None:
        super().__init__(str(socket), _Answer)
        self.uploads: list[bytes] = []
        self.queries: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell what went wrong, unless the command line hung up: it may, once it knows."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        self._say(b"OK")

    def do_HEAD(self) -> None:
        self._say(b"")

    def do_POST(self) -> None:
        self.server.queries.append(self.path)
        self.server.uploads.append(b"".join(self._chunks()))
        self._say(b'{"stream":"ok"}\n')

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _say(self, body: bytes) -> None:
        self.send_response(200)
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


class StockClient:
    """Runs `docker build` and tells what it uploaded, or what it said instead."""

    def __init__(self, listener: _Listener, home: Path) -> None:
        self._listener, self._home = listener, home

    def build(self, *words: str, cwd: Path, input: bytes | None = None) -> bytes | str:
        """The uploaded archive; where there was none, the last line of stderr."""
        self._listener.uploads.clear()
        done = subprocess.run(
            [program("docker"), "build", *words],
            cwd=cwd,
            input=input or b"",
            capture_output=True,
            timeout=60,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._home),
                "DOCKER_HOST": f"unix://{self._listener.server_address!s}",
                "DOCKER_CONFIG": str(self._home),
                "DOCKER_BUILDKIT": "0",
            },
        )
        if self._listener.uploads:
            return self._listener.uploads[-1]
        return done.stderr.decode().strip().splitlines()[-1]


@contextmanager
def stock_client(home: Path) -> Iterator[StockClient]:
    """A command line and its listener, with a socket below `home`."""
    with _Listener(home / "daemon.sock") as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield StockClient(listener, home)
        finally:
            listener.shutdown()
            thread.join()
