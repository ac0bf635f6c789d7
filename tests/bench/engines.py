"""Two engines behind two sockets, asked in the same words: dockerd and ours.

Ours is a process of its own here, started as any client would start it; whatever is sent
to one is sent to the other, byte for byte.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.compat.wired import OWN_HOST
from tests.rawapi import UnixConnection
from tests.reference import Reference, running_reference, wait_until

IMAGE = "busybox:latest"
EXPECTED = b"hi\n"
_ACCEPTED = (200, 201, 204)
_QUIET_S = 0.02  # without work, for the last of the kernel's


@dataclass(frozen=True, slots=True)
class Engine:
    """One of the two; `pid` is its daemon's."""

    name: str
    socket: Path
    pid: int

    @contextmanager
    def line(self) -> Iterator["Line"]:
        """Give one connection, kept open from request to request."""
        line = Line(UnixConnection(self.socket))
        try:
            yield line
        finally:
            line.connection.close()

    def rss_mib(self) -> float:
        """Give what the daemon holds in memory; see VmRSS in man 5 proc_pid_status."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if "VmRSS:" in line) / 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A connection on which one question follows the other."""

    connection: UnixConnection

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask, and give the JSON of the answer or its bytes.  Raises AssertionError."""
        text = None if body is None else json.dumps(body)
        headers = {"Host": "docker", "Content-Type": "application/json"}
        self.connection.request(method, f"/v1.45{path}", text, headers)
        answer = self.connection.getresponse()
        said = answer.read()
        assert answer.status in _ACCEPTED, (path, answer.status, said)
        is_json = answer.getheader("Content-Type", "").startswith("application/json")
        return json.loads(said) if is_json and said else said

    def create(
        self, *command: str, network: str = "none",
        ports: Mapping[str, object] | None = None,
    ) -> str:  # fmt: skip
        """Create a container, with loopback only unless it is said; its id.

        `ports` are those to publish, in the words of HostConfig.PortBindings.
        """
        config = {"NetworkMode": network, "PortBindings": ports or {}}
        wish = {"Image": IMAGE, "Cmd": command, "HostConfig": config,
                "ExposedPorts": {each: {} for each in ports or {}}}  # fmt: skip
        container: str = self.ask("POST", "/containers/create", wish)["Id"]
        return container


@contextmanager
def engines(place: Path, *, is_wired: bool = False) -> Iterator[tuple[Engine, Engine]]:
    """Start both, with their data in `place`: ours first.

    `is_wired`: ours has a network namespace for its host, as the reference always has, and
    both have bridges and rules there.
    """
    (place / "docker").mkdir()
    with (
        running_reference(place / "docker", is_wired=is_wired) as reference,
        _ours(place, OWN_HOST if is_wired else ()) as ours,
    ):
        yield ours, _docker(reference)


def _docker(reference: Reference) -> Engine:
    return Engine("dockerd", reference.socket, reference.pid)


@contextmanager
def _ours(place: Path, before: Sequence[str]) -> Iterator[Engine]:
    host = place / "minidock.sock"
    daemon = subprocess.Popen(
        [*before, sys.executable, "-I", "-m", "pyminidock.api.daemon",
         "--root", str(place / "ours"), "--socket", str(host), "--log-level", "error"],
        stdin=subprocess.DEVNULL, cwd="/", env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    engine = Engine("ours", host, daemon.pid)
    try:
        wait_until(host.exists, 30, "our engine to listen")
        with engine.line() as line:
            line.ask("POST", "/minidock/bootstrap", {"name": "busybox"})
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(30)


def until_quiet() -> None:
    """Let what the last contender left to the kernel and to threads come to its end."""
    time.sleep(_QUIET_S)
