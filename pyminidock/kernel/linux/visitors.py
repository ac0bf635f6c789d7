"""Whoever is connected to a shim: the daemon, and those who watch the program.

A visitor asks in messages (`messages`) until it attaches; from then on its connection
carries frames, both ways.  One that breaks the rules is shown the door.  What becomes of
the output for one that does not keep up:

    slow          up to 1 MiB waits for it, then the program waits
    stands still  for a second: what follows goes to the backlog, and nobody waits
    and on        if the backlog is full, the program waits for who was there before it
                  began (its terminal, or the pipe behind it), and anybody else is told
                  how much was left out
"""

import os
import time
from collections.abc import Iterable

from pyminidock.kernel.linux import sockets
from pyminidock.kernel.linux.backlog import Backlog
from pyminidock.kernel.linux.messages import FRAME, LENGTH, STDERR, STDOUT, Client, read

BUFFER_BYTES = 1 << 20  # waiting for one visitor, or for the program's standard input
STILL_S = 1.0
_CHUNK_BYTES = 65536
_LONGEST_MESSAGE = 1 << 20


class Visitors:
    """The connections of one shim, by descriptor, and the socket where new ones knock."""

    is_over = False  # no output will come

    def __init__(
        self, listener: int, line: int, watchers: Iterable[int], directory: int
    ) -> None:
        self.backlog = Backlog(directory)
        self.listener = sockets.of(listener)
        self.listener.setblocking(False)
        self.clients = {line: Client(sockets.of(line))}
        for number in watchers:
            self.clients[number] = Client(sockets.of(number), is_attached=True)

    def welcome(self) -> None:
        """Let in who knocks, if it is root or who we are ourselves."""
        try:
            connection = sockets.accept(self.listener)
        except OSError:
            return
        if sockets.user_behind(connection) not in (0, os.getuid()):
            connection.close()
            return
        self.clients[connection.fileno()] = Client(connection)

    def hear(self, number: int) -> tuple[list[dict[str, str]], list[bytes]]:
        """Read once from a visitor: its whole messages, and frames of standard input.

        An empty frame means that standard input ends.  Raises OSError when the visitor is
        gone, ValueError when it does not keep to the rules.
        """
        client = self.clients[number]
        self._serve(client)
        try:
            data = client.connection.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return [], []
        if not data:
            raise ConnectionResetError
        client.incoming += data
        messages = [] if client.is_attached else _messages(client)
        return messages, _frames(client) if client.is_attached else []

    def _serve(self, client: Client) -> None:
        """Give a visitor as much as it takes, from the backlog too.  Raises OSError."""
        client.flush()
        while client.offset >= 0 and not client.outgoing:
            client.outgoing += self.backlog.read(client.offset, _CHUNK_BYTES)
            client.offset += len(client.outgoing)
            if client.offset == self.backlog.end:
                client.offset = -1
                self._tell_loss(client)
                client.outgoing += FRAME.pack(STDOUT, 0) if self.is_over else b""
                self._empty()
            client.flush()

    def _tell_loss(self, client: Client) -> None:
        if client.lost:
            words = b"\r\n[%d bytes left out: nobody read them]\r\n" % client.lost
            client.outgoing += FRAME.pack(STDERR, len(words)) + words
            client.lost = 0

    def _empty(self) -> None:
        if self.backlog.end and all(each.offset < 0 for each in self.clients.values()):
            self.backlog.empty()

    def send(self, number: int, data: bytes) -> None:
        """Send bytes to one visitor; who is gone is forgotten."""
        try:
            self.clients[number].send(data)
        except OSError:
            self.drop(number)

    def tell(self, number: int, **fields: float) -> None:
        """Send one message to one visitor; who is gone is forgotten."""
        try:
            self.clients[number].answer(**fields)
        except OSError:
            self.drop(number)

    def show(self, stream: int, data: bytes) -> None:
        """Send output to everybody who is attached."""
        frame = FRAME.pack(stream, len(data)) + data
        is_kept = None
        for number, client in list(self.clients.items()):
            if not client.is_attached or client.is_deaf:
                continue
            if client.offset < 0:
                self.send(number, frame)
                continue
            if is_kept is None:
                is_kept = not self.backlog.is_full() and self.backlog.add(frame)
            if not is_kept or client.lost:
                client.lost += len(data)

    def tell_end(self, record: dict[str, float]) -> None:
        """Tell everybody who waits how the program ended."""
        self.is_over = True
        for number, client in list(self.clients.items()):
            if client.is_waiting:
                self.tell(number, **record)
            elif client.is_attached and client.offset < 0:
                self.send(number, FRAME.pack(STDOUT, 0))

    def keep_waiting(self, number: int) -> None:
        """Remember that a visitor wants to know how the program ends."""
        if number in self.clients:
            self.clients[number].is_waiting = True

    def leave(self) -> None:
        """Close everything."""
        self.listener.close()
        for client in self.clients.values():
            client.connection.close()

    def drop(self, number: int) -> None:
        """Close a connection and forget the visitor."""
        client = self.clients.pop(number, None)
        if client is not None:
            client.connection.close()
            self._empty()

    def are_served(self) -> bool:
        """Say whether everybody has got all that was for them."""
        return not any(each.outgoing or each.offset >= 0 for each in self.clients.values())

    def are_behind(self) -> bool:
        """Say whether somebody cannot keep up so that the program has to wait for it.

        Who stands still for a second is waited for no longer, but reads the backlog later.
        """
        return any(self._is_waited_for(each) for each in self.clients.values())

    def _is_waited_for(self, client: Client) -> bool:
        if client.offset >= 0:
            return client.is_patient and self.backlog.is_full()
        if len(client.outgoing) <= BUFFER_BYTES:
            return False
        if time.monotonic() - client.moved < STILL_S:
            return True
        if client.is_patient and self.backlog.is_full():
            return True
        client.offset = self.backlog.end
        return False


def _messages(client: Client) -> list[dict[str, str]]:
    """Take whole messages, up to one that asks to attach.  Raises ValueError."""
    taken = []
    while len(client.incoming) >= LENGTH.size and not client.is_attached:
        (length,) = LENGTH.unpack_from(client.incoming)
        if length > _LONGEST_MESSAGE:
            raise ValueError
        if len(client.incoming) < LENGTH.size + length:
            break
        message = read(bytes(client.incoming[LENGTH.size : LENGTH.size + length]))
        del client.incoming[: LENGTH.size + length]
        client.is_attached = message["op"] == "attach"
        taken.append(message)
    return taken


def _frames(client: Client) -> list[bytes]:
    """Take whole frames, all of them for standard input."""
    taken = []
    while len(client.incoming) >= FRAME.size:
        _, length = FRAME.unpack_from(client.incoming)
        if len(client.incoming) < FRAME.size + length:
            break
        taken.append(bytes(client.incoming[FRAME.size : FRAME.size + length]))
        del client.incoming[: FRAME.size + length]
    return taken
