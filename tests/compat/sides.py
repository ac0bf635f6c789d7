"""The same question to both engines, raw and by the stock command line.

    for side in sides:            first the reference, then ours
        side.ask("GET", "/containers/web/archive?path=/etc")
        side.docker("cp", "web:/etc", ".")

    together(ask, sides)          both at once, where each has its own way to go

Both have the image `twin`: one tree, imported by the same command.
"""

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tests.minidock_cli import Minidock
from tests.rawapi import ask
from tests.reference import Reference, busybox_tar, program, wait_until

IMAGE = "twin"


class Told(NamedTuple):
    """One answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, less the fields that only our refusals have."""
        value = json.loads(self.body)
        if isinstance(value, dict):
            return {key: value[key] for key in value if key not in _OURS}
        return value

    @property
    def path_stat(self) -> Any:
        """What the header says of a path; None without the header."""
        text = self.headers.get("X-Docker-Container-Path-Stat")
        return json.loads(base64.b64decode(text)) if text else None


_OURS = ("what", "why", "try_next", "lesson")


@dataclass(frozen=True, slots=True)
class Side:
    """One engine by its socket."""

    name: str
    socket: Path

    def ask(
        self, method: str, path: str, body: bytes | Mapping[str, Any] | None = None,
        *, version: str = "v1.45", **headers: str,
    ) -> Told:  # fmt: skip
        """Ask the API; an error is an answer."""
        fields = {name.replace("_", "-"): text for name, text in headers.items()}
        if isinstance(body, Mapping):
            fields["Content-Type"] = "application/json"
        told = ask(self.socket, method, f"/{version}{path}", body, headers=fields)
        return Told(told.status, dict(told.headers), told.body)

    def docker(
        self, *words: str, input: bytes = b"", cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the stock command line."""
        return subprocess.run(
            [program("docker"), *words],
            input=input, capture_output=True, timeout=120, check=False, cwd=cwd,
            env={
                "PATH": os.environ["PATH"],
                "DOCKER_HOST": f"unix://{self.socket}",
                "DOCKER_CONFIG": "/nonexistent",
                "DOCKER_BUILDKIT": "0",
            },
        )  # fmt: skip

    def make(self, name: str, *, starts: bool = False, **config: Any) -> str:
        """Make a container of the common image, without a network; give its id."""
        host = {"NetworkMode": "none", **config.pop("HostConfig", {})}
        wish = {"Image": IMAGE, "Cmd": ["sleep", "1000"], **config, "HostConfig": host}
        made = self.ask("POST", f"/containers/create?name={name}", wish)
        assert made.status == 201, made
        if starts:
            started = self.ask("POST", f"/containers/{name}/start")
            assert started.status == 204, started
        return str(made.json["Id"])

    def inside(self, container: str, script: str) -> str:
        """Run a script in a container; give what it printed."""
        done = self.docker("exec", container, "sh", "-c", script)
        assert done.returncode == 0, (self.name, script, done.stderr)
        return done.stdout.decode()

    def hears(self, container: str) -> None:
        """Wait until the engine knows all that has happened to a container that runs.

        Docker hears of it from containerd, in order.  A pause of which it hears when it is
        over already passes for a new one, until it hears of the end of that, too.
        """
        self.inside(container, "true")  # the last that happens

        def is_heard() -> bool:
            return not self.ask("GET", f"/containers/{container}/json").json["ExecIDs"]

        wait_until(is_heard, 60, f"what happened to {container} to be heard of")

    def remove(self, *names: str) -> None:
        """Remove containers, whatever they do; absent ones are fine."""
        for name in names:
            self.ask("DELETE", f"/containers/{name}?force=1")


Sides = tuple[Side, Side]
_Engine = TypeVar("_Engine")
_Found = TypeVar("_Found")


def together(
    ask: Callable[[_Engine], _Found], sides: Iterable[_Engine]
) -> tuple[_Found, ...]:
    """Ask all at once, since each waits for its own engine; give the answers in order."""
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(ask, sides))


@contextmanager
def both(reference: Reference, minidock: Minidock) -> Iterator[Sides]:
    """Give both engines, with the common image; whoever brought it takes it away."""
    made = (Side("docker", reference.socket), Side("ours", minidock.host))
    without = [side for side in made if side.docker("image", "inspect", IMAGE).returncode]
    with tempfile.TemporaryDirectory() as scratch:
        tree = busybox_tar(Path(scratch, "twin.tar"))
        for side in without:
            done = side.docker("import", "--change", 'CMD ["sh"]', str(tree), IMAGE)
            assert done.returncode == 0, done.stderr
    yield made
    for side in without:
        side.docker("rmi", "--force", IMAGE)
