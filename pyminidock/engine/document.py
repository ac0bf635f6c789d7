"""What documents for clients of Docker have in common: objects, and moments as text."""

import datetime
from typing import Any

NEVER = "0001-01-01T00:00:00Z"
NANOSECONDS = 10**9

Document = dict[str, Any]


def moment(wall: float) -> str:
    """Write a time as Go's RFC3339Nano does; 0 is "never".

    >>> moment(0), moment(0.5), moment(1)
    ('0001-01-01T00:00:00Z', '1970-01-01T00:00:00.5Z', '1970-01-01T00:00:01Z')
    """
    if not wall:
        return NEVER
    seconds, nanoseconds = divmod(int(wall * NANOSECONDS), NANOSECONDS)
    when = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    fraction = f".{nanoseconds:09}".rstrip("0").rstrip(".")
    return f"{when:%Y-%m-%dT%H:%M:%S}{fraction}Z"
