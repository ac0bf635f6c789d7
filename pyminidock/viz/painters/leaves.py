"""What stands alone in an SVG: words, badges, edges, and lines of source and output.

Each function takes a node and the room there is, and gives a block.  `shapes` puts them
into each other.
"""

from collections.abc import Iterable, Sequence

from pyminidock.viz.painters.canvas import (
    DELTA,
    SIGN,
    Block,
    frame,
    placed,
    sign,
    tag,
    words,
)
from pyminidock.viz.painters.harmless import harmless
from pyminidock.viz.painters.lettering import Lettering
from pyminidock.viz.palette import Theme
from pyminidock.viz.scene import Node, inside

LINE = 21.0  # pixels from line to line
ENOUGH = 3000.0  # room for anything that has a say in how wide it is

TEXT = Lettering(14)
BOLD = Lettering(14, is_bold=True)
MONO = Lettering(13, is_mono=True)
SMALL = Lettering(12.5)
HEADING = Lettering(16, is_bold=True)
_LABELS = {"tree": (MONO, "m"), "group": (HEADING, "h"), "box": (BOLD, "b")}


class Leaves:
    """Lays out nodes without children in one theme; no list is longer than `most`."""

    def __init__(self, theme: Theme, most: int) -> None:
        self.theme, self.most = theme, most

    def drawn(self, node: Node, room: float) -> Block:
        """Lay out a node and everything in it."""
        raise NotImplementedError

    def some(self, nodes: Sequence[Node]) -> tuple[Sequence[Node], str, str]:
        """Give the children that are drawn, and what to say before and after them.

        What changed, or is where the story stands, is among them.
        """
        if len(nodes) <= self.most:
            return nodes, "", ""
        wanted = [n for n, each in enumerate(nodes) if _is_meant(each)]
        first = max(min(wanted, default=0) - self.most // 2, 0)
        first = min(first, len(nodes) - self.most)
        rest = len(nodes) - first - self.most
        before = f"… {first} before" if first else ""
        return (
            nodes[first : first + self.most], before, f"… and {rest} more" if rest else "",
        )  # fmt: skip

    def note(self, said: str, x: float = 0) -> list[Block]:
        """Draw a remark about what is left out, if there is one."""
        if not said:
            return []
        markup = words(x, 15, said, self.theme.inks["idle"], "s")
        return [Block(x + SMALL.width(said), LINE, markup)]

    def label(
        self, node: Node, said: str, room: float, letters: Lettering, style: str
    ) -> Block:
        """Draw sign, words and the sign of a change: how every thing says what it is."""
        lead = SIGN + 7.0 if node.state else 0.0
        tail = SIGN + 7.0 if node.is_changed else 0.0
        lines = letters.wrapped(said, room - lead - tail, 12)
        markup = sign(node.state, 0, 1.5) if node.state else ""
        y = 0.0
        for line in lines:
            markup += words(lead, y + 15.5, line, self.theme.text, style)
            y += LINE
        end = lead + letters.width(lines[-1]) + 7
        if node.is_changed:
            markup += sign(DELTA, end, y - LINE + 1.5)
        widest = max(lead + max(map(letters.width, lines)), end - 7 + tail)
        return Block(min(widest, room), y, markup)

    def text(self, node: Node, room: float) -> Block:
        """Draw a sentence; around one that changed goes a line."""
        is_source = node.role == "code"
        letters, style = (MONO, "m") if is_source else (TEXT, "")
        block = self.label(node, harmless(node.text), room, letters, style)
        if not node.is_changed:
            return block
        line = self.touched(block.width, block.height)
        return Block(block.width, block.height, line + block.markup)

    def touched(self, width: float, height: float) -> str:
        """Draw the line around what this step touched."""
        return tag(
            "rect", x=-4.0, y=-2.0, width=width + 8, height=height + 4, rx=5, fill="none",
            stroke=self.theme.text, stroke_width=1.6,
        )  # fmt: skip

    def folded(self, node: Node, room: float) -> Block:
        """Draw the label of something closed, and a triangle: there is more."""
        said = f"{harmless(node.text or node.name)} {inside(node)}"
        letters, style = _LABELS.get(node.primitive, (TEXT, ""))
        label = self.label(node, said, room - 16, letters, style)
        x, y = label.width + 7, label.height - LINE + 6
        arrow = tag("path", d=f"M{x:.1f} {y:.1f}l6 4.5-6 4.5z", fill=self.theme.line)
        return Block(label.width + 16, label.height, label.markup + arrow)

    def badge(self, node: Node, room: float) -> Block:
        """Draw a short word in a frame."""
        lead = SIGN + 4.0 if node.state else 0.0
        tail = SIGN + 4.0 if node.is_changed else 0.0
        said = BOLD.beginning(harmless(node.text), room - lead - tail - 22)
        wide = lead + BOLD.width(said)
        width, height = wide + tail + 22, 24.0
        ink = self.theme.inks[node.state] if node.state else self.theme.text
        markup = frame(width, height, self.theme, node.state, 12)
        markup += sign(node.state, 9, 3) if node.state else ""
        markup += words(11 + lead, 17, said, ink, "b")
        markup += sign(DELTA, 11 + wide + 4, 3) if node.is_changed else ""
        return Block(width, height, markup)

    def edge(self, node: Node, room: float) -> Block:
        """Draw an arrow from one name to another, with words on it."""
        start, end = (harmless(each) for each in (*node.links, "?", "?")[:2])
        share = max((room - 60) / 3, 20)
        start, said, end = (
            MONO.middle(each, share) for each in (start, harmless(node.text), end)
        )
        ink = self.theme.inks[node.state] if node.state else self.theme.line
        first, middle = MONO.width(start), max(MONO.width(said) + 20, 44)
        x, y = first + 8, 30.0
        markup = words(0, y + 5, start, self.theme.text, "m")
        markup += words(x + 8, y - 8, said, ink, "m")
        markup += tag("path", d=f"M{x:.1f} {y}h{middle:.1f}", stroke=ink, stroke_width=2,
                      stroke_dasharray="6 4")  # fmt: skip
        markup += tag("path", d=f"M{x + middle:.1f} {y - 5}l9 5-9 5z", fill=ink)
        markup += words(x + middle + 17, y + 5, end, self.theme.text, "m")
        return Block(x + middle + 17 + MONO.width(end), 40, markup)

    def log(self, node: Node, room: float) -> Block:
        """Draw the newest lines, each wrapped."""
        known = node.text.removesuffix("\n").split("\n")
        kept = known[-self.most :]
        older = len(known) - len(kept)
        said = [f"… {older} older lines"] if older else []
        width = room if room < ENOUGH else self._widest(kept) + 24
        for each in kept:
            said += MONO.wrapped(harmless(each), width - 24, 3)
        lines = [words(12, 0, each, self.theme.text, "m") for each in said]
        return self._panel(width, lines)

    def code(self, node: Node, room: float) -> Block:
        """Draw numbered lines of source, around the one that is meant."""
        known = list(enumerate(node.text.split("\n"), node.number))
        here = next((n for n, (line, _) in enumerate(known) if line == node.marked), 0)
        first = max(0, min(here - self.most // 2, len(known) - self.most))
        kept = known[first : first + self.most]
        rest = len(known) - len(kept)
        digits = len(str(kept[-1][0]))
        start = 26 + digits * MONO.width("0") + 12
        width = room if room < ENOUGH else start + self._widest(x for _, x in kept) + 12
        lines = []
        for line, source in kept:
            said = MONO.beginning(harmless(source), width - start - 8)
            is_here = line == node.marked and line > 0
            lines.append(self._code_line(f"{line:>{digits}}", said, start, width, is_here))
        if rest:
            said = f"… {rest} lines are left out"
            lines.append(words(26, 0, said, self.theme.inks["idle"], "s"))
        return self._panel(width, lines)

    def _widest(self, lines: Iterable[str]) -> float:
        widths = (MONO.width(harmless(each)) for each in lines)
        return min(max(widths, default=0), 2 * ENOUGH / 3)

    def _code_line(
        self, label: str, said: str, start: float, width: float, is_here: bool
    ) -> str:
        ink, idle = self.theme.text, self.theme.inks["idle"]
        if not is_here:
            return words(26, 0, label, idle, "m") + words(start, 0, said, ink, "m")
        hit = self.theme.inks["hit"]
        light = tag("rect", x=1.0, y=-15.0, width=width - 2, height=LINE, fill=hit,
                    fill_opacity=0.13)  # fmt: skip
        bar = tag("rect", x=1.0, y=-15.0, width=4, height=LINE, fill=hit)
        pointer = tag("path", d="M11-9.5l8 4.8-8 4.8z", fill=hit)
        numbers = words(26, 0, label, hit, "m b")
        return light + bar + pointer + numbers + words(start, 0, said, ink, "m")

    def _panel(self, width: float, lines: Sequence[str]) -> Block:
        """Put lines on a plate of their own."""
        height = len(lines) * LINE + 14
        plate = tag("rect", width=width, height=height, rx=6, fill=self.theme.surface,
                    stroke=self.theme.faint)  # fmt: skip
        placed_lines = (
            placed(Block(width, LINE, line), 0, 7 + n * LINE + 15)
            for n, line in enumerate(lines)
        )
        return Block(width, height, plate + "".join(placed_lines))


def _is_meant(node: Node) -> bool:
    return node.is_marked or node.is_changed or any(map(_is_meant, node.children))
