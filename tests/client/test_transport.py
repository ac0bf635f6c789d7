"""Two ways to an engine, one behaviour: every test here runs over both."""

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from pyminidock.api.failures import JSON, BadRequest
from pyminidock.api.message import Request, Response
from pyminidock.api.server import serve
from pyminidock.api.streams import FRAMED, RAW, Wire, document, frame
from pyminidock.client.attach import Attached
from pyminidock.client.handles import Client
from pyminidock.client.http import SocketTransport
from pyminidock.client.inprocess import RouterTransport
from pyminidock.client.transport import (
    ConnectionLost,
    Question,
    Refused,
    Transport,
    lines,
    refusal,
)

WAIT_S = 10.0


class Pieces:
    """A live body: some pieces, then a wait until it is closed."""

    def __init__(self, *pieces: bytes) -> None:
        self.closed = threading.Event()
        self._pieces = list(pieces)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if self.closed.wait(WAIT_S):
            raise StopIteration
        raise AssertionError("nobody closed the stream")

    def close(self) -> None:
        """See Stream."""
        self.closed.set()


class Mirror:
    """A router that tells what it was asked, and knows a few other answers."""

    def __init__(self) -> None:
        self.live = Pieces(b'{"a":1}\n{"b"', b':2}\n\n{"c":3}\n')

    def handle(self, request: Request) -> Response:
        """See Answers."""
        match request.path:
            case "/live":
                return Response(200, (JSON,), self.live)
            case "/refused":
                raise BadRequest("no", why="because", try_next="yes")
            case "/fault":
                raise LookupError("a planted fault")
            case "/framed" | "/raw":
                kind = FRAMED if request.path == "/framed" else RAW
                return Response(200, (("Content-Type", kind),), upgrade=talk)
        body = (
            b"".join(iter(lambda: request.reader().read(2), b""))
            if (request.stream)
            else request.body
        )
        told = {
            "method": request.method, "path": request.path, "query": dict(request.query),
            "body": body.decode(), "kind": request.headers.get("content-type", ""),
        }  # fmt: skip
        return Response(200, (JSON,), document(told))


def talk(wire: Wire) -> None:
    """Say something on both outputs, and give back what was typed when it ends."""
    wire.send(frame(1, b"out") + frame(2, b"") + frame(2, b"err"))
    typed = b""
    while data := wire.receive():
        typed += data
    wire.send(frame(1, typed))


@pytest.fixture
def mirror() -> Mirror:
    return Mirror()


@pytest.fixture(params=["socket", "in process"])
def transport(
    request: pytest.FixtureRequest, mirror: Mirror, tmp_path: Path
) -> Iterator[Transport]:
    if request.param == "in process":
        yield RouterTransport(mirror)
        return
    server = serve(mirror, tmp_path / "s")
    yield SocketTransport(tmp_path / "s")
    server.stop()


def test_a_body_in_pieces_arrives_whole(transport: Transport) -> None:
    pieces = (piece for piece in (b"one", b"two"))
    told = transport.ask(Question("POST", "/build", stream=pieces)).json()
    assert (told["body"], told["kind"]) == ("onetwo", "application/x-tar")


def test_a_question_arrives_as_it_was_asked(transport: Transport) -> None:
    question = Question("POST", "/a/b c", {"name": "x y&z", "n": "ü"}, {"Image": "ü<b>"})
    reply = transport.ask(question)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    told = reply.json()
    assert told["method"] == "POST"
    assert told["path"] == "/a/b c"
    assert told["query"] == {"name": "x y&z", "n": "ü"}
    assert json.loads(told["body"]) == {"Image": "ü<b>"}
    assert told["kind"] == "application/json"


def test_without_a_body_no_content_type_is_claimed(transport: Transport) -> None:
    told = transport.ask(Question("GET", "/")).json()
    assert (told["body"], told["kind"]) == ("", "")


def test_asking_gives_a_refusal_as_a_reply(transport: Transport) -> None:
    assert transport.ask(Question("GET", "/refused")).status == 400


@pytest.mark.parametrize("way", ["listen", "talk"])
def test_a_refusal_is_raised_with_all_its_words(transport: Transport, way: str) -> None:
    with pytest.raises(Refused) as refused:
        getattr(transport, way)(Question("GET", "/refused"))
    error = refused.value
    assert (error.status, error.what, error.why, error.try_next) == (
        400, "no", "because", "yes",
    )  # fmt: skip


def test_a_fault_of_the_engine_is_told_as_one(
    transport: Transport, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Refused) as refused:
        transport.listen(Question("GET", "/fault"))
    assert refused.value.status == 500
    assert "fault of the engine" in refused.value.why
    assert "a planted fault" in capfd.readouterr().err


