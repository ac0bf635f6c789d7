"""The view that asks which layers the images of an engine share.

    ▸ A  2,026,494 B  a static BusyBox of this machine  (on it: 3 images)
      = busybox:latest  2,026,494 B, all of it shared
      ├─ ✎ B  2 B  RUN echo 1 > /one
      │    = app:1  2,026,496 B: 2 B its own, 2,026,494 B shared
      └─ ✎ B  4 B  RUN echo two > /two
           = app:2  2,026,498 B: 4 B its own, 2,026,494 B shared

The letter of a layer is its place, as in `image layers`: A is the lowest.  Bytes are exact,
because here they are to be added up.
"""

from pyminidock.viz.buildwords import several
from pyminidock.viz.imagelayers import short
from pyminidock.viz.imagetree import Grove, Leaf, Ring, Trunk
from pyminidock.viz.scene import Node, Scene, State, badge, group, text, tree
from pyminidock.viz.stacking import letter
from pyminidock.viz.views.steps import label

TITLE = "Which layers do these images share?"


def imagetree(told: Grove) -> Scene:
    """Show all images, each layer once."""
    parts: list[Node] = [
        badge("tree.backend", label(told.backend)),
        text("tree.sum", _sum(told)),
        *(_trunk(each) for each in told.trunks),
        *(text(f"bare.{short(each.id)}", _image(each)) for each in told.bare),
    ]
    return group("imagetree", TITLE, *parts)


def _trunk(trunk: Trunk) -> Node:
    first, *others = trunk.layers
    id_ = f"layer.{short(first.chain_id)}"
    rows = [text(f"layer.{short(each.chain_id)}", _layer(each)) for each in others]
    rows += [text(f"image.{short(each.id)}", _image(each)) for each in trunk.images]
    said, below = _layer(first), (_trunk(each) for each in trunk.branches)
    state: State = "net" if first.images > 1 else "write"
    return tree(id_, f"layer {said}", said, *rows, *below, state=state)


def _layer(each: Ring) -> str:
    made_by = each.instruction or "an instruction that the image does not tell"
    on_it = f"  (on it: {several(each.images, 'image')})" if each.images > 1 else ""
    return f"{letter(each.depth)}  {each.size_bytes:,} B  {made_by}{on_it}"


def _image(each: Leaf) -> str:
    """Say how an image is called, and which of its bytes it shares."""
    called = ", ".join(each.names) or f"without a name: {short(each.id)}"
    mark = "→" if each.is_asked else "="
    if not each.layers:
        return f"{mark} {called}  no layers: only a configuration"
    whole = f"{mark} {called}  {each.size_bytes:,} B"
    if not each.shared_bytes:
        return f"{whole}, all of it its own"
    if not each.own_bytes:
        return f"{whole}, all of it shared"
    return f"{whole}: {each.own_bytes:,} B its own, {each.shared_bytes:,} B shared"


def _sum(told: Grove) -> str:
    """Say what there is, and what sharing saves."""
    if not told.images:
        return "There is no image here yet."
    alone = sum(each.size_bytes for each in told.images)
    verb = "is" if len(told.images) == 1 else "are"
    said = (
        f"{several(len(told.images), 'image')} {verb} {several(told.layers, 'layer')},"
        f" {told.size_bytes:,} B on the disk."
    )
    if alone > told.size_bytes:
        said += f" Added up one by one they would be {alone:,} B."
    return said
