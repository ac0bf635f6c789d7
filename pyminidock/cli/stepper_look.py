"""How painted lines look in the terminal: colours for both kinds of screen, and windows.

The palette keeps 4.5 : 1 on its own background, light or dark, and its colours differ in
brightness too, so that they stay apart for whoever does not see hues.  No colour says
anything that a glyph or a word beside it does not say as well.
"""

from collections.abc import Mapping, Sequence

from textual.content import Content
from textual.theme import Theme

from pyminidock.viz.painters.text import Line, Span

_DARK = {
    "hit": "#BFD0F8", "miss": "#FFE28E", "write": "#FD89BD", "hide": "#CD9FFC",
    "net": "#BAFEF7", "err": "bold #FBB4AE", "idle": "#B4B4B4", "dim": "#B4B4B4",
    "title": "bold #FFFFFF", "changed": "bold reverse", "marked": "bold #FFE28E",
    "badge": "bold reverse", "command": "#BAFEF7",
}  # fmt: skip
_LIGHT = {
    "hit": "#0141E3", "miss": "#955D05", "write": "#BC2983", "hide": "#1E014A",
    "net": "#0B3E3E", "err": "bold #720601", "idle": "#5A5A5A", "dim": "#5A5A5A",
    "title": "bold #000000", "changed": "bold reverse", "marked": "bold #0141E3",
    "badge": "bold reverse", "command": "#0B3E3E",
}  # fmt: skip

THEMES = (
    Theme(
        "minidock-dark", primary="#319BF2", background="#111111", surface="#111111",
        panel="#242424", foreground="#EDEDED", dark=True,
    ),
    Theme(
        "minidock-light", primary="#1976D2", background="#FFFFFF", surface="#FFFFFF",
        panel="#E6E6E6", foreground="#1A1A1A", dark=False,
    ),
)  # fmt: skip


def is_light(environment: Mapping[str, str]) -> bool:
    """Guess the terminal's background from COLORFGBG, "15;0"; dark where it is silent.

    >>> is_light({"COLORFGBG": "0;15"}), is_light({"COLORFGBG": "15;0"}), is_light({})
    (True, False, False)
    """
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "15")


def content_of(lines: Sequence[Line], *, light: bool) -> Content:
    """Turn painted lines into what Textual shows; nothing in them is markup."""
    palette = _LIGHT if light else _DARK
    parts: list[str | Content | tuple[str, str]] = []
    for number, line in enumerate(lines):
        if number:
            parts.append("\n")
        parts += [(span.text, palette.get(span.style, "")) for span in line if span.text]
    return Content.assemble(*parts)


def window(lines: Sequence[Line], height: int) -> list[Line]:
    """Choose the lines that fit, so that the first changed one is among them.

    The heading stays; where lines are left out, the last line that is shown says so.
    """
    if len(lines) <= height or height < 3:
        return list(lines[:height])
    title, rest, room = lines[0], list(lines[1:]), height - 2
    changed = [n for n, line in enumerate(rest) if any(s.style == "changed" for s in line)]
    start = max(0, min(changed[0] - room // 2, len(rest) - room)) if changed else 0
    above, below = start, len(rest) - start - room
    said = " and ".join(
        f"{count} {where}" for count, where in ((above, "above"), (below, "below")) if count
    )
    return [title, *rest[start : start + room], (Span(f"  ⋮ {said}", "dim"),)]
