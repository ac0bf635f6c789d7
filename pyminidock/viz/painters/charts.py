"""The painter for charts: boxes where they were put, and the lines between them.

One SVG file, as `svg` makes them: nothing fetched, nothing run, a title, and the whole map
as text in its description.  A state is told by the line around a box, and by its sign.
"""

from xml.sax.saxutils import escape

from pyminidock.viz.chart import LINE, Box, Chart, Wire
from pyminidock.viz.painters.canvas import (
    SANS,
    Block,
    definitions,
    frame,
    number,
    placed,
    sign,
    tag,
    words,
)
from pyminidock.viz.painters.harmless import harmless
from pyminidock.viz.palette import THEMES, Theme, ThemeName

_MARGIN = 24.0
_STYLE = f"text{{font:13px {SANS};white-space:pre}}.b{{font-weight:650}}"


def paint(chart: Chart, title: str, said: str, *, theme: ThemeName = "light") -> str:
    """Draw a chart that was laid out; `said` is the same in words."""
    look = THEMES[theme]
    parts = [_wire(each, look) for each in chart.wires]
    parts += [_box(each, look) for each in chart.boxes]
    width, height = chart.width + 2 * _MARGIN, chart.height + 2 * _MARGIN
    plate = tag("rect", width=width, height=height, rx=12, fill=look.surface)
    moved = placed(Block(width, height, "".join(parts)), _MARGIN, _MARGIN)
    inside = (
        tag("title", escape(harmless(title)))
        + tag("desc", "\n".join(escape(harmless(line)) for line in said.split("\n")))
        + tag("style", _STYLE) + definitions(look) + plate + moved
    )  # fmt: skip
    wide, tall = number(width), number(height)
    size = f'width="{wide}" height="{tall}" viewBox="0 0 {wide} {tall}"'
    space = 'xmlns="http://www.w3.org/2000/svg" xml:space="preserve"'
    return f'<svg {space} {size} role="img">{inside}</svg>'


def _box(box: Box, theme: Theme) -> str:
    plate = tag("rect", width=box.width, height=box.height, rx=8, fill=theme.raised)
    body = plate + frame(box.width, box.height, theme, box.state, 8)
    for n, line in enumerate(box.lines):
        ink = theme.text if n == 0 else theme.inks["idle"]
        body += words(11, 9 + 13 + n * LINE - 2, line, ink, "b" if n == 0 else "")
    if box.state:
        body += sign(box.state, -9, -9)
    x, y = box.at[0] - box.width / 2, box.at[1] - box.height / 2
    return placed(Block(box.width, box.height, body), x, y)


def _wire(wire: Wire, theme: Theme) -> str:
    if not wire.path:
        return ""
    (x, y), *bends = wire.path
    way = f"M{number(x)} {number(y)}"
    if bends:
        way += "C" + " ".join(f"{number(bx)} {number(by)}" for bx, by in bends)
    dashes = "9 4" if wire.state == "net" else ""
    ink = theme.inks[wire.state] if wire.state else theme.line
    return tag("path", d=way, fill="none", stroke=ink, stroke_width=1.6,
               stroke_dasharray=dashes)  # fmt: skip
