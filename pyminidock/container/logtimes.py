"""The two times that bound what `docker logs` shows: `since` and `until`.

A client turns "10m" or a date into seconds since 1970 before it asks; a fraction has up to
nine digits.  What is no such number is refused in the words of Go, as Docker refuses it.

Source: moby, api/types/time/timestamp.go, ParseTimestamps(); Go, strconv.ParseInt().
"""

from pyminidock.errors import MinidockError
from pyminidock.grammar.numbers import LARGEST, NumberRefused, parse_integer

_NANO = 1_000_000_000


class TimeUnreadable(MinidockError):
    """As Docker has it, this one is the server's fault."""


def parse_time(text: str) -> int | None:
    """Read seconds since 1970 as nanoseconds; None: not said.  Raises TimeUnreadable.

    >>> parse_time("1.5"), parse_time("-1"), parse_time("")
    (1500000000, -1000000000, None)
    """
    if not text:
        return None
    whole, point, fraction = text.partition(".")
    seconds = _number(whole)
    if not point:
        return seconds * _NANO
    return seconds * _NANO + int(_number(fraction) * 10.0 ** (9 - len(fraction)))


def _number(text: str) -> int:
    try:
        return parse_integer(text, try_next="since=1767225600.5")
    except NumberRefused as refusal:
        raise TimeUnreadable(
            refusal.what,
            why="times are seconds since 1970, with up to nine digits behind the point",
            try_next=refusal.try_next,
            lesson="logs",
        ) from refusal


def parse_tail(text: str) -> int:
    """Read how many records are wanted; whatever is no number means all: -1.

    >>> [parse_tail(text) for text in ("10", "0", "all", "-5", "")]
    [10, 0, -1, -1, -1]
    """
    try:
        count = parse_integer(text, try_next="tail=10")
    except NumberRefused:
        return -1
    return count if 0 <= count <= LARGEST else -1
