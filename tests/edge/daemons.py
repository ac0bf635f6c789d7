"""A daemon of our own to shoot at: its process, its socket, its log, what it holds."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.minidock_cli import tmpfs
from tests.rawapi import ask
from tests.reference import wait_until

PATIENCE_S = 60.0  # far above what anything here takes


@dataclass(frozen=True, slots=True)
class Daemon:
    """One engine, started by hand."""

    root: Path
    socket: Path
    log: Path
    pid: int

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Ask; give the status and the document, or the text."""
        told = ask(self.socket, method, path, body)
        return told.status, told.document()

    def threads(self) -> int:
        """Count its threads."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def descriptors(self) -> int:
        """Count its open descriptors, but for the database: as many as once read."""
        held = []
        for link in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                held.append(link.readlink())
        return sum(not each.name.startswith("state.db") for each in held)

    def memory_bytes(self) -> int:
        """Tell its resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        (line,) = (line for line in lines if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def clear(self) -> None:
        """Remove every container."""
        _, found = self.ask("GET", "/containers/json?all=1")
        for each in found:
            self.ask("DELETE", f"/containers/{each['Id']}?force=1")


@contextmanager
def daemon(
    *, before: Sequence[str] = (), backend: str = "linux-root", options: Sequence[str] = ()
) -> Iterator[Daemon]:
    """Start one, with words `before` its own; at the end nothing of it may be left."""
    with tmpfs("minidock-fire-") as place:
        root, socket, log = place / "root", place / "s.sock", place / "daemon.log"
        words = ["--root", str(root), "--socket", str(socket), "--backend", backend]
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*before, sys.executable, "-m", "pyminidock.api.daemon", *words, *options],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=os.environ,
            )  # fmt: skip
        made = Daemon(root, socket, log, process.pid)
        try:
            wait_until(lambda: _is_up(made, process), PATIENCE_S, "the engine to answer")
            yield made
            made.clear()
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
        assert not socket.exists(), "a clean stop removes the socket"


def _is_up(made: Daemon, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, made.log.read_text()
    try:
        return made.ask("GET", "/_ping") == (200, "OK")
    except OSError:
        return False
