"""Handles travel with messages, and the few words for sockets do what the many do."""

import os
import socket
from pathlib import Path

from pyminidock.kernel.linux import sockets


def test_handles_travel_with_a_message_and_close_on_exec(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    sent = os.open(tmp_path / "file", os.O_RDONLY)
    ours, theirs = sockets.pair()
    sockets.send_handles(ours, b"here", [sent, sent])
    message, handles = sockets.receive_handles(theirs, 16, 4)
    assert (message, len(handles)) == (b"here", 2)
    assert not any(os.get_inheritable(handle) for handle in handles)
    assert os.read(handles[1], 16) == b"content"
    for handle in (sent, *handles):
        os.close(handle)
    ours.close()
    assert sockets.receive_handles(theirs, 16, 4) == (b"", [])
    theirs.close()


def test_who_knocks_is_known_by_uid(tmp_path: Path) -> None:
    listener = sockets.Socket(sockets.AF_UNIX)
    listener.bind(str(tmp_path / "door"))
    listener.listen(1)
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(str(tmp_path / "door"))
        connection = sockets.accept(listener)
        assert sockets.user_behind(connection) == os.getuid()
        assert not os.get_inheritable(connection.fileno())
        connection.close()
    listener.close()
