"""One thread that serves names: everything it is asked, and everything that is too much."""

import resource
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from pyminidock.kernel.linux import nameloop
from pyminidock.kernel.linux.nameloop import NameLoop
from pyminidock.kernel.linux.namesockets import Desk, desk_here
from tests.reference import wait_until


@dataclass
class Sent:
    """An errand whose answers begin with the number and say `yes` where they help."""

    # ruff: noqa: D102  (told by nametalk.Errand)

    text: bytes
    whom: tuple[tuple[str, bool], ...]
    failure: bytes = b"nobody knows"
    heard: list[str] = field(default_factory=list)

    def question(self, number: int) -> bytes:
        return number.to_bytes(2, "big") + self.text

    def reply(self, told: bytes, number: int) -> bytes:
        return told[2:] if told[:2] == number.to_bytes(2, "big") else b""

    def is_helpful(self, reply: bytes) -> bool:
        return reply.startswith(b"yes")

    def ended(self, server: str) -> None:
        self.heard.append(server)


class Server:
    """A name server on the loopback, which behaves as the first word of a question says."""

    def __init__(self) -> None:
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.connections = socket.socket()
        while True:  # the same port, for both
            self.connections.bind(("127.0.0.1", 0))
            self.port = self.connections.getsockname()[1]
            try:
                self.datagrams.bind(("0.0.0.0", self.port))  # noqa: S104
                break
            except OSError:
                self.connections = socket.socket()
        self.connections.listen()
        self.asked: list[bytes] = []
        threading.Thread(target=self._datagrams, daemon=True).start()
        threading.Thread(target=self._connections, daemon=True).start()

    def _datagrams(self) -> None:
        while True:
            try:
                told, asker = self.datagrams.recvfrom(4096)
            except OSError:
                return
            self.asked.append(told[2:])
            if told[2:] == b"forged":
                self.datagrams.sendto(b"\0\0yes, of a forger", asker)
                self.datagrams.sendto(bytes([told[0] ^ 1, told[1]]) + b"yes, again", asker)
            if told[2:] == b"fail":
                self.datagrams.sendto(told[:2] + b"no", asker)
            elif told[2:] != b"silent":
                self.datagrams.sendto(told[:2] + b"yes " + told[2:], asker)

    def _connections(self) -> None:
        while True:
            try:
                line, _ = self.connections.accept()
            except OSError:
                return
            with line:
                told = line.recv(4096)[2:]
                if told[2:] == b"hangup":
                    continue
                for byte in framed(told[:2] + b"yes " + told[2:] * 1000):
                    line.send(bytes([byte])) if told[2:] == b"slow" else None
                line.sendall(framed(told[:2] + b"yes " + told[2:] * 1000))

    def close(self) -> None:
        self.connections.shutdown(socket.SHUT_RDWR)
        self.connections.close()
        self.datagrams.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def open_now() -> Counter[str]:
    """Name what this process has open, how often: sockets and pipes by their inodes."""
    found: Counter[str] = Counter()
    for number in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the handle on the list itself
            found[str(number.readlink())] += 1
    return found


