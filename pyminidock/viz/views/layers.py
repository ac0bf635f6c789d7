"""The view that asks which layer holds what, and who shares it.

A stack of trees, the topmost first.  A layer of an image has a letter, the step that made
it, its bytes and names, and whoever else stands on it: a layer that is shared takes its
bytes once.  A container stands on the layers of its image with one more of its own, the
only one that it can write to.
"""

import re
from collections.abc import Iterator, Sequence

from pyminidock.viz.building import MOST_ENTRIES, Build, FileSeen, Layer
from pyminidock.viz.buildwords import familiar, opening, several, size
from pyminidock.viz.remembering import remembered
from pyminidock.viz.scene import Node, Scene, State, group, text, tree
from pyminidock.viz.sentences import middle, short_ids
from pyminidock.viz.stacking import letter
from pyminidock.viz.things import Container, World, Written

TITLE = "What is in this image, and who shares it?"
_ORIGINS: dict[str, State] = {"base": "idle", "cache": "hit", "new": "write"}
_SIGNS: dict[str, tuple[State, str]] = {
    "added": ("", "+"), "changed": ("", "~"), "deleted": ("hide", "−"),
}  # fmt: skip
_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_MOST_PLACES = 127  # layers below a container: the kernel takes no more in one mount


def layers(world: World) -> Scene:
    """Show the layers of the image that is being made, or those below a container."""
    build, seq = world.build, world.now.seq if world.now else 0
    known = [build.layers[chain] for chain in build.stack if chain in build.layers]
    own = list(_own(world, seq))
    if known:
        trees = [
            _layer(n, each, _others(each, build.names), each.changed == seq)
            for n, each in enumerate(known)
        ]
        return group("layers", _sum(known), *own, *reversed(trees))
    container = world.container
    if container is not None and container.root.lower:
        return group("layers", _stands(container), *own, *_below(container, seq))
    hint = "" if build.state else ": minidock build . makes some, minidock run needs some"
    return group("layers", "Layers", text("layers.none", f"no layer yet{hint}"))


def suits(world: World) -> bool:
    """Say whether this story laid layers upon each other."""
    container = world.container
    return bool(world.build.stack or (container and container.root.lower))


def reads(world: World) -> tuple[object, ...]:
    """Give what this view looks at."""
    build, container, current = world.build, world.container, world.build.current
    return (
        build.layers, build.stack, build.state, build.names,
        current and f"{current.number} {current.state} {current.layer}", build.step,
        *((container.root, container.name, container.image, container.written,
           container.written_more) if container else (None,) * 5),
    )  # fmt: skip


# ── The layers of an image ───────────────────────────────────────────────────────────────


def _sum(known: Sequence[Layer]) -> str:
    said = f"The image: {several(len(known), 'layer')}"
    if all(each.diff_id for each in known):  # of one that was here nobody told the size
        said += f", {size(sum(each.size_bytes for each in known))}"
    return said


@remembered
def _layer(number: int, layer: Layer, others: str, is_changed: bool) -> Node:
    is_made = layer.step and layer.origin != "base"
    origin = f"step {layer.step}" if is_made else "base" if layer.step else "archive"
    bytes_ = size(layer.size_bytes) if layer.diff_id else "was here"
    said = f"{letter(number):<2} {origin:<8} {bytes_:>8}"
    if layer.diff_id:
        said += f"  {several(layer.files, 'name')}"
    if others:
        said += f"  also in {others}"
    named = f"layer {letter(number)}, {origin}, {bytes_}, {several(layer.files, 'name')}"
    if is_made and layer.text:
        named += f", by {opening(layer.text)}"
    id_ = f"layer.{number}"
    return Node(
        "tree", id_, "treeitem", named + (f", also in {others}" if others else ""),
        _ORIGINS.get(layer.origin, ""), said, is_changed,
        children=tuple(_inside(id_, layer)), is_folded=bool(layer.entries),
    )  # fmt: skip


def _others(layer: Layer, ours: Sequence[str]) -> str:
    """Name the images that share it, ours left out: the first, and how many more."""
    known = {familiar(name) for name in ours}
    theirs = (name for name in map(familiar, layer.names) if name not in known)
    first, *more = [*theirs, ""]
    return f"{first} +{len(more) - 1}" if len(more) > 1 else first


def _inside(id_: str, layer: Layer) -> Iterator[Node]:
    """Show the names in a layer, as far as its step told them."""
    for number, each in enumerate(layer.entries):
        yield _entry(f"{id_}.{number}", each)
    missing = layer.files - len(layer.entries)
    if layer.entries and missing > 0:
        said = f"and {several(missing, 'name')} more: minidock image layers lists all"
        yield text(f"{id_}.more", said)


