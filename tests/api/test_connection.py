"""What one connection may do, and what it may not: sizes, times, browsers, smugglers."""

import json
import os
import random
import resource
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import h11
import pytest

from pyminidock.api.bounds import Bounds
from pyminidock.api.message import Request, Response
from pyminidock.api.server import RESERVE, Server, serve
from pyminidock.api.streams import Wire

WAIT_S = 10.0


class Endless:
    """A live stream: one line, then silence until somebody closes it."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self._is_begun = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if not self._is_begun:
            self._is_begun = True
            return b'{"first":1}\n'
        if self.closed.wait(WAIT_S):
            raise StopIteration
        raise AssertionError("nobody closed the stream")

    def close(self) -> None:
        """See Stream."""
        self.closed.set()


class Mirror:
    """A router that tells what it was asked, and knows a few other answers."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.endless: list[Endless] = []
        self.leaves = threading.Event()

    def handle(self, request: Request) -> Response:  # noqa: PLR0911  (a table)
        """See Answers."""
        self.heard.append(request)
        match request.path:
            case "/stream":
                self.endless.append(Endless())
                return Response(200, (("Content-Type", "text/plain"),), self.endless[-1])
            case "/hijack":
                return Response(200, (("Content-Type", "a/b"),), upgrade=shout)
            case "/hasty":
                return Response(200, upgrade=hasten)
            case "/deaf":
                return Response(200, upgrade=self.say_goodbye)
            case "/fault":
                raise LookupError("a planted fault")
            case "/big":
                return Response(200, (), b"x" * (3 << 20))
            case "/empty":
                return Response(204)
            case "/build" | "/v1.45/build":
                size = sum(map(len, iter(lambda: request.reader().read(1000), b"")))
                return Response(200, (), str(size).encode())
            case "/images/load":
                return Response(200, (), b"not read")
        told = {
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "size": len(request.body),
            "uid": request.peer.uid,
        }
        return Response(
            200, (("Content-Type", "application/json"),), json.dumps(told).encode()
        )

    def say_goodbye(self, wire: Wire) -> None:
        """Read nothing, and have the last word when it is time."""
        assert self.leaves.wait(WAIT_S)
        wire.send(b"bye")


def hasten(wire: Wire) -> None:
    """Speak before anybody can have read the head."""
    wire.send(b"at once")


def shout(wire: Wire) -> None:
    """Give everything back in capitals, and a last word at the end of the input."""
    while data := wire.receive():
        wire.send(data.upper())
    wire.send(b"bye")


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


Start = Callable[..., Server]


@pytest.fixture
def start(mirror: Mirror, tmp_path: Path) -> Iterator[Start]:
    """Start a server with chosen bounds."""
    servers: list[Server] = []

    def begin(**bounds: float) -> Server:
        servers.append(serve(mirror, tmp_path / "s.sock", bounds=Bounds(**bounds)))  # type: ignore[arg-type]
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


@pytest.fixture
def dial(tmp_path: Path) -> Iterator[Callable[[], socket.socket]]:
    """Connect to the server, as often as wanted."""
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        opened.append(socket.socket(socket.AF_UNIX))
        opened[-1].settimeout(WAIT_S)
        opened[-1].connect(str(tmp_path / "s.sock"))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


Dial = Callable[[], socket.socket]


