"""What `--since` and `--until` mean here and now."""

import time

from pyminidock.cli.failures import ERROR, WordsRefused
from pyminidock.grammar.timestamps import TimestampRefused, parse_timestamp


def moment(typed: str | None, name: str = "") -> str:
    """Read a moment; nothing stays nothing.  `name` is the flag in a message."""
    if not typed:
        return ""
    now = time.time()
    try:
        return parse_timestamp(typed, now, time.localtime(now).tm_gmtoff)
    except TimestampRefused as refusal:
        said = f'invalid value for "{name}": ' if name else ""
        raise WordsRefused(
            f"{said}{refusal.what}", why=refusal.why, try_next=refusal.try_next,
            exit_code=ERROR,
        ) from refusal  # fmt: skip


def spelt(nanoseconds: int) -> str:
    """Write a moment of this machine's zone, to the nanosecond."""
    seconds, rest = divmod(nanoseconds, 10**9)
    local = time.localtime(seconds)
    zone = time.strftime("%z", local)
    suffix = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{rest:09}{suffix}"
