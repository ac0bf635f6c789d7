"""A view is one question, and one function World → scene that answers it.

A view also says which parts of the world it `reads`.  Worlds share what they have in
common, so where all these parts are the same objects as before, the picture is the same
picture, and nobody has to draw it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyminidock.viz.scene import Scene
from pyminidock.viz.things import World
from pyminidock.viz.views import birth, build, copyup, layers, lookup, network, timeline


@dataclass(frozen=True, slots=True)
class View:
    """One tab of a player; the root of what it draws has the view's name as its id."""

    name: str
    title: str  # the question
    draw: Callable[[World], Scene]
    suits: Callable[[World], bool]  # whether a story that ended so has an answer
    reads: Callable[[World], tuple[object, ...]]


VIEWS: tuple[View, ...] = (
    View("lookup", lookup.TITLE, lookup.lookup, lookup.suits, lookup.reads),
    View("copyup", copyup.TITLE, copyup.copyup, copyup.suits, copyup.reads),
    View("birth", birth.TITLE, birth.birth, birth.suits, birth.reads),
    View("build", build.TITLE, build.build, build.suits, build.reads),
    View("layers", layers.TITLE, layers.layers, layers.suits, layers.reads),
    View("network", network.TITLE, network.story, network.suits, network.reads),
    View("timeline", timeline.TITLE, timeline.timeline, timeline.suits, timeline.reads),
)


def suiting(world: World, views: Sequence[View] = VIEWS) -> tuple[View, ...]:
    """Choose the views that have something to show of a story, judged at its end.

    A build that ran programs made containers too, but that is not what it is about.
    """
    chosen = [view for view in views if view.suits(world)]
    is_build = bool(world.build.instructions)
    return tuple(sorted(chosen, key=lambda view: is_build and view.name == "birth"))


def expected(
    story: str, views: Sequence[View] = VIEWS, *, is_seen_through: bool = False
) -> tuple[View, ...]:
    """Choose the views that a story is going to need, judged by its id alone.

    Of a container `is_seen_through` says that its lookups will be told, too.

    >>> [view.name for view in expected("run-3f2a")][:2]
    ['birth', 'layers']
    """
    known = {view.name: view for view in views}
    wanted = _EXPECTED.get(story.partition("-")[0], tuple(known))
    if is_seen_through:
        wanted = ("lookup", "copyup", *wanted)
    return tuple(known[name] for name in wanted if name in known)


_EXPECTED = {
    "run": ("birth", "layers", "network", "timeline"),
    "build": ("build", "layers", "timeline", "birth"),
    "load": ("layers", "timeline"),
}
