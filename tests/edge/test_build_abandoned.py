"""A client that goes away in the middle of a build: the build ends, and nothing stays."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.builder import Context, packed
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.edge


def begun(engine: Minidock, body: bytes, length: int) -> socket.socket:
    """Ask for a build and send `body`, which may be less than the `length` promised."""
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(30)
    line.connect(str(engine.host))
    head = (
        "POST /v1.45/build?t=abandoned HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/x-tar\r\nContent-Length: {length}\r\n\r\n"
    )
    line.sendall(head.encode() + body)
    return line


def hear(line: socket.socket, words: str) -> str:
    """Read the answer until it has `words` in it; give all that was read."""
    heard = ""
    while words not in heard:
        piece = line.recv(1 << 16)
        assert piece, heard
        heard += piece.decode()
    return heard


@pytest.fixture
def remains(minidock: Minidock) -> Iterator[Callable[[], list[str]]]:
    """Name what a build leaves while it goes on; and at the end there is none of it."""
    root = minidock.root
    places = ("layers/tmp-*", "oci/blobs/sha256/tmp-*", "containers/*")

    def look() -> list[str]:
        found = [str(path) for place in places for path in root.glob(place)]
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return found + [line for line in mounts if f"{root}/" in line]

    assert look() == []
    yield look
    wait_until(lambda: not look(), 20, "the last trace of the build to go")
    assert minidock.run("images", "-q", "abandoned").stdout == ""
    assert minidock.run("ps", "--all", "--quiet").stdout == ""


SLOW: Context = {
    "Dockerfile": "FROM busybox\nENV BEFORE=1\nRUN echo $$ is here; sleep 1000\n",
    "large": b"x" * 300_000,
}


def test_a_program_that_runs_is_killed_and_what_was_done_stays(
    minidock: Minidock, remains: Callable[[], list[str]]
) -> None:
    archive = packed(SLOW)
    with closing(begun(minidock, archive, len(archive))) as line:
        hear(line, "1 is here")
        assert remains() != []
    wait_until(lambda: not remains(), 20, "the build to be undone")
    text = "FROM busybox\nENV BEFORE=1\n"
    again = minidock.run("build", "-", input=text)
    assert " ---> Using cache\n" in again.stdout


@pytest.mark.parametrize("sent", [0, 1, 700, 100_000])
def test_a_context_that_breaks_off_is_thrown_away(
    minidock: Minidock, remains: Callable[[], list[str]], sent: int
) -> None:
    archive = packed(SLOW)
    begun(minidock, archive[:sent], len(archive)).close()
    wait_until(lambda: not remains(), 20, "the context to be thrown away")
    assert minidock.run("build", "-q", "-", input="FROM busybox\nENV A=1\n").returncode == 0


def test_a_client_that_only_stops_sending_still_gets_its_image(
    minidock: Minidock, remains: Callable[[], list[str]]
) -> None:
    archive = packed({"Dockerfile": "FROM busybox\nRUN echo on\nENV LAST=1\n"})
    with closing(begun(minidock, archive, len(archive))) as line:
        line.shutdown(socket.SHUT_WR)
        heard = hear(line, "Successfully built")
        hear(line, "Successfully tagged") if "tagged" not in heard else None
    assert minidock.run("rmi", "abandoned").returncode == 0


def test_the_story_says_who_went_away(
    minidock: Minidock, remains: Callable[[], list[str]]
) -> None:
    archive = packed(SLOW)
    with closing(begun(minidock, archive, len(archive))) as line:
        heard = hear(line, "1 is here")
    story = next(row for row in heard.splitlines() if row.startswith("Minidock-Story"))
    wait_until(lambda: not remains(), 20, "the build to be undone")
    name = story.partition(": ")[2].strip()
    shown = minidock.run("trace", "show", "--json", name).stdout
    rows = [json.loads(row) for row in shown.splitlines()]
    kinds = [row["kind"] for row in rows if "kind" in row]
    assert "build.failed" in kinds
    assert "image.built" not in kinds
