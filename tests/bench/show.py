"""How the benchmark prints: lines, and at the end what holds."""

import sys
from typing import NamedTuple


class Verdict(NamedTuple):
    """A goal in words, and whether it holds."""

    text: str
    holds: bool


def write(line: str) -> None:
    """Print one line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def judge(verdicts: list[Verdict]) -> bool:
    """Print every verdict; say whether all hold."""
    for text, holds in verdicts:
        write(("holds   " if holds else "MISSED  ") + text)
    return all(holds for _, holds in verdicts)
