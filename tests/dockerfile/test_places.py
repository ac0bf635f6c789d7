"""A failure of a step is put at the words of the file that its sentence is about."""

from dataclasses import replace

import pytest

from pyminidock.dockerfile.parse import parse
from pyminidock.dockerfile.places import place_of_failure, place_of_word


@pytest.mark.parametrize(
    ("step", "sentence", "line", "marked"),
    [
        ("RUN exit 3", "The command '/bin/sh -c exit 3' returned a code: 3", 2, "exit 3"),
        ("COPY nope /", "COPY failed: stat nope: file does not exist", 2, "nope"),
        ("COPY --from=0 /nope /", "stat nope: file does not exist", 2, "nope"),
        ("COPY --chown=zzz a /", "no such user: zzz", 2, "zzz"),
        ("EXPOSE 80/foo", "Invalid proto: foo", 2, "foo"),
        ("COPY *.zz /", "no source files were specified", 2, "COPY *.zz /"),
        ("  COPY a b", "something else", 2, "COPY a b"),
        ("COPY not.here \\\n  nope /x/", "stat nope: file does not exist", 3, "nope"),
        ("RUN true && \\\n  exit 3", "nothing of it", 2, "RUN true && \\"),
        ("COPY copy /", "COPY failed: stat copy: file does not exist", 2, "copy"),
        ("RUN bus", "busybox does not stand alone", 2, "RUN bus"),
        ("ENV $X=1\r", "invalid environment variable: =1", 2, "ENV $X=1"),
    ],
)
def test_what_a_sentence_is_about_is_marked(
    step: str, sentence: str, line: int, marked: str
) -> None:
    dockerfile = parse(f"\ufeffFROM a\n{step}\nRUN last\n")
    place = place_of_failure(dockerfile, dockerfile.instructions[1], sentence)
    start = place.column - 1
    assert place.line == line
    assert place.source[start : start + place.length] == marked
    assert "^" * len(marked) in place.caret()


def test_a_label_of_the_command_line_is_nowhere() -> None:
    dockerfile = parse("FROM a\nLABEL a=b\n")
    step = dockerfile.instructions[1]
    nowhere = replace(step, span=type(step.span)(0, 0))
    assert place_of_failure(dockerfile, nowhere, "a").caret() == ""


def test_the_last_place_of_a_word_counts() -> None:
    dockerfile = parse("FROM a AS a\n")
    assert place_of_word(dockerfile, dockerfile.instructions[0], "A").column == 11
