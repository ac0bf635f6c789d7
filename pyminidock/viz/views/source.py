"""The view that asks which lines of the engine did this.

At most 40 lines are shown, the one that told it marked.

The engine's own file, as it is installed here.  Reading it is the business of whoever
shows the picture; here the text is a value like any other.
"""

from collections.abc import Callable

from pyminidock.viz.scene import Scene, code, group, text
from pyminidock.viz.sentences import visible
from pyminidock.viz.things import World

MOST_LINES = 40

Read = Callable[[str], str | None]


def source(world: World, read: Read, lines: int = MOST_LINES) -> Scene:
    """Show up to `lines` lines around the emitting one.

    `read` gives the text of a file of the package ("container/plan.py"), None if this
    installation has no such file: a trace may come from a newer engine.
    """
    told_by = world.now.src if world.now else ""
    path, _, number = told_by.rpartition(":")
    if not path or not number.isdigit():
        return group("source", "Source", text("source.none", "no line told this step"))
    content = read(path)
    marked = int(number)
    known = content.splitlines() if content is not None else []
    if not 1 <= marked <= len(known):
        said = f"{visible(told_by)} is not in this installation"
        return group("source", f"Source {visible(told_by)}", text("source.none", said))
    first, last = _window(len(known), marked, min(lines, MOST_LINES))
    shown = "\n".join(known[first - 1 : last])
    name = f"{path}, line {marked}"
    return group(
        "source", f"Source {path}:{marked}", code("code", name, shown, first, marked)
    )


def _window(total: int, marked: int, lines: int) -> tuple[int, int]:
    """Choose the lines to show: the marked one a little below the middle.

    >>> _window(100, 50, 5), _window(100, 1, 5), _window(100, 100, 5), _window(2, 2, 5)
    ((48, 52), (1, 5), (96, 100), (1, 2))
    """
    first = max(1, min(marked - lines // 2, total - lines + 1))
    return first, min(total, first + lines - 1)
