"""The stepper in a real JupyterLab: it lives, it is left, and it lets go."""

import json
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from pyminidock.events.journal import header_to_line, to_line
from tests.browser.lab import Lab, Sheet
from tests.browser.themes import keep
from tests.minidock_cli import Minidock
from tests.reference import wait_until
from tests.viz import buildstory
from tests.viz.films import long

pytestmark = pytest.mark.browser

LOAD = "%load_ext pyminidock"
RUN = "%minidock run --rm busybox echo hi"
HELD = "handle = %minidock step run busybox echo hi\nhandle"
PATIENCE_S = 30
FREED_S = 6.5  # five seconds, and one for the look that finds it out


def figure(sheet: Sheet, cell: int) -> str:
    """Give the picture of a cell as the notebook file would have it."""
    found = [out.get("data", {}).get("text/html", "") for out in sheet.outputs(cell)]
    return "".join("".join(each) for each in found)


def until_drawn(sheet: Sheet, cell: int) -> None:
    """Wait until the story is over and its picture is drawn."""
    wait_until(lambda: "<img" in figure(sheet, cell), PATIENCE_S, "the picture")


def step_of(widget: Locator) -> int:
    """Give the step at which a stepper stands."""
    return int(widget.locator(".md-ui-number").first.input_value())


def until_held(widget: Locator) -> None:
    """Wait until the story is held."""
    expect(widget.locator(".md-ui-banner-held")).to_be_visible(timeout=PATIENCE_S * 1000)


def until_freed(engine: Minidock, container: str) -> None:
    """Wait until a program ran to its end, and see that it did not take long."""
    began = time.monotonic()

    def ran() -> bool:
        story = engine.run("trace", "show", f"run-{container[:12]}", "--json").stdout
        return "container.exited" in story

    wait_until(ran, PATIENCE_S, "the container to go on")
    assert time.monotonic() - began < FREED_S


def test_a_run_is_stepped_both_ways_by_keyboard_and_deletes_no_cell(
    chromium: Browser, lab: Lab
) -> None:
    lab.put("run.ipynb", [LOAD, RUN])
    with lab.open(chromium, "run.ipynb") as sheet:
        sheet.run(0)
        sheet.run(1)
        widget = sheet.widget(1)
        until_drawn(sheet, 1)
        wait_until(lambda: sheet.text(1).startswith("hi"), PATIENCE_S, "what it said")
        assert not sheet.output(1).locator(".md-static").is_visible()
        widget.focus()
        widget.press("Home")
        there, back = [], []
        for _ in range(50):
            widget.press("ArrowRight")
            there.append(widget.locator(".md-picture").first.inner_html())
        for _ in range(50):
            back.append(widget.locator(".md-picture").first.inner_html())
            widget.press("ArrowLeft")
        assert there == back[::-1]
        assert step_of(widget) == 0
        for key in ("d", "d", "b", "x", "j", "Control+Enter"):
            widget.press(key)
        # Notebook 7 listens before us, and lets be what wears this.
        assert widget.get_attribute("data-lm-suppress-shortcuts") is not None
        assert sheet.cell(1).count() == 1
        assert sheet.page.locator(".jp-Notebook-cell").count() == 2
        widget.press("End")
        sheet.page.wait_for_timeout(300)
        keep(sheet.page, "stepper-run")
        sheet.page.evaluate(
            "navigator.clipboard.writeText = async (t) => (window.copied = t)"
        )
        expect(widget.get_by_role("button", name="On its own")).to_be_hidden()
        widget.press("Home")
        for _ in range(7):
            widget.press("ArrowRight")
        widget.get_by_role("button", name="Copy JSON").click()
        expect(widget.locator(".md-ui-note")).to_contain_text("is copied")
        event = json.loads(sheet.page.evaluate("window.copied"))
        assert set(event) >= {"seq", "kind", "story", "t", "src", "evidence", "data"}
        assert isinstance(event["data"], dict)
        widget.get_by_role("button", name="Pin picture").press("Enter")
        wait_until(lambda: "Step 7 of" in figure(sheet, 1), PATIENCE_S, "the pinned step")
        assert not sheet.complaints


