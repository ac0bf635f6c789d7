"""The view that asks what is different between two moments.

Every thing in a picture has an id that stays the same while the thing does.  So two
moments are compared thing by thing: `+` came, `−` went, `~` is another now.
"""

from collections.abc import Iterator

from pyminidock.viz.scene import GLYPHS, Node, Scene, cell, group, row, stack, table, text
from pyminidock.viz.things import World
from pyminidock.viz.views.birth import mounts, powers, processes
from pyminidock.viz.views.build import instructions
from pyminidock.viz.views.layers import layers

_VIEWS = (processes, mounts, powers, instructions, layers)


def compare(old: World, new: World) -> Scene:
    """List what came, went or changed from one moment to the other, by part."""
    return stack("compare", "What is different", *_parts(old, new))


def _parts(old: World, new: World) -> Iterator[Node]:
    is_same = True
    for view in _VIEWS:
        then, now = dict(_things(view(old))), dict(_things(view(new)))
        rows = [
            _row(key, then.get(key, ""), now.get(key, ""))
            for key in [*now, *(gone for gone in then if gone not in now)]
            if then.get(key) != now.get(key)
        ]
        if rows:
            is_same = False
            title = view(new).id.capitalize()
            head = ("", "then", "now")
            yield group(
                f"compare.{title}", title, table(f"{title}.rows", title, head, *rows)
            )
    if is_same:
        yield text("compare.same", "nothing in this picture is different")


def _row(key: str, then: str, now: str) -> Node:
    mark = "~" if then and now else "+" if now else "−"
    return row(
        f"compare.{key}",
        cell(f"compare.{key}.mark", mark),
        cell(f"compare.{key}.then", then),
        cell(f"compare.{key}.now", now),
        name=f"{mark} {then or 'nothing'} became {now or 'nothing'}",
    )


def _things(node: Node) -> Iterator[tuple[str, str]]:
    """Give every thing of a scene as a line of words, by its id."""
    if node.primitive == "row":
        if node.children and node.children[0].role != "columnheader":
            said = (_said(child) for child in node.children)
            yield node.id, "  ".join(each for each in said if each)
        return
    if node.primitive in ("tree", "text") and not node.id.endswith(".none"):
        yield node.id, _said(node)
    for child in node.children:
        yield from _things(child)


def _said(node: Node) -> str:
    glyph = GLYPHS[node.state]
    words = " ".join(node.text.split())
    return f"{glyph} {words}".rstrip() if glyph else words
