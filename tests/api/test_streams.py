"""Frames, and the carrying of streams between a client and a real program."""

import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from pyminidock.api.streams import Terms, Wire, carry, document, frame

WAIT_S = 20.0
MANY = 8 << 20


class Program:
    """The standard streams of a real program (port.Streams)."""

    def __init__(self, *argv: str) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, bufsize=0)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self.closed = threading.Event()

    def fileno(self) -> int:
        """See port."""
        return self._stdout.fileno()

    def read(self) -> tuple[int, bytes] | None:
        """See port."""
        data = self._stdout.read(65536)
        return (1, data) if data else None

    def write(self, data: bytes) -> None:
        """See port."""
        while data:
            if self._stdin.closed:
                raise BrokenPipeError
            data = data[self._stdin.write(data) or 0 :]

    def close_stdin(self) -> None:
        """See port."""
        self._stdin.close()

    def close(self) -> None:
        """See port."""
        self.closed.set()

    def is_alive(self) -> bool:
        """Tell whether it runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Be done."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()


@pytest.fixture
def cat() -> Iterator[Program]:
    program = Program("cat")
    yield program
    program.end()


class Carried:
    """A client, and the thread that carries for it."""

    def __init__(self, program: Program, terms: Terms) -> None:
        self.client, self.theirs = socket.socketpair()
        self.client.settimeout(WAIT_S)
        self.thread = threading.Thread(
            target=carry,
            args=(Wire(self.theirs), program, terms),
        )
        self.thread.start()

    def receive(self) -> bytes:
        """Receive until the end."""
        data = b""
        while piece := self.client.recv(65536):
            data += piece
        return data

    def end(self) -> None:
        """Be done."""
        self.client.close()
        self.thread.join(WAIT_S)
        assert not self.thread.is_alive()
        self.theirs.close()


def test_a_program_that_echoes_much_neither_blocks_nor_is_blocked(cat: Program) -> None:
    carried = Carried(cat, Terms(is_framed=False, takes_input=True))

    def type_it() -> None:
        carried.client.sendall(b"x" * MANY)
        carried.client.shutdown(socket.SHUT_WR)

    typing = threading.Thread(target=type_it)
    typing.start()
    assert len(carried.receive()) == MANY
    typing.join()
    assert cat.closed.wait(WAIT_S)
    carried.end()


def test_output_is_framed_for_a_client_that_tells_streams_apart(cat: Program) -> None:
    carried = Carried(cat, Terms(is_framed=True, takes_input=True))
    carried.client.sendall(b"hi")
    carried.client.shutdown(socket.SHUT_WR)
    assert carried.receive() == frame(1, b"hi")
    carried.end()


def test_what_a_client_sends_without_having_asked_to_type_is_dropped(cat: Program) -> None:
    carried = Carried(cat, Terms(is_framed=False, takes_input=False))
    carried.client.sendall(b"hi")
    carried.client.shutdown(socket.SHUT_WR)
    carried.client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        carried.client.recv(10)
    assert cat.is_alive()
    carried.end()


def test_a_client_that_leaves_leaves_the_program_running(cat: Program) -> None:
    carried = Carried(cat, Terms(is_framed=False, takes_input=False))
    carried.client.close()
    assert cat.closed.wait(1.0)
    assert cat.is_alive()
    carried.end()


def test_a_client_that_never_reads_stops_only_its_own_stream(cat: Program) -> None:
    carried = Carried(cat, Terms(is_framed=False, takes_input=True))
    carried.client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        carried.client.sendall(b"x" * MANY)  # all buffers on the way are full
    assert cat.is_alive()
    carried.client.close()
    assert cat.closed.wait(5.0)
    cat.end()
    carried.end()


def test_input_that_came_with_the_request_is_not_lost(cat: Program) -> None:
    client, theirs = socket.socketpair()
    client.shutdown(socket.SHUT_WR)
    carry(Wire(theirs, b"early"), cat, Terms(is_framed=False, takes_input=True))
    assert client.recv(10) == b"early"
    client.close()
    theirs.close()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, True]}, b'{"a":[1,null,true]}\n'),
        ("<&>", b'"\\u003c\\u0026\\u003e"\n'),
        ("\udce4 ü \x1b", b'"\\udce4 \\u00fc \\u001b"\n'),
    ],
)
def test_json_is_written_as_docker_does_and_always_can_be(
    value: object, text: bytes
) -> None:
    assert document(value) == text


def test_a_number_that_json_lacks_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        document(float("nan"))