def answer(connection: socket.socket, method: str = "GET") -> tuple[int, bytes]:
    """Read one response with another parser state than the server's."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method=method, target="/", headers=[("Host", "")]))
    reader.send(h11.EndOfMessage())
    status, body = 0, b""
    while True:
        event = reader.next_event()
        if event is h11.NEED_DATA:
            reader.receive_data(connection.recv(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return status, body


def everything(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def ask(path: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(head).encode() + body


def test_a_request_reaches_the_router_and_its_answer_the_client(
    start: Start, dial: Dial, mirror: Mirror
) -> None:
    start()
    connection = dial()
    connection.sendall(
        ask(
            "/v1.45/a%20b?x=1&x=2&y",
            "X-Y: z",
            "Content-Length: 3",
            method="POST",
            body=b"abc",
        )
    )
    status, body = answer(connection, "POST")
    assert status == 200
    told = json.loads(body)
    assert told["path"] == "/v1.45/a b"
    assert told["query"] == {"x": "1", "y": ""}
    assert told["size"] == 3
    assert mirror.heard[0].headers["x-y"] == "z"
    assert mirror.heard[0].peer.pid > 0


def test_one_connection_serves_many_requests_even_if_sent_together(
    start: Start, dial: Dial
) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/a") + ask("/b", "Content-Length: 1", method="POST", body=b"x"))
    connection.sendall(ask("/c", "Connection: close"))
    answers = everything(connection)
    assert answers.count(b"HTTP/1.1 200") == 3
    assert answers.index(b'"/a"') < answers.index(b'"/b"') < answers.index(b'"/c"')


def test_an_answer_without_a_body_keeps_the_connection(start: Start, dial: Dial) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/empty"))
    assert answer(connection) == (204, b"")
    connection.sendall(ask("/x", method="HEAD"))
    assert answer(connection, "HEAD") == (200, b"")
    connection.sendall(ask("/big"))
    assert len(answer(connection)[1]) == 3 << 20


def test_a_fault_is_500_is_logged_and_the_engine_goes_on(
    start: Start, dial: Dial, capfd: pytest.CaptureFixture[str]
) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/fault"))
    status, body = answer(connection)
    assert status == 500
    assert json.loads(body)["message"] == "the engine failed: LookupError: a planted fault"
    assert "LookupError: a planted fault" in capfd.readouterr().err
    connection.sendall(ask("/again"))
    assert answer(connection)[0] == 200


def test_a_client_that_waits_for_100_gets_it(start: Start, dial: Dial) -> None:
    start()
    connection = dial()
    connection.sendall(
        ask("/x", "Content-Length: 2", "Expect: 100-continue", method="POST")
    )
    assert connection.recv(100).startswith(b"HTTP/1.1 100")
    connection.sendall(b"ab")
    assert json.loads(answer(connection, "POST")[1])["size"] == 2


# ── Bounds ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(ask("/" + "x" * 70_000), 431, id="a path of 70 KB"),
        pytest.param(ask("/", "A: " + "x" * 70_000), 431, id="a field of 70 KB"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"x" * 80_000, 431, id="no end in sight"),
        pytest.param(
            ask("/", f"Content-Length: {5 << 20}", method="POST"), 413, id="announced: 5 MB"
        ),
        pytest.param(
            ask("/", f"Content-Length: {10**18}", method="POST"), 413, id="announced: 10^18"
        ),
        pytest.param(
            ask("/", "Transfer-Encoding: chunked", method="POST")
            + (b"80000\r\n" + b"x" * 0x80000 + b"\r\n") * 9,
            413,
            id="in chunks: 4.5 MB",
        ),
    ],
)
def test_what_is_too_large_is_refused(
    start: Start, dial: Dial, mirror: Mirror, request_bytes: bytes, status: int
) -> None:
    start()
    connection = dial()
    connection.sendall(request_bytes)
    got = everything(connection)
    assert got.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in got
    assert mirror.heard == []


def test_a_header_that_drips_is_cut_off_in_time(start: Start, dial: Dial) -> None:
    start(header_s=0.3)
    connection = dial()
    for byte in ask("/"):
        try:
            connection.sendall(bytes([byte]))
            connection.settimeout(0.05)
            if got := connection.recv(1000):
                break
        except TimeoutError:
            continue
    else:
        raise AssertionError("a dripping header was accepted")
    assert got.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_never_comes_is_408(start: Start, dial: Dial) -> None:
    start(body_s=0.2)
    connection = dial()
    connection.sendall(ask("/", "Content-Length: 5", method="POST", body=b"ab"))
    assert everything(connection).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/build", "/v1.45/build?t=x"])
def test_a_context_is_read_while_it_is_used_and_may_be_larger_than_a_document(
    start: Start, dial: Dial, mirror: Mirror, path: str
) -> None:
    start(body_bytes=100)
    connection = dial()
    head = ask(path, "Transfer-Encoding: chunked", "Expect: 100-continue", method="POST")
    connection.sendall(head)
    assert connection.recv(100).startswith(b"HTTP/1.1 100")
    connection.sendall(b"4e20\r\n" + b"x" * 20_000 + b"\r\n0\r\n\r\n")
    assert answer(connection, "POST") == (200, b"20000")
    assert mirror.heard[0].body == b""


def test_a_body_that_nobody_read_does_not_keep_its_answer_from_being_heard(
    start: Start, dial: Dial
) -> None:
    start()
    connection = dial()
    length = 3 << 20
    head = ask("/images/load", f"Content-Length: {length}", method="POST")
    connection.sendall(head + b"x" * length)
    assert answer(connection, "POST") == (200, b"not read")
    connection.sendall(ask("/after"))
    assert answer(connection)[0] == 200


def test_a_client_that_leaves_while_its_body_is_read_is_no_fault(
    start: Start, dial: Dial, mirror: Mirror, capfd: pytest.CaptureFixture[str]
) -> None:
    server = start()
    connection = dial()
    connection.sendall(ask("/build", "Content-Length: 20", method="POST") + b"half of it")
    until(lambda: bool(mirror.heard))
    connection.close()
    until(lambda: server.idle_s() > 0)
    assert is_served(dial())
    assert capfd.readouterr().err == ""


LONG = ask("/build", "Content-Length: 20", method="POST")


@pytest.mark.parametrize(
    ("bounds", "sent", "status"),
    [
        ({"stream_bytes": 10}, LONG + b"x" * 20, 413),
        ({"stall_s": 0.2}, LONG + b"x", 408),
        ({}, ask("/build", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n", 400),
    ],
)
def test_a_context_has_bounds_as_well(
    start: Start, dial: Dial, bounds: dict[str, float], sent: bytes, status: int
) -> None:
    start(**bounds)
    connection = dial()
    connection.sendall(sent)
    assert answer(connection, "POST")[0] == status


def test_a_connection_that_is_not_used_is_closed(start: Start, dial: Dial) -> None:
    start(idle_s=0.2)
    connection = dial()
    assert everything(connection) == b""


def test_a_client_that_does_not_read_its_answer_loses_it(start: Start, dial: Dial) -> None:
    server = start(stall_s=0.3)
    connection = dial()
    connection.sendall(ask("/big"))
    until(lambda: server.idle_s() == 0)
    until(lambda: server.idle_s() > 0)
    assert len(everything(connection)) < 3 << 20


def test_300_connections_get_503_beyond_the_bound_and_others_are_served(
    start: Start, dial: Dial
) -> None:
    start(connections=50, connections_per_user=50)
    kept = [dial() for _ in range(50)]
    for connection in kept:
        connection.sendall(ask("/"))
        assert answer(connection)[0] == 200
    for _ in range(250):
        turned_away = dial()
        assert everything(turned_away).startswith(b"HTTP/1.1 503 ")
        turned_away.close()
    kept[7].sendall(ask("/"))
    assert answer(kept[7])[0] == 200
    kept[0].close()
    until(lambda: is_served(dial()))


def test_without_a_free_descriptor_a_client_is_told_503_and_the_reserve_grows_again(
    start: Start, dial: Dial, tmp_path: Path
) -> None:
    """Hardening D.7: one of the reserve is spent on saying so, and nothing spins."""
    server = start()
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(5)]
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    taken: list[int] = []
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 2, before[1]))
        with pytest.raises(OSError, match="Too many open files"):  # noqa: PT012
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for connection in waiting:
            connection.settimeout(WAIT_S)
            connection.connect(str(tmp_path / "s.sock"))
            assert connection.recv(12) == b"HTTP/1.1 503"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for connection in waiting:
            connection.close()
        for descriptor in taken:
            os.close(descriptor)
    assert is_served(dial())
    until(lambda: len(server._reserve) == RESERVE)


def test_200_clients_at_once_are_served_and_one_user_does_not_get_all(
    start: Start, dial: Dial
) -> None:
    start()
    kept = [dial() for _ in range(200)]
    for connection in kept:
        connection.sendall(ask("/"))
    assert {answer(connection)[0] for connection in kept} == {200}
    kept += [dial() for _ in range(Bounds().connections_per_user - 200)]
    kept[-1].sendall(ask("/"))
    assert answer(kept[-1])[0] == 200
    assert everything(dial()).startswith(b"HTTP/1.1 503 ")
    assert Bounds().connections_per_user < Bounds().connections


def is_served(connection: socket.socket) -> bool:
    connection.sendall(ask("/"))
    return answer(connection)[0] == 200


def until(claim: Callable[[], bool]) -> None:
    """Wait for something to become true, in small steps, at most WAIT_S."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.01)):
        if claim():
            return
        pause.wait(0.01)
    raise AssertionError("it did not become true")


