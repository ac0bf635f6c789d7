"""The view that asks who answers for a path, and why not the others.

One row for each layer, topmost first; one column for each name on the way down the path.

    layer                            etc          motd
    upper  the container's own       ○ no         · not asked
    B      RUN rm /etc/issue       ► ● directory  ○ no
    A      COPY motd /etc/           ● directory  ● file

    /etc/motd comes from A (COPY motd /etc/)
    why not upper: has no /etc to look in

Nothing is looked up here: what is drawn is what the events told, observed or explained.
"""

from collections.abc import Iterator, Sequence

from pyminidock.viz import english
from pyminidock.viz.scene import (
    Node,
    Scene,
    State,
    cell,
    group,
    row,
    table,
    text,
)
from pyminidock.viz.seeking import Asked, Union, way
from pyminidock.viz.stacking import (
    ABSENT,
    DIRECTORIES,
    FILE,
    OPAQUE,
    WHITEOUT,
    Tree,
    trees,
    why_not,
)
from pyminidock.viz.things import World
from pyminidock.viz.views.steps import label_of

TITLE = "Who answers for a path?"
_MOST_NAMES = 5  # of one path, in columns: the last ones
_MOST_REASONS = 12
_CELLS: dict[str, tuple[str, State]] = {
    "directory": ("directory", "hit"),
    OPAQUE: ("opaque: stop", "hide"),
    FILE: ("file", "hit"),
    WHITEOUT: ("whiteout: stop", "hide"),
    ABSENT: ("no", "miss"),
}
_NOT_ASKED: tuple[str, State] = ("not asked", "idle")


def lookup(world: World) -> Scene:
    """Show who was asked for the path that was looked for last."""
    union = world.union
    asked = union.asked.get(union.path)
    if asked is None:
        hint = "nothing was looked for yet: minidock run --glass busybox cat /etc/passwd"
        return group("lookup", TITLE, text("lookup.none", hint))
    seq = world.now.seq if world.now else 0
    known = trees(union, world.container)
    return group(
        "lookup", f"Who answers for {union.path}?",
        row("lookup.head", label_of(world), text("lookup.who", _who(asked))),
        _table(union, asked, known, seq),
        *_answer(union, asked, known),
    )  # fmt: skip


def suits(world: World) -> bool:
    """Say whether this story looked for anything."""
    return bool(world.union.asked)


def reads(world: World) -> tuple[object, ...]:
    """Give what this view looks at."""
    container = world.container
    root = container.root if container else None
    return world.union, root, world.backend


def _who(asked: Asked) -> str:
    """Say who asked, and how we know; that it is held is said by the player."""
    mark, meaning = english.EVIDENCE.get(asked.evidence, ("?", asked.evidence))
    who = f"{asked.command or 'a program'}" + (f"[{asked.pid}]" if asked.pid else "")
    return f"{who} asked · {mark} {meaning}"


# ── Who was asked for which name ─────────────────────────────────────────────────────────


def _table(union: Union, asked: Asked, known: Sequence[Tree], seq: int) -> Node:
    steps = way(union.path)[-_MOST_NAMES:]
    names = [step.rpartition("/")[2] for step in steps]
    if len(way(union.path)) > len(steps):
        names[0] = f"…/{names[0]}"
    head = ("", "layer", *names)
    rows = (_row(union, asked, steps, each, seq) for each in known)
    said = f"who was asked on the way to {union.path}, topmost layer first"
    return table("lookup.layers", said, head, *rows)


def _row(union: Union, asked: Asked, steps: Sequence[str], tree: Tree, seq: int) -> Node:
    id_ = f"lookup.{tree.name}"
    is_now = not asked.is_over and tree.name == asked.answers[-1][0]
    cells = [
        _cell(f"{id_}.{n}", union.asked.get(step), tree, seq)
        for n, step in enumerate(steps)
    ]
    said = (f"{step} {each.text}" for step, each in zip(steps, cells, strict=True))
    return row(
        id_,
        cell(f"{id_}.sign", tree.sign),
        Node("cell", f"{id_}.by", "code", tree.made_by, "", tree.made_by),
        *cells,
        name=f"{tree.said}: {', '.join(said)}", is_marked=is_now,
    )  # fmt: skip


def _cell(id_: str, asked: Asked | None, tree: Tree, seq: int) -> Node:
    answer = dict(asked.answers).get(tree.name) if asked else None
    if asked is None or answer is None:
        return cell(id_, *_NOT_ASKED)
    said, state = _CELLS.get(answer, (answer, "hit"))
    is_hidden = asked.is_over and answer == FILE and tree.name not in asked.layers
    if is_hidden:
        said, state = "file, hidden", "hide"
    is_new = asked.changed == seq and (asked.answers[-1][0] == tree.name)
    return cell(id_, said, state, is_changed=is_new)


# ── The answer ───────────────────────────────────────────────────────────────────────────


def _answer(union: Union, asked: Asked, known: Sequence[Tree]) -> Iterator[Node]:
    said, state = _outcome(asked, known)
    yield text("lookup.answer", said, state)
    reasons: dict[str, list[str]] = {}
    for tree in known:
        if why := why_not(union, union.path, tree, known):
            reasons.setdefault(why, []).append(tree.sign)
    for number, (why, signs) in enumerate([*reasons.items()][:_MOST_REASONS]):
        yield text(f"lookup.why.{number}", f"why not {_listed(signs)}: {why}")
    if (left := len(reasons) - _MOST_REASONS) > 0:
        yield text("lookup.more", f"and {left} reasons more, see the table")


def _outcome(asked: Asked, known: Sequence[Tree]) -> tuple[str, State]:
    names = {tree.name: tree for tree in known}
    said = [names[name].said if name in names else name for name in asked.layers]
    answers = dict(asked.answers)
    if not asked.is_over:
        last = asked.answers[-1][0] if asked.answers else "nobody"
        last = names[last].sign if last in names else last
        return f"{last} was asked for it, topmost layer first; no answer yet", "idle"
    if not said:
        hider = next((n for n, answer in asked.answers if answer == WHITEOUT), "")
        where = names[hider].said if hider in names else hider
        by = f"a whiteout in {where} hides it" if hider else "no layer has it"
        return f"{asked.path} is not there: {by}", "miss"
    if len(said) == 1:
        return f"{asked.path} comes from {said[0]}", "hit"
    kind = answers.get(asked.layers[0], "")
    merged = "merges the directories of" if kind in DIRECTORIES else "comes from"
    signs = [names[n].sign if n in names else n for n in asked.layers]
    return f"{asked.path} {merged} {_listed(signs)}", "hit"


def _listed(signs: Sequence[str]) -> str:
    """List signs; of a long row the ends.

    >>> _listed(["upper", "C", "B"]), _listed([*"HGFEDCBA"])
    ('upper, C, B', 'H, G, F … A')
    """
    if len(signs) <= 6:
        return ", ".join(signs)
    return f"{', '.join(signs[:3])} … {signs[-1]}"
