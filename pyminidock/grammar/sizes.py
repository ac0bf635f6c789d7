"""Amounts of memory and of processor: `512m` and `1.5`.

Memory is counted in bytes; a letter multiplies by 1024 once (k), twice (m) and so on, with
or without "b" or "ib" behind it: 5k, 5kb and 5KiB are all 5120.  Processors are counted in
billionths, so that half of one is a whole number, 500000000; the kernel is later told that
share as microseconds of every tenth of a second.

Source: docker/go-units, size.go, RAMInBytes(); docker/cli, opts.ParseCPUs().  The messages
were compared with docker 26.1.5.
"""

import re
from fractions import Fraction

from pyminidock.errors import MinidockError

_MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)*) ?([kmgtp])?i?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LONGEST = 40  # characters; no sensible amount needs more
_MOST_NANO_CPUS = (1 << 63) - 1

NANO = 1_000_000_000


class SizeRefused(MinidockError):
    """The text is no amount of memory."""

    status = 400


class CpusRefused(MinidockError):
    """The text is no number of processors."""

    status = 400


def parse_memory(text: str) -> int:
    """Give an amount of memory in bytes, fractions of a byte cut off.

    >>> parse_memory("512m"), parse_memory("1.5 KiB"), parse_memory("7")
    (536870912, 1536, 7)
    >>> parse_memory("10x")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.sizes.SizeRefused: invalid size: '10x'
    """
    return _amount(text, 1024)


def parse_size(text: str) -> int:
    """Give a size in bytes where letters multiply by 1000, as those of log files do.

    Source: docker/go-units, size.go, FromHumanSize().

    >>> parse_size("10k"), parse_size("1.5m")
    (10000, 1500000)
    """
    return _amount(text, 1000)


def _amount(text: str, base: int) -> int:
    match = _MEMORY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise _no_size(f"invalid size: '{text}'", text)
    number, letter = match[1], (match[2] or "").lower()
    if number.count(".") > 1:
        fault = f'strconv.ParseFloat: parsing "{number}": invalid syntax'
        raise _no_size(fault, text)
    return int(Fraction(number) * base ** _POWERS[letter])


def _no_size(what: str, text: str) -> SizeRefused:
    digits = re.search(r"[1-9][0-9]{0,8}", text)
    return SizeRefused(
        what,
        why="a size is a number and, if wanted, one of the letters b, k, m, g, t, p",
        try_next=f"minidock run --memory {max(6, int(digits[0]) if digits else 64)}m "
        "busybox true",
        lesson="limits",
    )


def parse_cpus(text: str) -> int:
    """Give a number of processors in billionths of one.

    >>> parse_cpus("1.5"), parse_cpus("1/2"), parse_cpus("1e-1")
    (1500000000, 500000000, 100000000)
    >>> parse_cpus("many")
    Traceback (most recent call last):
    ...
    pyminidock.grammar.sizes.CpusRefused: failed to parse many as a rational number
    """
    amount = _rational(text)
    if amount is None:
        what = f"failed to parse {text} as a rational number"
    elif (amount * NANO).denominator != 1:
        what = "value is too precise"
    elif abs(amount * NANO) > _MOST_NANO_CPUS:
        what = f"failed to parse {text} as a rational number"
    else:
        return int(amount * NANO)
    raise CpusRefused(
        what,
        why="processors are counted in billionths: nine digits after the point at most",
        try_next="minidock run --cpus 0.5 busybox true",
        lesson="limits",
    )


def _rational(text: str) -> Fraction | None:
    """Read `text` as a fraction; exponents have two digits, so that numbers stay small."""
    decimal = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,2})?"
    ratio = r"[+-]?[0-9]+/0*[1-9][0-9]*"
    known = re.fullmatch(f"{decimal}|{ratio}", text, re.IGNORECASE)
    return Fraction(text) if known and len(text) <= _LONGEST else None


def show_memory(size_bytes: int) -> str:
    """Write bytes the shortest way that `parse_memory` reads back exactly.

    >>> show_memory(67108864), show_memory(1000)
    ('64m', '1000')
    """
    for letter in "tgmk":
        unit: int = 1024 ** _POWERS[letter]
        if size_bytes and size_bytes % unit == 0:
            return f"{size_bytes // unit}{letter}"
    return str(size_bytes)


def show_cpus(nano_cpus: int) -> str:
    """Write billionths as a decimal number of processors.

    >>> show_cpus(1500000000), show_cpus(10000000), show_cpus(2000000000)
    ('1.5', '0.01', '2')
    """
    sign = "-" if nano_cpus < 0 else ""
    whole, rest = divmod(abs(nano_cpus), NANO)
    return f"{sign}{whole}.{rest:09}".rstrip("0").rstrip(".")
