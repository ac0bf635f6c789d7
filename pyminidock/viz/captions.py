"""What an event says within its story: a layer goes by the letter that pictures give it.

    say(record)                 Layer 8db8f379f484 was asked for /etc/motd: file
    caption(world, record)      Layer A was asked for /etc/motd: file

At the third depth, where kernel calls are told, a layer keeps the name of its directory.
"""

from collections.abc import Mapping

from pyminidock.events import Event
from pyminidock.events.base import kind_of
from pyminidock.events.journal import Record
from pyminidock.viz.seeking import CHANGES, LOOKS
from pyminidock.viz.sentences import say
from pyminidock.viz.stacking import trees
from pyminidock.viz.things import World

_OF_UNION = LOOKS | CHANGES
_CALLS = 3  # the depth


def caption(world: World, told: Record | Event, depth: int = 1) -> str:
    """Put one event of a story into words: `sentences.say`, where the world is known."""
    kind = told.kind if isinstance(told, Record) else kind_of(told)
    if kind not in _OF_UNION or depth >= _CALLS:
        return say(told, depth)
    return say(told, depth, _signs(world))


def _signs(world: World) -> Mapping[str, str]:
    return {tree.name: tree.sign for tree in trees(world.union, world.container)}
