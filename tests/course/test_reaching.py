"""What a card says of a request that came to nothing."""

import socket
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from pyminidock.course.goal import Field
from pyminidock.course.reaching import in_words, request

HOST = "127.0.0.1"
ANSWERS = (Field("answers"),)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as listener:
        yield listener


def said_of(listener: socket.socket, answer: Callable[[socket.socket], object]) -> str:
    """Ask a server that answers so, and give the sentence."""

    def serve() -> None:
        asked, _ = listener.accept()
        with asked:
            asked.recv(4096)
            answer(asked)

    server = Thread(target=serve)
    server.start()
    fact = request(None, f"{HOST}:{listener.getsockname()[1]}", "", ANSWERS)  # type: ignore[arg-type]
    server.join()
    assert fact.value is False
    return fact.instead


def test_a_port_at_which_nobody_listens_is_said_so() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    fact = request(None, f"{HOST}:{port}", "", ANSWERS)  # type: ignore[arg-type]
    assert "connection refused: nobody listens there" in fact.instead
    assert "Errno" not in fact.instead


def test_a_connection_that_is_closed_unanswered_is_said_so(listener: socket.socket) -> None:
    assert "it was closed without an answer" in said_of(listener, lambda _: None)


def test_whoever_speaks_something_else_is_named(listener: socket.socket) -> None:
    said = said_of(listener, lambda asked: asked.sendall(b"220 mail\r\n\r\n"))
    assert "what answers there is no web server" in said


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (TimeoutError("timed out"), "no answer came"),
        (socket.gaierror(-2, "Name or service not known"), "nobody knows this name"),
        (OSError(113, "No route to host"), "no way leads there"),
        (OSError(101, "Network is unreachable"), "no way leads there"),
        (OSError(24, "Too many open files"), "too many open files"),
    ],
)
def test_no_number_of_an_error_is_on_a_card(fault: Exception, said: str) -> None:
    assert said in in_words(fault)
    assert "Errno" not in in_words(fault)
