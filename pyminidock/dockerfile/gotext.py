"""Words and times as Go prints and reads them, for Docker's messages are made by Go.

A student who searches for a message finds it only if it is the same to the letter: `"a b"`
and not `'a b'`, `1m30s` and not `90 s`.

Source: Go, strconv.Quote() and time.ParseDuration(), Duration.String().
"""

import re
from collections.abc import Sequence

# What unicode.IsSpace says.  Python's str.isspace() takes the separators \x1c-\x1f too.
SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
_SHORT = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t",
          "\v": r"\v", "\\": r"\\"}  # fmt: skip
_UNITS_NS = {"ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000,
             "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}  # fmt: skip
_LONGEST_NS = (1 << 63) - 1


class DurationMalformed(ValueError):
    """The text is no duration; the message is Go's."""


def quote(text: str) -> str:
    r"""Print `text` as Go's %q does.

    >>> print(quote('say "hi"'), quote("a\tb\x7f"))
    "say \"hi\"" "a\tb\x7f"
    """
    if text.isprintable() and '"' not in text and "\\" not in text:  # nearly all texts
        return f'"{text}"'
    return '"' + "".join(r"\"" if c == '"' else _escaped(c) for c in text) + '"'


def quote_all(words: Sequence[str]) -> str:
    """Print a list of words as Go's %q does.

    >>> print(quote_all(["a", "b c"]))
    ["a" "b c"]
    """
    return "[" + " ".join(quote(word) for word in words) + "]"


def quote_number(number: int) -> str:
    r"""Print a number as Go's %q does: as the character with that code.

    >>> print(quote_number(4), quote_number(65))
    '\x04' 'A'
    """
    is_character = 0 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    character = chr(number) if is_character else "\ufffd"
    return "'" + (r"\'" if character == "'" else _escaped(character)) + "'"


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8, kept by surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def parse_duration(text: str) -> int:
    """Read a duration such as `1m30s`, in nanoseconds.

    Raises DurationMalformed.

    >>> parse_duration("1m30s"), parse_duration("-1.5ms"), parse_duration("0")
    (90000000000, -1500000, 0)
    >>> parse_duration("abc")
    Traceback (most recent call last):
    ...
    pyminidock.dockerfile.gotext.DurationMalformed: time: invalid duration "abc"
    """
    invalid = DurationMalformed(f"time: invalid duration {quote(text)}")
    sign, rest = (-1 if text[:1] == "-" else 1), text[1:] if text[:1] in "+-" else text
    if rest == "0":
        return 0
    if not text or not rest:
        raise invalid
    total: int = 0
    while rest:
        number = re.match(r"[0-9]*(?:\.[0-9]*)?", rest)
        digits = number[0] if number else ""
        if digits in ("", "."):
            raise invalid
        rest = rest[len(digits) :]
        unit = re.match(r"[^.0-9]*", rest)
        name = unit[0] if unit else ""
        rest = rest[len(name) :]
        if not name:
            raise DurationMalformed(f"time: missing unit in duration {quote(text)}")
        if name not in _UNITS_NS:
            fault = f"time: unknown unit {quote(name)} in duration {quote(text)}"
            raise DurationMalformed(fault)
        total += _part(digits, _UNITS_NS[name], invalid)
        if total > _LONGEST_NS:
            raise invalid
    return sign * total


def _part(digits: str, unit_ns: int, invalid: DurationMalformed) -> int:
    """One number of a duration, in nanoseconds, cut off below one."""
    whole, _, fraction = digits.partition(".")
    if len(whole.lstrip("0")) > 19:  # more than 63 bits, and int() of a long text is slow
        raise invalid
    fraction = fraction[:18]
    scale = int("1" + "0" * len(fraction))
    return int(whole or "0") * unit_ns + int(fraction or "0") * unit_ns // scale


def duration_text(nanoseconds: int) -> str:
    """Print a duration as Go does.

    >>> [duration_text(n) for n in (0, 1500, 2_000_000, 90_000_000_000, 3_600_000_000_000)]
    ['0s', '1.5µs', '2ms', '1m30s', '1h0m0s']
    """
    size = abs(nanoseconds)
    sign = "-" if nanoseconds < 0 else ""
    if size == 0:
        return "0s"
    for unit, length in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if size < length * 1000:
            return f"{sign}{_decimal(size, length)}{unit}"
    minutes, seconds = divmod(size, 60_000_000_000)
    text = f"{_decimal(seconds, 1_000_000_000)}s"
    if minutes:
        text = f"{minutes % 60}m{text}"
    if minutes >= 60:
        text = f"{minutes // 60}h{text}"
    return sign + text


def _decimal(size: int, unit: int) -> str:
    whole, rest = divmod(size, unit)
    digits = len(str(unit)) - 1
    fraction = f"{rest:0{digits}d}".rstrip("0") if digits else ""
    return f"{whole}.{fraction}" if fraction else str(whole)
