"""The colours of the one visual language, for the painter that cannot read a style sheet.

Every ink has a contrast of at least 4.5 on both surfaces of its theme, and any two inks are
told apart by people who see no red, no green or no blue: their lightness differs, not only
their hue.  `widgets/static/look.css` says the same; a test compares the two and computes
both figures.  A line around a sign tells the state once more, for whoever sees no colour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pyminidock.viz.scene import State

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Theme:
    """What is behind, what is written on it, and an ink for each state."""

    surface: str
    raised: str  # a group, on the surface
    text: str
    line: str  # contrast of at least 3: it means something
    faint: str  # it only divides
    inks: Mapping[State, str]


LIGHT = Theme(
    surface="#ffffff", raised="#f4f6f9", text="#1b1f27", line="#757c89", faint="#d5dae2",
    inks={
        "hit": "#0141e3", "miss": "#955d05", "write": "#bc2983", "hide": "#1e014a",
        "net": "#0b3e3e", "err": "#720601", "idle": "#565d6a",
    },
)  # fmt: skip
DARK = Theme(
    surface="#14171c", raised="#1f242c", text="#e8ebf0", line="#8b93a1", faint="#3a414d",
    inks={
        "hit": "#bfd0f8", "miss": "#ffe28e", "write": "#fd89bd", "hide": "#cd9ffc",
        "net": "#bafef7", "err": "#fbb4ae", "idle": "#b6bcc8",
    },
)  # fmt: skip
THEMES: Mapping[ThemeName, Theme] = {"light": LIGHT, "dark": DARK}


@dataclass(frozen=True, slots=True)
class Stroke:
    """The line around a sign: how wide, which dashes, how often, and what fills it."""

    width: float = 1
    dashes: str = ""
    is_double: bool = False
    hatch: Literal["", "lines", "cross"] = ""


STROKES: Mapping[State, Stroke] = {
    "": Stroke(),
    "hit": Stroke(2),
    "miss": Stroke(2, "1 3"),
    "write": Stroke(2, hatch="lines"),
    "hide": Stroke(1.5, "6 3 1 3", hatch="cross"),
    "net": Stroke(2, "9 4"),
    "err": Stroke(1, is_double=True),
    "idle": Stroke(1),
}
