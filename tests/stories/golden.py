"""Golden journals: what a story tells, written down once, compared ever after.

    NAME.jsonl   the records, without what differs from run to run and machine to machine
    NAME.txt     the pictures at the end of each part of the story

Ids become h1, h2, … in the order in which they are told, times 0, places ROOT.  With
ACCEPT=1 a difference is shown and written down; without, it fails.
"""

import difflib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyminidock.events.journal import Record
from pyminidock.viz.frames import Player
from pyminidock.viz.painters.text import paint
from pyminidock.viz.views.build import build
from pyminidock.viz.views.layers import layers

HERE = Path(__file__).parent
WIDTH = 76
_ID = re.compile(r"\b[0-9a-f]{64}\b")
_SHORT = re.compile(r"\b[0-9a-f]{12}\b")
_WORKSHOP = re.compile(r"\btmp-[\w.-]+")
_KERNEL = ("birth", "clear up")


def normalised(records: Sequence[Record], root: Path) -> tuple[Record, ...]:
    """Take away what differs from run to run; a birth keeps its kinds alone."""
    known: dict[str, str] = {}
    places = {record.seq: number for number, record in enumerate(records, 1)}
    names = {str(r.data["name"]) for r in records if r.kind == "container.created"}

    def plain(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return tuple(map(plain, value))
        if not isinstance(value, str):
            return value
        value = _WORKSHOP.sub("tmp", value.replace(str(root), "ROOT"))
        for found in _ID.findall(value):
            known.setdefault(found, f"h{len(known) + 1}")
            value = value.replace(found, known[found])
        for found in _SHORT.findall(value):
            whole = next((each for each in known if each.startswith(found)), found)
            value = value.replace(found, known.get(whole, "h"))
        return "NAME" if value in names else value

    def told(record: Record) -> dict[str, Any]:
        if record.phase in _KERNEL:
            return {}
        data = {name: plain(value) for name, value in record.data.items()}
        return {name: 0 if name in ("milliseconds", "pid") else value
                for name, value in data.items()}  # fmt: skip

    return tuple(
        replace(
            record, seq=places[record.seq], parent=places.get(record.parent, 0), t=0.0,
            wall=0.0, src="", linux="", story="build-0", operation="build",
            data=told(record),
        )
        for record in records
    )  # fmt: skip


def lines(records: Sequence[Record]) -> Iterator[str]:
    """Write each record down as one line."""
    for record in records:
        told = {"seq": record.seq, "parent": record.parent, "phase": record.phase,
                "kind": record.kind, "data": record.data}  # fmt: skip
        yield json.dumps(told, ensure_ascii=False)


def pictures(records: Sequence[Record]) -> Iterator[str]:
    """Draw the build at the end of each part of its story."""
    player = Player(records)
    worlds = [player.go(n) for n in range(1, player.last + 1)]
    for number, world in enumerate(worlds, 1):
        part = world.steps.items[-1].part
        is_last = number == len(worlds)
        if not is_last and worlds[number].steps.items[-1].part == part:
            continue
        yield f"═══ {part}, after event {number} ".ljust(WIDTH, "═")
        yield from paint(build(world), WIDTH).splitlines()
        yield from paint(layers(world), WIDTH).splitlines()


def compare(name: str, now: Sequence[str]) -> None:
    """Compare with what is written down in the file `name`; with ACCEPT=1 rewrite it."""
    path = HERE / "golden" / name
    before = path.read_text().splitlines() if path.exists() else []
    difference = "\n".join(
        difflib.unified_diff(before, list(now), "golden", "now", "", "", 2)
    )
    if difference and os.environ.get("ACCEPT") == "1":
        print(difference)  # noqa: T201  (whoever accepts reads it first)
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in now))
        return
    assert not difference, f"{difference}\n\nmake stories ACCEPT=1 writes it down"
