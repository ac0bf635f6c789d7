"""What the watcher tells an engine that is slow: all of it, or how much was lost."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.events import FileNoticed
from pyminidock.kernel.watch import line as told
from pyminidock.kernel.watch.line import Line

OPENED = FileNoticed("opened", "/etc/motd", "", 7, "cat")


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[Line, socket.socket]]:
    """Give the watcher's end of a line, and the engine's."""
    place = str(tmp_path / "line")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as engine:
        listener.bind(place)
        listener.listen(1)
        line = Line(listener)
        engine.connect(place)
        line.turn({listener.fileno()})
        yield line, engine


def kinds(lines: bytes) -> list[str]:
    return [kind for each in lines.splitlines() for kind, _ in json.loads(each)["events"]]


def test_the_end_comes_behind_all_that_an_engine_has_not_read_yet(
    ends: tuple[Line, socket.socket],
) -> None:
    line, engine = ends
    for _ in range(10_000):  # more than a socket takes
        assert line.tell([OPENED])
    ending = threading.Thread(target=line.end)
    ending.start()
    heard = b""
    while b"watch.ended" not in heard:
        heard += engine.recv(1 << 16)
    ending.join()
    assert kinds(heard) == ["file.noticed"] * 10_000 + ["watch.ended"]


def test_what_found_no_room_is_counted_and_the_end_is_told_all_the_same(
    ends: tuple[Line, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "_MOST_BYTES", 100)
    line, engine = ends
    assert [line.tell([OPENED]) for _ in range(3)] == [True, False, False]
    line.end()
    heard = engine.recv(1 << 16)
    assert kinds(heard) == ["file.noticed", "files.missed", "watch.ended"]
    assert json.loads(heard.splitlines()[1])["events"][0][1] == {"count": 2}


def test_an_engine_that_is_gone_is_not_waited_for(
    ends: tuple[Line, socket.socket],
) -> None:
    line, engine = ends
    line.tell([OPENED])
    engine.close()
    line.end()
