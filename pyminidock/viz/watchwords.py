"""How what was seen of a program's files fills its words."""

from collections.abc import Mapping
from typing import Any, assert_never

from pyminidock import events as e

WatchWords = e.WatchEnded | e.FilesMissed | e.FileNoticed | e.CallNoticed


def words_of_watch(
    event: WatchWords, kind: str, facts: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    """Choose the words; a program that had ended before it was named is a process."""
    match event:
        case e.WatchEnded(was_lost):
            return (f"{kind}/lost" if was_lost else kind), facts
        case e.FilesMissed(count):
            return (kind if count else f"{kind}/uncounted"), facts
        case e.FileNoticed(deed, _, _, pid, command):
            face = f"/{deed}" if deed in ("renamed", "given attributes") else ""
            return f"{kind}{face}", {**facts, "who": command or f"process {pid}"}
        case e.CallNoticed(_, _, to, _, pid, command):
            face = "/two" if to else ""
            return f"{kind}{face}", {**facts, "who": command or f"process {pid}"}
        case _:
            assert_never(event)
