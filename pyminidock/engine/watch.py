"""A container whose files are watched: what the watcher tells becomes events of its story.

    watcher ── "cat opened /etc/motd" ──► here ──► voice: FileNoticed, LayerProbed …
      ▲                                     │           a gate may hold it
      └──────────── "go" ◄──────────────────┘           for so long cat waits in open(2)

As with glass (`engine.glass`): while a gate is set each program that opens a file waits for
its events, every one in a thread of its own, so that one that is held holds up no other.
An engine that adopts the container hears its watcher, too.
"""

from contextlib import suppress
from functools import partial
from typing import Any

from pyminidock.engine.house import House
from pyminidock.engine.lives import Life
from pyminidock.engine.voice import Voice
from pyminidock.events import WatchEnded
from pyminidock.kernel.glass.hearing import Hearing
from pyminidock.kernel.port import BirthAborted, Process
from pyminidock.kernel.watch import hearing

_LOOK_S = 0.05  # so often it is seen whether a gate is set


def listen(house: House, life: Life, directory: str) -> None:
    """Hear the watcher of a container in a thread, from before its birth to its end."""
    hears = partial(_listen, house, life, directory, life.process)
    house.attendants.send(f"watch-{life.name}", hears)


def adopt(house: House, life: Life, directory: str) -> None:
    """Hear a watcher that an earlier engine has started, if it is still there."""
    hears = partial(_listen, house, life, directory, None, patience_s=0.0)
    house.attendants.send(f"watch-{life.name}", hears)


def _listen(
    house: House, life: Life, directory: str, before: Process | None, *,
    patience_s: float = hearing.PATIENCE_S,
) -> None:  # fmt: skip
    heard = hearing.connect(directory, patience_s)
    voice = house.recorder.operation(life.story, "watch")
    if heard is None:
        voice(WatchEnded(was_lost=True))
        return
    is_holding: bool | None = None
    was_ended = is_born = False
    while not heard.is_over and not house.is_closed:
        if is_holding != bool(voice.story.gates):
            is_holding = bool(voice.story.gates)
            heard.say("hold" if is_holding else "flow")
        if not is_born and life.process is not None and life.process is not before:
            is_born = True
            heard.say(f"born {life.process.pid}")
        for record in heard.hear(_LOOK_S):
            was_ended |= any(kind == "watch.ended" for kind, _ in record["events"])
            if is_holding and record["go"]:
                own = house.recorder.operation(life.story, "watch")
                house.attendants.send("watch-held", partial(_tell, own, heard, record))
            else:
                _tell(voice, heard, record)
    if heard.is_over and not was_ended and not house.is_closed:
        voice(WatchEnded(was_lost=True))
    heard.close()


def _tell(voice: Voice, heard: Hearing, record: dict[str, Any]) -> None:
    """Tell what one program did; then it may go on."""
    with suppress(BirthAborted):
        for event in hearing.events(record):
            voice(event)
    if record["go"]:
        heard.say(f"go {record['go']}")
