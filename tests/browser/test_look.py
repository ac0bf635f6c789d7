"""Pictures in a real browser: they look as meant, hinder nobody, and stay in place."""

import io
import json
from itertools import combinations
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Dialog, Page

from pyminidock.viz import scene
from pyminidock.viz.film import flat
from pyminidock.viz.painters import html, svg
from pyminidock.viz.scene import Node
from pyminidock.viz.views.birth import birth
from pyminidock.viz.views.build import build
from pyminidock.viz.world import fold_all
from tests.browser.axe import hindrances
from tests.browser.lab import Lab
from tests.browser.themes import keep, prefers
from tests.viz.buildstory import EDITED, baked
from tests.viz.scenes import HOSTILE, everything
from tests.viz.story import STORY, recorded
from tests.widgets.node import STATIC

pytestmark = pytest.mark.browser

OPTIONS = {"glyphs": scene.GLYPHS, "states": scene.WORDS, "changed": scene.CHANGED}
PAINT = """([nodes, options]) => {
  mdPaintView(document.getElementById("host"), new Map(Object.entries(nodes)), options);
}"""
PATCH = """([nodes, ids, options]) => {
  const host = document.getElementById("host");
  mdPatchView(host, new Map(Object.entries(nodes)), ids, options);
}"""
SHOWN = "() => document.getElementById('host').innerHTML"  # read, never written
AS_PARSED = """(markup) => {
  const page = new DOMParser().parseFromString(markup, "text/html");
  return page.body.firstChild.outerHTML;
}"""
GROWN = "() => [document.documentElement.scrollWidth, innerWidth]"


def opened(page: Page, *, dark: bool = False) -> Page:
    """A page with our style and painter, and nothing else."""
    look = (STATIC / "look.css").read_text(encoding="utf-8")
    script = (STATIC / "dom.js").read_text(encoding="utf-8")
    theme = "md-root md-dark" if dark else "md-root"
    page.set_content(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Look</title>'
        f"<style>{look}</style><body style='margin:0'>"
        f'<main class="{theme}" style="padding:16px"><h1>Look</h1><h2>Here</h2>'
        f'<div id="host"></div></main><script>{script}</script>'
    )
    return page


def painted(page: Page, shown: Node) -> None:
    page.evaluate(PAINT, [flat(shown), OPTIONS])


def moments() -> dict[str, Node]:
    return {
        "birth": birth(fold_all(recorded(STORY[:45]))),
        "build": build(fold_all(baked(EDITED)[:30])),
        "everything": everything(),
    }


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["birth", "build", "everything"])
def test_no_picture_hinders_anybody(page: Page, name: str, *, dark: bool) -> None:
    opened(page, dark=dark)
    painted(page, moments()[name])
    keep(page, f"look-{name}-{'dark' if dark else 'light'}")
    assert hindrances(page, ".md-picture") == []


