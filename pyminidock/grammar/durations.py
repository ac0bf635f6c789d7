"""Lengths of time as Docker's flags take them: `1m30s`, `500ms`, `1.5h`.

Every number has its unit; only 0 stands alone.  The result counts nanoseconds, as Docker's
API does.

Source: Go, time.ParseDuration().
"""

import re
from fractions import Fraction

from pyminidock.errors import MinidockError

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9,
          "m": 60 * 10**9, "h": 3600 * 10**9}  # fmt: skip
_PART = re.compile(r"([0-9]*\.?[0-9]*)([^0-9.]*)")


class DurationRefused(MinidockError):
    """The text is no length of time."""

    status = 400


def parse_duration(text: str) -> int:
    """Give a length of time in nanoseconds.

    >>> parse_duration("1m30s"), parse_duration("1.5s"), parse_duration("-0.5ms")
    (90000000000, 1500000000, -500000)
    >>> parse_duration("5")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.durations.DurationRefused: time: missing unit in duration "5"
    """
    digits = text.lstrip("+-") if text[:1] in "+-" else text
    if digits == "0":
        return 0
    if not digits or len(text) > 64:
        raise _refusal(f'invalid duration "{text}"')
    total, at = Fraction(0), 0
    while at < len(digits):
        part = _PART.match(digits, at)
        number, unit = part.groups() if part else ("", "")
        if not re.search("[0-9]", number):
            raise _refusal(f'invalid duration "{text}"')
        if not unit:
            raise _refusal(f'missing unit in duration "{text}"')
        if unit not in _UNITS:
            raise _refusal(f'unknown unit "{unit}" in duration "{text}"')
        total += Fraction(number.rstrip(".") if number != "." else "0") * _UNITS[unit]
        at += len(number) + len(unit)
    if total >= 1 << 63:
        raise _refusal(f'invalid duration "{text}"')
    return -int(total) if text.startswith("-") else int(total)


def _refusal(fault: str) -> DurationRefused:
    return DurationRefused(
        f"time: {fault}",
        why="a length of time is numbers with units: ns, us, ms, s, m, h",
        try_next="minidock run --health-cmd true --health-interval 1m30s busybox sleep 99",
        lesson="command-line",
    )
