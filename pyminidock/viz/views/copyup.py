"""The view that asks what a change copied, and what the layer on top holds now.

    ┌ ✎ upper: the container's own layer ──────────┐
    │ ✎ /srv/log  20 MB  copied from B             │   the block, after it has moved
    │ ⊘ /etc/motd  whiteout: says deleted          │
    └──────────────────────────────────────────────┘
    B ── 20 MB ──▸ upper
    ┌ B: RUN make ─────────────────────────────────┐
    │ · /srv/log  stays here, and nobody sees it   │
    └──────────────────────────────────────────────┘

Layers of an image never change.  So the first change of a file copies all of it, however
little is written; a deletion writes a mark; a new directory over deleted ones hides them.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from pyminidock.viz import english
from pyminidock.viz.buildwords import several, size
from pyminidock.viz.scene import Node, Scene, State, group, row, text
from pyminidock.viz.seeking import UPPER, Asked, Held, Union
from pyminidock.viz.stacking import FILE, INIT, Tree, trees
from pyminidock.viz.things import Container, World
from pyminidock.viz.views.steps import label_of

TITLE = "What did a change copy?"
_MOST = 12  # names of the layer on top, the newest first
_EXTENTS = {
    "directory": "the directory itself, nothing that is in it",
    "content": "all of it",
    "metadata": "its attributes; its bytes stay below",
    "empty": "its name and rights: its bytes were about to be thrown away",
    "other": "it has no bytes",
}
_ICONS: dict[str, State] = {
    "copied": "write", "whiteout": "hide", "opaque": "hide", "redirect": "net",
}  # fmt: skip


def copyup(world: World) -> Scene:
    """Show the last change of the layer on top, and what else that layer holds."""
    union = world.union
    last = union.held.get(union.last)
    known = {tree.name: tree for tree in trees(union, world.container)}
    waits = _waiting(union)
    if last is None and waits is None:
        hint = "nothing was changed yet: what is only read is never copied"
        return group("copyup", TITLE, text("copyup.none", hint))
    seq = world.now.seq if world.now else 0
    path = waits.path if waits else last.path if last else ""
    return group(
        "copyup", TITLE,
        row("copyup.head", label_of(world), text("copyup.known", _known(last or waits))),
        _box("upper", "upper: the container's own layer", "write",
             *_upper(union, known, path, seq, world.container)),
        *_below(union, known, path, seq),
        *_told(union, last, known),
    )  # fmt: skip


def suits(world: World) -> bool:
    """Say whether this story changed anything in its layers."""
    return bool(world.union.held)


def reads(world: World) -> tuple[object, ...]:
    """Give what this view looks at."""
    container = world.container
    root = container.root if container else None
    return world.union, root, world.backend, container.written if container else ()


def _known(told: Held | Asked | None) -> str:
    if told is None:
        return ""
    mark, meaning = english.EVIDENCE.get(told.evidence, ("?", told.evidence))
    by = f"by {told.command} · " if told.command else ""
    return f"{by}{mark} {meaning}"


def _waiting(union: Union) -> Asked | None:
    """Give the file that was looked for last, if its next change would copy it."""
    asked = union.asked.get(union.path)
    newest = union.held[union.last].changed if union.last in union.held else 0
    if asked is None or not asked.is_over or asked.changed < newest:
        return None
    is_below = asked.layers[:1] not in ((), (UPPER,), (INIT,))
    is_file = is_below and dict(asked.answers).get(asked.layers[0]) == FILE
    return asked if is_file else None


# ── The layers that are concerned ────────────────────────────────────────────────────────


def _upper(
    union: Union, known: dict[str, Tree], path: str, seq: int, container: Container | None
) -> Iterator[Node]:
    """Show what the layer on top holds, the newest first."""
    newest = sorted(union.held.values(), key=lambda held: (-held.changed, held.path))
    for held in newest[:_MOST]:
        id_ = "copyup.block" if held.path == path else f"copyup.held.{held.path}"
        said = f"{held.path}  {_what(held, known)}"
        yield Node("text", id_, "paragraph", said, _ICONS.get(held.what, ""), said,
                   is_changed=held.changed == seq)  # fmt: skip
    if len(newest) > _MOST:
        yield text("copyup.more", f"and {several(len(newest) - _MOST, 'name')} more")
    if not newest:
        yield text("copyup.empty", "nothing yet: it was all only read", "idle")
    names = len(container.written) + container.written_more if container else 0
    if names:
        yield text("copyup.written", f"at its end it held {several(names, 'name')} in all")


def _what(held: Held, known: dict[str, Tree]) -> str:
    match held.what:
        case "copied":
            came = known[held.layer].sign if held.layer in known else held.layer
            weight = f"{size(held.size_bytes)}, " if held.extent == "content" else ""
            return f"{weight}copied up from {came}"
        case "whiteout":
            return "whiteout: it says that this is deleted"
        case "opaque":
            return "opaque: shows nothing of what lies below"
        case _:
            return f"renamed: the layers below know it as {held.to}"


def _below(union: Union, known: dict[str, Tree], path: str, seq: int) -> Iterator[Node]:
    """Show the layers that have the name, too; nothing in them moves away."""
    held, asked = union.held.get(path), union.asked.get(path)
    names = [held.layer] if held and held.layer else []
    names += [name for name, answer in (asked.answers if asked else ())
              if name != UPPER and answer not in ("absent", "whiteout")]  # fmt: skip
    concerned = [known[name] for name in known if name in names]
    for number, tree in enumerate(concerned):
        if held and held.what == "copied" and tree.name == held.layer:
            yield _move(held, tree, is_new=held.changed == seq)
        yield _box(tree.name, _titled(tree), "idle", _block(path, held, number))
    untouched = len(known) - len(concerned) - 1
    if untouched > 0:
        yield text("copyup.others", f"{several(untouched, 'layer')} more: not concerned")


def _move(held: Held, tree: Tree, *, is_new: bool) -> Node:
    """Show what went up, and how much of it."""
    weight = {
        "content": f"{size(held.size_bytes)} copied", "directory": "only the directory",
        "metadata": "only its attributes", "empty": "only its name",
    }.get(held.extent, "copied")  # fmt: skip
    said = f"{weight}, from {tree.sign} up to {UPPER}"
    return Node("edge", "copyup.move", "link", said, "write", weight, is_new,
                links=(tree.sign, UPPER))  # fmt: skip


def _titled(tree: Tree) -> str:
    return f"{tree.sign}: {tree.made_by}, read-only"


def _block(path: str, held: Held | None, number: int) -> Node:
    """Show the name in a layer below: before it is copied, and for ever after."""
    if held is None:
        said = f"{path}  is read here; the first change would copy it up"
        return text("copyup.block" if not number else f"copyup.stays.{number}", said, "hit")
    if held.what == "redirect" or held.extent == "directory":
        return text(f"copyup.stays.{number}", f"{path}  stays here, and is merged", "hit")
    if held.extent == "metadata":
        said = f"{path}  stays here: its bytes are read, its attributes hidden"
        return text(f"copyup.stays.{number}", said, "hit")
    said = f"{path}  stays here, and the container does not see it"
    return text(f"copyup.stays.{number}", said, "hide")


def _box(id_: str, title: str, state: State, *inside: Node) -> Node:
    box: Literal["box"] = "box"
    return Node(box, f"copyup.{id_}", "region", title, state, title, children=inside)


# ── What it cost ─────────────────────────────────────────────────────────────────────────


def _told(union: Union, last: Held | None, known: dict[str, Tree]) -> Iterator[Node]:
    if last is not None:
        yield text("copyup.said", _sentence(last, known))
    copies = [held for held in union.held.values() if held.what == "copied"]
    if copies:
        said = f"copied up so far: {size(union.copied_bytes)}, for {_kinds(copies)}"
        yield text("copyup.sum", said, "idle")


def _sentence(last: Held, known: dict[str, Tree]) -> str:
    match last.what:
        case "copied":
            came = known[last.layer].said if last.layer in known else last.layer
            what = _EXTENTS.get(last.extent, last.extent)
            return f"{last.path} came up from {came}: {what}"
        case "whiteout":
            return f"{last.path} is deleted by a mark: the layers below still have it"
        case "opaque":
            return f"{last.path} is a new directory: what was deleted stays hidden"
        case _:
            return f"{last.path} has another name: nothing of it was copied"


def _kinds(copies: Sequence[Held]) -> str:
    count = {"directory": 0, "file": 0}
    for held in copies:
        count["directory" if held.extent == "directory" else "file"] += 1
    files, directories = count["file"], count["directory"]
    said = [several(files, "file")] if files else []
    if directories:
        said.append(f"{directories:,} director{'y' if directories == 1 else 'ies'}")
    return " and ".join(said)