def test_a_held_story_is_let_go_from_the_page_while_a_cell_is_busy(
    chromium: Browser, lab: Lab
) -> None:
    """Two views stand at the same step; the kernel sleeps for nine seconds meanwhile."""
    lab.put(
        "steps.ipynb", [LOAD, HELD, "handle", "import time\ntime.sleep(9)", "handle.wait()"]
    )
    with lab.open(chromium, "steps.ipynb") as sheet:
        for cell in range(3):
            sheet.run(cell)
        one, two = sheet.widget(1), sheet.widget(2)
        sheet.begin(3)
        until_held(one)
        before = step_of(one)
        expect(one.locator(".md-ui-banner")).to_contain_text(f"after step {before}:")
        keep(sheet.page, "stepper-held")
        for _ in range(3):
            one.locator(".md-ui-order-step").click()
            until_held(one)
        assert step_of(one) == before + 3
        expect(two.locator(".md-ui-number")).to_have_value(str(before + 3))
        one.focus()
        one.press("Home")
        expect(two.locator(".md-ui-number")).to_have_value("0")
        two.get_by_role("button", name="On its own").click()
        one.press("ArrowRight")
        one.press("ArrowRight")
        expect(one.locator(".md-ui-number")).to_have_value("2")
        expect(two.locator(".md-ui-number")).to_have_value("0")
        one.locator(".md-ui-order-continue").click()
        until_drawn(sheet, 1)
        sheet.wait_idle()
        sheet.run(4)
        assert sheet.text(4) == "0"
        assert not sheet.complaints


def test_a_story_is_held_while_it_is_looked_at_and_goes_on_when_the_page_is_left(
    chromium: Browser, lab: Lab, engine: Minidock
) -> None:
    lab.put("held.ipynb", [
        LOAD, HELD, "import time\ntime.sleep(7)\nprint(handle.state)", "print(handle.id)",
    ])  # fmt: skip
    with lab.open(chromium, "held.ipynb") as sheet:
        for cell in range(4):
            sheet.run(cell)
        assert sheet.text(2) == "held"
        sheet.save()
        container, address = sheet.text(3), sheet.page.url
        sheet.page.goto("about:blank")
        until_freed(engine, container)
        sheet.go(address)
        expect(sheet.widget(1).locator(".md-picture").first).to_be_visible()
        assert not sheet.complaints


def test_a_story_whose_output_is_cleared_goes_on(
    chromium: Browser, lab: Lab, engine: Minidock
) -> None:
    lab.put("cleared.ipynb", [LOAD, HELD, "print(handle.id)"])
    with lab.open(chromium, "cleared.ipynb") as sheet:
        for cell in range(3):
            sheet.run(cell)
        until_held(sheet.widget(1))
        container = sheet.text(2)
        sheet.command("notebook:clear-all-cell-outputs")
        until_freed(engine, container)
        assert not sheet.complaints


def test_a_kernel_that_restarts_frees_what_it_held_and_stepping_goes_on(
    chromium: Browser, lab: Lab, engine: Minidock
) -> None:
    lab.put("restart.ipynb", [LOAD, HELD, "print(handle.id)"])
    with lab.open(chromium, "restart.ipynb") as sheet:
        for cell in range(3):
            sheet.run(cell)
        widget = sheet.widget(1)
        until_held(widget)
        container = sheet.text(2)
        sheet.restart()
        until_freed(engine, container)
        gone = widget.locator(".md-ui-banner-gone")
        expect(gone).to_be_visible(timeout=PATIENCE_S * 1000)
        widget.focus()
        widget.press("Home")
        widget.press("ArrowRight")
        assert step_of(widget) == 1
        keep(sheet.page, "stepper-gone")
        assert not sheet.complaints


def test_a_notebook_that_is_opened_again_shows_the_picture_trusted_or_not(
    chromium: Browser, lab: Lab
) -> None:
    path = lab.put("again.ipynb", [LOAD, RUN])
    with lab.open(chromium, "again.ipynb") as sheet:
        sheet.run_all()
        until_drawn(sheet, 1)
        sheet.save()
    saved = path.read_text()
    stranger = lab.folder / "stranger.ipynb"  # a copy that nobody here has run
    stranger.write_text(saved.replace("Stepper of", "Stepper  of"))
    for name in ("again.ipynb", "stranger.ipynb"):
        with lab.open(chromium, name) as sheet:
            picture = sheet.output(1).locator("figure img, img").first
            expect(picture).to_be_visible()
            assert "What makes this process a container?" in str(
                picture.get_attribute("alt")
            )
            assert picture.evaluate("image => image.naturalWidth") > 100
            sheet.page.wait_for_timeout(200)
            keep(sheet.page, f"stepper-reopened-{Path(name).stem}")


def test_five_thousand_events_lose_none(chromium: Browser, lab: Lab) -> None:
    records = long(5000)
    told = [header_to_line(buildstory.HEADER), *map(to_line, records)]
    (lab.folder / "long.jsonl").write_text("\n".join(told) + "\n")
    lab.put("long.ipynb", [LOAD, "%minidock trace show long.jsonl"])
    with lab.open(chromium, "long.ipynb") as sheet:
        sheet.run(0)
        sheet.run(1)
        widget = sheet.widget(1)
        expect(widget.locator(".md-ui-total")).to_contain_text(
            str(len(records)), timeout=60_000
        )
        widget.focus()
        widget.press("End")
        assert step_of(widget) == len(records)
        assert not sheet.complaints
