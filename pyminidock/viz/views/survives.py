"""The view that asks what a person loses: by exit, restart, rm, rebuild and reboot.

One row for each file and fact, one column for each thing that can happen.  Where it lives
decides; so that is said, too, and the way out, where there is one.

                        exit  restart  rm    rebuild  reboot
    /data (web-data)    kept  kept     kept  kept     kept     …/volumes/web-data/_data
    /tmp                lost  lost     lost  lost     lost     memory
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyminidock.viz.scene import (
    Node,
    Scene,
    State,
    badge,
    cell,
    group,
    row,
    table,
    text,
)
from pyminidock.viz.views.steps import label

TITLE = "What is left of this container, after what?"
_STATES: dict[str, State] = {
    "kept": "hit",
    "lost": "hide",
    "left": "write",
    "anew": "write",
}
_MEANING = {
    "kept": "kept: it is there, and the container has it",
    "lost": "lost: it is nowhere any more",
    "left": "left: it is there, but no container has it",
    "anew": "anew: there is another one in its place",
}
_HEADINGS = {
    "exit": "its program ends", "restart": "docker restart",
    "rm": "docker rm, without -v", "rebuild": "rm, a new image, run with the same flags",
    "reboot": "the machine starts again",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Survivor:
    """One file or fact, as `GET /minidock/containers/NAME/survives` tells it."""

    kind: str
    what: str
    where: str
    fates: Mapping[str, str]
    way_out: str


@dataclass(frozen=True, slots=True)
class Survival:
    """All of them, of one container."""

    container: str  # its name
    backend: str
    columns: tuple[str, ...]
    facts: tuple[Survivor, ...]
    is_removed_at_end: bool = False


def read(told: Mapping[str, Any]) -> Survival:
    """Read the JSON of `GET /minidock/containers/NAME/survives`."""
    facts = tuple(
        Survivor(
            str(each["kind"]), str(each["what"]), str(each["where"]),
            {str(k): str(v) for k, v in each["fates"].items()}, str(each["way_out"]),
        )
        for each in told["facts"]
    )  # fmt: skip
    return Survival(
        str(told["name"]), str(told["backend"]), tuple(map(str, told["columns"])), facts,
        bool(told["is_removed_at_end"]),
    )  # fmt: skip


def survives(told: Survival) -> Scene:
    """Show what becomes of each file and fact."""
    parts: list[Node] = [badge("survives.backend", label(told.backend))]
    if told.is_removed_at_end:
        said = f"{told.container} runs with --rm: its exit is its removal."
        parts.append(text("survives.rm", said))
    head = ("", "what", *told.columns)
    rows = (_fact(f"survives.{n}", each, told.columns) for n, each in enumerate(told.facts))
    parts.append(table("survives.facts", "what becomes of each file and fact", head, *rows))
    parts += (_place(f"survives.at.{n}", each) for n, each in enumerate(told.facts))
    used = {fate for each in told.facts for fate in each.fates.values()}
    parts += (
        text(f"survives.means.{fate}", said, "idle")
        for fate, said in _MEANING.items() if fate in used
    )  # fmt: skip
    parts += (
        text(f"survives.column.{name}", f"{name}: {_HEADINGS.get(name, name)}", "idle")
        for name in told.columns
    )
    return group("survives", f"{TITLE} {told.container}", *parts)


def _fact(id_: str, fact: Survivor, columns: tuple[str, ...]) -> Node:
    fates = [(name, fact.fates.get(name, "")) for name in columns]
    return row(
        id_,
        cell(f"{id_}.kind", fact.kind),
        cell(f"{id_}.what", fact.what),
        *(cell(f"{id_}.{name}", fate, _STATES.get(fate, "")) for name, fate in fates),
        name=", ".join((fact.kind, fact.what, *(f"{n}: {fate}" for n, fate in fates))),
    )


def _place(id_: str, fact: Survivor) -> Node:
    way_out = f"; to keep it: {fact.way_out}" if fact.way_out else ""
    return text(id_, f"{fact.kind} {fact.what}: {fact.where}{way_out}")
