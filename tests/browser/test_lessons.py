"""Both lessons as students have them: run from top to bottom, by mouse, by keys alone.

One page for each lesson, opened untouched, run, and run once more in a new kernel.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from pyminidock.course.lesson import Lesson, lessons
from pyminidock.course.notebook import load, normal, place_of
from tests.browser.axe import hindrances
from tests.browser.lab import Lab, Sheet
from tests.browser.themes import THEMES, keep
from tests.reference import wait_until

pytestmark = pytest.mark.browser

WITHIN = "() => Boolean(document.activeElement.closest('.md-root'))"
IS_CELL = "() => document.activeElement.matches('.jp-Cell')"


@dataclass
class Desk:
    """A lesson on a page, and what its cells are for."""

    lesson: Lesson
    sheet: Sheet
    cells: list[Any]

    def places(self, beginning: str) -> list[int]:
        """Give the cells that begin so."""
        return [
            n for n, cell in enumerate(self.cells) if cell["source"].startswith(beginning)
        ]

    @property
    def stepper(self) -> Locator:
        """Give the lesson's first stepper."""
        first = (self.places("%minidock trace") or self.places("%%dockerfile"))[0]
        widget = self.sheet.widget(first)
        widget.get_by_role("slider").wait_for()
        return widget

    @property
    def texts(self) -> list[str]:
        """Give what the cells put out, without ids and times, and not what varies."""
        return [
            normal(self.sheet.text(n)) for n, cell in enumerate(self.cells)
            if cell["cell_type"] == "code"
            and "nbval-ignore-output" not in cell["metadata"].get("tags", [])
        ]  # fmt: skip


@pytest.fixture(scope="module", params=lessons(), ids=lambda lesson: lesson.number)
def desk(request: pytest.FixtureRequest, chromium: Browser, lab: Lab) -> Iterator[Desk]:
    lesson = request.param
    name = f"{lesson.folder.name}.ipynb"
    shutil.copy(place_of(lesson), lab.folder / name)
    with lab.open(chromium, name) as sheet:
        keep(sheet.page, f"lesson-{lesson.number}-untouched")
        sheet.run_all()
        yield Desk(lesson, sheet, load(place_of(lesson)).cells)
        assert sheet.complaints == []


def test_every_cell_runs_and_every_card_is_there(desk: Desk) -> None:
    for n, cell in enumerate(desk.cells):
        if cell["cell_type"] == "code":
            kinds = {output["output_type"] for output in desk.sheet.outputs(n)}
            assert "error" not in kinds, desk.sheet.text(n)
    for n in (*desk.places("%%predict"), *desk.places("%level")):
        expect(desk.sheet.widget(n, ".md-card")).to_be_visible()
    keep(desk.sheet.page, f"lesson-{desk.lesson.number}-run")


def test_what_a_cell_has_built_is_shown_built(desk: Desk) -> None:
    for n in desk.places("%%dockerfile"):
        if "--build" not in desk.cells[n]["source"].splitlines()[0]:
            continue  # it only writes the file
        slider = desk.sheet.widget(n).get_by_role("slider")
        expect(slider).to_have_value(re.compile("[1-9]"))
        expect(slider).to_have_value(slider.get_attribute("max") or "")


def test_run_all_in_another_kernel_gives_the_same(desk: Desk) -> None:
    once = desk.texts
    desk.sheet.restart_and_run_all()
    with suppress(TimeoutError):  # the last words come behind the last event
        wait_until(lambda: desk.texts == once, 10, "the same texts")
    assert desk.texts == once


def test_nothing_hinders_anybody_in_any_theme(desk: Desk) -> None:
    for theme in THEMES:
        desk.sheet.theme(theme)
        assert hindrances(desk.sheet.page) == []
    desk.sheet.theme(THEMES[0])


def test_the_way_there_and_back_ends_in_the_same_picture(desk: Desk) -> None:
    widget = desk.stepper
    widget.focus()
    widget.press("Home")
    before = drawn(widget)
    widget.press("End")
    assert drawn(widget) != before
    slider = widget.get_by_role("slider")
    while int(slider.input_value()):
        widget.press("Shift+ArrowLeft")
    assert drawn(widget) == before


