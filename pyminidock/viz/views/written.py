"""The view that asks what a container wrote, and where it is.

One directory of the host holds it all, beside the image and never in it: the names, what
became of each, and what will become of the directory.

    ✎ changed  /etc/passwd  22 B  0644  covers the image's
    ⊘ deleted  /bin/vi                  a whiteout hides it
"""

from dataclasses import dataclass

from pyminidock.viz.buildwords import several, size
from pyminidock.viz.imagelayers import File, Told, files
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
from pyminidock.viz.views.image import difference
from pyminidock.viz.views.steps import label

TITLE = "What did this container write, and where is it?"
_HEAD = ("", "path", "size", "mode", "note")
_BY_KIND = {
    "symlink": "→ {link}", "hard link": "= {link}",
    "device": "device {link}", "fifo": "a FIFO: it keeps no bytes",
}  # fmt: skip
_STATES: dict[str, State] = {"added": "hit", "changed": "write", "deleted": "hide"}


@dataclass(frozen=True, slots=True)
class Writes:
    """What one writable layer holds: `named` of its `total` names, and where it lies."""

    container: str  # its name
    backend: str
    state: str
    upper: str  # host
    size_bytes: int
    total: int
    named: tuple[File, ...]
    in_memory: tuple[str, ...] = ()
    is_removed_at_end: bool = False


def read(told: Told) -> Writes:
    """Read the JSON of `GET /minidock/containers/NAME/written`."""
    named = tuple(each for each in files(told["entries"]) if each.change != "same")
    total = int(told["added"]) + int(told["changed"]) + int(told["deleted"])
    return Writes(
        str(told["name"]), str(told["backend"]), str(told["state"]), str(told["upper"]),
        int(told["size_bytes"]), total, named, tuple(map(str, told["in_memory"])),
        bool(told["is_removed_at_end"]),
    )  # fmt: skip


def written(told: Writes) -> Scene:
    """Show what was written, where it lies, and how long it stays."""
    parts: list[Node] = [badge("written.backend", label(told.backend))]
    if told.total:
        parts += [
            text("written.sum", _sum(told)),
            text("written.where", told.upper),
            names("written", told.named),
        ]
        if left := told.total - len(told.named):
            parts.append(text("written.more", f"and {several(left, 'more name')}", "idle"))
    else:
        said = f"{told.container} wrote nothing: its writable layer is empty."
        parts.append(text("written.none", said))
    parts += (text(f"written.after.{n}", said) for n, said in enumerate(_after(told)))
    return group("written", f"{TITLE} {told.container}", *parts)


def names(id_: str, named: tuple[File, ...]) -> Node:
    """List names of a writable layer as a table."""
    rows = (_name(f"{id_}.{n}", file) for n, file in enumerate(named))
    return table(f"{id_}.names", "the names in its writable layer", _HEAD, *rows)


def _name(id_: str, file: File) -> Node:
    note, is_gone = _note(file), file.change == "deleted"
    shown = size(file.size_bytes) if file.kind == "file" and not is_gone else ""
    slash = "/" if file.kind == "directory" and not file.path.endswith("/") else ""
    return row(
        id_,
        cell(f"{id_}.change", file.change, _STATES.get(file.change, "")),
        cell(f"{id_}.path", file.path + slash),
        cell(f"{id_}.size", shown),
        cell(f"{id_}.mode", "" if is_gone else file.mode),
        cell(f"{id_}.note", note),
        name=", ".join(filter(None, (file.change, file.kind, file.path, shown, note))),
    )


def _note(file: File) -> str:
    """Say how the union filesystem wrote it down."""
    if file.change == "deleted":
        return (
            "hidden by its directory" if file.detail == "opaque" else "a whiteout hides it"
        )
    if file.detail == "opaque":
        return "made anew: hides what was below"
    if file.kind in _BY_KIND:
        return _BY_KIND[file.kind].format(link=file.link)
    if file.change == "changed" and file.kind == "file":
        return ", ".join(filter(None, ("covers the image's", difference(file))))
    return difference(file)


def _sum(told: Writes) -> str:
    so_far = " so far" if told.state in ("running", "paused") else ""
    return (
        f"{told.container} wrote {several(told.total, 'name')}{so_far},"
        f" {size(told.size_bytes)}. All of it lies in its writable layer, one directory of"
        " the host:"
    )


def _after(told: Writes) -> list[str]:
    """Say what else is written where, and how long all this stays."""
    said = []
    if told.in_memory:
        said.append(
            f"What it writes below {', '.join(told.in_memory)} is in memory, and goes with"
            " the program."
        )
    if told.is_removed_at_end:
        said.append(
            "With --rm the layer goes when the program ends. The image stays as it is."
        )
    else:
        goes = f"and goes with minidock rm {told.container}."
        said.append(f"The layer outlives stop and start, {goes} The image stays as it is.")
    return said