def _entry(id_: str, each: FileSeen) -> Node:
    return _name(
        id_, each.change, each.path, each.kind, f"{each.mode:04o}", each.size_bytes
    )


def _name(  # noqa: PLR0913, PLR0917  (what a line about a name says)
    id_: str, change: str, path: str, kind: str, mode: str, size_bytes: int
) -> Node:
    state, sign = _SIGNS.get(change, ("", "~"))
    path = path.rstrip("/") + "/" if kind == "directory" else path
    facts = "link" if kind == "symlink" else mode
    if kind == "file":
        facts += f", {size(size_bytes)}"
    said = f"{sign} {path}" + ("" if change == "deleted" else f"  {facts}")
    return tree(id_, f"{change} {path}, {facts}", said, state=state)


# ── The layers below a container ─────────────────────────────────────────────────────────


def _stands(container: Container) -> str:
    count = sum(not _is_places(each) for each in container.root.lower)
    name = container.name or container.id[:12]
    verb = "stood" if container.root.state == "removed" else "stands"
    image = short_ids(container.image) or "its image"
    return f"{name} {verb} on {several(count, 'layer')} of {image}"


def _own(world: World, seq: int) -> Iterator[Node]:
    """Show the one layer that can be written to: a container's own."""
    container, build = world.container, world.build
    if container is None or not container.root.lower or _is_done(build):
        return
    is_gone = container.root.state == "removed"
    if build.stack:
        said = f"its own  step {build.step} writes here: this becomes its layer"
        yield tree("layer.own", f"the container's own layer: {said}", said, state="write",
                   is_changed=container.root.changed == seq)  # fmt: skip
        return
    said = f"its own  {_wrote(container)}"
    yield tree(
        "layer.own", f"the container's own layer: {_wrote(container)}", said,
        *_facts(container), *_written(container), state="hide" if is_gone else "write",
        is_changed=container.root.changed == seq,
    )  # fmt: skip


def _wrote(container: Container) -> str:
    """Say what the container's own layer holds, as far as anybody looked."""
    known = container.written
    total = len(known) + container.written_more
    holds = several(total, "name") if total else "everything that the container writes"
    if total and not container.written_more:
        holds += f", {size(sum(each.size_bytes for each in known))}"
    if container.root.state != "removed":
        return holds
    return f"gone, with {holds if total else 'all that it had written'}"


def _is_done(build: Build) -> bool:
    """Whether a build has taken over what its container wrote, or runs none."""
    if not build.stack:
        return False
    current = build.current
    return current is None or current.state != "going on" or bool(current.layer)


def _facts(container: Container) -> Iterator[Node]:
    """Say where the layer is, and who lists what is in it now."""
    name = container.name or container.id[:12]
    if container.root.upper:
        yield text("layer.own.place", f"on this host: {container.root.upper}")
        yield text("layer.own.ask", f"what is in it: minidock explain written {name}")


@remembered
def _entries(written: tuple[Written, ...]) -> tuple[Node, ...]:
    return tuple(
        _name(f"layer.own.{number}", each.change, each.path, each.kind,
              each.mode, each.size_bytes)
        for number, each in enumerate(written[:MOST_ENTRIES])
    )  # fmt: skip


def _written(container: Container) -> Iterator[Node]:
    """List the names that were in the container's own layer when its program ended."""
    yield from _entries(container.written)
    more = len(container.written[MOST_ENTRIES:]) + container.written_more
    if more:
        yield text("layer.own.more", f"and {several(more, 'name')} more")


def _below(container: Container, seq: int) -> Iterator[Node]:
    """Show what cannot be written to: the image's layers, and places to mount on."""
    lower = container.root.lower[:_MOST_PLACES]
    number = sum(not _is_places(each) for each in container.root.lower)
    changed = container.root.changed == seq and container.root.state == "snapshot"
    for place, path in enumerate(lower):
        if _is_places(path):
            said = "–  engine   empty files and directories to mount on"
            yield tree(f"layer.places.{place}", said, said, state="idle")
            continue
        number -= 1
        yield _lower(number, path, changed)
    if container.image:
        said = f"what is in these: minidock image layers {short_ids(container.image)}"
        yield text("layers.image", said)


@remembered
def _lower(number: int, path: str, is_changed: bool) -> Node:
    found = _DIGEST.search(path)
    name = found[0][:12] if found else middle(path.rstrip("/").rpartition("/")[2], 40)
    said = f"{letter(number):<2} image    {name}  read-only"
    named = f"layer {letter(number)} of the image, {name}, read-only"
    return tree(f"layer.{number}", named, said, state="idle", is_changed=is_changed)


def _is_places(path: str) -> bool:
    """Whether a layer holds only what the engine needs to mount things on."""
    return path.endswith("/init")
