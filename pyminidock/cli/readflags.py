"""Reading the value of a flag: a refusal names the flag, as Docker's does.

Source: spf13/pflag, flag.go; docker/cli, opts.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pyminidock.cli.failures import NOT_STARTED, WordsRefused
from pyminidock.cli.words import invalid
from pyminidock.errors import MinidockError
from pyminidock.grammar.envfile import parse_env_file, parse_variable
from pyminidock.grammar.numbers import NumberRefused, parse_integer

Value = TypeVar("Value")
Given = Mapping[str, Any]  # what click collected, by the names of the flags
Body = dict[str, Any]
_HELP = "minidock run --help"


def checked(typed: str, spelling: str, parse: Callable[[str], Value]) -> Value:
    """Parse the value of a flag.  Raises WordsRefused."""
    try:
        return parse(typed)
    except MinidockError as refusal:
        raise invalid(
            typed, spelling, refusal.what, why=refusal.why, try_next=refusal.try_next
        ) from refusal


def read(typed: str | None, spelling: str, parse: Callable[[str], int]) -> int:
    """Read a number that may be left out, which is 0."""
    return 0 if typed is None else checked(typed, spelling, parse)


def whole(typed: str) -> int:
    """Read a whole number."""
    return parse_integer(typed, try_next=_HELP)


def natural(typed: str, *, bits: int = 64) -> int:
    """Read a whole number that is not negative.

    >>> natural("300")
    300
    """
    fault = ""
    if not re.fullmatch("[0-9]+", typed):
        fault = "invalid syntax"
    elif len(typed) > 20 or int(typed) >= 1 << bits:
        fault = "value out of range"
    if fault:
        raise NumberRefused(
            f'strconv.ParseUint: parsing "{typed}": {fault}',
            why="this number counts something, and is no more than fits its field",
            try_next=_HELP, lesson="limits",
        )  # fmt: skip
    return int(typed)


def environment(given: Given, surroundings: Mapping[str, str]) -> list[str]:
    """List the variables: those of files, then those of --env; the last word counts."""
    found: list[str] = []
    for name in given["env_file"]:
        found += _lines(name, surroundings)
    named: dict[str, str] = {}
    for each in given["env"]:
        read_one = checked(each, "-e, --env", lambda t: parse_variable(t, surroundings))
        named[read_one.partition("=")[0]] = read_one
    return [*found, *named.values()]


def labels(given: Given) -> dict[str, str]:
    """Collect the labels: first those of files, then those of --label."""
    found: list[str] = []
    for name in given["label_file"]:
        found += _lines(name, {})
    for each in given["label"]:
        if each.startswith("="):
            raise invalid(
                each, "-l, --label", f"invalid label '{each}': empty name",
                why="a label is NAME=VALUE, or NAME alone",
                try_next="minidock run --label role=web busybox true",
            )  # fmt: skip
        found.append(each)
    return dict(pair.partition("=")[::2] for pair in found)


def _lines(name: str, surroundings: Mapping[str, str]) -> Sequence[str]:
    """Read a file of variables, or of labels."""
    try:
        return parse_env_file(Path(name).read_bytes(), name, surroundings)
    except MinidockError as refusal:
        raise refused(refusal.what, refusal.why, refusal.try_next) from refusal
    except OSError as refusal:
        quoted = shlex.quote(name)
        is_absent = isinstance(refusal, FileNotFoundError)
        raise refused(
            f"open {name}: {(refusal.strerror or 'input/output error').lower()}",
            "the file is read here, by the client, relative to where you stand",
            f"echo NAME=value > {quoted}" if is_absent else f"ls -ld {quoted}",
        ) from refusal


def refused(what: str, why: str, try_next: str = _HELP) -> WordsRefused:
    """Say that flags do not go together, or mean nothing."""
    return WordsRefused(what, why=why, try_next=try_next, exit_code=NOT_STARTED)
