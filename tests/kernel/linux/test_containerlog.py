"""What the shim keeps is what Docker's json-file log holds, record by record.

The model is Docker's copier, in its own words: bytes gather in a buffer of 16 KiB, whole
lines leave it, and a buffer that is full without a line feed leaves it as a part.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.kernel.linux import containerlog
from pyminidock.kernel.linux.containerlog import PART_BYTES, Log

PIECE = st.binary(max_size=40) | st.sampled_from(
    [
        b"\n",
        b"a\nb\n",
        b"x" * 8192,
        b"y" * 16384,
        b"z" * 16383,
        b"\n" * 300,
        b"\xe2\x80",
        b"\xa8",
    ]
)


class Shelf:
    """A directory with one log in it."""

    def __init__(
        self, place: Path, most_bytes: int = 0, most_files: int = 1, *, packs: bool = False
    ) -> None:
        self.place = place
        place.mkdir(exist_ok=True)
        self.handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        (file,), self.is_new = containerlog.open_file(self.handle, b"log")
        self.log = Log(self.handle, file, (b"log", most_bytes, most_files, b"", packs))

    def close(self) -> None:
        """Let go of what is open."""
        os.close(self.log.file)
        os.close(self.handle)

    def records(self, name: str = "log") -> list[dict[str, str]]:
        """Read one file; every line of it is a whole record."""
        text = (self.place / name).read_bytes()
        assert not text or text.endswith(b"\n")
        return [json.loads(line) for line in text.split(b"\n")[:-1]]

    def texts(self) -> list[str]:
        """Read all that is kept, oldest first."""
        files = sorted(self.place.glob("log*"), key=lambda path: -len_of(path))
        return [record["log"] for file in files for record in self.records(file.name)]


def len_of(path: Path) -> int:
    """Give the number in the name of a file; the one that grows has none."""
    return int(path.suffix[1:]) if path.suffix else 0


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path)
    yield shelf
    shelf.close()


def as_the_copier(pieces: Sequence[bytes]) -> list[bytes]:
    """Cut a stream into the texts of records as Docker does."""
    stream, found = b"".join(pieces), []
    while stream:
        buffer = stream[:PART_BYTES]
        end = buffer.find(b"\n") + 1 or len(buffer)
        found.append(buffer[:end])
        stream = stream[end:]
    return found


def shown(text: bytes) -> str:
    """What a reader of the log sees: each byte that is no UTF-8 is replaced."""
    return re.sub("[\udc80-\udcff]", "\ufffd", text.decode("utf-8", "surrogateescape"))


@settings(deadline=None)
@given(st.lists(PIECE, max_size=12))
def test_any_output_is_cut_into_records_as_dockers_copier_cuts_it(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("log"))
    for piece in pieces:
        shelf.log.write("stdout", piece)
    shelf.log.end("stdout")
    assert shelf.texts() == [shown(text) for text in as_the_copier(pieces)]
    shelf.close()


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("stdout", "stderr")), PIECE), max_size=12))
def test_neither_stream_waits_for_the_other_or_loses_its_line_to_it(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[str, bytes]]
) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("log"))
    for stream, piece in pieces:
        shelf.log.write(stream, piece)
    for stream in ("stdout", "stderr"):
        shelf.log.end(stream)
    for stream in ("stdout", "stderr"):
        own = [piece for name, piece in pieces if name == stream]
        kept = [r["log"] for r in shelf.records() if r["stream"] == stream]
        assert kept == [shown(text) for text in as_the_copier(own)]
    shelf.close()


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_spelt_as_go_spells_them(text: bytes) -> None:
    spelt = containerlog.escaped(text).replace(b"\n", b"\\n")
    assert json.loads(b'"%s"' % spelt) == shown(text)
    assert not set(spelt) & set(b"<>&\x00\x1f\t")
    assert b"\xe2\x80\xa8" not in spelt


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        (b'"\\/', rb"\"\\/"),
        (b"\t\b\f\r\x00\x1f\x7f", b"\\u0009\\u0008\\u000c\\r\\u0000\\u001f\x7f"),
        (b"<a>&b", rb"\u003ca\u003e\u0026b"),
        ("ä€\u2028\u2029".encode(), "ä€\\u2028\\u2029".encode()),
        (b"\xff\xe2\x82", rb"\ufffd\ufffd\ufffd"),
        (b"\xed\xa0\x80", rb"\ufffd\ufffd\ufffd"),
        ("\ufffd".encode(), "\ufffd".encode()),
    ],
)
def test_what_go_escapes_is_escaped_in_its_way(text: bytes, spelt: bytes) -> None:
    """Measured with dockerd 26.1.5."""
    assert containerlog.escaped(text) == spelt


def test_a_line_waits_for_its_end_and_the_last_one_for_the_end_of_the_stream(
    shelf: Shelf,
) -> None:
    shelf.log.write("stdout", b"one\ntw")
    assert shelf.texts() == ["one\n"]
    shelf.log.write("stdout", b"o\nthree")
    assert shelf.texts() == ["one\n", "two\n"]
    shelf.log.end("stdout")
    assert shelf.texts() == ["one\n", "two\n", "three"]
    shelf.log.end("stdout")
    assert len(shelf.texts()) == 3


def test_the_parts_of_a_line_have_the_time_of_the_first_one(shelf: Shelf) -> None:
    shelf.log.write("stdout", b"x" * PART_BYTES)
    shelf.log.write("stdout", b"x" * PART_BYTES)
    shelf.log.write("stdout", b"end\nnext\n")
    times = [record["time"] for record in shelf.records()]
    assert times[0] == times[1] == times[2] != times[3]


def test_times_are_gos_without_zeros_at_their_end(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nanoseconds in (0, 500_000_000, 123_456_789, 1_000_000_000):
        monkeypatch.setattr("time.time_ns", lambda now=nanoseconds: now)
        shelf.log.write("stdout", b"x\n")
    assert [record["time"] for record in shelf.records()] == [
        "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.5Z",
        "1970-01-01T00:00:00.123456789Z", "1970-01-01T00:00:01Z",
    ]  # fmt: skip


def test_attributes_stand_between_stream_and_time(shelf: Shelf) -> None:
    wish = (b"log", 0, 1, b'{"tag":"web"}', False)
    log = Log(shelf.handle, shelf.log.file, wish)
    log.write("stderr", b"x\n")
    (record,) = shelf.records()
    assert list(record) == ["log", "stream", "attrs", "time"]
    assert str(record["attrs"]) == "{'tag': 'web'}"


# ── Rotation ─────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=400).map(lambda b: b.replace(b"\n", b" ")), max_size=30),
    st.integers(1, 900), st.integers(1, 4), st.integers(1, 5),
)  # fmt: skip
def test_a_file_is_full_when_it_has_reached_its_size_and_the_oldest_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes], most_bytes: int, most_files: int, at_once: int,
) -> None:  # fmt: skip
    """The model is Docker's LogFile: it looks before each record, not each write."""
    shelf = Shelf(tmp_path_factory.mktemp("log"), most_bytes, most_files)
    written = [line + b"\n" for line in lines]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time_ns", lambda: 0)  # every record has the same time
        for start in range(0, len(written), at_once):
            shelf.log.write("stdout", b"".join(written[start : start + at_once]))
    files: list[list[str]] = [[]]
    size = 0
    for line in written:
        if size >= most_bytes:
            files, size = [[], *files][:most_files], 0
        files[0].append(shown(line))
        size += len(_RECORD % containerlog.escaped(line[:-1]))
    assert files == [
        [record["log"] for record in shelf.records(f"log.{n}" if n else "log")]
        for n in range(len(list(shelf.place.iterdir())))
    ]
    shelf.close()


