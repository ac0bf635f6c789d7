"""Whole numbers as Docker's own programs read them: decimal, signed, 64 bits.

Docker is written in Go, and its messages for a bad number are those of Go's `strconv`; a
student who searches for one finds it.  Python's `int` would take "1_000", " 5" and numbers
of any length, so the text is looked at first.

Source: Go, strconv.ParseInt().
"""

import re

from pyminidock.errors import MinidockError

LARGEST = (1 << 63) - 1


class NumberRefused(MinidockError):
    """The text is no whole number, or none that fits 64 bits."""

    status = 400


def parse_integer(text: str, *, try_next: str) -> int:
    """Read a signed decimal number; `try_next` is the caller's advice.

    >>> parse_integer("-1", try_next="")
    -1
    >>> parse_integer("x", try_next="")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.numbers.NumberRefused: strconv.ParseInt: parsing "x": invalid syntax
    """
    if not (fault := integer_fault(text)):
        return int(text)
    raise NumberRefused(
        f'strconv.ParseInt: parsing "{text}": {fault}',
        why="a whole number has decimal digits only and fits 64 bits",
        try_next=try_next,
        lesson="limits",
    )


def integer_fault(text: str) -> str:
    """Say why a text is no whole number of 64 bits; "" if it is one.

    >>> [integer_fault(text) for text in ("7", "-1", "1_0", "9" * 20)]
    ['', '', 'invalid syntax', 'value out of range']
    """
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        return "invalid syntax"
    # Twenty characters hold every 64-bit number; more would only cost time to convert.
    digits = text.lstrip("+-").lstrip("0") or "0"
    number = int(digits[:20]) * (-1 if text.startswith("-") else 1)
    fits = len(digits) <= 20 and -LARGEST - 1 <= number <= LARGEST
    return "" if fits else "value out of range"