def test_a_lesson_is_gone_through_by_mouse(desk: Desk) -> None:
    widget = desk.stepper
    slider = widget.get_by_role("slider")
    widget.press("Home")
    widget.get_by_role("button", name="End").click()
    expect(slider).to_have_value(slider.get_attribute("max") or "")
    widget.get_by_role("button", name="Start").click()
    expect(slider).to_have_value("0")
    widget.get_by_role("button", name="Next").click()
    expect(slider).to_have_value("1")
    tab = widget.get_by_role("button", name="Where did the seconds go?")
    tab.click()
    expect(widget.get_by_role("group", name="Where did the seconds go?")).to_be_visible()
    widget.get_by_role("button", name="All steps").click()
    widget.locator(".md-ui-row[data-step='5'] .md-ui-what").click()
    expect(slider).to_have_value("5")
    widget.get_by_role("button", name="All steps").click()
    widget.locator(".md-ui-tab").first.click()

    card = desk.sheet.widget(desk.places("%%predict")[0], ".md-card")
    card.get_by_role("radio").first.check()
    card.get_by_role("button", name="Reveal").click()
    expect(card.locator(".md-verdict")).to_be_visible()
    keep(desk.sheet.page, f"lesson-{desk.lesson.number}-revealed")

    level = desk.sheet.widget(desk.places("%level")[0], ".md-card")
    level.get_by_role("button", name="Check").click()
    expect(level.get_by_role("status")).to_contain_text("Not solved yet")


def test_a_lesson_is_gone_through_by_keys_alone(desk: Desk) -> None:
    page = desk.sheet.page
    keys = page.keyboard
    widget = desk.stepper
    slider = widget.get_by_role("slider")
    place = (desk.places("%minidock trace") or desk.places("%%dockerfile"))[0]
    enter(desk.sheet, place)
    keys.press("Home")
    expect(slider).to_have_value("0")
    keys.press("ArrowRight")
    expect(slider).to_have_value("1")
    keys.press("End")
    expect(slider).to_have_value(slider.get_attribute("max") or "")
    for key, depth in ("2", "How and why"), ("3", "Kernel call"), ("1", "What"):
        keys.press(key)
        expect(widget.get_by_role("button", name=depth, exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
    for key, name in ("t", "All steps"), ("s", "Source"):
        button = widget.get_by_role("button", name=name, exact=True)
        keys.press(key)
        expect(button).to_have_attribute("aria-pressed", "true")
        keys.press(key)
        expect(button).to_have_attribute("aria-pressed", "false")
    keys.press("/")
    expect(widget.get_by_label("Search")).to_be_focused()
    keys.type("busybox")
    keys.press("Enter")
    assert 0 < int(slider.input_value()) < int(slider.get_attribute("max") or 0)
    leave(desk.sheet)

    place = desk.places("%%predict")[1]
    card = desk.sheet.widget(place, ".md-card")
    enter(desk.sheet, place)
    tab_to(desk.sheet, card.get_by_role("radio").first)
    keys.press("Space")
    tab_to(desk.sheet, card.get_by_role("button", name="Reveal"))
    keys.press("Space")
    expect(card.locator(".md-verdict")).to_be_visible()
    leave(desk.sheet)

    place = desk.places("%level")[0]
    level = desk.sheet.widget(place, ".md-card")
    enter(desk.sheet, place)
    tab_to(desk.sheet, level.get_by_role("button", name="Hint"))
    keys.press("Space")
    expect(level.locator(".md-hints li")).to_have_count(1)
    keys.press("Shift+Tab")
    expect(level.get_by_role("button", name="Check")).to_be_focused()
    keys.press("Space")
    expect(level.get_by_role("status")).to_contain_text("Not solved yet")
    leave(desk.sheet)
    assert desk.sheet.page.locator(".jp-Notebook-cell").count() == len(desk.cells)


# ── Fingers ───────────────────────────────────────────────────────────────────────────────


def enter(sheet: Sheet, place: int) -> None:
    """Go from a cell, in the notebook's command mode, into the widget below it."""
    sheet.command("notebook:enter-command-mode")
    sheet.page.evaluate(
        "n => { const { content } = window.jupyterapp.shell.currentWidget;"
        " content.deselectAll(); content.activeCellIndex = n;"
        " content.widgets[n].node.focus(); }",
        place,
    )
    for _ in range(8):
        if sheet.page.evaluate(WITHIN):
            return
        sheet.page.keyboard.press("Tab")
    where = sheet.page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
    pytest.fail(f"Tab does not lead into the widget of cell {place}, but to {where}")


def leave(sheet: Sheet) -> None:
    """Go back to the cell."""
    sheet.page.keyboard.press("Escape")
    sheet.page.keyboard.press("Escape")
    assert sheet.page.evaluate(IS_CELL)


def tab_to(sheet: Sheet, wanted: Locator) -> None:
    """Press Tab until something has the focus."""
    for _ in range(12):
        if wanted.evaluate("wanted => wanted === document.activeElement"):
            return
        sheet.page.keyboard.press("Tab")
    pytest.fail("Tab does not lead there")


def drawn(widget: Locator) -> str:
    """Give all pictures of a stepper, as they are in the page."""
    return str(widget.locator(".md-ui-hosts").inner_html())
