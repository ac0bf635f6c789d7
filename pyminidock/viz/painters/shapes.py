"""Where everything goes in an SVG: one function lays out each primitive.

A function takes a node and the room there is, and gives a block: it may be narrower, and is
as high as it has to be.  So a block's own width also answers how much room a node would
like, and things beside each other share theirs by it.
"""

from collections.abc import Callable, Sequence

from pyminidock.viz.painters.canvas import (
    Block,
    above,
    beside,
    frame,
    placed,
    tag,
)
from pyminidock.viz.painters.harmless import harmless
from pyminidock.viz.painters.leaves import BOLD, ENOUGH, HEADING, LINE, MONO
from pyminidock.viz.painters.lettering import shared
from pyminidock.viz.painters.tables import Tables
from pyminidock.viz.palette import Theme
from pyminidock.viz.scene import Node, Primitive

_GAP = 9.0  # pixels between things above each other
_PAD = 13.0  # inside a card
_INDENT = 20.0  # of a tree, per level
_BETWEEN = 11.0  # things beside each other
_COMFORT = 420.0  # no card needs more room beside others
_CLOSE = {"text": 3.0, "tree": 5.0}  # between two of these


class Shapes(Tables):
    """Lays out nodes in one theme; no list is drawn longer than `most`."""

    def __init__(self, theme: Theme, most: int) -> None:
        super().__init__(theme, most)
        self._known: dict[tuple[int, float], Block] = {}
        self._drawers: dict[Primitive, Callable[[Node, float], Block]] = {
            "stack": self._stack, "group": self._group, "box": self._box, "row": self._row,
            "table": self.table, "tree": self._tree, "edge": self.edge,
            "badge": self.badge, "text": self.text, "cell": self.text, "log": self.log,
            "code": self.code,
        }  # fmt: skip

    def drawn(self, node: Node, room: float) -> Block:
        """Lay out a node and everything in it; a folded one shows only its label."""
        key = (id(node), room)
        if key not in self._known:
            drawer = self._drawers[node.primitive]
            if node.is_folded and node.children and node.primitive != "group":
                drawer = self.folded
            self._known[key] = drawer(node, room)
        return self._known[key]

    # ── Things above and beside each other ───────────────────────────────────────────────

    def _stack(self, node: Node, room: float) -> Block:
        cards = [each for each in node.children if each.primitive == "group"]
        if len(cards) > 1 and len(cards) == len(node.children):
            return self._cards(cards, room)
        return self._below(node.children, room)

    def _below(self, nodes: Sequence[Node], room: float) -> Block:
        some, before, after = self.some(nodes)
        blocks = [(self.drawn(each, room), each.primitive) for each in some]
        parts = [(block, "text") for block in self.note(before)]
        parts += blocks + [(block, "text") for block in self.note(after)]
        markup, y, width, last = "", 0.0, 0.0, ""
        for block, primitive in parts:
            if last:
                y += _CLOSE.get(primitive, _GAP) if primitive == last else _GAP
            markup += placed(block, 0, y)
            y, width, last = y + block.height, max(width, block.width), primitive
        return Block(width, y, markup)

    def _cards(self, cards: Sequence[Node], room: float) -> Block:
        """Put cards beside each other, as many as there is room for."""
        some, before, after = self.some(cards)
        wishes = [min(self.drawn(each, ENOUGH).width, _COMFORT) for each in some]
        count = next(n for n in (3, 2, 1) if n == 1 or _is_comfortable(wishes, n, room))
        if len(some) <= count:
            widths = shared(wishes, room - _BETWEEN * (len(some) - 1))
            line = [self.drawn(*each) for each in zip(some, widths, strict=True)]
            body = beside(line, _BETWEEN)
        else:
            width = (room - _BETWEEN * (count - 1)) / count
            body = _in_columns([self.drawn(each, width) for each in some], count)
        return above([*self.note(before), body, *self.note(after)], _BETWEEN)

    def _group(self, node: Node, room: float) -> Block:
        inner = room - 2 * _PAD
        if node.is_folded and node.children:
            content = self.folded(node, inner)
        else:
            head = self.label(node, harmless(node.text), inner, HEADING, "h")
            body = self._below(node.children, inner)
            content = above([head, body] if body.height else [head], 8)
        width = room if room < ENOUGH else content.width + 2 * _PAD
        height = content.height + 2 * _PAD - 2
        card = tag(
            "rect", width=width, height=height, rx=10, fill=self.theme.raised,
            stroke=self.theme.faint,
        )  # fmt: skip
        return Block(width, height, card + placed(content, _PAD, _PAD - 2))

    def _box(self, node: Node, room: float) -> Block:
        inner = room - 2 * _PAD
        title = self.label(node, harmless(node.text), inner, BOLD, "b")
        body = self._below(node.children, inner)
        content = above([each for each in (title, body) if each.height], 6)
        width = room if room < ENOUGH else content.width + 2 * _PAD
        height = max(content.height, LINE) + 20
        plate = tag("rect", width=width, height=height, rx=8, fill=self.theme.surface)
        line = frame(width, height, self.theme, node.state, 8)
        if node.is_changed:
            line += self.touched(width, height)
        return Block(width, height, plate + line + placed(content, _PAD, 10))

    def _row(self, node: Node, room: float) -> Block:
        """Put things beside each other, and go on below when there is no room."""
        some, before, after = self.some(node.children)
        blocks = [*self.note(before)]
        blocks += [self.drawn(each, min(room, ENOUGH)) for each in some]
        blocks += self.note(after)
        x, lines, line = 0.0, [], list[Block]()
        for block in blocks:
            if line and x + block.width > room:
                lines.append(beside(line, _BETWEEN))
                x, line = 0.0, []
            line.append(block)
            x += block.width + _BETWEEN
        return above([*lines, beside(line, _BETWEEN)] if line else lines, 6)

    # ── Trees ────────────────────────────────────────────────────────────────────────────

    def _tree(self, node: Node, room: float) -> Block:
        """Draw a thing, and a guide from it to each of what belongs to it."""
        label = self._tree_label(node, room)
        some, before, after = self.some(node.children)
        blocks = self.note(before)
        blocks += [self.drawn(each, max(room - _INDENT, 40)) for each in some]
        blocks += self.note(after)
        markup, y, width, corner = label.markup, label.height + 2, label.width, 0.0
        for block in blocks:
            corner = y + 10.5
            markup += self._guide(corner) + placed(block, _INDENT, y)
            y += block.height + 3
            width = max(width, _INDENT + block.width)
        if blocks:
            stem = tag("path", d=f"M7.5 {label.height:.1f}V{corner - 5:.1f}", fill="none",
                       stroke=self.theme.line, stroke_width=1.3)  # fmt: skip
            markup += stem
        return Block(width, y - 3 if blocks else label.height, markup)

    def _guide(self, corner: float) -> str:
        path = f"M7.5 {corner - 5:.1f}q0 5 5 5h5"
        return tag("path", d=path, fill="none", stroke=self.theme.line, stroke_width=1.3)

    def _tree_label(self, node: Node, room: float) -> Block:
        block = self.label(node, harmless(node.text), room, MONO, "m")
        if not node.is_changed:
            return block
        line = self.touched(block.width, block.height)
        return Block(block.width, block.height, line + block.markup)


def _is_comfortable(wishes: Sequence[float], count: int, room: float) -> bool:
    """Say whether so many columns are wide enough; a little less than a wish is."""
    room = (room - _BETWEEN * (count - 1)) * 1.12
    if len(wishes) <= count:
        return sum(wishes) <= room
    return max(wishes) <= room / count


def _in_columns(blocks: Sequence[Block], count: int) -> Block:
    """Stack blocks in columns, each where there is most room left."""
    columns: list[list[Block]] = [[] for _ in range(count)]
    heights = [0.0] * count
    for block in blocks:
        shortest = heights.index(min(heights))
        columns[shortest].append(block)
        heights[shortest] += block.height + _BETWEEN
    return beside([above(each, _BETWEEN) for each in columns if each], _BETWEEN)
