"""A conversation with the kernel over a netlink socket: send all, then read all.

    struct nlmsghdr { __u32 len; __u16 type, flags; __u32 seq, pid; }
    struct nlmsgerr { int error; struct nlmsghdr msg; }, then what the kernel says to it

The kernel works within the call that sends, so a batch of ten costs two system calls, and
whoever sent it never waits.  It goes on behind a request that it refuses: the answers tell
which.  A socket belongs for ever to the network in which it was opened.

Source: man 7 netlink; linux/netlink.h; Documentation/userspace-api/netlink/intro.rst.
"""

import errno
import os
import socket
import struct
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

from pyminidock.kernel.linux.rtnetlink import Request, attributes, text

_HEAD = struct.Struct("=IHHII")
_ERROR = struct.Struct("=i")
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST, _NLM_F_ACK, _NLM_F_DUMP = 1, 4, 0x300
_NLM_F_CAPPED, _NLM_F_ACK_TLVS = 0x100, 0x200
_NLMSGERR_ATTR_MSG = 1
_SOL_NETLINK = 270
_NETLINK_CAP_ACK, _NETLINK_EXT_ACK = 10, 11
_MOST_BYTES = 1 << 17  # the kernel gives 32 KiB at a time at most


class Message(NamedTuple):
    """One message of the kernel."""

    kind: int
    flags: int
    sequence: int
    body: bytes


class Netlink:
    """A socket in the network of whoever makes it; `groups` are what it listens to."""

    def __init__(self, protocol: int = 0, groups: int = 0) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
        self.socket = socket.socket(socket.AF_NETLINK, kind, protocol)
        try:
            for option in (_NETLINK_EXT_ACK, _NETLINK_CAP_ACK):
                self.socket.setsockopt(_SOL_NETLINK, option, 1)
            if groups:
                self.socket.bind((0, groups))
        except OSError:
            self.socket.close()
            raise
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the network; twice is fine."""
        self.socket.close()

    def batch(self, requests: Sequence[Request], forgiven: Sequence[int] = ()) -> None:
        """Send all requests at once, and read the answers once.

        Raises OSError with the errno of the first that was refused, unless it is
        `forgiven`, and with the kernel's own words; those behind it were tried too.
        """
        first = self._sequence + 1
        self._send(requests, _NLM_F_ACK)
        refused: list[OSError] = []
        waited = set(range(first, self._sequence + 1))
        while waited:
            for message in self.receive():
                if message.kind != _NLMSG_ERROR or message.sequence not in waited:
                    continue
                waited.discard(message.sequence)
                refusal = _refusal(message)
                if refusal is not None and refusal.errno not in forgiven:
                    refused.append(refusal)
        if refused:
            raise refused[0]

    def ask(self, request: Request) -> list[bytes]:
        """Give the bodies of all that a question is answered with.  Raises OSError."""
        is_dump = request.flags & _NLM_F_DUMP == _NLM_F_DUMP
        self._send([request], 0)
        found: list[bytes] = []
        while True:
            for message in self.receive():
                if message.sequence != self._sequence:
                    continue
                if message.kind == _NLMSG_DONE:
                    return found
                if message.kind == _NLMSG_ERROR:
                    refusal = _refusal(message)
                    if refusal is not None:
                        raise refusal
                    return found
                found.append(message.body)
            if found and not is_dump:
                return found

    def receive(self) -> list[Message]:
        """Read once: whole messages.  Raises OSError; ENOBUFS says that some were lost."""
        return split(self.socket.recv(_MOST_BYTES))

    def _send(self, requests: Sequence[Request], flags: int) -> None:
        parts = []
        for request in requests:
            self._sequence += 1
            length = _HEAD.size + len(request.body)
            said = _NLM_F_REQUEST | flags | request.flags
            parts.append(_HEAD.pack(length, request.kind, said, self._sequence, 0))
            parts.append(request.body + bytes(-length % 4))
        self.socket.send(b"".join(parts))


def split(data: bytes) -> list[Message]:
    r"""Take messages apart; what is cut short is left out.

    >>> split(b"\x14\0\0\0\x03\0\0\0\7\0\0\0\0\0\0\0done")
    [Message(kind=3, flags=0, sequence=7, body=b'done')]
    """
    found, begin = [], 0
    while begin + _HEAD.size <= len(data):
        length, kind, flags, sequence, _ = _HEAD.unpack_from(data, begin)
        if length < _HEAD.size or begin + length > len(data):
            break
        body = data[begin + _HEAD.size : begin + length]
        found.append(Message(kind, flags, sequence, body))
        begin += length + -length % 4
    return found


def _refusal(message: Message) -> OSError | None:
    """Give what was refused, in the kernel's words if it has some; None: it was done."""
    (code,) = _ERROR.unpack_from(message.body)
    if code == 0:
        return None
    said = ""
    if message.flags & _NLM_F_ACK_TLVS:
        begin = _ERROR.size + _HEAD.size
        if not message.flags & _NLM_F_CAPPED:
            length, *_ = _HEAD.unpack_from(message.body, _ERROR.size)
            begin += length - _HEAD.size + -length % 4
        said = text(attributes(message.body[begin:]).get(_NLMSGERR_ATTR_MSG, b""))
    code = -code if code < 0 else errno.EPROTO
    return OSError(code, said or os.strerror(code))