# ── Who may speak, and how ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "field",
    ["Origin: http://evil.example", "Referer: http://localhost/", "Sec-Fetch-Site: none"],
)
def test_a_browser_is_refused(start: Start, dial: Dial, mirror: Mirror, field: str) -> None:
    """H-42: neither by Origin nor by Referer does a page get in."""
    start()
    connection = dial()
    connection.sendall(ask("/", field))
    got = everything(connection)
    assert got.startswith(b"HTTP/1.1 403 ")
    assert b"Access-Control" not in got
    assert mirror.heard == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("", 200), ("docker", 200), ("localhost", 200), ("api.moby.localhost", 200),
        ("unix", 200), ("%2Frun%2Fminidock.sock", 200), ("localhost:8080", 403),
        ("evil.example", 403), ("127.0.0.1", 403),
        ("d", 200), ("v1.45", 200), ("docker.sock", 200), ("2f76", 200), ("a.b.sock", 403),
        ("evil.1", 403), ("[::1]", 403), ("sock.example", 403), ("d:2375", 403),
    ],
)  # fmt: skip
def test_only_our_own_host_names_are_served(
    start: Start, dial: Dial, host: str, status: int
) -> None:
    start()
    connection = dial()
    connection.sendall(
        f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )
    assert everything(connection).startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET / HTTP/1.1\nHost: docker\n\n", id="bare line feeds"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: docker\r\nA: b\r\n c\r\n\r\n", id="folded"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: docker\r\nA : b\r\n\r\n", id="blank, colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: docker\r\nA: b\rc: d\r\n\r\n", id="bare CR"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: docker\r\nA: b\0\r\n\r\n", id="a zero byte"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(ask("/", "Host: docker"), id="two hosts"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: docker\r\n\r\n", id="version 2"),
        pytest.param(b"GET /\r\n\r\n", id="version 0.9"),
        pytest.param(b"\r\n\r\n", id="nothing"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\n", id="TLS"),
        pytest.param(
            ask("/", "Content-Length: 2", "Transfer-Encoding: chunked", method="POST"),
            id="two ways to end",
        ),
        pytest.param(
            ask("/", "Content-Length: 2", "Content-Length: 3", method="POST"),
            id="two lengths",
        ),
        pytest.param(ask("/", "Content-Length: -1", method="POST"), id="negative length"),
        pytest.param(ask("/", "Content-Length: +1", method="POST"), id="signed length"),
        pytest.param(ask("/", "Transfer-Encoding: gzip", method="POST"), id="other coding"),
        pytest.param(
            ask("/", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n\r\n",
            id="no chunk size",
        ),
        pytest.param(ask("/?" + "a=1&" * 200), id="200 query fields"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(
    start: Start, dial: Dial, mirror: Mirror, request_bytes: bytes
) -> None:
    start()
    connection = dial()
    connection.sendall(request_bytes)
    got = everything(connection)
    assert got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 "))
    assert mirror.heard == []


def test_random_requests_always_get_a_well_formed_answer(start: Start, dial: Dial) -> None:
    start(header_s=0.2, body_s=0.2, idle_s=0.2)
    rng = random.Random(5)
    statuses = set()
    for _ in range(400):
        connection = dial()
        connection.sendall(scramble(rng))
        connection.shutdown(socket.SHUT_WR)
        data = everything(connection)
        connection.close()
        if data:
            statuses.add(well_formed(data))
    assert statuses >= {200, 400, 403}
    assert is_served(dial())


def scramble(rng: random.Random) -> bytes:
    """A request with a few bytes changed, doubled or lost."""
    fields = rng.sample(
        ["Content-Length: 3", "Transfer-Encoding: chunked", "Origin: x", "Upgrade: tcp",
         "Connection: Upgrade", "Connection: close", "X: \xff", "Content-Length: 9999999"],
        rng.randint(0, 3),
    )  # fmt: skip
    whole = bytearray(ask(rng.choice(["/", "/a?b=%zz", "/empty"]), *fields, body=b"abc"))
    for _ in range(rng.randint(0, 3)):
        at = rng.randrange(len(whole))
        change = rng.choice(
            [b"", b"\0", b"\n", b"\r\n", b" ", b":", bytes([rng.randrange(256)])]
        )
        whole[at : at + rng.randint(0, 2)] = change
    return bytes(whole)


def well_formed(data: bytes) -> int:
    """Parse all answers in `data`; give the status of the first."""
    first = 0
    while data:
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="GET", target="/", headers=[("Host", "")]))
        reader.send(h11.EndOfMessage())
        reader.receive_data(data)
        reader.receive_data(b"")
        event = reader.next_event()
        while not isinstance(event, h11.Response):
            event = reader.next_event()
        first = first or event.status_code
        while not isinstance(event, h11.EndOfMessage):
            event = reader.next_event()
        data = reader.trailing_data[0]
    return first


# ── Streams and upgrades ─────────────────────────────────────────────────────────────────


def test_a_stream_arrives_as_it_comes(start: Start, dial: Dial, mirror: Mirror) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/stream"))
    seen = b""
    while b'{"first":1}' not in seen:
        seen += connection.recv(1000)
    assert b"Transfer-Encoding: chunked" in seen
    assert not mirror.endless[0].closed.is_set()


def test_a_stream_is_closed_as_soon_as_its_client_has_gone(
    start: Start, dial: Dial, mirror: Mirror
) -> None:
    server = start()
    connection = dial()
    connection.sendall(ask("/stream"))
    connection.recv(1000)
    connection.close()
    assert mirror.endless[0].closed.wait(1.0)
    until(lambda: server.idle_s() > 0)


def test_a_client_that_closed_only_its_sending_half_still_listens(
    start: Start, dial: Dial, mirror: Mirror
) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/stream"))
    connection.shutdown(socket.SHUT_WR)
    seen = b""
    while b'{"first":1}' not in seen:
        seen += connection.recv(1000)
    assert not mirror.endless[0].closed.wait(0.2)


def test_an_upgrade_gives_the_connection_away(start: Start, dial: Dial) -> None:
    start()
    connection = dial()
    connection.sendall(
        ask("/hijack", "Connection: Upgrade", "Upgrade: tcp", method="POST", body=b"early ")
    )
    head = b""
    while b"EARLY " not in head:
        head += connection.recv(1000)
    assert head == (
        b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        b"Content-Type: a/b\r\n\r\nEARLY "
    )
    connection.sendall(b"late")
    assert connection.recv(1000) == b"LATE"
    connection.shutdown(socket.SHUT_WR)  # half-close: the answer still comes
    assert everything(connection) == b"bye"


def test_without_an_upgrade_raw_bytes_follow_a_200(start: Start, dial: Dial) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/hijack", method="POST"))
    connection.sendall(b"typed")
    connection.shutdown(socket.SHUT_WR)
    assert everything(connection) == b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nTYPEDbye"


def test_nothing_comes_in_one_piece_with_the_head(start: Start, dial: Dial) -> None:
    """Who reads the head through a buffer of its own would lose it there."""
    start()
    connection = dial()
    connection.sendall(ask("/hasty", method="POST"))
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    assert select.select([connection], [], [], WAIT_S)[0]
    threading.Event().wait(0.2)  # a slow reader
    assert connection.recv(1000) == head
    assert everything(connection) == b"at once"


def test_who_never_reads_the_head_is_answered_all_the_same(
    start: Start, dial: Dial
) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/hasty", method="POST"))
    expected = b"HTTP/1.1 200 OK\r\n\r\nat once"
    until(lambda: connection.recv(1000, socket.MSG_PEEK) == expected)


def test_who_still_types_when_it_is_over_is_told_the_end_and_no_failure(
    start: Start, dial: Dial, mirror: Mirror
) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/deaf", method="POST"))
    assert connection.recv(1000) == b"HTTP/1.1 200 OK\r\n\r\n"
    connection.sendall(b"typed")
    mirror.leaves.set()
    assert connection.recv(1000) == b"bye"
    with pytest.raises(BrokenPipeError):
        until(lambda: not connection.send(b"typed"))  # it is over on the other side, too
    assert everything(connection) == b""


def test_who_offers_an_upgrade_may_get_a_plain_answer(start: Start, dial: Dial) -> None:
    start()
    connection = dial()
    connection.sendall(ask("/x", "Connection: Upgrade", "Upgrade: h2c", method="POST"))
    assert answer(connection, "POST")[0] == 200
    connection.sendall(ask("/y"))
    assert answer(connection)[0] == 200


def test_stopping_lets_an_answer_arrive_and_ends_what_could_go_on(
    start: Start, dial: Dial, mirror: Mirror, tmp_path: Path
) -> None:
    server = start()
    streaming, idle = dial(), dial()
    assert is_served(idle)
    streaming.sendall(ask("/stream"))
    streaming.recv(1000)
    server.stop()
    assert everything(idle) == b""
    assert mirror.endless[0].closed.wait(1.0)
    assert not (tmp_path / "s.sock").exists()


@pytest.mark.edge
def test_another_user_is_told_to_leave(start: Start, dial: Dial, tmp_path: Path) -> None:
    """Even where the file's mode would let it in; the kernel says who it is."""
    start()
    (tmp_path / "s.sock").chmod(0o666)
    handle = os.open(tmp_path / "s.sock", os.O_PATH)
    program = (
        "use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); "
        f'connect(S, sockaddr_un("/proc/self/fd/{handle}")) or die $!; '
        'syswrite(S, "GET / HTTP/1.1\\r\\nHost: docker\\r\\n\\r\\n"); print <S>;'
    )
    said = subprocess.run(
        ["/usr/bin/perl", "-e", program], user=65534, group=65534, extra_groups=[],
        pass_fds=[handle], capture_output=True, check=True,
    ).stdout  # fmt: skip
    os.close(handle)
    assert said.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"user 65534 may not use this engine" in said
    assert is_served(dial())
