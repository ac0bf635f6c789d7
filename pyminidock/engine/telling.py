"""An event that was told, with what the recorder noted in passing.

Telling has to be cheap, for the engine waits for it: so only what would be lost is noted
now (number, clocks, who spoke), and the record, which costs more, is made when somebody
reads it.  Nobody may read the values of variables; the journal hides more (`redaction`).
"""

import re
from collections.abc import Callable
from dataclasses import fields
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pyminidock
from pyminidock import events
from pyminidock.events import Event, base, redaction
from pyminidock.events.journal import (
    Record,
    Wording,
    data_of,
    line_of,
    record_of,
    wording,
)
from pyminidock.viz.plain import plain_linux

kind_of: Callable[[Any], str] = cache(base.kind_of)
"""As events.kind_of, remembered: listeners and gates ask for every event."""

_PACKAGE = Path(pyminidock.__file__).parent


class Told(NamedTuple):
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
    evidence: str = ""  # how it is known, where that is not what its class says

    def record(self) -> Record:
        """Make the record for those who listen."""
        event = redaction.for_listeners(self.event)
        return record_of(
            event, seq=self.seq, story=self.story, operation=self.operation,
            parent=self.parent, phase=self.phase, t=round(self.t, 6),
            wall=round(self.wall, 6), src=self._src(), backend=self.backend,
            linux=plain_linux(event), evidence=self.evidence,
        )  # fmt: skip

    def journal_line(self) -> str:
        """Write the line for the journal."""
        return line_of(
            self.event, _wording(self.event), seq=self.seq, story=self.story,
            operation=self.operation, parent=self.parent, phase=self.phase, t=self.t,
            wall=self.wall, src=self._src(), backend=self.backend, evidence=self.evidence,
        )  # fmt: skip

    def instead(self, event: Event) -> "Told":
        """Give another event the same circumstances."""
        return self._replace(event=event)

    def size_bytes(self) -> int:
        """Estimate what this costs to keep; texts are what can be long."""
        return 500 + sum(map(_length, data_of(self.event).values()))

    def _src(self) -> str:
        return f"{_source(self.file)}:{self.line}"


new_told: Callable[[tuple[Any, ...]], Told] = partial(tuple.__new__, Told)
"""Make one of all its values in their order; half the cost of naming the class."""


def _word(event: Event) -> Wording:
    """Say what the journal says of an event, whenever it happened."""
    shown = redaction.for_journal(event)
    return wording(shown, plain_linux(shown))


_remembered: Callable[[Event], Wording] = lru_cache(maxsize=512)(_word)


def _wording(event: Event) -> Wording:
    """Word a fact, or find the words: a start tells a hundred, and most as the last one.

    What a person typed may hold a secret, and is not kept a moment longer than needed.
    """
    kind = type(event)
    if kind in _NAMES_ITS_CONTAINER:
        return _of_one_container(event, kind)
    return _remembered(event) if _is_of_the_machine(kind) else _word(event)


_NAMES_ITS_CONTAINER: frozenset[Any] = frozenset({
    events.CgroupCreated, events.CgroupLimited, events.CgroupJoined, events.CgroupRemoved,
    events.BindMounted, events.PropagationSet, events.RootAttached, events.KeyringJoined,
})  # fmt: skip
"""Facts that differ by the whole id of a container, in their first field."""

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_NOBODY = "0" * 64


def _of_one_container(event: Event, kind: Any) -> Wording:
    """Word a fact as for a container that is called nothing, and then put its name in.

    An id is nothing that a shell or JSON would quote, so the words are the same.
    """
    text, *others = [getattr(event, name) for name in _names_of(kind)]
    found = _ID.search(text)
    if not found or _NOBODY in text:
        return _remembered(event)
    words = _remembered_of(kind, text.replace(found[0], _NOBODY), *others)
    return Wording(words.kind, words.rest.replace(_NOBODY, found[0]))


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


@lru_cache(maxsize=512)
def _remembered_of(kind: Any, *values: Any) -> Wording:
    return _word(kind(*values))


def _is_effect(cls: Any) -> bool:
    names = {each.name for each in fields(cls)}
    is_effect: bool = cls.evidence in ("acknowledged", "planned")
    return is_effect and "argv" not in names


_is_of_the_machine: Callable[[Any], bool] = cache(_is_effect)


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
