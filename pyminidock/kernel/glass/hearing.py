"""The engine's end: starts the union of a container, and hears what it tells.

Source: man 7 unix; kernel.glass.telling has the words.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pyminidock.kernel.glass import mounting

LINE = "glass.sock"
_PATIENCE_S = 30.0
_MOMENT_S = 0.02


def start(
    lower: Sequence[str], upper: str, work: str, flags: tuple[str, ...], directory: str
) -> int:
    """Start a server for these layers; give a handle on the filesystem, mounted nowhere.

    It is heard at a socket in `directory`.  Raises OSError.
    """
    device = mounting.open_device()
    line = listen(directory)
    order = {
        "lower": list(lower), "upper": upper, "work": work, "device": device,
        "line": line.fileno(), "names": ["upper"] * bool(upper) + [*map(layer_name, lower)],
    }  # fmt: skip
    try:
        # Before the server reads: from a device that nothing is mounted with it may not.
        mount = mounting.prepare(device, "glass", flags)
        try:
            _run(order, device, line.fileno())
        except BaseException:
            os.close(mount)
            raise
        return mount
    finally:
        os.close(device)
        line.close()


def _run(order: dict[str, object], *handles: int) -> None:
    """Start the server, which goes its own way when it is ready.  Raises OSError."""
    server = [sys.executable, "-I", "-X", "utf8", "-m", "pyminidock.kernel.glass.container"]
    ended = subprocess.run(  # noqa: S603  (this interpreter, our own module)
        server, input=json.dumps(order), text=True, check=False,
        pass_fds=handles, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    if ended.returncode:
        number = ended.returncode if ended.returncode > 0 else 5
        raise OSError(number, os.strerror(number))


def listen(directory: str, name: str = LINE) -> socket.socket:
    """Open a socket that listens in a directory, in place of one that was left there."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    at = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=at)
        line.bind(f"/proc/self/fd/{at}/{name}")  # names of sockets are short
        line.listen(1)
    finally:
        os.close(at)
    return line


def layer_name(layer: str) -> str:
    """Name a layer: the directory that holds its `diff`, or itself."""
    above, last = os.path.split(layer)
    return os.path.basename(above)[:12] if last == "diff" else last


class Hearing:
    """A connection to the union of one container."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._rest = connection, b""
        self.is_over = False

    def hear(self, timeout_s: float) -> list[dict[str, Any]]:
        """Give what has been told meanwhile; nothing, if that took too long."""
        if not select.select([self._connection], [], [], timeout_s)[0]:
            return []
        try:
            got = self._connection.recv(1 << 16)
        except OSError:
            got = b""
        self.is_over = not got
        *lines, self._rest = (self._rest + got).split(b"\n")
        return [json.loads(line) for line in lines if line]

    def say(self, word: str) -> None:
        """Say hold, flow, or go and a number; to one that is gone it means nothing."""
        with suppress(OSError):
            self._connection.sendall(f"{word}\n".encode())

    def close(self) -> None:
        """Hear no more: whoever is held goes on."""
        self._connection.close()


def connect(directory: str, patience_s: float = _PATIENCE_S) -> Hearing | None:
    """Find the union of a container, once it is there; None if it does not come."""
    return connect_to(directory, LINE, patience_s)


def connect_to(directory: str, name: str, patience_s: float) -> Hearing | None:
    """Connect to a socket in a directory; None if nobody listens there in time."""
    end = time.monotonic() + patience_s
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            at = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                connection.connect(f"/proc/self/fd/{at}/{name}")
            finally:
                os.close(at)
            return Hearing(connection)
        except OSError:
            connection.close()
        if time.monotonic() >= end:
            return None
        time.sleep(_MOMENT_S)
