"""Whatever is written, a Dockerfile is read or refused, in time that fits its length."""

import random
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.dockerfile.instructions import KEYWORDS
from pyminidock.dockerfile.lint import advice
from pyminidock.dockerfile.malformed import DockerfileMalformed
from pyminidock.dockerfile.parse import LARGEST_BYTES, parse, parse_trigger
from pyminidock.dockerfile.stages import stages
from pyminidock.dockerfile.substitute import substitute
from pyminidock.errors import MinidockError

SIGNS = (
    " ", " ", "\n", "\n", " \\\n", "`\n", "\r\n", "\t", "#", "# escape=`\n", '"', "'", "[",
    "]", ",", "=", "<<EOF", "<<-'E'", "\nEOF\n", "\n\tE\n", "$V", "${V:-", "}", "--",
    "--from=", "--mount=", "--chown=1", "a", "0", "AS", "NONE", "CMD", "\x00", "\udc80",
    "\ud800", "é",
)  # fmt: skip
PIECES = st.sampled_from(SIGNS) | st.sampled_from(KEYWORDS).map(lambda word: f"\n{word} ")
TEXTS = st.lists(PIECES, max_size=40).map("".join)
ANYTHING = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)


def read(text: str) -> None:
    """Everything that is done with a Dockerfile before it is built."""
    dockerfile = parse(text)
    stages(dockerfile)
    advice(dockerfile, has_ignore_file=False)
    for step in dockerfile.instructions:
        substitute(step, {"V": "v"}, dockerfile.escape)


@given(TEXTS | TEXTS.map("FROM a\n{}".format) | ANYTHING)
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        read(text)
    except MinidockError as refused:
        status, fault = refused.status, refused
    else:
        return
    assert status == 400
    if isinstance(fault, DockerfileMalformed) and fault.line:
        assert fault.place.source == text.removeprefix("\ufeff").split("\n")[
            fault.line - 1
        ].rstrip("\r")
        assert len(fault.caret().split("\n")) == 2


@given(TEXTS)
def test_any_trigger_is_read_or_refused(text: str) -> None:
    try:
        parse_trigger(text)
    except DockerfileMalformed as refused:
        assert not refused.line or refused.caret()  # noqa: PT017  (both are an answer)


def test_the_fuzzer_finds_no_text_that_is_neither(at_length: Callable[[int], int]) -> None:
    pieces = [*SIGNS, *(f"\n{word} " for word in KEYWORDS)]
    for seed in range(at_length(60_000)):
        dice = random.Random(seed)
        text = "FROM a\n" + "".join(dice.choices(pieces, k=dice.randint(1, 40)))
        with suppress(MinidockError):
            read(text)


FILL = 500_000
LONG = {
    "many steps": "FROM a\n" + "RUN true\n" * (FILL // 9),
    "one step in many lines": "FROM a\nRUN true" + " \\\n a" * (FILL // 5),
    "comments inside a step": "FROM a\nRUN true \\\n" + "#\n" * (FILL // 2),
    "one pair after the other": "FROM a\nENV " + " \\\n".join(["A=1"] * (FILL // 6)),
    "open quotes": "FROM a\nENV A=" + "\"' \\\n" * (FILL // 6),
    "open braces": "FROM a\nLABEL a=" + "${a:-\\\n" * (FILL // 7),
    "heredoc words": "FROM a\nRUN " + "<<a\\\n " * (FILL // 6),
    "a long heredoc": "FROM a\nRUN <<E\n" + "a\n" * (FILL // 2) + "E\n",
    "many heredocs": "FROM a\n" + "COPY <<a /\na\n" * (FILL // 14),
    "brackets": "FROM a\nRUN " + "[\\\n" * (FILL // 3),
    "flags": "FROM a\nRUN " + "--mount=type=cache \\\n" * (FILL // 21),
    "stages": "FROM a\n" * (FILL // 7),
    "words of a package manager": "FROM a\nRUN " + "apt-get \\\n" * (FILL // 10),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_file_takes_no_longer_than_its_length(text: str) -> None:
    assert len(text) < LARGEST_BYTES
    started = time.process_time()
    try:
        read(text)
    except MinidockError as refused:
        assert refused.status == 400  # noqa: PT017  (a refusal is an answer too)
    assert time.process_time() - started < 15
