"""The connections of an engine to its shims: each is closed, whatever its end is."""

import gc
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.kernel.linux import messages
from pyminidock.kernel.linux.body import LinuxBody
from pyminidock.kernel.port import SHIM_LOST, ExitStatus, Process, ProcessGone
from tests.reference import wait_until

pytestmark = pytest.mark.edge

ENDED = {"code": 7, "signal": 0, "oom": 0, "finished": 2.5}


@pytest.fixture
def shim(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of a shim that we play."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "shim.sock"))
        listener.listen()
        yield listener


@pytest.fixture
def body(tmp_path: Path) -> Iterator[LinuxBody]:
    made = LinuxBody(tmp_path)
    yield made
    made.close()


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(1, 1, "boot", 1, str(tmp_path))


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    """Fail where a connection stays open; one left to the collector fails by itself."""
    gc.collect()
    before = connections()
    yield
    assert connections() == before


def connections() -> int:
    handles = Path("/proc/self/fd")
    return sum(
        os.readlink(link).startswith("socket:")  # noqa: PTH115  (it leads to no path)
        for link in handles.iterdir()
        if link.is_symlink()
    )


def hangs_up(listener: socket.socket) -> threading.Thread:
    """Be a shim that ends when somebody comes."""

    def play() -> None:
        listener.accept()[0].close()

    thread = threading.Thread(target=play)
    thread.start()
    return thread


def test_a_shim_that_ends_before_it_lets_anybody_attach(
    shim: socket.socket, body: LinuxBody, process: Process
) -> None:
    playing = hangs_up(shim)
    with pytest.raises(ProcessGone):
        body.attach(process)
    playing.join()


def test_a_shim_that_ends_before_it_was_asked_for_the_end(
    shim: socket.socket, body: LinuxBody, process: Process
) -> None:
    playing = hangs_up(shim)
    status = body.wait(process)
    assert status is not None
    assert (status.code, status.error) == (137, SHIM_LOST)
    playing.join()


def test_a_shim_that_answers_with_nonsense_is_lost(
    shim: socket.socket, body: LinuxBody, process: Process
) -> None:
    def play() -> None:
        with shim.accept()[0] as connection:
            connection.recv(1000)
            connection.sendall(messages.spell({"code": "many"}))

    playing = threading.Thread(target=play)
    playing.start()
    status = body.wait(process)
    assert status is not None
    assert status.error == SHIM_LOST
    playing.join()


def test_an_end_that_is_heard_after_the_engine_s_own(
    shim: socket.socket, body: LinuxBody, process: Process
) -> None:
    """The thread that waits for a program outlasts the house by a little."""
    heard: list[ExitStatus | None] = []
    waiting = threading.Thread(target=lambda: heard.append(body.wait(process)))
    waiting.start()
    connection, _ = shim.accept()
    with connection:
        wait_until(lambda: connection.recv(1000) != b"", 20, "the question")
        body.close()
        connection.sendall(messages.spell(ENDED))
        waiting.join()
        connection.settimeout(20)
        assert connection.recv(1) == b"", "the line was kept"
    assert heard == [ExitStatus(7, finished=2.5)]


def test_a_line_that_is_given_back_after_the_engine_s_own_end(
    shim: socket.socket, body: LinuxBody, process: Process
) -> None:
    body.close()
    assert body.wait(process, 0.01) is None
    shim.accept()[0].close()
