"""What a union tells an engine that is slow to hear: what is lost is counted."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pyminidock.engine.glass import events
from pyminidock.events import FilesMissed, WhiteoutMade
from pyminidock.kernel.glass import telling, wire
from pyminidock.kernel.glass.telling import Telling
from pyminidock.kernel.glass.wire import Op, Request


@pytest.fixture
def union() -> SimpleNamespace:
    """The loop of a union, which `admit`s answers."""
    return SimpleNamespace(lock=threading.Lock(), wait=lambda *_: None)


@pytest.fixture
def line(union: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    """A line of two records on which nobody sends yet."""
    monkeypatch.setattr(telling, "_UNHEARD", 2)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Telling(SimpleNamespace(), union, ours)  # type: ignore[arg-type]


def ask(line: Telling, union: Any, path: str) -> None:
    """Let a program delete a file."""
    line.done(WhiteoutMade(path))
    asker = threading.get_native_id()
    asked = Request(Op.FORGET, 1, 1, 0, 0, asker, memoryview(b""))
    union.admit(asked, wire.done(1))


def test_what_is_lost_is_counted_and_told_with_the_next(
    line: Telling, union: SimpleNamespace
) -> None:
    for name in ("/a", "/b", "/lost", "/lost too"):
        ask(line, union, name)
    line._records.clear()  # the engine has heard them
    ask(line, union, "/c")
    (record,) = line._records
    told = [event for _, event in events(json.loads(record))]
    assert told[0] == FilesMissed(2)
    assert [event.path for event in told[1:] if isinstance(event, WhiteoutMade)] == ["/c"]


def test_a_thread_asks_for_its_process(line: Telling, union: SimpleNamespace) -> None:
    asking = threading.Thread(target=ask, args=(line, union, "/a"))
    asking.start()
    asking.join()
    (record,) = line._records
    assert json.loads(record)["pid"] == os.getpid()
