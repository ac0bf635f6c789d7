"""Advice: each rule speaks where it should, and keeps quiet where it should not."""

import pytest

from pyminidock.dockerfile.lint import advice
from pyminidock.dockerfile.parse import parse


def rules(text: str, *, has_ignore_file: bool = True) -> list[tuple[str, int]]:
    found = advice(parse(text), has_ignore_file=has_ignore_file)
    return [(one.rule, one.line) for one in found]


def of_step(text: str) -> list[str]:
    return [rule for rule, _ in rules(f"FROM debian:12\n{text}\n")]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("RUN apt-get update && apt-get install -y make", "apt-lists"),
        ("RUN apt-get -q install make && rm -rf /var/lib/apt/lists/*", "apt-update"),
        ("RUN <<EOF\napk add make\nEOF", "apk-cache"),
        ("RUN pip install flask", "pip-cache"),
        ("RUN cd /app", "lost-directory"),
        ("ENV DB_PASSWORD=x", "secret"),
        ("ARG API_KEY", "secret"),
        ("ADD a b /c/", "add-for-copy"),
        ("WORKDIR app", "relative-workdir"),
        ("CMD python app.py", "shell-form"),
        ("MAINTAINER me", "maintainer"),
        ("ENV A b c", "old-form"),
        ('CMD ["a"]\nCMD ["b"]', "overruled"),
        ("COPY . /app\nRUN npm ci", "sources-before-packages"),
    ],
)
def test_a_habit_is_spoken_about(text: str, rule: str) -> None:
    assert of_step(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "RUN apt-get update && apt-get install -y make && rm -rf /var/lib/apt/lists/*",
        "RUN --mount=type=cache,target=/var/lib/apt apt-get install make",
        "RUN apk add --no-cache make",
        "RUN pip install --no-cache-dir flask",
        "RUN cd /app && make",
        "RUN echo apt-get; install",
        "ENV PASSWORD=",
        "ENV COMPASS=x MONKEY=y",
        "ADD https://example.org/a /b",
        "ADD a.tar.gz /b",
        "WORKDIR $HOME",
        'CMD ["python", "app.py"]',
        "CMD exec python app.py",
        "COPY package.json /app/\nRUN npm ci\nCOPY . /app",
        "COPY --from=x . /app\nRUN npm ci",
    ],
)
def test_good_habits_are_left_alone(text: str) -> None:
    assert of_step(text) == []


def test_a_base_that_moves_is_named_and_a_stage_is_not() -> None:
    text = "FROM debian AS a\nFROM debian:latest\nFROM h:5000/x\nFROM a\nFROM scratch\n"
    assert rules(text) == [("unpinned-base", line) for line in (1, 2, 3)]
    assert rules("FROM debian:12\nFROM x@sha256:1\nFROM $BASE\n") == []


def test_a_command_counts_within_its_stage() -> None:
    assert rules('FROM a:1\nCMD ["a"]\nFROM b:1\nCMD ["b"]\n') == []


def test_copying_everything_asks_for_an_ignore_file() -> None:
    text = "FROM a:1\nCOPY . /app\nCOPY . /other\n"
    assert rules(text, has_ignore_file=False) == [("no-ignore-file", 2)]
    assert rules(text, has_ignore_file=True) == []


def test_every_advice_can_be_tried() -> None:
    for one in advice(parse("FROM a\nADD x /y\nCMD z\n"), has_ignore_file=False):
        assert all((one.text, one.try_next, one.lesson))
