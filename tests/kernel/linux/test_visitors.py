"""Visitors of a shim: the slow are waited for, and who stands still holds nobody up."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.kernel.linux import backlog, sockets, visitors
from pyminidock.kernel.linux.messages import FRAME, Client
from pyminidock.kernel.linux.visitors import BUFFER_BYTES, Visitors

PIECE = b"x" * 8192
MANY = 4 * BUFFER_BYTES // len(PIECE)


class Stand:
    """A shim's visitors, and the other ends of their connections."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        self.handle = os.open(directory, os.O_RDONLY)
        listener, (line, self.daemon) = socket.socket(socket.AF_UNIX), socket.socketpair()
        self.visitors = Visitors(listener.detach(), line.detach(), (), self.handle)

    def visitor(self, *, is_patient: bool) -> "Reader":
        """Let somebody attach; who was there before the program is patient."""
        ours, theirs = socket.socketpair()
        client = Client(sockets.of(theirs.detach()), is_attached=True)
        client.is_patient = is_patient
        number = client.connection.fileno()
        self.visitors.clients[number] = client
        return Reader(self, ours, number)

    def print(self, pieces: int) -> int:
        """Let the program print as long as nobody has to be waited for; give how much."""
        for done in range(pieces):
            if self.visitors.are_behind():
                return done
            self.visitors.show(1, PIECE)
        return pieces

    def close(self) -> None:
        """Be done."""
        self.visitors.backlog.empty()
        self.visitors.leave()
        self.daemon.close()
        os.close(self.handle)


class Reader:
    """The other end of one connection."""

    def __init__(self, stand: Stand, connection: socket.socket, number: int) -> None:
        self.stand, self.number = stand, number
        self.connection = connection
        self.connection.setblocking(False)

    def read_all(self) -> list[tuple[int, bytes]]:
        """Read frames until there are no more."""
        client, data = self.stand.visitors.clients[self.number], b""
        while True:
            try:
                data += self.connection.recv(1 << 20)
            except BlockingIOError:
                if not client.outgoing and client.offset < 0:
                    break
                self.stand.visitors.hear(self.number)
        frames = []
        while data:
            stream, length = FRAME.unpack_from(data)
            frames.append((stream, data[8 : 8 + length]))
            data = data[8 + length :]
        self.connection.close()
        return frames


@pytest.fixture
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    made = Stand(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.mark.parametrize("is_patient", [True, False])
def test_the_program_waits_for_who_is_slow(stand: Stand, is_patient: bool) -> None:
    reader = stand.visitor(is_patient=is_patient)
    printed = stand.print(MANY)
    assert printed < MANY
    assert reader.read_all() == [(1, PIECE)] * printed
    assert not stand.visitors.are_behind()


@pytest.mark.parametrize("is_patient", [True, False])
def test_who_stands_still_holds_nobody_up_and_misses_nothing(
    stand: Stand, is_patient: bool
) -> None:
    reader = stand.visitor(is_patient=is_patient)
    printed = stand.print(MANY)
    stand.now += visitors.STILL_S
    assert stand.print(MANY) == MANY
    assert stand.visitors.backlog.end == (8 + len(PIECE)) * MANY
    stand.visitors.tell_end({"code": 0})
    assert not stand.visitors.are_served()
    assert reader.read_all() == [(1, PIECE)] * (printed + MANY) + [(1, b"")]
    assert stand.visitors.are_served()
    assert stand.visitors.backlog.end == 0


def test_where_the_backlog_is_full_the_program_waits_for_who_was_there_first(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "LARGEST_BYTES", 10 * len(PIECE))
    reader = stand.visitor(is_patient=True)
    printed = stand.print(MANY)
    stand.now += visitors.STILL_S
    more = stand.print(MANY)
    assert 0 < more < MANY
    assert stand.visitors.are_behind()
    assert reader.read_all() == [(1, PIECE)] * (printed + more)
    assert stand.print(1) == 1


def test_where_the_backlog_is_full_who_came_later_is_told_what_is_left_out(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "LARGEST_BYTES", 10 * len(PIECE))
    reader = stand.visitor(is_patient=False)
    printed = stand.print(MANY)
    stand.now += visitors.STILL_S
    assert stand.print(MANY) == MANY
    frames = reader.read_all()
    *seen, (stream, words) = frames
    assert stream == 2
    left_out = (printed + MANY - len(seen)) * len(PIECE)
    assert words == b"\r\n[%d bytes left out: nobody read them]\r\n" % left_out
    assert seen == [(1, PIECE)] * len(seen)
    assert len(seen) > printed


def test_where_the_disk_takes_nothing_the_loss_is_told(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog.Backlog, "add", lambda *_: False)
    reader = stand.visitor(is_patient=False)
    printed = stand.print(MANY)
    stand.now += visitors.STILL_S
    assert stand.print(3) == 3
    frames = reader.read_all()
    assert frames[:-1] == [(1, PIECE)] * printed
    assert b"[%d bytes left out" % (3 * len(PIECE)) in frames[-1][1]


def test_one_that_reads_gets_everything_beside_one_that_does_not(stand: Stand) -> None:
    still, good = stand.visitor(is_patient=False), stand.visitor(is_patient=False)
    got = []
    printed = 0
    while printed < MANY:
        if stand.visitors.are_behind():
            stand.now += visitors.STILL_S / 4
        else:
            stand.visitors.show(1, PIECE)
            printed += 1
        stand.visitors.hear(good.number)
        try:
            got.append(good.connection.recv(1 << 20))
        except BlockingIOError:
            continue
    rest = good.read_all()
    assert sum(map(len, got)) + sum(8 + len(data) for _, data in rest) == (
        MANY * (8 + len(PIECE))
    )
    assert len(still.read_all()) == MANY


def test_who_has_typed_and_left_is_sent_nothing_and_heard_to_the_end(stand: Stand) -> None:
    reader = stand.visitor(is_patient=False)
    reader.connection.sendall(FRAME.pack(0, 5) + b"typed")
    reader.connection.close()
    stand.visitors.show(1, b"an answer")
    assert stand.visitors.hear(reader.number) == ([], [b"typed"])
    with pytest.raises(ConnectionResetError):
        stand.visitors.hear(reader.number)
    assert stand.visitors.are_served()
