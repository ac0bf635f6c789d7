"""Tables of an SVG: columns as wide as what is in them.

Where there is no room for that, columns of sentences are broken into lines, columns of
source are cut at their end, and columns of names in their middle; in this order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyminidock.viz.painters.canvas import (
    DELTA,
    SIGN,
    Block,
    above,
    placed,
    sign,
    tag,
    words,
)
from pyminidock.viz.painters.harmless import harmless
from pyminidock.viz.painters.leaves import ENOUGH, LINE, MONO, SMALL, Leaves
from pyminidock.viz.painters.lettering import Lettering, granted, shared
from pyminidock.viz.scene import Node

_ROW = 27.0  # pixels, of a row with one line
_TIGHT = 18.0  # from line to line in a cell
_POINTER, _CELLS = 17.0, 13.0  # before the first column, and between columns
_LEAST = 110.0  # of source and other things in a table
_FEW_WORDS = 160.0  # a column of sentences is not made narrower

_SMALLER = Lettering(13.5)
_STRONG = Lettering(13.5, is_bold=True)


@dataclass(frozen=True, slots=True)
class Grid:
    """The columns of a table: how wide each is, where the first begins, all together."""

    widths: Sequence[float]
    lead: float
    width: float


class Tables(Leaves):
    """Lays out tables; what is in their cells is laid out by whoever extends this."""

    def table(self, node: Node, room: float) -> Block:
        """Draw rows under a head, each column as wide as what is in it."""
        if not node.children:
            return Block(0, 0)
        head, *rows = node.children
        some, before, after = self.some(rows)
        lead = _POINTER if any(each.is_marked for each in some) else 4.0
        lines = [each for each in (head, *some) if each.primitive == "row"]
        widths = self._columns(lines, room - lead - 6)
        width = sum(widths) + lead + _CELLS * (len(widths) - 1) + 6
        grid = Grid(widths, lead, max(width, room) if room < ENOUGH else width)
        blocks = []
        if any(cell.text for cell in head.children):
            blocks.append(self._table_head(head, grid))
        blocks += self.note(before, lead)
        for each in some:
            if each.primitive == "row":
                is_last = each is rows[-1]
                blocks.append(self._table_row(each, grid, is_last=is_last))
            else:
                block = self.drawn(each, room - lead)
                blocks.append(Block(width, block.height + 6, placed(block, lead, 3)))
        return above([*blocks, *self.note(after, lead)], 0)

    def _columns(self, rows: Sequence[Node], room: float) -> list[float]:
        """Share the room among the columns: each what it needs, then what it would like."""
        count = min(max((len(row.children) for row in rows), default=1), self.most)
        cells = [
            [self._wish(row, row.children[n]) for row in rows if n < len(row.children)]
            for n in range(max(count, 1))
        ]
        wishes = [max((wish for _, wish in column), default=8) for column in cells]
        needs = [max((need for need, _ in column), default=8) for column in cells]
        room = max(room - _CELLS * (len(cells) - 1), 8.0 * len(cells))
        if sum(wishes) <= room:
            return wishes
        if sum(needs) > room:
            return shared(needs, room)
        return granted(needs, wishes, room)

    def _wish(self, row: Node, cell: Node) -> tuple[float, float]:
        """Say how wide a cell has to be, and how wide it would like to be."""
        if cell.primitive != "cell":
            width = self.drawn(cell, ENOUGH).width
            return min(width, _LEAST), width
        width = self._cell(cell, ENOUGH, *_lettering(row)).width
        if cell.role == "code":
            return min(width, _LEAST), width
        said = harmless(cell.text)
        spare = width - _SMALLER.width(said)  # for its signs
        longest = max(map(_SMALLER.width, said.split(" ")))
        return spare + max(longest, min(width - spare, _FEW_WORDS)), width

    def _table_head(self, row: Node, grid: Grid) -> Block:
        markup, x, idle = "", grid.lead, self.theme.inks["idle"]
        for cell, room in zip(row.children, grid.widths, strict=False):
            markup += words(x, 15, SMALL.beginning(harmless(cell.text), room), idle, "s")
            x += room + _CELLS
        line = tag("path", d=f"M0 22.5h{grid.width:.1f}", stroke=self.theme.line)
        return Block(grid.width, 24, markup + line)

    def _table_row(self, row: Node, grid: Grid, *, is_last: bool) -> Block:
        blocks = [
            self._cell(cell, room, *_lettering(row))
            if cell.primitive == "cell"
            else self.drawn(cell, room)
            for cell, room in zip(row.children, grid.widths, strict=False)
        ]
        width = grid.width
        height = max([_ROW, *(block.height + 6 for block in blocks)])
        markup, x = "", grid.lead
        if any(cell.is_changed for cell in row.children):
            markup += tag("rect", x=0.9, y=0.9, width=width - 1.8, height=height - 1.8,
                          rx=4, fill=self.theme.surface, stroke=self.theme.text,
                          stroke_width=1.6)  # fmt: skip
        elif not is_last:
            markup += tag("path", d=f"M0 {height:.1f}h{width:.1f}", stroke=self.theme.faint)
        if row.is_marked:
            markup += tag("path", d="M5 9l9 4.8-9 4.8z", fill=self.theme.text)
        for block, room in zip(blocks, grid.widths, strict=False):
            markup += placed(block, x, 3)
            x += room + _CELLS
        return Block(width, height, markup)

    def _cell(self, cell: Node, room: float, letters: Lettering, style: str) -> Block:
        """Draw one field on a few lines; of source the beginning counts most."""
        lead = SIGN + 7.0 if cell.state else 0.0
        tail = SIGN + 7.0 if cell.is_changed else 0.0
        said, left = harmless(cell.text), max(room - lead - tail, 0)
        if cell.role == "code":
            letters = replace(MONO, is_bold=letters.is_bold)
            style = "m b" if letters.is_bold else "m"
            lines = [letters.beginning(said, left)]
        else:
            lines = [letters.middle(each, left) for each in letters.folded(said, left)]
        markup = sign(cell.state, 0, 1.5) if cell.state else ""
        for n, line in enumerate(lines):
            markup += words(lead, 15.5 + n * _TIGHT, line, self.theme.text, style)
        end = lead + letters.width(lines[-1]) + 6
        markup += sign(DELTA, end, (len(lines) - 1) * _TIGHT + 1.5) if tail else ""
        width = max(lead + max(map(letters.width, lines)), end - 6 + tail)
        return Block(width, LINE + (len(lines) - 1) * _TIGHT, markup)


def _lettering(row: Node) -> tuple[Lettering, str]:
    """Give the letters of a row, and the picture's class for them."""
    return (_STRONG, "c b") if row.is_marked else (_SMALLER, "c")
