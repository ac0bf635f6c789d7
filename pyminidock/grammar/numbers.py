"""Whole numbers as Docker's own programs read them: decimal, signed, 64 bits.

Docker is written in Go, and its messages for a bad number are those of Go's `strconv`; a
student who searches for one finds it.  Python's `int` would take "1_000", " 5" and numbers
of any length, so the text is looked at first.

Source: Go, strconv.ParseInt().
"""

import re

from pyminidock.errors import MinidockError

LARGEST = (1 << 63) - 1
_MOST_DIGITS = 20  # of a number of 64 bits; to convert more would only cost time


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
    try:
        return integer(text)
    except ValueError as fault:
        raise NumberRefused(
            f'strconv.ParseInt: parsing "{text}": {fault}',
            why="a whole number has decimal digits only and fits 64 bits",
            try_next=try_next,
            lesson="limits",
        ) from None


def integer(text: str) -> int:
    """Read a signed decimal number.  Raises ValueError, whose words are Go's.

    >>> integer("-" + "0" * 9999 + "7")
    -7
    >>> integer("9" * 20)
    Traceback (most recent call last):
    ...
    ValueError: value out of range
    """
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise ValueError("invalid syntax")
    digits = text.lstrip("+-").lstrip("0") or "0"
    number = int(digits[:_MOST_DIGITS]) * (-1 if text.startswith("-") else 1)
    if len(digits) > _MOST_DIGITS or not -LARGEST - 1 <= number <= LARGEST:
        raise ValueError("value out of range")
    return number
