"""The view that asks what happened, in order.

One line per step, with how we know and on which backend.

The list is the last few hundred steps, because a world holds no more; the line numbers
are those of the whole story.  A group of steps of one operation and phase, or of one
instruction of a build, is one part of the story, and gets one heading.
"""

from itertools import groupby

from pyminidock.viz import english
from pyminidock.viz.captions import caption
from pyminidock.viz.scene import Node, Scene, badge, cell, group, row, stack, table, text
from pyminidock.viz.sentences import visible
from pyminidock.viz.spending import part_name
from pyminidock.viz.things import Step, World

TITLE = "What happened, in order?"
LABELS = {
    "linux-root": "REAL",
    "linux-rootless": "ROOTLESS",
    "proot": "PROOT",
    "simulated": "SIMULATED",
}


def steps(world: World, depth: int = 1) -> Scene:
    """List the steps so far, newest last."""
    if not world.steps.items:
        return group("steps", TITLE, text("steps.none", "nothing has happened yet"))
    forgotten = world.steps.seen - len(world.steps.items)
    numbered = enumerate(world.steps.items, forgotten + 1)
    parts = [
        _part(world, list(part), heading_of(world, name), depth)
        for name, part in groupby(numbered, key=lambda each: each[1].part)
    ]
    if forgotten:
        note = text("steps.older", f"{forgotten} older steps are in the file")
        parts.insert(0, note)
    return stack("steps", f"{TITLE} {label(world.backend)}", label_of(world), *parts)


def heading_of(world: World, part: str) -> str:
    """Name a part of the story: an instruction by its text, any other by its part."""
    known = world.build.instructions.get(part.removeprefix("step "))
    if known is None or not part.startswith("step "):
        return part_name(part)
    total = f"/{world.build.total}" if world.build.total else ""
    return f"Step {known.number}{total} : {visible(' '.join(known.text.split()))}"


def label(backend: str) -> str:
    """Name a backend so that nobody takes a simulation for the kernel."""
    return LABELS.get(backend, backend.upper() or "UNKNOWN")


def label_of(world: World) -> Node:
    """The backend label as a badge."""
    return badge("backend", label(world.backend), name=f"backend {world.backend}")


def _part(world: World, part: list[tuple[int, Step]], heading: str, depth: int) -> Node:
    """One part of the story under its heading, its steps as a table."""
    first = part[0][1].record
    head = ("step", "", "what happened")
    rows = (_step(world, number, step, depth) for number, step in part)
    shown = table(f"part.{first.seq}.steps", heading, head, *rows)
    return group(f"part.{first.seq}", heading, shown)


def _step(world: World, number: int, step: Step, depth: int) -> Node:
    record = step.record
    id_ = f"step.{number}"
    mark, meaning = english.EVIDENCE.get(record.evidence, ("?", record.evidence))
    said = "  " * max(step.level - 1, 0) + caption(world, record, depth)
    return row(
        id_,
        cell(f"{id_}.n", str(number)),
        cell(f"{id_}.evidence", mark),
        cell(f"{id_}.said", said),
        name=f"step {number}, {meaning}: {said.strip()}",
    )