_RECORD = b'{"log":"%s\\n","stream":"stdout","time":"1970-01-01T00:00:00Z"}\n'


def test_a_file_that_cannot_be_begun_anew_goes_on_growing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 100, 2)
    (tmp_path / "log.tmp").mkdir()
    for _ in range(5):
        shelf.log.write("stdout", b"x" * 50 + b"\n")
    assert len(shelf.records()) == 5
    (tmp_path / "log.tmp").rmdir()
    shelf.log.write("stdout", b"y\n")
    assert [record["log"] for record in shelf.records()] == ["y\n"]
    assert len(shelf.records("log.1")) == 5
    shelf.close()


def test_a_later_life_goes_on_in_the_same_log(tmp_path: Path) -> None:
    for number in (1, 2):
        shelf = Shelf(tmp_path, 120, 2)
        assert shelf.is_new is (number == 1)
        shelf.log.write("stdout", b"x" * 20 + b"\n")
        shelf.close()
    shelf = Shelf(tmp_path, 120, 2)
    shelf.log.write("stdout", b"z\n")
    assert [r["log"] for r in shelf.records()] == ["z\n"]
    assert len(shelf.records("log.1")) == 2
    shelf.close()


def test_a_record_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b'{"log":"half of a rec')
    shelf = Shelf(tmp_path)
    shelf.log.write("stdout", b"whole\n")
    _, last, _ = (tmp_path / "log").read_bytes().split(b"\n")
    assert json.loads(last)["log"] == "whole\n"
    shelf.close()


# ── A full disk ──────────────────────────────────────────────────────────────────────────


def test_a_log_that_takes_nothing_does_not_stop_the_program(shelf: Shelf) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    log = Log(shelf.handle, full, (b"log", 0, 1, b"", False))
    log.write("stdout", b"lost\nand lost\n")
    assert log.lost == 2
    os.close(full)


@settings(deadline=None)
@given(st.lists(st.integers(0, 400), max_size=12), st.integers(1, 4))
def test_every_line_is_in_the_log_or_counted_in_it(
    tmp_path_factory: pytest.TempPathFactory, rooms: list[int], at_once: int
) -> None:
    """However much the disk takes at a time, no record is torn and no gap is silent."""
    shelf, number = Shelf(tmp_path_factory.mktemp("log")), 0
    with pytest.MonkeyPatch.context() as patch:
        for room in rooms:
            patch.setattr(
                "os.writev", lambda file, pieces, room=room: short(file, pieces, room)
            )
            lines = b"".join(b"%d\n" % (number + n) for n in range(at_once))
            shelf.log.write("stdout", lines)
            number += at_once
    shelf.log.write("stdout", b"%d\n" % number)
    expected = 0
    for text in shelf.texts():
        if gap := re.fullmatch(
            r"\[(\d+) lines are missing here: the disk was full\]\n", text
        ):
            expected += int(gap[1])
        else:
            assert text == f"{expected}\n"
            expected += 1
    assert expected == number + 1
    shelf.close()


def short(file: int, pieces: Sequence[bytes], room: int) -> int:
    """Write as a disk does that has `room` bytes left; it refuses when there are none."""
    data = b"".join(pieces)[:room]
    if not data:
        raise OSError(28, "No space left on device")
    return os.write(file, data)
