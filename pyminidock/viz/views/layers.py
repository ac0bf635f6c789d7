"""The view that asks what is in an image.

A stack of trees, the newest on top, each with a letter, the step that made it, its bytes
and names, and whoever else stands on it: a layer that is shared takes its bytes once.
"""

from pyminidock.viz.building import Layer
from pyminidock.viz.buildwords import familiar, several, size
from pyminidock.viz.scene import Node, Scene, State, cell, group, row, table, text
from pyminidock.viz.things import World

TITLE = "What is in this image?"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORIGINS: dict[str, State] = {"base": "idle", "cache": "hit", "new": "write"}


def layers(world: World) -> Scene:
    """Show the layers of the image that is being made, topmost first."""
    build = world.build
    known = [build.layers[chain] for chain in build.stack if chain in build.layers]
    if not known:
        return group("layers", "Layers", text("layers.none", "no layer yet"))
    seq = world.now.seq if world.now else 0
    total = sum(each.size_bytes for each in known)
    rows = [_layer(number, each, seq) for number, each in enumerate(known)]
    head = ("", "from", "size", "names", "also in")
    shown = table("layers.stack", "layers, topmost first", head, *reversed(rows))
    said = f"The image: {several(len(known), 'layer')}"
    if all(each.diff_id for each in known):  # of one that was here nobody told the size
        said += f", {size(total)}"
    return group("layers", said, shown)


def _layer(number: int, layer: Layer, seq: int) -> Node:
    id_ = f"layer.{number}"
    is_made = layer.step and layer.origin != "base"
    origin = f"step {layer.step}" if is_made else "base" if layer.step else "archive"
    first, *more = [*map(familiar, layer.names), ""]
    others = f"{first} +{len(more) - 1}" if len(more) > 1 else first
    return row(
        id_,
        cell(
            f"{id_}.letter",
            letter(number),
            _ORIGINS.get(layer.origin, ""),
            is_changed=layer.changed == seq,
        ),
        cell(f"{id_}.from", origin),
        cell(f"{id_}.size", size(layer.size_bytes) if layer.diff_id else "was here"),
        cell(f"{id_}.names", str(layer.files) if layer.diff_id else ""),
        cell(f"{id_}.others", others),
        name=f"layer {letter(number)}, {origin}, {size(layer.size_bytes)}, "
        f"{layer.files} names" + (f", also in {others}" if others else ""),
    )


def letter(number: int) -> str:
    """Name a layer by its place, the bottom one A.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'A2')
    """
    rounds, place = divmod(number, len(_LETTERS))
    return _LETTERS[place] + (str(rounds + 1) if rounds else "")
