"""The view that asks what one look costs, under AUFS's rules and under overlayfs's.

    layers  top: AUFS  overlay  bottom: AUFS  overlay  none: AUFS  overlay
    2               8        3            10        4          10        4
    128           386      129           640      256         640      256

and, if the kernel was asked as well, how long its overlay takes for the first look at a
name, and for the second.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyminidock.viz.scene import Node, Scene, cell, group, row, table, text

Told = Mapping[str, Any]

TITLE = "What does one look cost, in a stack of so many layers?"
_KINDS = ("top", "bottom", "none")
_MEANS = (
    "/etc/top is in the topmost layer, /etc/bottom in the lowest only, /etc/none in no"
    " layer. Every layer has /etc."
)
_HOW = (
    "Measured on this machine, the median of many names in a fresh overlay. Counted was the"
    " whole way, /etc first; measured is the last name only, for /etc was looked at before."
)


def union(told: Told) -> Scene:
    """Show what was counted, and what was measured if it was."""
    parts: list[Node] = [text("union.means", _MEANS), _counted(told["counted"])]
    parts += (text(f"union.counted.{n}", said) for n, said in enumerate(_sums(told)))
    if told["measured"]:
        parts.append(text("union.how", _HOW))
        parts.append(_measured(told["measured"]))
        parts.append(text("union.remembered", _remembered(told["measured"])))
        parts.append(text("union.aufs", "AUFS is only counted: no current kernel has it."))
    return group("union", TITLE, *parts)


def _counted(rows: Sequence[Told]) -> Node:
    head = _head("AUFS", "overlay")
    found = {(each["depth"], each["kind"], each["rules"]): each["probes"] for each in rows}
    return table(
        "union.asked", "names asked for, in all layers together", head,
        *(
            _row(f"union.asked.{depth}", depth,
                 (f"{found[depth, kind, rules]:,}" for kind in _KINDS
                  for rules in ("aufs", "overlay")))
            for depth in _depths(rows)
        ),
    )  # fmt: skip


def _measured(rows: Sequence[Told]) -> Node:
    head = _head("first", "again")
    found = {(each["depth"], each["kind"]): each for each in rows}
    return table(
        "union.took", "the kernel's overlay: the first look at a name, the second", head,
        *(
            _row(f"union.took.{depth}", depth,
                 (_time(found[depth, kind][look]) for kind in _KINDS
                  for look in ("first_ns", "second_ns")))
            for depth in _depths(rows)
        ),
    )  # fmt: skip


def _head(one: str, other: str) -> tuple[str, ...]:
    pairs = ((f"{kind}: {one}", other) for kind in _KINDS)
    return ("layers", *(word for pair in pairs for word in pair))


def _row(id_: str, depth: int, fields: Iterable[str]) -> Node:
    cells = (cell(f"{id_}.{n}", said) for n, said in enumerate(fields))
    return row(id_, cell(f"{id_}.depth", str(depth)), *cells)


def _depths(rows: Sequence[Told]) -> list[int]:
    return sorted({int(each["depth"]) for each in rows})


def _time(nanoseconds: int) -> str:
    return f"{nanoseconds / 1000:.1f} µs"


def _sums(told: Told) -> Iterable[str]:
    """Say how the two compare where the stack is deepest."""
    rows = told["counted"]
    deepest = _depths(rows)[-1]
    asked = {each["rules"]: each for each in rows
             if each["depth"] == deepest and each["kind"] == "bottom"}  # fmt: skip
    aufs, overlay = asked["aufs"]["probes"], asked["overlay"]["probes"]
    read = asked["overlay"]["attributes"]
    yield (
        f"AUFS keeps its marks as names beside the files, so it asks {aufs / overlay:.1f}"
        f" times as often for /etc/bottom. Overlayfs reads {read} attributes instead, of"
        f" directories that it has found."
    )
    yield "Under both rules the work grows with the number of layers, in a straight line."


def _remembered(rows: Sequence[Told]) -> str:
    """Say what the kernel's memory of names is worth."""
    low, high = ({each["kind"]: each for each in rows if each["depth"] == depth}
                 for depth in (_depths(rows)[0], _depths(rows)[-1]))  # fmt: skip
    first, again = (
        [_time(each["bottom"][look]) for each in (low, high)]
        for look in ("first_ns", "second_ns")
    )
    return (
        f"The first look at /etc/bottom took {first[0]} in the flattest stack and"
        f" {first[1]} in the deepest; the second {again[0]} and {again[1]}: the kernel"
        " remembers names (its dcache), also those that are not there, and then no layer is"
        " asked."
    )
