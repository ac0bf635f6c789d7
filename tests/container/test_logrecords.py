"""Reading records in runs gives what reading them one by one gives.

The model is slow and plain: `json` for every line, and Docker's rules as sentences.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.container.logrecords import STDERR, STDOUT, Choice, Reader, nanoseconds
from pyminidock.kernel.linux.containerlog import PART_BYTES, Log

_NUMBERS = {"stdout": STDOUT, "stderr": STDERR}
LINE = st.binary(max_size=30) | st.sampled_from(
    [b"plain", b'say "hi"', b"<a>", b"back\\slash", b'","stream":"stdout"', b"\xff\xfe"]
)
OUTPUT = st.tuples(
    st.sampled_from(("stdout", "stderr")),
    st.lists(LINE, max_size=6).map(b"\n".join),
    st.integers(0, 3),  # how much later than the one before it, in quarters of a second
)
DAMAGE = st.sampled_from(
    [b"", b"half of a rec", b'{"log":"x"}', b"[]", b"5", b"\0" * 20,
     b'{"log":5,"stream":"stdout"}',
     b'{"log":"x","stream":"stdin","time":"2026-01-01T00:00:00Z"}',
     b'{"time":"1970-01-01T00:00:01Z","stream":"stdout","log":"other order\\n"}',
     b'{"log":"no time\\n","stream":"stdout"}', b"[" * 5000]
)  # fmt: skip


def written(
    place: Path, outputs: Sequence[tuple[str, bytes, int]], attributes: bytes = b""
) -> bytes:
    """Let a shim's log keep some output, and give the file."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    file = os.open(place / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC)
    log = Log(handle, file, (b"log", 0, 1, attributes, False))
    quarters = 0
    with pytest.MonkeyPatch.context() as patch:
        for stream, data, later in outputs:
            quarters += later
            patch.setattr("time.time_ns", lambda now=quarters: now * 250_000_000)
            log.write(stream, data[:PART_BYTES])
        log.end("stdout")
        log.end("stderr")
    os.close(file)
    os.close(handle)
    return (place / "log").read_bytes()


def one_by_one(lines: bytes, choice: Choice) -> list[tuple[int, bytes]]:
    """Read records as Docker does: (stream, what is sent)."""
    found, is_young = list[tuple[int, bytes]](), choice.since is None
    for line in lines.split(b"\n"):
        try:
            record = json.loads(line)
            stream, text = _NUMBERS[record["stream"]], record["log"].encode()
            time = record.get("time", "0001-01-01T00:00:00Z")
            attributes = record.get("attrs", {})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        at = nanoseconds(time)
        assert at is not None
        is_young = is_young or choice.since is None or at >= choice.since
        if not is_young:
            continue
        if choice.until is not None and at > choice.until:
            break
        if choice.has_details:
            pairs = [
                f"{quote_plus(k)}={quote_plus(v)}" for k, v in sorted(attributes.items())
            ]
            text = ",".join(pairs).encode() + b" " + text
        if choice.has_timestamps:
            whole, _, fraction = time[:-1].partition(".")
            text = f"{whole}.{fraction.ljust(9, '0')}Z ".encode() + text
        if stream in choice.streams:
            found.append((stream, text))
    return found


def sent(found: Sequence[tuple[int, bytes]], choice: Choice) -> bytes:
    """Put what is sent on the wire."""
    if not choice.is_framed:
        return b"".join(text for _, text in found)
    heads = (stream.to_bytes(1, "big") + b"\0\0\0" for stream, _ in found)
    return b"".join(
        head + len(text).to_bytes(4, "big") + text
        for head, (_, text) in zip(heads, found, strict=True)
    )


CHOICE = st.builds(
    Choice,
    streams=st.sampled_from([frozenset({1}), frozenset({2}), frozenset({1, 2})]),
    since=st.none() | st.integers(0, 8).map(lambda n: n * 250_000_000),
    until=st.none() | st.integers(0, 8).map(lambda n: n * 250_000_000),
    has_timestamps=st.booleans(),
    has_details=st.booleans(),
    is_framed=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(OUTPUT, max_size=6), CHOICE, st.data())
def test_runs_are_read_as_their_records_are(
    tmp_path_factory: pytest.TempPathFactory,
    outputs: list[tuple[str, bytes, int]], choice: Choice, data: st.DataObject,
) -> None:  # fmt: skip
    attributes = data.draw(st.sampled_from([b"", b'{"a":"1 <","b":"","t":"x\\"y"}']))
    lines = written(tmp_path_factory.mktemp("log"), outputs, attributes)
    whole = lines.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(0, 2))):
        whole.insert(data.draw(st.integers(0, len(whole))), data.draw(DAMAGE) + b"\n")
    expected = sent(one_by_one(b"".join(whole), choice), choice)
    reader, got = Reader(choice), b""
    while whole:  # a file is read in pieces of any size
        count = data.draw(st.integers(1, len(whole)))
        got += reader.read(b"".join(whole[:count]))
        del whole[:count]
    assert got == expected


def test_a_long_run_is_read_in_one_go_and_to_its_end(tmp_path: Path) -> None:
    texts = [b"line %d" % number for number in range(2000)]
    outputs = [
        ("stdout", b"\n".join(texts[n : n + 500]) + b"\n", 1) for n in range(0, 2000, 500)
    ]
    lines = written(tmp_path, outputs)
    choice = Choice(is_framed=False)
    assert Reader(choice).read(lines) == b"".join(text + b"\n" for text in texts)
    late = replace(choice, since=750_000_000, until=750_000_000)
    assert Reader(late).read(lines) == b"".join(text + b"\n" for text in texts[1000:1500])


def test_the_first_record_after_until_ends_the_reading(tmp_path: Path) -> None:
    lines = written(tmp_path, [("stdout", b"a\n", 1), ("stdout", b"b\n", 1)])
    reader = Reader(Choice(until=250_000_000, is_framed=False))
    assert reader.read(lines) == b"a\n"
    assert reader.is_over
    assert reader.read(lines) == b""


def test_a_clock_that_was_set_back_hides_nothing_once_the_time_has_come(
    tmp_path: Path,
) -> None:
    lines = written(tmp_path, [("stdout", b"a\n", 4), ("stdout", b"b\n", -3)])
    assert Reader(Choice(since=10**9, is_framed=False)).read(lines) == b"a\nb\n"
