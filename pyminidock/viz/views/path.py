"""The view that asks who answers for one path, and what a change of it copies.

layer    holds      size
upper    –                   absent
layer 2  whiteout            hides what is below
layer 1  file       20 MB    hidden
"""

from collections.abc import Mapping
from typing import Any

from pyminidock.viz.buildwords import several, size
from pyminidock.viz.scene import Node, Scene, State, badge, cell, group, row, table, text
from pyminidock.viz.views.steps import label

TITLE = "Who answers for this path?"
_HEAD = ("layer", "holds", "size", "")
_ROLES: dict[str, tuple[str, State]] = {
    "shown": ("shown", "hit"),
    "merged": ("merged with the others", "hit"),
    "attributes": ("its attributes are shown", "hit"),
    "content": ("its bytes are shown", "hit"),
    "hides": ("hides what is below", "hide"),
    "hidden": ("hidden", "hide"),
    "absent": ("", ""),
}
_LETTERS = {
    "A": "diff says A, added",
    "C": "diff says C, changed",
    "D": "diff says D, deleted",
    "": "diff says nothing",
}
_COMMITS = {
    "content": "commit packs the whole file",
    "directory": "commit packs the directory's own entry",
    "whiteout": "commit packs a whiteout: the bytes stay in the image",
    "": "commit packs nothing of it",
}

Told = Mapping[str, Any]


def path(told: Told) -> Scene:
    """Show the JSON of `GET /minidock/containers/NAME/lookup`."""
    rows = (
        _holding(f"path.{number}", each) for number, each in enumerate(told["holdings"])
    )
    said = [_asked(told), _copied(told), _recorded(told)]
    if told["kind"] != "absent":
        said.append(_shared(told))
    return group(
        "path",
        f"{TITLE} {told['path']} in {told['name']}",
        badge("path.backend", label(str(told["backend"]))),
        table("path.layers", "what each layer holds, topmost first", _HEAD, *rows),
        *(text(f"path.said.{number}", each) for number, each in enumerate(said)),
    )


def _holding(id_: str, each: Told) -> Node:
    role, state = _ROLES[str(each["role"])]
    holds = "–" if each["kind"] == "absent" else str(each["kind"])
    weight = size(int(each["size_bytes"])) if each["kind"] == "file" else ""
    return row(
        id_,
        cell(f"{id_}.layer", str(each["layer"])),
        cell(f"{id_}.holds", holds),
        cell(f"{id_}.size", weight),
        cell(f"{id_}.role", role, state),
    )


def _asked(told: Told) -> str:
    rules = {"aufs": "AUFS", "overlay": "overlayfs"}[str(told["rules"])]
    return f"{rules} asks {several(len(told['probes']), 'time')} on the way (explained)"


def _copied(told: Told) -> str:
    weight = size(int(told["copy_bytes"]))
    count = several(len(told["copies"]), "name")
    if told["is_copied"]:
        return f"It was copied up: {weight} for the first change"
    if told["kind"] == "absent":
        return "Nothing is there to be copied"
    if not told["copies"]:
        return "It was made here: a change copies nothing"
    return f"The first change would copy up {count}, {weight}"


def _recorded(told: Told) -> str:
    return f"{_LETTERS[str(told['letter'])]}; {_COMMITS[str(told['committed'])]}"


def _shared(told: Told) -> str:
    names = [str(name) for name in told["shared_by"]]
    if not names:
        return "No other container reads these bytes"
    return f"The same bytes are read by {', '.join(names)}"
