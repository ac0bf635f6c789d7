"""The lines of container.log are what Docker's json-file log holds."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.kernel.linux import containerlog


@given(st.binary())
def test_any_bytes_are_spelt_as_json_spells_them(line: bytes) -> None:
    text = line.decode("utf-8", "replace")
    assert containerlog.escaped(line).decode() == json.dumps(text, ensure_ascii=False)[1:-1]


@pytest.mark.parametrize(
    ("output", "texts"),
    [
        (b"hi\n", ["hi\n"]),
        (b"one\ntwo\n", ["one\n", "two\n"]),
        (b"no line feed", ["no line feed"]),
        (b'say "hi"\n\ttab', ['say "hi"\n', "\ttab"]),
        (b"\n\n", ["\n", "\n"]),
    ],
)
def test_each_line_of_output_is_one_object(
    tmp_path: Path, output: bytes, texts: list[str]
) -> None:
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    containerlog.write(log, "stderr", output)
    os.close(log)
    lines = [json.loads(line) for line in (tmp_path / "log").read_bytes().splitlines()]
    assert [line["log"] for line in lines] == texts
    assert {line["stream"] for line in lines} == {"stderr"}
    assert len({line["time"] for line in lines}) == 1


def test_a_log_that_takes_nothing_does_not_stop_the_program() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    containerlog.write(full, "stdout", b"lost\n")
    os.close(full)
