"""A container whose every lookup is told: what its union says becomes events of its story.

    union ── "LOOKUP /etc/passwd: …" ──► here ──► voice: LayerAsked, NameAnswered …
      ▲                                   │            a gate may hold it
      └────────── "go" ◄──────────────────┘            for so long the program waits

While a gate is set each answer waits for its events, every one in a thread of its own, so
that a program that is held holds up no other.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.voice import Voice
from pyminidock.events import (
    Event,
    FileRaised,
    LayerAsked,
    NameAnswered,
    OpaqueWritten,
    WhiteoutWritten,
)
from pyminidock.kernel.glass import hearing
from pyminidock.kernel.glass.hearing import Hearing
from pyminidock.kernel.port import BirthAborted

_LOOK_S = 0.05  # so often it is seen whether a gate is set


def listen(house: House, life: Life, directory: str) -> None:
    """Hear the union of a container in a thread, from its first lookup to its end."""
    house.attendants.send(f"glass-{life.name}", partial(_listen, house, life, directory))


def _listen(house: House, life: Life, directory: str) -> None:
    heard = hearing.connect(directory)
    if heard is None:
        return
    voice = house.recorder.operation(life.story, "glass")
    is_holding: bool | None = None
    while not heard.is_over and not house.is_closed:
        if is_holding != bool(voice.story.gates):
            is_holding = bool(voice.story.gates)
            heard.say("hold" if is_holding else "flow")
        for record in heard.hear(_LOOK_S):
            if is_holding:
                own = house.recorder.operation(life.story, "glass")
                house.attendants.send("glass-held", partial(_tell, own, heard, record))
            else:
                _tell(voice, heard, record)
    heard.close()


def _tell(voice: Voice, heard: Hearing, record: dict[str, Any]) -> None:
    """Tell what one request was about; then its answer may go."""
    with suppress(BirthAborted):
        for event in events(record):
            voice(event)
    heard.say(f"go {record['unique']}")


def events(record: dict[str, Any]) -> Iterator[Event]:
    """Read what a union told.

    >>> for event in events({"pid": 7, "command": "cat", "told": [
    ...     ["asked", "/motd", "upper", "absent"], ["answered", "/motd", ["base"]]]}):
    ...     print(event)
    LayerAsked(path='/motd', layer='upper', answer='absent', pid=7, command='cat')
    NameAnswered(path='/motd', layers=('base',), pid=7, command='cat')
    """
    who = record["pid"], record["command"]
    for told in record["told"]:
        match told:
            case ["asked", path, layer, answer]:
                yield LayerAsked(path, layer, answer, *who)
            case ["answered", path, layers]:
                yield NameAnswered(path, tuple(layers), *who)
            case ["copied", path, layer, extent, size]:
                yield FileRaised(path, layer, extent, size, *who)
            case ["whiteout", path]:
                yield WhiteoutWritten(path, *who)
            case ["opaque", path]:
                yield OpaqueWritten(path, *who)
