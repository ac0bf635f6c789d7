"""Moments as `--since` and `--until` take them, for an engine that counts seconds.

    10m  1h30m                 so long before now
    2026-11-26                 a day, an hour, a minute, a second, or a part of one
    2026-11-26T10:00:00Z       with its zone; without, that of whoever types
    1795654605.5               seconds since 1970

Source: moby, api/types/time/timestamp.go, GetTimestamp().
"""

import re
from datetime import datetime, timedelta, timezone

from pyminidock.errors import MinidockError
from pyminidock.grammar.durations import DurationRefused, parse_duration

_DATE = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2}))?(?::(\d{2}))?(?:\.(\d{1,9}))?)?"
    r"(Z|[+-]\d{2}:\d{2})?"
)


class TimestampRefused(MinidockError):
    """The text is no moment."""

    status = 400


def parse_timestamp(text: str, now_s: float, zone_s: int) -> str:
    """Give a moment as seconds since 1970, in the spelling that the API takes.

    `now_s` is that of the caller, and `zone_s` how far east of Greenwich it stands.

    >>> parse_timestamp("5m", 1000.0, 0), parse_timestamp("12.5", 0, 0)
    ('700', '12.5')
    >>> parse_timestamp("1970-01-02", 0, 3600)
    '82800.000000000'
    """
    try:
        if text != "0":
            return str(int(now_s - parse_duration(text) / 1e9))
    except DurationRefused:
        pass
    found = _DATE.fullmatch(text)
    if found:
        return _seconds(found, text, zone_s)
    if "-" in text or not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18})?", text):
        raise _refusal(text)
    return text


def _seconds(found: re.Match[str], text: str, zone_s: int) -> str:
    day, hour, minute, second, part, zone = found.groups()
    offset = timezone(timedelta(seconds=zone_s))
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}"
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone or ''}")
    except ValueError:
        raise _refusal(text) from None
    if zone is None:
        moment = moment.replace(tzinfo=offset)
    return f"{int(moment.timestamp())}.{(part or '').ljust(9, '0')}"


def _refusal(text: str) -> TimestampRefused:
    return TimestampRefused(
        f'failed to parse value as time or duration: "{text}"',
        why="a moment is a date, so long ago, or seconds since 1970",
        try_next="--since 10m",
        lesson="command-line",
    )
