"""Pieces of an SVG: a block has a size and markup, and blocks are put into blocks.

    block = Block(120, 20, words(0, 15, "ready", ink))
    placed(block, 40, 60)         the same, moved to the right and down

Signs are drawn, not written, so they look the same whatever fonts there are.  They are
defined once in the picture and used by name; a state's line and hatch are part of its sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from pyminidock.viz.palette import STROKES, Theme
from pyminidock.viz.scene import State

SIGN = 18  # pixels, of a sign's square
SANS = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"
MONO = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
DELTA = "delta"

_SHAPES: dict[str, str] = {  # in a square from -9 to 9; `{0}` is the ink
    "hit": '<circle r="4" fill="{0}"/>',
    "miss": '<circle r="3.6" fill="none" stroke="{0}" stroke-width="1.6"/>',
    "write": '<path d="M-4.4 4.4l.9-3.4 5.4-5.4 2.5 2.5-5.4 5.4z" fill="{0}"/>',
    "hide": '<circle r="3.8" fill="none" stroke="{0}" stroke-width="1.6"/>'
    '<path d="M-2.7 2.7L2.7-2.7" stroke="{0}" stroke-width="1.6"/>',
    "net": '<path d="M-2.8-4.2L4.2 0-2.8 4.2z" fill="{0}"/>',
    "err": '<path d="M-3.4-3.4L3.4 3.4M-3.4 3.4L3.4-3.4" stroke="{0}" stroke-width="2.2"/>',
    "idle": '<circle r="1.7" fill="{0}"/>',
}
_AROUND, _CORNER = 52, 7.8  # every side of a sign has the same dashes, and its corners
_HATCHES = {"lines": "M0 5L5 0", "cross": "M0 5L5 0M0 0L5 5"}


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the picture: how wide and high, and its markup from its own corner."""

    width: float
    height: float
    markup: str = ""


def placed(block: Block, x: float, y: float) -> str:
    """Give the markup of a block at another place."""
    if not block.markup or (x == 0 and y == 0):
        return block.markup
    return f'<g transform="translate({number(x)} {number(y)})">{block.markup}</g>'


def above(blocks: Sequence[Block], gap: float) -> Block:
    """Put blocks above each other."""
    markup, y = "", 0.0
    for block in blocks:
        markup += placed(block, 0, y)
        y += block.height + gap
    return Block(max((each.width for each in blocks), default=0), max(y - gap, 0), markup)


def beside(blocks: Sequence[Block], gap: float) -> Block:
    """Put blocks beside each other."""
    markup, x = "", 0.0
    for block in blocks:
        markup += placed(block, x, 0)
        x += block.width + gap
    return Block(x - gap, max(each.height for each in blocks), markup)


def number(value: float) -> str:
    """Write a number as briefly as it can be.

    >>> number(12.0), number(0.25)
    ('12', '0.2')
    """
    return f"{value:.1f}".removesuffix(".0")


def tag(name: str, inner: str | None = None, /, **attributes: object) -> str:
    """Write one element; `stroke_width` is written stroke-width, `class_` class."""
    said = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(_plain(value))}"
        for key, value in attributes.items()
        if value not in ("", None)
    )
    return f"<{name}{said}/>" if inner is None else f"<{name}{said}>{inner}</{name}>"


def _plain(value: object) -> str:
    return number(value) if isinstance(value, float) else str(value)


def words(x: float, y: float, said: str, ink: str, style: str = "") -> str:
    """Write a text on a line; `style` names one of the picture's classes, as b, m or s."""
    if not said.strip():
        return ""
    return tag("text", escape(said), x=float(x), y=float(y), fill=ink, class_=style)


def sign(name: str, x: float, y: float) -> str:
    """Put a sign with its upper left corner at this place."""
    half = SIGN / 2
    return tag("use", href=f"#md-{name}", x=float(x + half), y=float(y + half))


def frame(width: float, height: float, theme: Theme, state: State, radius: float) -> str:
    """Draw the line of a state around something; a double line is two."""
    stroke = STROKES[state]
    ink = theme.inks[state] if state else theme.line
    outer = _outline(0.0, width, height, radius, ink, stroke.width, stroke.dashes)
    if not stroke.is_double:
        return outer
    return outer + _outline(3.0, width, height, max(radius - 3, 1), ink, 1, "")


def _outline(  # noqa: PLR0913, PLR0917  (a rectangle and its line)
    inset: float, width: float, height: float, radius: float, ink: str, line: float,
    dashes: str,
) -> str:  # fmt: skip
    return tag(
        "rect", x=float(inset), y=float(inset), width=float(width - 2 * inset),
        height=float(height - 2 * inset), rx=float(radius), fill="none", stroke=ink,
        stroke_width=float(line), stroke_dasharray=dashes,
    )  # fmt: skip


def definitions(theme: Theme) -> str:
    """Define every sign of a theme, and what hatches them."""
    hatches = "".join(_hatch(state, theme) for state in STROKES if state)
    signs = "".join(_sign(state, theme) for state in STROKES if state)
    delta = tag("rect", x=-8, y=-8, width=16, height=16, rx=4, fill=theme.text) + tag(
        "path", d="M0-4.2L4.4 4H-4.4z", fill="none", stroke=theme.surface,
        stroke_width=1.6, stroke_linejoin="round",
    )  # fmt: skip
    return tag("defs", hatches + signs + tag("g", delta, id=f"md-{DELTA}"))


def _hatch(state: State, theme: Theme) -> str:
    kind = STROKES[state].hatch
    if not kind:
        return ""
    line = tag("path", d=_HATCHES[kind], stroke=theme.inks[state], stroke_opacity=0.28)
    return tag(
        "pattern", line, id=f"md-hatch-{state}", width=5, height=5,
        patternUnits="userSpaceOnUse",
    )  # fmt: skip


def _sign(state: State, theme: Theme) -> str:
    stroke, ink = STROKES[state], theme.inks[state]
    parts = _square(8, fill=theme.surface, stroke=ink, stroke_width=float(stroke.width),
                    stroke_dasharray=stroke.dashes, pathLength=_AROUND,
                    stroke_dashoffset=_CORNER)  # fmt: skip
    if stroke.is_double:
        parts += _square(5.8, fill="none", stroke=ink, stroke_width=0.8)
    if stroke.hatch:
        parts += _square(8, fill=f"url(#md-hatch-{state})")
    return tag("g", parts + _SHAPES[state].format(ink), id=f"md-{state}")


def _square(half: float, **attributes: object) -> str:
    """Draw a square with round corners around the middle of a sign."""
    side, corner = float(2 * half), half / 1.8
    return tag("rect", x=float(-half), y=float(-half), width=side, height=side, rx=corner,
               **attributes)  # fmt: skip
