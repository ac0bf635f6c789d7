"""Whatever is asked, in whatever order, is answered by one well-formed response."""

import json
import random
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import h11
import pytest

from pyminidock.api.routes import ROUTES, Router
from pyminidock.api.server import serve
from tests.api.studio import WAIT_S, Studio, studio, until

WORDS = [
    "web",
    "web",
    "nope",
    "run-x",
    "",
    "..",
    "%2e%2e",
    "%00",
    "a" * 300,
    "ü",
    "last",
    "step",
]
VALUES = [
    None,
    True,
    0,
    -1,
    2**63,
    1e300,
    "",
    "busybox",
    "\0",
    [],
    ["sh"],
    [1],
    {},
    {"a": 1},
]
FIELDS = [
    "Image", "Cmd", "Entrypoint", "Env", "User", "Tty", "OpenStdin", "HostConfig", "Detach",
    "AttachStdin", "story", "pattern", "with", "without", "Hostname", "WorkingDir",
]  # fmt: skip

QUERIES = [
    "all", "force", "limit", "h", "w", "signal", "since", "until", "name", "filters",
    "type", "t", "stdout", "stderr", "tail", "follow", "stream", "one-shot", "path",
    "condition", "ps_args", "container", "repo", "comment", "changes", "detachKeys",
    "logs", "stdin",
]  # fmt: skip
TEXTS = [
    "1", "0", "web", "-1", "1.5", "%7B%7D", "%7B%22name%22%3A%5B%22web%22%5D%7D",
    "%7B%22event%22%3A1%7D", "/etc", "removed", "KILL", "99999999999999999999", "CMD%20x",
    "ctrl-p,ctrl-q", "-ef", "%ff", "1e9",
]  # fmt: skip
LIFE = [row for row in ROUTES if row[1].startswith(("/containers/{", "/exec"))]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Studio]:
    made = studio(tmp_path / "root")
    yield made
    made.house.close()


def body_of(rng: random.Random) -> bytes:
    """A body that may be JSON, and may fit."""
    if rng.random() < 0.2:
        return rng.choice([b"", b"{", b"[]", b"null", b'{"a":1,"a":2}', b"\xff", b"NaN"])
    fields: dict[str, object] = {"Image": "busybox"} if rng.random() < 0.5 else {}
    for name in rng.sample(FIELDS, rng.choice([0, 0, 1, 3])):
        fields[name] = rng.choice(VALUES)
    host = {"Memory": rng.choice(VALUES), "CapAdd": rng.choice(VALUES)}
    return json.dumps(
        fields | ({"HostConfig": host} if rng.random() < 0.3 else {})
    ).encode()


def request_of(rng: random.Random) -> tuple[str, bytes]:
    """A request that is well-formed HTTP and otherwise anything; and its method."""
    method, path, _ = rng.choice(ROUTES)
    if rng.random() < 0.3:
        method, path, _ = rng.choice(LIFE)
    if rng.random() < 0.1:
        method = rng.choice(["GET", "PUT", "HEAD", "OPTIONS", "DELETE"])
    path = re.sub(r"\{\w+\*?\}", lambda _: rng.choice(WORDS), path)
    path = rng.choice(["", "", "/v1.45", "/v1.24", "/v1.99", "/v.."]) + path
    names = rng.sample(QUERIES, rng.choice([0, 1, 2, 4]))
    query = "&".join(f"{name}={rng.choice([*WORDS, *TEXTS])}" for name in names)
    body = body_of(rng)
    head = f"{method} {path}?{query} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    if rng.random() < 0.1:
        head += "Upgrade: tcp\r\n"
    return method, head.encode("utf-8") + b"\r\n" + body


def answered(path: Path, method: str, data: bytes) -> int:
    """Ask; check the answer as h11 does; give its status.  Live streams are left."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(WAIT_S)
        connection.connect(str(path))
        connection.sendall(data)
        reader = h11.Connection(h11.CLIENT)
        upgrade = [("Connection", "upgrade"), ("Upgrade", "tcp")]
        headers = [("Host", ""), *(upgrade if b"Upgrade: tcp" in data else [])]
        reader.send(h11.Request(method=method, target="/", headers=headers))
        reader.send(h11.EndOfMessage())
        while True:
            event = reader.next_event()
            if event is h11.NEED_DATA:
                reader.receive_data(connection.recv(65536))
            elif isinstance(event, h11.Response | h11.InformationalResponse):
                fields = dict(event.headers)
                if event.status_code == 101 or b"content-length" not in fields:
                    return event.status_code
                status = event.status_code
            elif isinstance(event, h11.EndOfMessage):
                return status


def test_2000_random_requests_are_answered_and_nothing_is_left(
    engine: Studio, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    address = tmp_path / "s"
    server = serve(Router(engine.house, shutdown=lambda: None), address)
    answered(address, "GET", b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n")
    before = descriptors()
    made = b'{"Image":"busybox"}'
    head = f"Content-Type: application/json\r\nContent-Length: {len(made)}\r\n\r\n".encode()
    create = b"POST /containers/create?name=web HTTP/1.1\r\nHost: docker\r\n" + head + made
    rng = random.Random(2)
    statuses = [answered(address, "POST", create)]
    for _ in range(40):  # one of them may well have been a prune
        statuses += [answered(address, *request_of(rng)) for _ in range(50)]
        statuses.append(answered(address, "POST", create))
    assert set(statuses) >= {200, 201, 204, 400, 404}
    said = capfd.readouterr().err
    assert "Traceback" not in said, said
    for life in engine.house.lives():
        with suppress(Exception):  # it may be gone already
            engine.finish(life.id)
    until(lambda: server.idle_s() > 0)
    until(lambda: descriptors() <= before)
    server.stop()
