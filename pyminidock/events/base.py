"""The words in which the engine tells its story.

An event is one fact in the past tense, made of plain values.  It has no clock, no number
and no live object in it, so it can be compared, stored, replayed and drawn anywhere.

Two families share the ancestor.  A *decision* is something the engine worked out; an
*effect* is something that happened to the machine, and every effect says how we know:

    acknowledged   the kernel call returned, reported by who made it
    observed       read back from the kernel afterwards
    explained      computed by the pure algorithms, not seen
    planned        in the plan; its failure would have been reported
    client         reported by our client, not by the daemon
    remembered     observed before, and nothing that could change it has happened since

The evidence belongs to the telling: the same fact may be seen by one and worked out by
another.  A class says how its facts are known as a rule, and who tells one may know better
(`engine.voice.Voice.known`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Protocol, runtime_checkable

EVIDENCE = ("acknowledged", "observed", "explained", "planned", "client", "remembered")


@dataclass(frozen=True, slots=True)
class Event:
    """The ancestor of all events; `evidence` is how its facts are known, as a rule.

    It is empty for a decision of the engine.
    """

    evidence: ClassVar[str] = ""


Emit = Callable[[Event], None]


@runtime_checkable
class Witness(Protocol):
    """An Emit that can also be told of something after it has happened."""

    def happened(self, event: Event, at: float) -> None:
        """Tell `event` of the time `at`: monotonic seconds, by the clock of the kernel."""


def ignore(event: Event) -> None:
    """Listen to nothing."""


def kind_of(event: Event | type[Event]) -> str:
    """Give the words of the class name, as people type them after `--break`.

    >>> class LayerProbed(Event): ...
    >>> kind_of(LayerProbed)
    'layer.probed'
    """
    return _words_of((event if isinstance(event, type) else type(event)).__name__)


@cache
def _words_of(name: str) -> str:
    return ".".join(word.lower() for word in re.findall(r"[A-Z][a-z0-9]*", name))
