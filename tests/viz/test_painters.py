"""Four painters, any scene: they never fail, and what a container says stays words."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.viz import scene
from pyminidock.viz.painters import html, svg, text
from pyminidock.viz.painters.harmless import MOST_TEXT, TOO_DEEP, harmless
from pyminidock.viz.painters.lettering import Lettering, shared
from pyminidock.viz.palette import ThemeName
from pyminidock.viz.scene import GLYPHS, WORDS, Node, Primitive
from pyminidock.viz.views.birth import birth
from pyminidock.viz.views.build import build
from pyminidock.viz.views.layers import layers
from pyminidock.viz.world import fold_all
from tests.viz.buildstory import EDITED, baked
from tests.viz.scenes import HOSTILE, any_scene, deep, everything
from tests.viz.story import STORY, recorded

HTML_TAGS = {
    "div", "section", "h3", "h4", "h5", "h6", "p", "span", "ul", "li", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "details", "summary", "pre",
}  # fmt: skip
HTML_ATTRIBUTES = {
    "class", "role", "title", "tabindex", "scope", "colspan", "aria-label", "aria-current",
    "aria-live", "aria-hidden",
}  # fmt: skip
SVG_TAGS = {
    "svg", "title", "desc", "style", "defs", "g", "rect", "path", "circle", "pattern",
    "text", "use",
}  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"

Painter = Callable[[Node], str]
PAINTERS: dict[str, Painter] = {
    "text": text.paint,
    "html": html.paint,
    "svg": svg.paint,
    "svg, dark": lambda shown: svg.paint(shown, theme="dark", title="T", caption="C"),
}


class Elements(HTMLParser):
    """Reads HTML as a browser would, and complains about what does not match."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every element is one of ours, with attributes that do nothing."""
        assert tag in HTML_TAGS
        assert {name for name, _ in attrs} <= HTML_ATTRIBUTES
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Whatever is open is closed in its order."""
        assert self.open.pop() == tag


def read_html(markup: str) -> ET.Element:
    parser = Elements()
    parser.feed(markup)
    parser.close()
    assert parser.open == []
    return ET.fromstring(markup)  # noqa: S314  (our own words)


def read_svg(markup: str) -> ET.Element:
    root = ET.fromstring(markup)  # noqa: S314  (our own words)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in SVG_TAGS
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert name != "href" or value.startswith("#md-")
            assert "url(" not in value or value.startswith("url(#md-")
    return root


def all_text(element: ET.Element) -> str:
    return "".join(element.itertext())


# ── Any scene ────────────────────────────────────────────────────────────────────────────


@given(any_scene)
@settings(deadline=None)
def test_any_scene_is_html_that_is_well_formed(shown: Node) -> None:
    assert printable(all_text(read_html(html.paint(shown))))


@given(any_scene, st.sampled_from(("light", "dark")), st.integers(0, 2000))
@settings(deadline=None)
def test_any_scene_is_an_svg_that_is_well_formed_and_small(
    shown: Node, theme: ThemeName, width: int
) -> None:
    drawn = svg.paint(shown, width=width, theme=theme, title="Title", caption="Said")
    assert printable(all_text(read_svg(drawn)))
    assert len(drawn.encode()) <= svg.MOST_BYTES


@given(any_scene, st.integers(1, 120))
@settings(deadline=None)
def test_any_scene_is_text_that_can_be_printed(shown: Node, width: int) -> None:
    for line in text.paint(shown, width).split("\n"):
        assert line.isprintable()
        assert text.columns(line) <= max(width, 8)


def printable(said: str) -> bool:
    return all(line.isprintable() for line in said.split("\n"))


@pytest.mark.parametrize("painter", PAINTERS)
@pytest.mark.parametrize("primitive", ["tree", "box", "group", "stack", "row", "table"])
def test_a_scene_without_a_bottom_is_cut(painter: str, primitive: Primitive) -> None:
    drawn = PAINTERS[painter](deep(250, primitive))
    assert len(drawn) < 40_000
    if primitive in ("tree", "box", "group"):
        assert TOO_DEEP[:12] in drawn or "…" in drawn
    assert "at the bottom" not in drawn


@pytest.mark.parametrize("painter", PAINTERS)
def test_an_empty_scene_is_a_picture_too(painter: str) -> None:
    for primitive in scene.PRIMITIVES:
        PAINTERS[painter](Node(primitive, "", "", ""))  # type: ignore[arg-type]


@pytest.mark.parametrize("painter", PAINTERS)
def test_the_same_scene_is_painted_the_same(painter: str) -> None:
    assert PAINTERS[painter](everything()) == PAINTERS[painter](everything())


# ── Hostile words ────────────────────────────────────────────────────────────────────────


def with_words(said: str) -> Iterator[Node]:
    """Every primitive saying `said`, in each of its fields."""
    yield from (
        scene.text(said, said),
        scene.badge("b", said, name=said),
        scene.cell("c", said),
    )
    yield scene.table(said, said, (said, said), scene.row("r", scene.cell("d", said)))
    yield scene.tree("t", said, said, scene.text("u", said), is_folded=False)
    yield scene.tree("t", said, said, scene.text("u", said), is_folded=True)
    yield scene.group(
        "g", said, scene.code("x", said, said, 1, 1), scene.log("l", said, said)
    )
    yield Node("box", "k", said, said, "err", said, children=(scene.text("v", said),))
    yield Node("edge", "e", said, said, "net", said, links=(said, said))


@pytest.mark.parametrize("painter", PAINTERS)
@pytest.mark.parametrize("said", [*HOSTILE, "y" * (1 << 20), "z " * (1 << 19)])
def test_hostile_words_stay_words_and_short(painter: str, said: str) -> None:
    """H-44: in text, HTML and SVG; the fourth painter is tests/widgets/test_dom_js.py."""
    for shown in with_words(said):
        drawn = PAINTERS[painter](shown)
        assert len(drawn.encode()) < 150_000
        assert printable(drawn)
        if painter == "html":
            read_html(drawn)
        elif painter.startswith("svg"):
            read_svg(drawn)


@given(st.text())
def test_harmless_words_can_be_printed_and_are_harmless_already(said: str) -> None:
    once = harmless(said)
    assert once.isprintable()
    assert len(once) <= MOST_TEXT
    assert harmless(once) == once


# ── What a picture says ──────────────────────────────────────────────────────────────────


def test_every_state_is_a_sign_and_a_word_in_html() -> None:
    root = read_html(html.paint(everything()))
    signs = {each.text: each.get("aria-label") for each in root.iter("span")
             if each.get("class") == "md-glyph"}  # fmt: skip
    assert signs == {GLYPHS[state]: WORDS[state] for state in GLYPHS if state}


def test_every_state_is_a_sign_and_a_word_in_svg() -> None:
    root = read_svg(svg.paint(everything()))
    used = {str(each.get("href")) for each in root.iter(f"{SVG}use")}
    said = {all_text(each) for each in root.iter(f"{SVG}text")}
    for state in filter(None, GLYPHS):
        assert f"#md-{state}" in used
        assert WORDS[state] in said, "the legend tells what a sign means"
    assert "#md-delta" in used


def test_a_table_is_a_table_to_whoever_cannot_see_it() -> None:
    rows = (
        scene.row("r", scene.cell("a", "/proc"), scene.cell("b", "proc"), is_marked=True),
    )
    root = read_html(html.paint(scene.table("t", "mounts", ("at", ""), *rows)))
    assert [each.text for each in root.iter("caption")] == ["mounts"]
    assert [(each.get("scope"), all_text(each)) for each in root.iter("th")] == [
        ("col", "at"), ("row", "►/proc"),
    ]  # fmt: skip
    (here,) = [each for each in root.iter("tr") if each.get("aria-current")]
    assert here.get("aria-current") == "step"


def test_what_is_folded_is_closed_in_html_and_counted_in_svg() -> None:
    files = scene.tree("e", "etc", "etc", scene.tree("h", "hosts", "hosts"), is_folded=True)
    root = read_html(html.paint(files))
    (details,) = root.iter("details")
    assert details.get("open") is None
    assert all_text(details[0]) == "etc (1 inside)"
    assert "hosts" in all_text(details[1])
    drawn = svg.paint(files)
    assert "etc (1 inside)" in drawn
    assert "hosts" not in drawn


def test_a_log_does_not_interrupt_and_a_code_points() -> None:
    root = read_html(html.paint(everything()))
    (log,) = [each for each in root.iter("div") if each.get("role") == "log"]
    assert log.get("aria-live") == "off"
    (line,) = [each for each in root.iter("span") if each.get("aria-current")]
    assert all_text(line) == "►  9     told = record_of(event)\n"


def test_a_picture_has_a_name_and_the_words_of_the_text_painter() -> None:
    shown = birth(fold_all(recorded(STORY[:40])))
    root = read_svg(svg.paint(shown, title="Why?", caption="So."))
    assert root[0].text == "Why?"
    assert root[1].text == text.paint(shown, 100)
    said = [all_text(each) for each in root.iter(f"{SVG}text")]
    assert said[:2] == ["Why?", "So."]
    assert "Processes and namespaces" in said


def test_a_long_list_is_shortened_where_nothing_happens() -> None:
    rows = [
        scene.row(f"r{n}", scene.cell(f"c{n}", f"step {n}", is_changed=n == 700))
        for n in range(900)
    ]
    drawn = svg.paint(scene.table("t", "steps", ("step",), *rows))
    said = [all_text(each) for each in read_svg(drawn).iter(f"{SVG}text")]
    assert "step 700" in said
    assert "… 670 before" in said
    assert "… and 170 more" in said


def test_a_picture_that_would_be_too_large_is_shortened_until_it_fits() -> None:
    groups = (
        scene.group(f"g{n}", f"Group {n}", *(
            scene.text(f"g{n}.{m}", f"a sentence {n} {m} of no short length", "hit")
            for m in range(60)
        ))
        for n in range(60)
    )  # fmt: skip
    drawn = svg.paint(scene.stack("s", "s", *groups))
    assert 20_000 < len(drawn.encode()) <= svg.MOST_BYTES
    assert re.search(r"… and \d+ more", drawn)


def test_nothing_is_drawn_outside_of_the_picture() -> None:
    worlds = [fold_all(recorded(STORY[:n])) for n in range(0, len(STORY), 9)]
    for shown in [*map(birth, worlds), layers(fold_all(baked(EDITED))), everything()]:
        for width in (320, 640, 960, 1280):
            root = read_svg(svg.paint(shown, width=width))
            assert rightmost(root, 0) <= width


def rightmost(element: ET.Element, x: float) -> float:
    """Find how far to the right any plate or text begins or ends."""
    moved = re.match(r"translate\(([-\d.]+)", element.get("transform", ""))
    x += float(moved[1]) if moved else 0
    if element.tag == f"{SVG}defs":
        return 0
    end = x + float(element.get("x", 0))
    if element.tag == f"{SVG}rect":
        end += float(element.get("width", 0))
    return max([end, *(rightmost(child, x) for child in element)])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_picture_asks_for_anything(theme: ThemeName) -> None:
    drawn = svg.paint(build(fold_all(baked(EDITED))), theme=theme)
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in drawn
    assert "@font-face" not in drawn


# ── Letters ──────────────────────────────────────────────────────────────────────────────


@given(st.text("abc WMil容", max_size=60), st.floats(20, 400))
def test_words_that_are_cut_fit(said: str, room: float) -> None:
    letters = Lettering(14)
    for each in (letters.middle(said, room), letters.beginning(said, room)):
        assert letters.width(each) <= room + 0.01
    lines = letters.wrapped(said, room)
    assert "".join(lines).replace(" ", "") == said.replace(" ", "")
    assert all(letters.width(line) <= room + 0.01 for line in lines if line.strip())


@given(st.lists(st.floats(1, 900), min_size=1, max_size=8), st.floats(50, 900))
def test_sharing_uses_the_room_and_not_more(wishes: list[float], room: float) -> None:
    widths = shared(wishes, room)
    assert abs(sum(widths) - room) < 1
    assert all(width > 0 for width in widths)
