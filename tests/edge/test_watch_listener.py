"""A listener at which nobody asks is not read: on many kernels that would never end."""

import ctypes
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyminidock.container.seccomp.watching import watching_program
from pyminidock.kernel.linux.guard import BOARD_BYTES
from pyminidock.kernel.watch.asked import Asked
from pyminidock.kernel.watch.explaining import Explaining
from pyminidock.unionfs.branches import Stack

pytestmark = pytest.mark.edge
PATIENCE_S = 10.0
_SECCOMP = 277 if os.uname().machine == "aarch64" else 317
_SET_MODE_FILTER, _NEW_LISTENER, _NO_NEW_PRIVILEGES = 1, 8, 38


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


@contextmanager
def told() -> Iterator[tuple[int, int]]:
    """Fork a process whose calls are told; gives its pid and the listener."""
    ours, theirs = socket.socketpair()
    libc, code = ctypes.CDLL(None, use_errno=True), watching_program(os.uname().machine)
    program = _Program(len(code) // 8, code)
    pid = os.fork()
    if not pid:
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        words = _SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program)
        socket.send_fds(theirs, [b"w"], [libc.syscall(*words)])
        while True:
            signal.pause()
    with ours, theirs:
        _, (listener,), _, _ = socket.recv_fds(ours, 1, 1)
    try:
        yield pid, listener
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_nobody_is_waited_for_where_nobody_asks(tmp_path: Path) -> None:
    with told() as (_, listener):
        board = os.open(tmp_path / "board", os.O_RDWR | os.O_CREAT)
        os.ftruncate(board, BOARD_BYTES)
        asked = Asked(
            listener, board, Explaining(Stack((), has_upper=False)), lambda *_: None, 0
        )
        turn = threading.Thread(target=asked.turn, daemon=True)
        turn.start()
        turn.join(PATIENCE_S)
        assert not turn.is_alive()
        assert not asked.is_over
    asked.turn()
    assert asked.is_over
    asked.close()
