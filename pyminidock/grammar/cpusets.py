"""Processors and memory nodes by number, as `--cpuset-cpus` spells them: `0-3,5`.

A range is never written out before its end is known to be small, so that `0-2147483647`
costs nothing.

Source: moby, pkg/parsers/parsers.go, ParseUintListMaximum().
"""

import re

HIGHEST = 8192
"""The highest number that is looked at: more processors than any kernel is built for."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")


class ListMalformed(ValueError):
    """The text is no list of numbers; the words are Docker's."""


def parse_numbers(text: str) -> frozenset[int]:
    """Read a list of numbers and ranges.  Raises ListMalformed.

    >>> sorted(parse_numbers("0-2,5"))
    [0, 1, 2, 5]
    >>> parse_numbers("0-2147483647")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.cpusets.ListMalformed: value of out range, maximum is 8192
    """
    mask = 0  # one bit for each number: a range costs the same however often it comes
    for part in text.split(",") if text else ():
        low_text, dash, high_text = part.partition("-")
        low = _number(low_text, text)
        high = _number(high_text, text) if dash else low
        if high < low:
            raise ListMalformed(f"invalid format: {text}")
        if high > HIGHEST:
            raise ListMalformed(f"value of out range, maximum is {HIGHEST}")
        mask |= (2 << high) - (1 << low)
    return frozenset(bit for bit in range(mask.bit_length()) if mask >> bit & 1)


def _number(text: str, whole: str) -> int:
    if not _NUMBER.fullmatch(text) or abs(int(text)) >= 1 << 63:
        raise ListMalformed(f"invalid format: {whole}")
    return int(text)