def framed(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


@pytest.fixture
def loop() -> Iterator[NameLoop]:
    loop = NameLoop(server_s=0.3, talk_s=0.4)
    yield loop
    loop.close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def a_desk(loop: NameLoop, port: int = 9, whom: tuple[str, ...] = ("127.0.0.1",)) -> Desk:
    """Serve: what begins with `?` is an errand, `!` gets nothing, the rest is answered."""
    desk = desk_here(port)

    def clerk(question: bytes, is_datagram: bool) -> bytes | Sent | None:
        if question.startswith(b"?"):
            return Sent(question[1:], tuple((one, False) for one in whom))
        if question.startswith(b"!"):
            return None
        return b"known " + question + (b"" if is_datagram else b" by stream")

    loop.serve(str(desk.datagrams.getsockname()), desk, clerk)
    return desk


def asking(desk: Desk) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.settimeout(5)
    line.connect(desk.datagrams.getsockname())
    return line


def talking(desk: Desk) -> socket.socket:
    return socket.create_connection(desk.connections.getsockname(), timeout=5)


def said(desk: Desk, question: bytes) -> bytes:
    with asking(desk) as line:
        line.send(question)
        return line.recv(4096)


def test_a_datagram_is_answered(loop: NameLoop) -> None:
    assert said(a_desk(loop), b"web") == b"known web"


def test_two_desks_are_served_by_one_thread(loop: NameLoop) -> None:
    first, second = a_desk(loop), a_desk(loop)
    assert (said(first, b"a"), said(second, b"b")) == (b"known a", b"known b")
    assert [thread.name for thread in threading.enumerate()].count("names") == 1


def test_questions_of_a_connection_are_answered_in_pieces_and_in_bunches(
    loop: NameLoop,
) -> None:
    with talking(a_desk(loop)) as line:
        for byte in framed(b"slow"):
            line.send(bytes([byte]))
        assert line.recv(100) == framed(b"known slow by stream")
        line.send(framed(b"a") + framed(b"b"))
        both = framed(b"known a by stream") + framed(b"known b by stream")
        assert line.recv(len(both), socket.MSG_WAITALL) == both


def test_an_errand_brings_the_answer_of_the_server(loop: NameLoop, server: Server) -> None:
    assert said(a_desk(loop, server.port), b"?www") == b"yes www"


def test_an_errand_by_stream_is_a_stream(loop: NameLoop, server: Server) -> None:
    with talking(a_desk(loop, server.port)) as line:
        line.send(framed(b"?www"))
        whole = framed(b"yes " + b"www" * 1000)
        assert line.recv(len(whole), socket.MSG_WAITALL) == whole
        line.send(framed(b"?hangup"))
        assert line.recv(100) == framed(b"nobody knows")


def test_who_does_not_help_is_followed_by_the_next(loop: NameLoop, server: Server) -> None:
    desk = a_desk(loop, server.port, ("127.0.0.1", "127.0.0.1"))
    assert said(desk, b"?fail") == b"nobody knows"
    assert server.asked == [b"fail", b"fail"]


def test_nobody_is_waited_for_longer_than_their_time(
    loop: NameLoop, server: Server
) -> None:
    desk = a_desk(loop, server.port, ("127.0.0.1", "127.0.0.1"))
    began = time.monotonic()
    assert said(desk, b"?silent") == b"nobody knows"
    assert 0.6 <= time.monotonic() - began < 10


def test_where_nobody_listens_it_is_said_at_once(loop: NameLoop) -> None:
    assert said(a_desk(loop, 1), b"?www") == b"nobody knows"


def test_a_forged_answer_is_not_believed(loop: NameLoop, server: Server) -> None:
    assert said(a_desk(loop, server.port), b"?forged") == b"yes forged"


def test_too_many_errands_of_one_desk_do_not_hinder_another(
    loop: NameLoop, server: Server
) -> None:
    greedy, modest = a_desk(loop, server.port), a_desk(loop, server.port)
    with asking(greedy) as line:
        for _ in range(nameloop.ERRANDS + 10):
            line.send(b"?silent")
        assert [line.recv(100) for _ in range(10)] == [b"nobody knows"] * 10
        assert said(modest, b"?www") == b"yes www"
        assert loop.errands <= nameloop.ERRANDS + 1
        wait_until(lambda: loop.errands == 0, 5, "all errands to end")


def test_too_many_connections_of_one_desk_are_closed(loop: NameLoop) -> None:
    desk, other = a_desk(loop), a_desk(loop)
    lines = [talking(desk) for _ in range(nameloop.TALKS)]
    wait_until(lambda: loop.talks == nameloop.TALKS, 5, "all connections to be taken")
    with talking(desk) as refused:
        assert refused.recv(1) == b""
    with talking(other) as line:
        line.send(framed(b"x"))
        assert line.recv(100) == framed(b"known x by stream")
    for line in lines:
        line.close()


def test_without_a_descriptor_nobody_is_accepted_and_nobody_is_busy_with_that(
    loop: NameLoop,
) -> None:
    desk = a_desk(loop)
    with talking(desk) as first:
        first.send(framed(b"x"))
        assert first.recv(100)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        line = socket.socket()
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors(), hard))
        try:
            line.connect(desk.connections.getsockname())
            used = time.process_time()
            time.sleep(0.3)  # nothing is to happen in this time
            assert time.process_time() - used < 0.1
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        line.settimeout(5)
        line.send(framed(b"late"))
        assert line.recv(100) == framed(b"known late by stream")
        line.close()


def test_a_connection_that_says_nothing_ends(loop: NameLoop) -> None:
    with talking(a_desk(loop)) as line:
        assert line.recv(1) == b""
    assert loop.talks == 0


def test_a_question_that_is_too_long_ends_its_connection(loop: NameLoop) -> None:
    with talking(a_desk(loop)) as line:
        line.send(struct.pack(">H", nameloop.QUESTION_BYTES + 1) + b"x")
        assert line.recv(1) == b""


def test_who_takes_no_answers_is_left(loop: NameLoop) -> None:
    desk = a_desk(loop)
    with talking(desk) as line, pytest.raises(OSError, match=r"reset|pipe|timed out"):
        line.sendall(framed(b"x" * 4000) * 5000)
    assert said(desk, b"web") == b"known web"


def test_what_is_no_question_gets_no_answer(loop: NameLoop) -> None:
    with asking(a_desk(loop)) as line:
        line.send(b"!")
        line.send(b"web")
        assert line.recv(100) == b"known web"


def test_a_desk_that_is_left_takes_everything_with_it(server: Server) -> None:
    before = open_now()
    loop = NameLoop()
    desks = [a_desk(loop, server.port) for _ in range(3)]
    lines = [talking(desk) for desk in desks]
    wait_until(lambda: loop.talks == 3, 5, "the connections to be taken")
    with asking(desks[0]) as line:
        line.send(b"?silent")
        wait_until(lambda: loop.errands == 1, 5, "the errand to begin")
    for key in loop.keys:
        loop.leave(key)
    for each in lines:
        each.close()
    assert (loop.errands, loop.talks) == (0, 0)
    wait_until(lambda: not open_now() - before, 5, "all to be closed")
    names = [thread for thread in threading.enumerate() if thread.name == "names"]
    wait_until(lambda: not any(each.is_alive() for each in names), 5, "the thread to end")


def test_desks_come_and_go_while_others_ask(loop: NameLoop, server: Server) -> None:
    steady = a_desk(loop, server.port)
    for number in range(50):
        desk = desk_here(server.port)
        loop.serve("changing", desk, partial(_same, b"%d" % number))
        assert said(desk, b"who") == b"%d" % number
        assert said(steady, b"?www") == b"yes www"


def _same(reply: bytes, question: bytes, is_datagram: bool) -> bytes:
    return reply
