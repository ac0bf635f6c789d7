"""Logs under load: nothing is lost, nobody waits, and the disk does not fill up.

An engine of its own for this file, which the last test kills; clients speak to its socket.
"""

import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from pyminidock.container.logrecords import Choice, Reader
from pyminidock.kernel.port import Streams
from tests.edge.cell import Cell, cell_at
from tests.minidock_cli import Minidock
from tests.rawapi import UnixConnection, ask
from tests.reference import wait_until

pytestmark = pytest.mark.edge

PATIENCE_S = 240  # for what takes a second or two on a machine that is not busy

# Numbered lines of a hundred bytes, as fast as they come.
FLOOD = """awk 'BEGIN { for (i = 0; i < %d; i++) printf "%%099d\\n", i }'"""


@dataclass
class Engine:
    """A daemon in the foreground, and what a client asks of it."""

    minidock: Minidock
    daemon: subprocess.Popen[bytes] | None = None
    made: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Start the daemon."""
        words = self.minidock.words("daemon")
        self.daemon = subprocess.Popen(
            words, env=self.minidock.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def answers() -> bool:
            try:
                return self.ask("GET", "/_ping") == b"OK"
            except OSError:
                return False

        wait_until(answers, PATIENCE_S, "the daemon to answer")

    def end(self, number: int = signal.SIGTERM) -> None:
        """End the daemon with a signal."""
        assert self.daemon is not None
        self.daemon.send_signal(number)
        self.daemon.wait(PATIENCE_S)

    def ask(self, method: str, path: str, wish: object = None) -> bytes:
        """Ask, and read all of an answer that must be a good one."""
        told = ask(self.minidock.host, method, path, wish, patience_s=PATIENCE_S)
        assert told.status < 300, told.body
        return told.body

    def started(self, script: str, *, has_terminal: bool = False, **options: str) -> str:
        """Run a script in a container; options of its log have _ for -."""
        log = {name.replace("_", "-"): value for name, value in options.items()}
        host = {"NetworkMode": "none", "LogConfig": {"Type": "json-file", "Config": log}}
        wish = {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": host,
                "Tty": has_terminal}  # fmt: skip
        container = str(json.loads(self.ask("POST", "/containers/create", wish))["Id"])
        self.made.append(container)
        self.ask("POST", f"/containers/{container}/start")
        return container

    def wait(self, container: str) -> int:
        """Wait for the end of a container; give its exit code."""
        return int(
            json.loads(self.ask("POST", f"/containers/{container}/wait"))["StatusCode"]
        )

    def inspect(self, container: str) -> dict[str, Any]:
        """Ask for everything about it."""
        told: dict[str, Any] = json.loads(self.ask("GET", f"/containers/{container}/json"))
        return told

    def logs(self, container: str, **query: object) -> bytes:
        """Read a log to its end: the texts of its frames."""
        asked = urlencode({"stdout": 1, "stderr": 1, **query})
        return unframed(self.ask("GET", f"/containers/{container}/logs?{asked}"))

    def read_along(self, container: str) -> int:
        """Read a log as it grows, to its end, and keep nothing of it; give its bytes."""
        line, size = UnixConnection(self.minidock.host), 0
        line.timeout = PATIENCE_S
        try:
            line.request("GET", f"/containers/{container}/logs?stdout=1&follow=1")
            answer = line.getresponse()
            while piece := answer.read(1 << 20):
                size += len(piece)
        finally:
            line.close()
        return size

    def follower(self, container: str) -> socket.socket:
        """Ask for a log as it grows, and leave the reading of it to the caller."""
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(PATIENCE_S)
        line.connect(str(self.minidock.host))
        line.sendall(
            f"GET /containers/{container}/logs?stdout=1&follow=1 HTTP/1.1\r\n"
            "Host: docker\r\n\r\n".encode()
        )
        return line

    def remove_all(self) -> None:
        """Leave no container."""
        while self.made:
            self.ask("DELETE", f"/containers/{self.made.pop()}?force=1")


def unframed(body: bytes) -> bytes:
    """Take the texts out of frames."""
    texts, at = [], 0
    while at < len(body):
        (length,) = struct.unpack_from(">xxxxI", body, at)
        texts.append(body[at + 8 : at + 8 + length])
        at += 8 + length
    return b"".join(texts)


def numbered(count: int, first: int = 0) -> bytes:
    """What FLOOD prints."""
    return b"".join(b"%099d\n" % number for number in range(first, count))


@pytest.fixture(scope="module")
def place() -> Iterator[Engine]:
    """Give an engine of this file; whatever happens to it, it is reset at the end."""
    with tempfile.TemporaryDirectory(prefix="minidock-logs-") as scratch:
        minidock = Minidock(Path(scratch) / "root", Path(scratch) / "minidock.sock")
        engine = Engine(minidock)
        engine.begin()
        try:
            made = minidock.run("bootstrap", "busybox")
            assert made.returncode == 0, made.stderr
            yield engine
        finally:
            engine.end()
            minidock.run("system", "reset")


@pytest.fixture
def engine(place: Engine) -> Iterator[Engine]:
    yield place
    place.remove_all()


def test_a_hundred_megabytes_come_back_byte_by_byte(engine: Engine) -> None:
    count = 1_000_000
    container = engine.started(FLOOD % count, max_size="1g")
    followed = engine.logs(container, follow=1)
    assert engine.wait(container) == 0
    expected = hashlib.sha256(numbered(count)).digest()
    assert hashlib.sha256(followed).digest() == expected
    assert hashlib.sha256(engine.logs(container)).digest() == expected
    assert engine.logs(container, tail=2) == numbered(count, count - 2)


def test_who_follows_and_does_not_read_holds_up_nobody(engine: Engine) -> None:
    count = 200_000
    container = engine.started(f"sleep 0.5; {FLOOD % count}")
    stalled = [engine.follower(container) for _ in range(3)]
    assert engine.logs(container, follow=1) == numbered(count)
    assert engine.wait(container) == 0
    assert engine.ask("GET", "/_ping") == b"OK"
    for line in stalled:
        line.close()


def test_fifty_followers_hear_the_same(engine: Engine) -> None:
    container = engine.started("for i in $(seq 100); do echo $i; done; sleep 2")
    expected = b"".join(b"%d\n" % number for number in range(1, 101))
    heard: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: heard.append(engine.logs(container, follow=1)))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert heard == [expected] * 50


def test_a_follower_keeps_up_with_a_log_that_changes_its_files(engine: Engine) -> None:
    """The program waits for nobody, but between its lines there is time to read them."""
    script = "for i in $(seq 400); do echo number $i; usleep 3000; done"
    container = engine.started(script, max_size="2k", max_file="4")
    followed = engine.logs(container, follow=1)
    expected = b"".join(b"number %d\n" % number for number in range(1, 401))
    assert followed == expected
    kept = engine.logs(container)
    assert expected.endswith(kept)
    assert len(kept) < len(expected)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_flood_fills_no_disk_and_is_no_burden(
    engine: Engine, at_length: Callable[[int], int]
) -> None:
    """H-50: 5 GB at full length; a follower reads along, and other containers live on."""
    count = at_length(50_000_000)
    assert engine.daemon is not None
    before, began = cpu_seconds(engine.daemon.pid), time.monotonic()
    container = engine.started(FLOOD % count)
    directory = Path(engine.inspect(container)["LogPath"]).parent
    reader = threading.Thread(target=engine.read_along, args=(container,))
    reader.start()
    most = 0
    while engine.inspect(container)["State"]["Running"]:
        other = engine.started("echo hi")
        assert engine.wait(other) == 0
        assert engine.logs(other) == b"hi\n"
        engine.ask("DELETE", f"/containers/{engine.made.pop()}")
        most = max(most, sum(size_of(path) for path in directory.glob("*-json.log*")))
    reader.join(PATIENCE_S)
    cpu, took = cpu_seconds(engine.daemon.pid) - before, time.monotonic() - began
    told = f"{count * 100 >> 20} MiB in {took:.1f} s, daemon {cpu:.1f} s, {most >> 20} MiB"
    print(told)  # noqa: T201
    assert most <= 300 << 20
    assert cpu < took
    kept = engine.logs(container)
    assert kept == numbered(count, count - len(kept) // 100)
    assert len(kept) >= min(count * 100, 100 << 20)


def size_of(path: Path) -> int:
    """Give the size of a file that may have another name by now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def cpu_seconds(pid: int) -> float:
    """Give how long a process has been on a processor."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


# ── A full disk ──────────────────────────────────────────────────────────────────────────


@contextmanager
def small_cell() -> Iterator[tuple[Cell, Path]]:
    """Give a cell on a disk of 24 MiB, and a file that takes half of it."""
    with tempfile.TemporaryDirectory(prefix="minidock-full-") as place:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "full", place], check=True
        )
        filler = Path(place, "filler")
        filler.write_bytes(bytes(12 << 20))
        try:
            with cell_at(Path(place)) as cell:
                yield cell, filler
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def read_all(streams: Streams, size: int) -> None:
    """Read so many bytes of output, as whoever is attached does."""
    while size > 0:
        frame = streams.read()
        assert frame is not None
        size -= len(frame[1])


@pytest.mark.parametrize(
    "is_freed", [True, False], ids=["room comes back", "it stays full"]
)
def test_a_full_disk_stops_no_program_and_the_log_says_what_is_missing(
    is_freed: bool,
) -> None:
    """A line is in the log or counted in it, and the exit status waits for room."""
    count = 200_000
    with small_cell() as (cell, filler):
        script = f"{FLOOD % count}; cat; echo {count}; exit 7"
        with cell.started("sh", "-c", script, keeps_stdin=True) as process:
            streams = cell.body.attach(process)
            read_all(streams, count * 100)
            if is_freed:
                filler.unlink()
            streams.close_stdin()
            status = cell.body.wait(process, PATIENCE_S)
            assert status is not None
            assert status.code == 7
            filler.unlink(missing_ok=True)
            record = cell.directory / "exit.json"
            wait_until(record.exists, PATIENCE_S, "the exit record")
            streams.close()
        lines = Reader(Choice(is_framed=False)).read(cell.log.read_bytes()).splitlines()
    number = 0
    for line in lines:
        if gap := re.fullmatch(
            rb"\[(\d+) lines are missing here: the disk was full\]", line
        ):
            number += int(gap[1])
        else:
            assert int(line) == number
            number += 1
    assert 10_000 < len(lines) < count
    assert number == count + 1 if is_freed else number <= count


# ── The daemon is killed ─────────────────────────────────────────────────────────────────


def test_no_line_is_missing_when_the_daemon_is_killed_while_they_are_printed(
    engine: Engine,
) -> None:
    """H-31: the shims write on; the next daemon finds every log whole, and every end."""
    talk = "for i in $(seq 600); do echo $i; usleep 2000; done"
    scripts = {
        "lines": (f"{talk}; exit 3", {}),
        "errors": (f"({talk}) >&2", {}),
        "long": ("for i in $(seq 60); do head -c 20000 /dev/zero | tr '\\0' x; echo; "
                 "usleep 20000; done", {}),
        "unended": ("for i in $(seq 300); do printf $i,; usleep 4000; done", {}),
        "turning": (f"{talk}", {"max_size": "4k", "max_file": "100"}),
        "terminal": (f"{talk}", {"has_terminal": True}),
    }  # fmt: skip
    ids = {
        name: engine.started(script, **options)  # type: ignore[arg-type]
        for name, (script, options) in scripts.items()
    }
    follower = engine.follower(ids["lines"])
    for _ in range(3):
        assert follower.recv(1)  # they are in the middle of it
        engine.end(signal.SIGKILL)
        engine.begin()
        follower.close()
        follower = engine.follower(ids["lines"])
    follower.close()
    lines = b"".join(b"%d\n" % number for number in range(1, 601))
    expected = {
        "lines": lines, "errors": lines, "turning": lines,
        "long": (b"x" * 20000 + b"\n") * 60,
        "unended": b"".join(b"%d," % number for number in range(1, 301)),
    }  # fmt: skip
    assert {name: engine.wait(container) for name, container in ids.items()} == {
        name: 3 if name == "lines" else 0 for name in ids
    }
    for name, text in expected.items():
        assert engine.logs(ids[name]) == text, name
    query = urlencode({"stdout": 1})
    shown = engine.ask("GET", f"/containers/{ids['terminal']}/logs?{query}")
    assert shown == lines.replace(b"\n", b"\r\n")
