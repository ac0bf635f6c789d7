"""Both engines with networks: each on a host of its own, which is a network namespace.

    for side in wired:            first the reference, then ours
        side.docker("run", "-d", "-p", "8080:80", "twin", …)
        side.host("busybox", "wget", "-qO-", "http://127.0.0.1:8080")

Ours publishes at every address, as Docker does; both have the image `twin`.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compat.sides import IMAGE, Side
from tests.edge.daemons import daemon
from tests.reference import busybox_tar, running_reference

OWN_HOST = ("unshare", "--net", "sh", "-c", 'busybox ip link set lo up; exec "$@"', "sh")


@dataclass(frozen=True, slots=True)
class Wired(Side):
    """One engine, and the process by which its host can be entered."""

    pid: int = 0

    def host(
        self, *words: str, input: bytes = b"", timeout_s: float = 30.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run something on the engine's host."""
        return subprocess.run(
            ["nsenter", "--net", f"--target={self.pid}", *words],
            input=input, capture_output=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    def begin(self, *words: str) -> "subprocess.Popen[bytes]":
        """Begin something on the engine's host; the caller ends it."""
        return subprocess.Popen(
            ["nsenter", "--net", f"--target={self.pid}", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def clear(self) -> None:
        """Remove every container."""
        names = self.docker("ps", "-aq").stdout.decode().split()
        self.remove(*names)


Pair = tuple[Wired, Wired]


@contextmanager
def both_wired(scratch: Path, *, options: Sequence[str] = ()) -> Iterator[Pair]:
    """Start both, give them the common image, end both."""
    given = ("--publish-on", "0.0.0.0", *options)  # noqa: S104
    with (
        running_reference(is_wired=True) as reference,
        daemon(before=OWN_HOST, options=given) as ours,
    ):
        made = (
            Wired("docker", reference.socket, reference.pid),
            Wired("ours", ours.socket, ours.pid),
        )
        tree = busybox_tar(scratch / "twin.tar")
        for side in made:
            done = side.docker("import", "--change", 'CMD ["sh"]', str(tree), IMAGE)
            assert done.returncode == 0, done.stderr
        yield made
        for side in made:
            side.clear()


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both engines with networks."""
    assert os.geteuid() == 0
    with both_wired(tmp_path_factory.mktemp("wired")) as made:
        yield made
