"""The painter for pictures in one file: a README, an exported notebook, a slide.

    group   a card under its heading, cards beside each other where there is room
    tree    guides from each thing to what belongs to it
    table   columns as wide as what is in them, long words cut
    code    numbers, and the line that is meant

Nothing is fetched, nothing runs, and no font is brought: `lettering` estimates widths, and
`shapes` lays out each primitive.  Around the scene come a title, a sentence, and a legend
of the signs that occur.  A picture never weighs more than 150 KB: long lists are shortened,
and say by how much, until it fits.  Its description, for whoever cannot see it, is the text
painter's.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from pyminidock.viz.painters import text
from pyminidock.viz.painters.canvas import (
    MONO,
    SANS,
    SIGN,
    Block,
    definitions,
    number,
    placed,
    sign,
    tag,
    words,
)
from pyminidock.viz.painters.harmless import harmless, shallow
from pyminidock.viz.painters.lettering import Lettering
from pyminidock.viz.painters.shapes import Shapes
from pyminidock.viz.palette import THEMES, Theme, ThemeName
from pyminidock.viz.scene import GLYPHS, WORDS, Node, Scene, State

MOST_BYTES = 150_000
_MOST_DESCRIPTION = 12_000  # characters
_LISTS = (60, 30, 15, 8, 4, 2, 1)  # how long a list may be, the first that fits
_MARGIN = 20
_TITLE = Lettering(21, is_bold=True)
_CAPTION = Lettering(15)
_STYLE = (
    f"text{{font:14px {SANS};white-space:pre}}"
    f".m{{font:13px {MONO}}}.c{{font-size:13.5px}}.s{{font-size:12.5px}}"
    ".b{font-weight:650}.h{font-size:16px;font-weight:650}.t{font-size:21px;font-weight:700}"
    ".p{font-size:15px}"
)


def paint(
    scene: Scene,
    *,
    width: int = 960,
    theme: ThemeName = "light",
    title: str = "",
    caption: str = "",
) -> str:
    """Draw `scene` as one SVG file of at most MOST_BYTES, on a plate of its own."""
    name, said = harmless(title or scene.name), harmless(caption)
    width = min(max(width, 240), 4000)
    bounded = shallow(scene)
    for most in _LISTS:
        drawn = _picture(bounded, THEMES[theme], width, most, (name, said, title))
        if len(drawn.encode()) <= MOST_BYTES:
            return drawn
    empty = Node("text", "large", "paragraph", _TOO_LARGE, "", _TOO_LARGE)
    return _picture(empty, THEMES[theme], width, 1, (name, said, title))


_TOO_LARGE = "This picture is too large to be drawn; its text version has everything."


def _picture(
    scene: Node, theme: Theme, width: int, most: int, told: tuple[str, str, str]
) -> str:
    name, caption, title = told
    inner = width - 2 * _MARGIN
    blocks = [
        *_head(name if title else "", caption, theme, inner),
        Shapes(theme, most).drawn(scene, inner),
        *_legend(scene, theme, inner),
    ]
    markup, y = "", float(_MARGIN)
    for block in blocks:
        markup += placed(block, _MARGIN, y)
        y += block.height + 14
    height = y - 14 + _MARGIN
    plate = tag("rect", width=width, height=float(height), rx=12, fill=theme.surface)
    inside = (
        tag("title", escape(name or "picture")) + tag("desc", escape(_described(scene)))
        + tag("style", _STYLE) + definitions(theme) + plate + markup
    )  # fmt: skip
    tall = number(height)
    size = f'width="{width}" height="{tall}" viewBox="0 0 {width} {tall}"'
    space = 'xmlns="http://www.w3.org/2000/svg" xml:space="preserve"'
    return f'<svg {space} {size} role="img">{inside}</svg>'


def _described(scene: Node) -> str:
    said = text.paint(scene, 100)
    return said if len(said) <= _MOST_DESCRIPTION else f"{said[:_MOST_DESCRIPTION]}…"


def _head(title: str, caption: str, theme: Theme, width: float) -> Iterator[Block]:
    """Draw the title, and below it the sentence of this moment."""
    lines = [
        (line, "t", 27.0, theme.text) for line in _TITLE.wrapped(title, width, 2) if line
    ]
    lines += [
        (line, "p", 22.0, theme.text)
        for line in _CAPTION.wrapped(caption, width, 3)
        if line
    ]
    if lines:
        markup, y = "", 0.0
        for said, style, height, ink in lines:
            y += height
            markup += words(0, y - 6, said, ink, style)
        yield Block(width, y, markup)


def _legend(scene: Node, theme: Theme, width: float) -> Iterator[Block]:
    """Say what the signs mean, those that occur."""
    states = _states(scene)
    letters = Lettering(12.5)
    markup, x, y = "", 0.0, 0.0
    for state in (each for each in GLYPHS if each in states and each):
        room = SIGN + 6 + letters.width(WORDS[state]) + 18
        if x and x + room > width:
            x, y = 0.0, y + 24
        markup += sign(state, x, y)
        markup += words(x + SIGN + 6, y + 13.5, WORDS[state], theme.inks["idle"], "s")
        x += room
    if markup:
        yield Block(width, y + SIGN, markup)


def _states(node: Node) -> set[State]:
    hidden = node.is_folded
    below = () if hidden else (_states(child) for child in node.children)
    return {node.state}.union(*below)
