"""An event that was told, with what the recorder noted in passing.

Telling has to be cheap, for the engine waits for it: so only what would be lost is noted
now (number, clocks, who spoke), and the record, which costs more, is made when somebody
reads it.  Nobody may read the values of variables; the journal hides more (`redaction`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pyminidock
from pyminidock.engine import redaction
from pyminidock.events import Event, base
from pyminidock.events.journal import Record, data_of, record_of
from pyminidock.viz.plain import plain_linux

kind_of: Callable[[Any], str] = cache(base.kind_of)
"""As events.kind_of, remembered: listeners and gates ask for every event."""

_PACKAGE = Path(pyminidock.__file__).parent


@dataclass(frozen=True, slots=True)
class Told:
    """`event` and its circumstances; it happened at `line` of the engine's `file`."""

    seq: int
    event: Event
    story: str
    operation: str
    parent: int
    phase: str
    t: float  # seconds since the story began
    wall: float  # seconds since 1970
    file: str
    line: int
    backend: str

    def record(self) -> Record:
        """Make the record for those who listen."""
        return self._record(redaction.for_listeners(self.event))

    def journal_record(self) -> Record:
        """Make the record for the journal."""
        return self._record(redaction.for_journal(self.event))

    def instead(self, event: Event) -> "Told":
        """Give another event the same circumstances."""
        return replace(self, event=event)

    def size_bytes(self) -> int:
        """Estimate what this costs to keep; texts are what can be long."""
        return 500 + sum(map(_length, data_of(self.event).values()))

    def _record(self, event: Event) -> Record:
        return record_of(
            event, seq=self.seq, story=self.story, operation=self.operation,
            parent=self.parent, phase=self.phase, t=round(self.t, 6),
            wall=round(self.wall, 6), src=f"{_source(self.file)}:{self.line}",
            backend=self.backend, linux=plain_linux(event),
        )  # fmt: skip


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    return sum(map(_length, value)) if isinstance(value, tuple) else 8


@cache
def _source(file: str) -> str:
    """Name a file of the engine within its package, any other by its last part alone."""
    path = Path(file)
    inside = path.is_relative_to(_PACKAGE)
    return path.relative_to(_PACKAGE).as_posix() if inside else path.name