def test_a_picture_is_seen_where_colours_are_forced_and_on_paper(page: Page) -> None:
    opened(page)
    painted(page, everything())
    prefers(page, forced_colors="active")
    keep(page, "look-forced")
    assert hindrances(page, ".md-picture") == []
    prefers(page, medium="print")
    keep(page, "look-print")
    (log,) = page.locator(".md-log").all()
    assert log.evaluate("e => getComputedStyle(e).maxHeight") == "none"


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_a_picture_never_needs_a_wider_page(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    opened(page)
    for shown in moments().values():
        painted(page, shown)
        needed, given = page.evaluate(GROWN)
        assert needed <= given


def test_groups_stand_beside_each_other_where_there_is_room(page: Page) -> None:
    opened(page)
    painted(page, moments()["birth"])
    tops = [
        box["y"] for each in page.locator(".md-group").all() if (box := each.bounding_box())
    ]
    assert len(tops) == 3
    assert len(set(tops)) == 1
    page.set_viewport_size({"width": 420, "height": 900})
    tops = [
        box["y"] for each in page.locator(".md-group").all() if (box := each.bounding_box())
    ]
    assert tops == sorted(set(tops))
    assert len(tops) == 3


def test_the_real_page_has_what_python_writes(page: Page) -> None:
    opened(page)
    for shown in moments().values():
        painted(page, shown)
        assert page.evaluate(SHOWN) == page.evaluate(AS_PARSED, html.paint(shown))


def grey_sign(page: Page, state: str) -> Image.Image:
    shot = page.locator(f".md-text.md-s-{state} .md-glyph").screenshot()
    return Image.open(io.BytesIO(shot)).convert("L").resize((32, 32))


def test_without_any_colour_no_two_signs_look_alike(page: Page) -> None:
    opened(page)
    painted(page, everything())
    signs = [grey_sign(page, state) for state in scene.GLYPHS if state]
    for one, other in combinations(signs, 2):
        assert ImageStat.Stat(ImageChops.difference(one, other)).mean[0] > 8


def test_whoever_reads_is_not_disturbed_by_the_next_step(page: Page) -> None:
    opened(page)
    lines = "\n".join(f"line {n}" for n in range(200))
    files = [scene.tree(f"f{n}", f"f{n}", f"file {n}") for n in range(3)]

    def at(step: int) -> Node:
        words = scene.text("now", f"step {step}", "hit", is_changed=True)
        folded = scene.tree("etc", "etc", f"etc {step}", *files[: step + 1], is_folded=True)
        return scene.stack("s", "s", *[words] * (step % 2), folded,
                           scene.log("log", "output", lines))  # fmt: skip

    painted(page, at(0))
    page.locator("summary").click()
    log = page.locator(".md-log")
    log.evaluate("e => { e.scrollTop = 777; e.focus({preventScroll: true}); }")
    before = flat(at(0))
    for step in range(1, 6):
        after = flat(at(step))
        ids = [id_ for id_ in {*before, *after} if before.get(id_) != after.get(id_)]
        page.evaluate(PATCH, [after, ids, OPTIONS])
        before = after
    assert log.evaluate("e => [e.scrollTop, document.activeElement === e]") == [777, True]
    assert page.locator("details").get_attribute("open") is not None
    assert page.locator(".md-item .md-item").all_inner_texts() == [
        "file 0",
        "file 1",
        "file 2",
    ]


def hostile_pictures() -> list[Node]:
    return [
        scene.group(
            "g", said, scene.tree("t", said, said), scene.badge("b", said),
            scene.table(said, said, (said,)), scene.log("l", said, said),
        )
        for said in HOSTILE
    ]  # fmt: skip


def test_hostile_words_do_nothing_in_a_browser(page: Page) -> None:
    """H-44: in Chromium, drawn by all painters for pages."""
    heard: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        heard.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", on_dialog)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda told: heard.append(told.text))
    page.on("request", lambda asked: heard.append(asked.url))
    for shown in hostile_pictures():
        page.set_content(html.paint(shown) + svg.paint(shown))
    opened(page)
    for shown in hostile_pictures():
        painted(page, shown)
    assert heard == []


def test_a_picture_in_a_notebook_nobody_trusts_keeps_its_meaning(
    chromium: Browser, lab: Lab
) -> None:
    place = lab.put("untrusted.ipynb", ["1"])
    sheet_file: dict[str, Any] = json.loads(place.read_text())
    sheet_file["cells"][0]["outputs"] = [{
        "output_type": "display_data", "metadata": {},
        "data": {"text/html": html.paint(everything()), "text/plain": "a picture"},
    }]  # fmt: skip
    place.write_text(json.dumps(sheet_file))
    with lab.open(chromium, "untrusted.ipynb") as sheet:
        shown = sheet.output(0)
        assert shown.locator("caption").count() == 1
        assert shown.locator("th[scope=row]").count() == 7
        assert shown.locator("details:not([open])").count() == 2
        assert shown.locator(".md-item").count() > 8
        assert "●" in shown.inner_text()
        keep(shown, "look-untrusted")
        assert not sheet.complaints
