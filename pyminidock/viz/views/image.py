"""The view that asks what is in an image, and who shares it.

The layers, topmost first, each with a bar, its bytes, the instruction that made it, who
else stands on it, and its files, folded.  Then what nobody sees: files that an upper layer
rewrote or deleted, which travel with the image all the same.

    ✎ C █████████░ 10.5 MB  RUN chmod 600 /big
    │   1 changed, of 1 only the metadata · in this image only
    │   its names (1 inside)

A bar is logarithmic, because layers differ a thousandfold; the number beside it is exact
enough to be trusted.  A letter means the same layer everywhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import log

from pyminidock.viz.buildwords import several, size
from pyminidock.viz.imagelayers import File, Hidden, ImageLayers, Layer, Waste
from pyminidock.viz.scene import (
    Node,
    Scene,
    State,
    badge,
    cell,
    group,
    line,
    row,
    stack,
    table,
    text,
    tree,
)
from pyminidock.viz.stacking import letter
from pyminidock.viz.views.steps import label

TITLE = "What is in this image, and who shares it?"
_BAR = 10  # signs
_SMALLEST = 64  # bytes: where a bar begins
_MOST_WASTE = 20  # rows
_HEAD = ("", "path", "size", "mode", "note")
_CHANGES: dict[str, State] = {
    "added": "", "changed": "write", "deleted": "hide", "same": "idle",
}  # fmt: skip
_WORDS = {"same": "way"}  # a directory that is only on the way to something
_REASONS = {"unread": "same size, not compared", "identical": "there twice"}
_DETAILS = {
    "metadata": "metadata only", "identical": "there twice: nothing differs",
    "unread": "same size, not compared", "opaque": "made anew: hides what was below",
}  # fmt: skip


def image(told: ImageLayers, *, opened: Sequence[int] = ()) -> Scene:
    """Show a whole image; the files of the layers `opened` (from 1) are not folded."""
    layers = [_layer(told, each, is_open=each.number in opened) for each in told.layers]
    parts: list[Node] = [
        row("image.about", badge("image.backend", label(told.backend)), *_stand_in(told)),
        text("image.sum", _sum(told)),
        stack("image.layers", "layers, topmost first", *reversed(layers))
        if layers
        else text("image.none", "scratch: no layers"),
    ]
    parts += _wasted(told)
    if told.without_layer:
        parts.append(_without_layer(told.without_layer))
    return group("image", f"{TITLE} {told.name}", *parts)


def layer(told: ImageLayers, number: int, named: Sequence[File], total: int) -> Scene:
    """Show one layer (from 1) with the names that are given, of `total`."""
    found = replace(told.layers[number - 1], files=tuple(named), more=total - len(named))
    title = f"What did layer {letter(number - 1)} of {told.name} change?"
    return group("image", title, _layer(told, found, is_open=True))


# ── One layer ────────────────────────────────────────────────────────────────────────────


def _layer(told: ImageLayers, each: Layer, *, is_open: bool) -> Node:
    id_, name = f"layer.{each.number}", letter(each.number - 1)
    made_by = each.instruction or "an instruction that the image does not tell"
    facts, most = _facts(told, each), max(other.size_bytes for other in told.layers)
    said = f"{name} {bar(each.size_bytes, most)} {size(each.size_bytes):>8}  {made_by}"
    spoken = f"layer {name}, {size(each.size_bytes)}, {made_by}, {facts}"
    names = _names(told, id_, each, is_open=is_open)
    return tree(id_, spoken, said, text(f"{id_}.facts", facts), *names, state=_state(each))


def _state(each: Layer) -> State:
    if each.is_missing:
        return "err"
    return "net" if each.shared_by else "write"


def _facts(told: ImageLayers, each: Layer) -> str:
    """Say what the layer did, whose it is, and what of it is hidden."""
    if each.is_missing:
        return "its tree is not in the store any more: what is in it is not known"
    counts = (("added", each.added), ("changed", each.changed), ("deleted", each.deleted))
    done = [f"{count:,} {word}" for word, count in counts if count]
    if each.metadata_only:
        done.append(f"of {each.metadata_only:,} only the metadata")
    if each.identical:
        done.append(f"{each.identical:,} there twice")
    facts = [", ".join(done) or "nothing but directories on the way"]
    if each.hidden_bytes:
        facts.append(f"{size(each.hidden_bytes)} of it hidden above")
    if each.is_base:
        facts.append(f"from the base {told.base_name}")
    shared = [name for name in each.shared_by if name != told.base_name or not each.is_base]
    if shared:
        facts.append(f"shared with {', '.join(shared)}")
    elif not each.shared_by:
        facts.append("in this image only")
    return " · ".join(facts)


def bar(size_bytes: int, most_bytes: int) -> str:
    """Draw a size beside the biggest one, on a logarithmic scale.

    >>> bar(0, 10**7), bar(1000, 10**7), bar(10**7, 10**7)
    ('░░░░░░░░░░', '██░░░░░░░░', '██████████')
    """
    if size_bytes <= 0:
        return "░" * _BAR
    whole = log(max(most_bytes, 2 * _SMALLEST) / _SMALLEST)
    share = log(max(size_bytes, _SMALLEST) / _SMALLEST) / whole
    full = min(max(round(share * _BAR), 1), _BAR)
    return "█" * full + "░" * (_BAR - full)


# ── Its names ────────────────────────────────────────────────────────────────────────────


def _names(told: ImageLayers, id_: str, each: Layer, *, is_open: bool) -> tuple[Node, ...]:
    if not each.files:
        return ()
    total = len(each.files) + each.more
    said = f"the biggest of {several(total, 'name')}" if each.more else "its names"
    rows = [_name(f"{id_}.{n}", file) for n, file in enumerate(each.files)]
    shown = replace(table(f"{id_}.names", said, _HEAD, *rows), is_folded=not is_open)
    if not each.more:
        return (shown,)
    option = f"--layer {letter(each.number - 1)}"
    rest = f"and {each.more:,} more: minidock image layers {told.name} {option}"
    return (shown, text(f"{id_}.more", rest, "idle"))


def _name(id_: str, file: File) -> Node:
    state, word = _CHANGES.get(file.change, ""), _WORDS.get(file.change, file.change)
    note, is_gone = _note(file), file.change == "deleted"
    shown = size(file.size_bytes) if file.kind == "file" and not is_gone else ""
    slash = "/" if file.kind == "directory" and not file.path.endswith("/") else ""
    return row(
        id_,
        cell(f"{id_}.change", word, state),
        cell(f"{id_}.path", file.path + slash),
        cell(f"{id_}.size", shown),
        cell(f"{id_}.mode", "" if is_gone else file.mode),
        cell(f"{id_}.note", note),
        name=", ".join(filter(None, (word, file.kind, file.path, shown, note))),
    )


def _note(file: File) -> str:
    """Say what else there is to say of a name."""
    notes = []
    if file.kind == "symlink" and file.link:
        notes.append(f"→ {file.link}")
    elif file.kind == "hard link":
        notes.append(f"= {file.link}")
    elif file.kind not in ("file", "directory", "symlink"):
        notes.append(f"{file.kind} {file.link}".strip() or "of nothing that is below")
    if file.change == "changed":
        notes += filter(None, (_DETAILS.get(file.detail, ""), difference(file)))
    if file.change == "deleted" and file.hides_names:
        hidden = f", {size(file.hides_bytes)}" if file.hides_bytes else ""
        several_names = several(file.hides_names, "name") if file.hides_names > 1 else ""
        notes.append((several_names + hidden).removeprefix(", "))
    if (file.uid, file.gid) != (0, 0) and file.change == "added":
        notes.append(f"owner {file.uid}:{file.gid}")
    return ", ".join(filter(None, notes))


def difference(file: File) -> str:
    """Say what is another now: kind, mode, owner.

    >>> difference(File("changed", "/a", "file", "0600", before=("file", "0644", 0, 0)))
    'mode 0644 → 0600'
    """
    if file.before is None:
        return ""
    kind, mode, uid, gid = file.before
    said = (
        [f"was a {kind}"]
        if kind != file.kind and "hard link" not in (kind, file.kind)
        else []
    )
    if mode != file.mode and not said:
        said.append(f"mode {mode} → {file.mode}")
    if (uid, gid) != (file.uid, file.gid):
        said.append(f"owner {uid}:{gid} → {file.uid}:{file.gid}")
    return ", ".join(said)


# ── The whole ────────────────────────────────────────────────────────────────────────────


def _sum(told: ImageLayers) -> str:
    """Say in a sentence or three what there is."""
    said = f"{told.name} is {several(len(told.layers), 'layer')}, {size(told.size_bytes)}."
    if told.base_layers:
        word = {"layers": "are those of"}.get(told.base_known_by, "come from")
        lowest = "The lowest " + (
            f"{told.base_layers} {word}" if told.base_layers > 1 else
            {"are those of": "is that of", "come from": "comes from"}[word]
        )  # fmt: skip
        said += f" {lowest} {told.base_name}."
    if told.waste.size_bytes:
        said += f" {size(told.waste.size_bytes)} could be reclaimed."
    elif told.layers:
        said += " Nothing of its own is hidden."
    return said


def _stand_in(told: ImageLayers) -> tuple[Node, ...]:
    said = f"stand-in: {told.stand_in}"
    return (badge("image.standin", said, "miss"),) if told.stand_in else ()


def _wasted(told: ImageLayers) -> list[Node]:
    parts = []
    if told.waste.size_bytes:
        title = f"{size(told.waste.size_bytes)} could be reclaimed"
        why = text(
            "image.waste.why",
            "An upper layer hides these bytes and cannot take them out: they travel with"
            " the image. Do both in one RUN, or do not write them.",
        )
        parts.append(group("image.waste", title, why, _hidden("waste", told, told.waste)))
    if told.base_waste.size_bytes:
        title = (
            f"{size(told.base_waste.size_bytes)} of the base are hidden: not this image's"
        )
        shown = _hidden("base", told, told.base_waste)
        why = text("image.base.why", f"Whoever stands on {told.base_name} carries them.")
        parts.append(group("image.base", title, why, shown))
    return parts


def _hidden(part: str, told: ImageLayers, waste: Waste) -> Node:
    named = waste.named[:_MOST_WASTE]
    rows = [_row(f"{part}.{n}", told, each) for n, each in enumerate(named)]
    if left := waste.files - len(named):
        rows.append(row(f"{part}.more", cell(f"{part}.more.said", f"and {left:,} more")))
    head = ("size", "file", "in", "hidden by", "why")
    return table(f"image.{part}.files", "hidden files, the biggest first", head, *rows)


def _row(id_: str, told: ImageLayers, each: Hidden) -> Node:
    above = told.layers[each.by - 1]
    by = f"{letter(each.by - 1)} {above.instruction}".rstrip()
    return row(
        id_,
        cell(f"{id_}.size", size(each.size_bytes), "hide"),
        cell(f"{id_}.path", each.path),
        cell(f"{id_}.in", letter(each.layer - 1)),
        line(f"{id_}.by", by),
        cell(f"{id_}.why", _REASONS.get(each.reason, each.reason)),
        name=f"{size(each.size_bytes)} of {each.path} in layer {letter(each.layer - 1)}, "
        f"hidden by layer {by}: {each.reason}",
    )


def _without_layer(said: Sequence[str]) -> Node:
    """List the instructions that changed no file."""
    lines = [text(f"image.empty.{n}", each) for n, each in enumerate(said)]
    title = f"{several(len(said), 'instruction')} made no layer: no file was changed"
    return tree("image.empty", title, title, *lines, state="idle", is_folded=True)
