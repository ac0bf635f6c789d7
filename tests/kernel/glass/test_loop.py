"""How the loop waits for the next question: it looks for a moment, and then it sleeps."""

import os
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pyminidock.kernel.glass import wire
from pyminidock.kernel.glass.loop import LOOKS, Loop
from pyminidock.kernel.glass.wire import Op

PATIENCE_S = 30.0


def question(unique: int) -> bytes:
    """Spell a LOOKUP of one name in the root."""
    name = b"motd\0"
    head = struct.pack("<IIQQIIIHH", 40 + len(name), Op.LOOKUP, unique, 1, 0, 0, 1, 0, 0)
    return head + name


class Sleeps:
    """A select.poll that tells each time it is about to wait."""

    def __init__(self) -> None:
        self.real, self.begun = select.poll(), threading.Semaphore(0)

    def register(self, *words: Any) -> None:
        """As the real one."""
        self.real.register(*words)

    def poll(self) -> None:
        """As the real one, but for the word before."""
        self.begun.release()
        self.real.poll()


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, processors: int) -> Iterator[Any]:
    """A loop that says no to everything; gives the kernel's side, its sleeps, its looks."""
    sleeps, looks, look = Sleeps(), list[int](), os.readv

    def counted(descriptor: int, buffers: Any) -> int:
        looks.append(descriptor)
        return look(descriptor, buffers)

    monkeypatch.setattr(select, "poll", lambda: sleeps)
    monkeypatch.setattr(os, "readv", counted)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    kernel, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with kernel, ours:
        kernel.settimeout(PATIENCE_S)
        loop = Loop(ours.fileno())
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            yield kernel, sleeps, looks
        finally:
            loop.is_over = True
            kernel.send(question(99))
            thread.join(PATIENCE_S)


@pytest.mark.parametrize(("processors", "wanted"), [(1, 1), (2, LOOKS)])
def test_after_an_answer_it_looks_for_a_moment_and_then_sleeps(
    monkeypatch: pytest.MonkeyPatch, processors: int, wanted: int
) -> None:
    with running(monkeypatch, processors) as (kernel, sleeps, looks):
        assert sleeps.begun.acquire(timeout=PATIENCE_S)
        for unique in (1, 2):
            looks.clear()
            kernel.send(question(unique))
            assert wire.OUT_HEADER.unpack_from(kernel.recv(100))[2] == unique
            assert sleeps.begun.acquire(timeout=PATIENCE_S)
            assert len(looks) == 1 + wanted, "the question, and then in vain"