def test_a_live_answer_comes_line_by_line(transport: Transport, mirror: Mirror) -> None:
    live = transport.listen(Question("GET", "/live"))
    heard = lines(live)
    assert [next(heard) for _ in range(3)] == [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    live.close()
    assert mirror.live.closed.wait(WAIT_S)


@pytest.mark.parametrize("_", range(20))
def test_closing_wakes_whoever_listens(transport: Transport, _: int) -> None:
    live = transport.listen(Question("GET", "/live"))
    heard: list[bytes] = []
    third = threading.Event()

    def listen() -> None:
        for line in lines(live):
            heard.append(line)
            if len(heard) == 3:
                third.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert third.wait(WAIT_S)
    live.close()
    listener.join(WAIT_S)
    assert not listener.is_alive()


def test_framed_streams_are_told_apart(transport: Transport) -> None:
    with Attached(*transport.talk(Question("POST", "/framed"))) as attached:
        assert attached.read() == (1, b"out")
        assert attached.read() == (2, b"err")
        attached.write(b"typed")
        attached.close_stdin()
        assert attached.read() == (1, b"typed")
        assert attached.read() is None


def test_with_a_terminal_there_is_one_stream(transport: Transport) -> None:
    with Attached(*transport.talk(Question("POST", "/raw"))) as attached:
        attached.close_stdin()
        data = b""
        while piece := attached.read():
            assert piece[0] == 1
            data += piece[1]
    assert data == frame(1, b"out") + frame(2, b"") + frame(2, b"err") + frame(1, b"")


def test_select_sees_output_that_came_with_the_answer(transport: Transport) -> None:
    with Attached(*transport.talk(Question("POST", "/framed"))) as attached:
        for expected in [(1, b"out"), (2, b"err")]:
            assert select.select([attached], [], [], WAIT_S)[0] == [attached]
            assert attached.read() == expected


def test_closing_wakes_whoever_reads(transport: Transport) -> None:
    attached = Attached(*transport.talk(Question("POST", "/framed")))
    pieces: list[object] = []
    second = threading.Event()

    def read() -> None:
        with suppress(OSError):
            while piece := attached.read():
                pieces.append(piece)
                if len(pieces) == 2:
                    second.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert second.wait(WAIT_S)
    attached.close()
    reader.join(WAIT_S)
    assert not reader.is_alive()


def test_any_request_may_be_asked_through_a_client(transport: Transport) -> None:
    client = Client(transport)
    assert client.request("PUT", "/x", {"a": "b"}).json()["method"] == "PUT"
    assert client.request("GET", "/refused").status == 400


def test_many_exchanges_leave_no_descriptor(transport: Transport, mirror: Mirror) -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = descriptors()
    for _ in range(50):
        transport.ask(Question("GET", "/"))
        with suppress(Refused):
            transport.listen(Question("GET", "/refused"))
        with Attached(*transport.talk(Question("POST", "/framed"))) as attached:
            attached.read()
    pause = threading.Event()
    for _ in range(1000):
        if descriptors() <= before:
            break
        pause.wait(0.01)
    assert descriptors() <= before


# ── What only a socket can do ────────────────────────────────────────────────────────────


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[Callable[[bytes], SocketTransport]]:
    """Something that answers every connection with the same bytes, then closes."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    threads: list[threading.Thread] = []

    def begin(answer: bytes) -> SocketTransport:
        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        threads.append(threading.Thread(target=speak))
        threads[-1].start()
        return SocketTransport(tmp_path / "s")

    yield begin
    for thread in threads:
        thread.join(WAIT_S)
    listener.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="half a header"),
        pytest.param(b"SSH-2.0-OpenSSH_9\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", id="half a body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            id="half a chunk",
        ),
    ],
)
def test_an_engine_that_breaks_off_is_told_as_lost(
    impostor: Callable[[bytes], SocketTransport], answer: bytes
) -> None:
    with pytest.raises(ConnectionLost):
        impostor(answer).ask(Question("GET", "/"))


def test_a_frame_that_breaks_off_is_told_as_lost(
    impostor: Callable[[bytes], SocketTransport],
) -> None:
    head = f"HTTP/1.1 101 UPGRADED\r\nContent-Type: {FRAMED}\r\nConnection: Upgrade\r\n"
    answer = f"{head}Upgrade: tcp\r\n\r\n".encode() + frame(1, b"abc")[:-1]
    with Attached(*impostor(answer).talk(Question("POST", "/"))) as attached:
        assert attached.read() == (1, b"ab")
        with pytest.raises(ConnectionLost, match="within a frame"):
            attached.read()


def test_a_refusal_of_a_stranger_is_read_as_far_as_it_goes(
    impostor: Callable[[bytes], SocketTransport],
) -> None:
    answer = b"HTTP/1.1 502 Bad\r\nContent-Length: 4\r\n\r\nhuh?"
    reply = impostor(answer).ask(Question("GET", "/"))
    assert refusal(reply).what == "huh?"
    assert refusal(reply).status == 502


def test_an_engine_that_dies_before_it_answers_is_not_called_a_stranger(
    tmp_path: Path,
) -> None:
    def die() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.close()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        dying = threading.Thread(target=die)
        dying.start()
        with pytest.raises(ConnectionLost, match="broke off before it answered"):
            SocketTransport(tmp_path / "socket").ask(Question("GET", "/_ping"))
        dying.join()
