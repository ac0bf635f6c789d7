"""Sockets and signals without their manners, for processes that have to stay small.

Python's `socket` and `signal` are wrappers that turn numbers into enumerations.  With all
that they import they are a third of the spawner's memory; every fork copies the tables of
it, and an idle shim keeps 150 KiB of its own for them.  Spawner, shims and children use the
halves that are written in C, through the few words here.

Source: CPython, Modules/socketmodule.c and signalmodule.c; man 7 unix, SCM_RIGHTS.
"""

import _signal  # type: ignore[import-not-found]  # the C half has no stub
import _socket
from array import array

Socket = _socket.socket
AF_INET, AF_UNIX = _socket.AF_INET, _socket.AF_UNIX
SOCK_STREAM, SOCK_DGRAM = _socket.SOCK_STREAM, _socket.SOCK_DGRAM
SOCK_CLOEXEC = _socket.SOCK_CLOEXEC
SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGTERM, SIGCHLD, SIGXFSZ = 1, 2, 9, 13, 15, 17, 25

_HANDLE_BYTES = 4
_CREDENTIALS = 12  # struct ucred { pid_t pid; uid_t uid; gid_t gid; }


def pair() -> tuple[Socket, Socket]:
    """Make two connected stream sockets."""
    return _socket.socketpair()


def of(descriptor: int) -> Socket:
    """Take a descriptor for the socket that it is."""
    return Socket(fileno=descriptor)


def accept(listener: Socket) -> Socket:
    """Take the next connection.  Raises OSError."""
    descriptor, _ = listener._accept()  # type: ignore[attr-defined]
    return of(descriptor)


def user_behind(connection: Socket) -> int:
    """Give the uid of the process at the other end, at the time it connected."""
    told = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS)
    return int.from_bytes(told[4:8], "little")


def send_handles(connection: Socket, message: bytes, handles: list[int]) -> None:
    """Send a message, and descriptors with it."""
    rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array("i", handles))
    connection.sendmsg([message], [rights])


def receive_handles(connection: Socket, size: int, most: int) -> tuple[bytes, list[int]]:
    """Wait for a message of at most `size` bytes with `most` descriptors.

    They close on exec.  No message: the other side is gone.
    """
    room = _socket.CMSG_LEN(most * _HANDLE_BYTES)
    message, extras, _, _ = connection.recvmsg(size, room, _socket.MSG_CMSG_CLOEXEC)
    handles = array("i")
    for level, kind, data in extras:
        if (level, kind) == (_socket.SOL_SOCKET, _socket.SCM_RIGHTS):
            handles.frombytes(data[: len(data) - len(data) % _HANDLE_BYTES])
    return message, handles.tolist()


def name_host(name: bytes) -> None:
    """Name this machine, as its UTS namespace knows it."""
    _socket.sethostname(name.decode())


def ignore(signal: int) -> None:
    """Let a signal pass unheard; so does whatever this process executes."""
    _signal.signal(signal, _signal.SIG_IGN)


def forget(signal: int) -> None:
    """Let a signal do what it does by itself."""
    _signal.signal(signal, _signal.SIG_DFL)


def block_none() -> None:
    """Let every signal come through."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
