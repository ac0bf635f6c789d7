"""A container whose every lookup is told: what its union says becomes events of its story.

    union ── "LOOKUP /etc/passwd: …" ──► here ──► voice: LayerProbed, PathResolved …
      ▲                                   │            a gate may hold it
      └────────── "go" ◄──────────────────┘            for so long the program waits

While a gate is set each answer waits for its events, every one in a thread of its own, so
that a program that is held holds up no other.  What its own layer holds then is kept, for
another container to begin with.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.voice import Voice
from pyminidock.events import Event
from pyminidock.events.journal import record_kinds
from pyminidock.kernel.glass import hearing
from pyminidock.kernel.glass.hearing import Hearing
from pyminidock.kernel.port import BirthAborted
from pyminidock.layers.apply import policy_here
from pyminidock.layers.frames import Frames

_OF_NOBODY = "files.missed"
_LOOK_S = 0.05  # so often it is seen whether a gate is set


def listen(house: House, life: Life, directory: str) -> None:
    """Hear the union of a container in a thread, from its first lookup to its end."""
    kept = Frames(Path(directory), policy_here(is_single_user=house.machine.is_single_user))
    house.recorder.on_hold(life.story, kept.keep)
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
        for evidence, event in events(record):
            voice.known(event, evidence)
    heard.say(f"go {record['unique']}")


def events(record: dict[str, Any]) -> Iterator[tuple[str, Event]]:
    """Read what a union told, and how it is known.

    >>> for evidence, event in events({"pid": 7, "command": "sh", "told": [
    ...     ["remembered", "layer.probed", "/etc", "upper", "absent"],
    ...     ["observed", "path.resolved", "/etc", ["base"]]]}):
    ...     print(evidence, event, event.command)
    remembered LayerProbed(path='/etc', layer='upper', answer='absent') sh
    observed PathResolved(path='/etc', layers=('base',)) sh
    """
    kinds: Mapping[str, Callable[..., Event]] = record_kinds()
    who = record["pid"], record["command"]
    for evidence, kind, *values in record["told"]:
        given = (tuple(each) if isinstance(each, list) else each for each in values)
        yield evidence, kinds[kind](*given, *(() if kind == _OF_NOBODY else who))
