"""Whoever is connected to a shim: the daemon, and those who watch the program.

A visitor asks in messages (`messages`) until it attaches; from then on its connection
carries frames, both ways.  One that cannot keep up makes the program wait, and one that
breaks the rules is shown the door.
"""

import os
from collections.abc import Iterable

from pyminidock.kernel.linux import sockets
from pyminidock.kernel.linux.messages import FRAME, LENGTH, STDOUT, Client, read

BUFFER_BYTES = 1 << 20  # waiting for one visitor, or for the program's standard input
_CHUNK_BYTES = 65536
_LONGEST_MESSAGE = 1 << 20


class Visitors:
    """The connections of one shim, by descriptor, and the socket where new ones knock."""

    def __init__(self, listener: int, line: int, watchers: Iterable[int]) -> None:
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
        client.flush()
        try:
            data = client.connection.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return [], []
        if not data:
            raise ConnectionResetError
        client.incoming += data
        messages = [] if client.is_attached else _messages(client)
        return messages, _frames(client) if client.is_attached else []

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
        """Send output to everybody who is attached; none of it means the end."""
        frame = FRAME.pack(stream, len(data)) + data
        for number, client in list(self.clients.items()):
            if client.is_attached:
                self.send(number, frame)

    def tell_end(self, record: dict[str, float]) -> None:
        """Tell everybody who waits how the program ended."""
        for number, client in list(self.clients.items()):
            if client.is_waiting:
                self.tell(number, **record)
        self.show(STDOUT, b"")

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

    def are_served(self) -> bool:
        """Say whether everybody has got all that was for them."""
        return not any(client.outgoing for client in self.clients.values())

    def are_behind(self) -> bool:
        """Say whether somebody cannot keep up: then the program has to wait."""
        return any(len(client.outgoing) > BUFFER_BYTES for client in self.clients.values())


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
