"""The colours can be read, and told apart by everybody; both figures are computed here."""

import re
from importlib.resources import files
from itertools import combinations

import pytest

from pyminidock.viz.palette import STROKES, THEMES, Theme, ThemeName
from pyminidock.viz.scene import GLYPHS
from tests.viz.colours import EYES, contrast, distance

LOOK = (files("pyminidock") / "widgets" / "static" / "look.css").read_text(encoding="utf-8")
NOTEBOOK = {"light": ("#ffffff", "#eeeeee"), "dark": ("#111111", "#424242")}
APART = {"light": 25, "dark": 18}  # CIE 1976, the nearest two inks for the poorest eyes
THEME_NAMES: tuple[ThemeName, ...] = ("light", "dark")


def tokens(theme: ThemeName) -> dict[str, str]:
    """Read the tokens of a theme from the style sheet."""
    head = {"light": r"\.md-root, \.md-picture:not\(\.md-root \*\)", "dark": r"\.md-dark"}
    block = re.search(rf"^{head[theme]} {{\n(.*?)^}}", LOOK, re.MULTILINE | re.DOTALL)
    assert block, "the tokens of a theme stand in one block"
    found = re.finditer(r"--md-([\w-]+): (#[0-9a-f]{6});", block[1])
    return {each[1]: each[2] for each in found}


@pytest.mark.parametrize("name", THEME_NAMES)
def test_the_style_sheet_and_the_palette_say_the_same(name: ThemeName) -> None:
    theme: Theme = THEMES[name]
    parts = {each: getattr(theme, each) for each in ("surface", "raised", "text", "line")}
    inks = {str(state): ink for state, ink in theme.inks.items()}
    assert tokens(name) == {**parts, "faint": theme.faint, **inks}


@pytest.mark.parametrize("name", THEME_NAMES)
def test_every_ink_can_be_read_on_every_surface(name: ThemeName) -> None:
    said = tokens(name)
    surfaces = (said["surface"], said["raised"], *NOTEBOOK[name])
    for surface in surfaces:
        for state in (*filter(None, GLYPHS), "text"):
            assert contrast(said[state], surface) >= 4.5, (state, surface)
        assert contrast(said["line"], surface) >= 3, surface


@pytest.mark.parametrize("name", THEME_NAMES)
@pytest.mark.parametrize("eyes", EYES)
def test_two_inks_are_told_apart_by_all_eyes(name: ThemeName, eyes: str) -> None:
    said = tokens(name)
    inks = [said[state] for state in GLYPHS if state not in ("", "idle")]
    nearest = min(distance(*pair, EYES[eyes]) for pair in combinations(inks, 2))
    assert nearest >= APART[name]


def test_without_any_colour_the_line_tells_the_state() -> None:
    strokes = [stroke for state, stroke in STROKES.items() if state]
    assert len(set(strokes)) == len(strokes) == 7


def test_every_selector_is_ours_and_no_other_page_is_asked() -> None:
    bare = re.sub(r"/\*.*?\*/", "", LOOK, flags=re.DOTALL)
    selectors = re.findall(r"([^{};]+)\{", bare)
    assert len(selectors) > 50
    for selector in selectors:
        if not selector.strip().startswith(("@media", "@container")):
            for each in re.sub(r"\([^()]*\)", "", selector).split(","):
                assert each.strip().startswith(".md-"), each
    assert not re.search(r"url\(|@import|@font-face|expression", bare)
    for promise in ("forced-colors: active", "prefers-reduced-motion", "@media print"):
        assert promise in bare


def test_arithmetic_agrees_with_what_others_publish() -> None:
    assert round(contrast("#000000", "#ffffff"), 3) == 21
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54
    assert round(distance("#ffffff", "#000000"), 1) == 100
