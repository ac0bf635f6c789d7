"""One moment of a story as one picture: for paper, slides, and whatever cannot move.

[REAL]  Step 3/6 : RUN pip install
✓ the kernel answered · /proc is mounted
# mount -t proc …                                what plain Linux would be asked
── one or two views, drawn at this moment ──
"""

from collections.abc import Iterator, Sequence

from pyminidock.viz import english
from pyminidock.viz.captions import caption
from pyminidock.viz.scene import Node, Scene, row, stack, text
from pyminidock.viz.sentences import visible
from pyminidock.viz.things import Step, World
from pyminidock.viz.views import VIEWS, View, suiting
from pyminidock.viz.views.steps import heading_of, label_of

TITLE = "One moment"
MOST_VIEWS = 2  # more does not fit on one page


def moment(world: World, names: Sequence[str] = ()) -> Scene:
    """Draw what happened last, and the views called `names`, or the first two that suit.

    >>> moment(World()).children[-1].text
    'nothing recorded yet: run a command'
    """
    step = world.steps.items[-1] if world.steps.items else None
    if step is None:
        nothing = text("moment.none", "nothing recorded yet: run a command")
        return stack("moment", TITLE, nothing)
    drawn = (view.draw(world) for view in _chosen(world, names))
    return stack("moment", caption(world, step.record), *_caption(world, step), *drawn)


def _chosen(world: World, names: Sequence[str]) -> tuple[View, ...]:
    if names:
        return tuple(view for view in VIEWS if view.name in names)
    return suiting(world)[:MOST_VIEWS]


def _caption(world: World, step: Step) -> Iterator[Node]:
    """Say where we are, what happened, how we know, and what Linux would be asked."""
    record = step.record
    part = text("moment.part", visible(heading_of(world, step.part)))
    yield row("moment.head", label_of(world), part)
    mark, meaning = english.EVIDENCE.get(record.evidence, ("?", record.evidence))
    yield text("moment.said", caption(world, record))
    yield text("moment.known", f"{mark} {meaning}")
    if record.linux:
        yield text("moment.linux", f"# {visible(record.linux)}")
