"""Logs are read while a shim writes them, gives them other names, and ends."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.container.logrecords import Choice
from pyminidock.engine import logs, run
from pyminidock.engine.house import House
from pyminidock.engine.logfiles import LogFiles
from pyminidock.engine.logs import Logs
from pyminidock.kernel.linux.containerlog import Log, open_file
from pyminidock.kernel.model.body import ModelBody
from tests.engine.houses import WISH, body_of, finish, house_over, prepared, started
from tests.engine.studio import DEADLINE_S

PLAIN = Choice(is_framed=False)
FOLLOW = replace(PLAIN, follows=True)


class Shim:
    """What writes a log."""

    def __init__(
        self, place: Path, most_bytes: int = 0, most_files: int = 1, *, packs: bool = False
    ) -> None:
        self.path = place / "log"
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        (file,), _ = open_file(handle, b"log")
        self.log = Log(handle, file, (b"log", most_bytes, most_files, b"", packs))

    def say(self, *lines: int) -> None:
        """Write numbered lines."""
        self.log.write("stdout", b"".join(b"%d\n" % line for line in lines))

    def close(self) -> None:
        """Let go."""
        os.close(self.log.file)
        os.close(self.log.directory)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path / "root"), ModelBody()) as house:
        yield house


def texts(pieces: Iterator[bytes]) -> list[str]:
    """Take the text out of whole records."""
    return [
        line.partition(b'","')[0][8:].decode() for line in b"".join(pieces).splitlines()
    ]


# ── Files ────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=8), st.integers(0, 60), st.integers(1, 4))
def test_the_last_lines_are_found_across_files(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], wanted: int, most: int
) -> None:
    shim, numbers = Shim(tmp_path_factory.mktemp("log"), 700, most), count()
    for size in sizes:
        shim.say(*(next(numbers) for _ in range(size)))
    files = LogFiles(shim.path)
    files.measure()
    everything = texts(files.pieces())
    files.close()
    files = LogFiles(shim.path)
    files.measure()
    files.skip_to(wanted)
    assert texts(files.pieces()) == everything[max(0, len(everything) - wanted) :]
    files.close()
    shim.close()


def test_the_end_of_a_large_file_is_found_without_reading_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = Shim(tmp_path)
    for start in range(0, 100_000, 500):
        shim.say(*range(start, start + 500))
    read, pread = list[int](), os.pread

    def counted(file: int, size: int, at: int) -> bytes:
        read.append(size)
        return pread(file, size, at)

    monkeypatch.setattr(os, "pread", counted)
    files = LogFiles(shim.path)
    files.measure()
    files.skip_to(3)
    assert texts(files.pieces()) == ["99997\\n", "99998\\n", "99999\\n"]
    assert sum(read) < 1 << 20 < shim.path.stat().st_size
    files.close()
    shim.close()


def test_a_record_that_is_not_whole_yet_is_read_when_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"log":"1","\n{"log":"2","')
    files = LogFiles(path)
    files.measure()
    assert texts(files.pieces()) == ["1"]
    with path.open("ab") as file:
        file.write(b"\n" + b'{"log":"' + b"x" * 300_000 + b'","\n')
    files.measure()
    assert [len(text) for text in texts(files.pieces())] == [1, 300_000]
    files.close()


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=10), st.integers(2, 4))
def test_who_reads_on_after_each_change_of_names_misses_nothing_that_is_kept(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], most: int
) -> None:
    open_before = len([*Path("/proc/self/fd").iterdir()])
    shim, numbers = Shim(tmp_path_factory.mktemp("log"), 500, most), count()
    shim.say(next(numbers))
    files, got = LogFiles(shim.path), list[str]()
    for size in sizes:
        shim.say(*(next(numbers) for _ in range(size)))
        kept = LogFiles(shim.path)
        kept.measure()
        lines = texts(kept.pieces())
        kept.close()
        files.measure()
        got += texts(files.pieces())
        while files.renew():
            files.measure()
            got += texts(files.pieces())
        assert got[-len(lines) :] == lines
    assert got == sorted(set(got), key=lambda text: int(text.removesuffix("\\n")))
    files.close()
    shim.close()
    assert len([*Path("/proc/self/fd").iterdir()]) == open_before


def test_files_that_change_their_names_all_the_time_are_opened_in_their_order(
    tmp_path: Path,
) -> None:
    shim, is_over = Shim(tmp_path, 400, 4), threading.Event()

    def write() -> None:
        for number in count():
            if is_over.is_set():
                return
            shim.say(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(200):
            files = LogFiles(shim.path)
            files.measure()
            numbers = [int(text.removesuffix("\\n")) for text in texts(files.pieces())]
            assert numbers == sorted(set(numbers))
            files.close()
    finally:
        is_over.set()
        writer.join()
        shim.close()


# ── Stories ──────────────────────────────────────────────────────────────────────────────


def ends_with(end: bytes, got: bytes) -> bool:
    """Tell whether somebody has got this far."""
    return got.endswith(end)


class Follower:
    """Somebody who reads a log in a thread of their own."""

    def __init__(self, house: House, container: str, choice: Choice = FOLLOW) -> None:
        self.logs: Logs = logs.read(house, container, choice)
        self.got, self._changed = b"", threading.Condition()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        for piece in self.logs.pieces():
            with self._changed:
                self.got += piece
                self._changed.notify_all()

    def has(self, claim: Callable[[bytes], bool]) -> bool:
        """Wait until what was got is so."""
        with self._changed:
            return self._changed.wait_for(lambda: claim(self.got), DEADLINE_S)

    def is_done(self) -> bool:
        """Wait for the end of the reading."""
        self.thread.join(DEADLINE_S)
        return not self.thread.is_alive()


def test_a_log_is_read_to_its_end(house: House) -> None:
    life = started(house)
    assert life.process is not None
    body_of(house).say(life.process.pid, b"one\ntwo")
    assert b"".join(logs.read(house, life.id, PLAIN).pieces()) == b"one\n"
    finish(house, life)
    assert b"".join(logs.read(house, life.id, PLAIN).pieces()) == b"one\ntwo"


def test_a_follower_hears_what_comes_and_leaves_with_the_program(house: House) -> None:
    life = started(house)
    assert life.process is not None
    body_of(house).say(life.process.pid, b"one\n")
    follower = Follower(house, life.id)
    assert follower.has(lambda got: got == b"one\n")
    for number in range(20):
        body_of(house).say(life.process.pid, b"%d\n" % number)
        assert follower.has(partial(ends_with, b"\n%d\n" % number))
    body_of(house).say(life.process.pid, b"last words")
    finish(house, life)
    assert follower.is_done()
    assert follower.got.endswith(b"19\nlast words")


def test_a_follower_that_leaves_is_gone_at_once(house: House) -> None:
    life = started(house)
    follower = Follower(house, life.id)
    follower.logs.close()
    assert follower.is_done()


def test_nobody_follows_what_does_not_run(house: House) -> None:
    container = run.create(house, WISH)
    assert list(logs.read(house, container, FOLLOW).pieces()) == []
    life = started(house)
    finish(house, life)
    assert list(logs.read(house, life.id, FOLLOW).pieces()) == []


def test_a_follower_looks_by_itself_where_the_kernel_cannot_ring(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "no more watches for this user")

    monkeypatch.setattr(body_of(house), "ring", refuse)
    life = started(house)
    assert life.process is not None
    follower = Follower(house, life.id)
    body_of(house).say(life.process.pid, b"one\n")
    assert follower.has(lambda got: got == b"one\n")
    finish(house, life)
    assert follower.is_done()


def test_a_container_without_a_log_says_so(house: House) -> None:
    container = run.create(house, replace(WISH, log_driver="none"))
    with pytest.raises(logs.LogUnreadable) as refusal:
        logs.read(house, container, PLAIN)
    assert refusal.value.what == "configured logging driver does not support reading"
    assert refusal.value.status == 501


def test_what_is_kept_is_as_much_as_was_asked_for(house: House) -> None:
    options = (("max-size", "1k"), ("max-file", "2"))
    life = started(house, replace(WISH, log_options=options))
    assert life.process is not None
    for number in range(100):
        body_of(house).say(life.process.pid, b"%d\n" % number)
    shown = b"".join(logs.read(house, life.id, PLAIN).pieces()).splitlines()
    assert shown == [b"%d" % number for number in range(100 - len(shown), 100)]
    assert 10 < len(shown) < 40


def test_options_that_make_no_sense_are_refused_at_the_start(house: House) -> None:
    container = run.create(house, replace(WISH, log_options=(("max-size", "x"),)))
    with pytest.raises(run.StartRefused) as refusal:
        run.start(house, container)
    assert refusal.value.what == (
        "failed to create task for container: failed to initialize logging driver: "
        "invalid size: 'x'"
    )
    assert (refusal.value.status, refusal.value.exit_code) == (500, 128)


# ── Packed files ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("most", [2, 5])
def test_full_files_are_packed_and_read_as_before(tmp_path: Path, most: int) -> None:
    shim = Shim(tmp_path, 2000, most, packs=True)
    early = None
    for number in range(300):
        shim.say(number)
        if number == 50:
            early = LogFiles(shim.path)  # what it opened is packed under its hands
        if shim.log.packer:
            os.waitid(os.P_PID, shim.log.packer, os.WEXITED | os.WNOWAIT)
    packed = sorted(path.name for path in tmp_path.iterdir())
    assert packed == ["log", *(f"log.{number}.gz" for number in range(1, most))]
    files = LogFiles(shim.path)
    files.measure()
    numbers = [int(text.removesuffix("\\n")) for text in texts(files.pieces())]
    assert numbers == list(range(numbers[0], 300))
    assert len(numbers) > 20 * (most - 1)
    files.close()
    files = LogFiles(shim.path)
    files.measure()
    files.skip_to(40)
    assert texts(files.pieces()) == [f"{number}\\n" for number in range(260, 300)]
    files.close()
    assert early is not None
    early.measure()
    got = texts(early.pieces())
    while early.renew():
        early.measure()
        got += texts(early.pieces())
    assert len(got) == len(set(got))
    assert got[-len(numbers) :] == [f"{number}\\n" for number in numbers]
    early.close()
    shim.log._is_packing()
    shim.close()


def test_a_damaged_archive_hides_nothing_but_itself(tmp_path: Path) -> None:
    shim = Shim(tmp_path, 300, 3)
    shim.say(*range(10))
    (tmp_path / "log.1").unlink()
    (tmp_path / "log.1.gz").write_bytes(b"\x1f\x8b\x08\x08\0\0\0\0\2\xff12\0and so on")
    files = LogFiles(shim.path)
    files.measure()
    assert texts(files.pieces())[-1] == "9\\n"
    files.close()
    shim.close()
