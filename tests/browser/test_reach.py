"""Who reaches whom, and what survives, in a real notebook: by keys, and in every theme.

Two questions have to be answered from the screen alone: why does localhost:8080 not answer,
and what do I lose if I remove this?
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import hindrances
from tests.browser.lab import Lab, free_port
from tests.browser.themes import THEMES, keep
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.browser

LOAD = "%load_ext pyminidock"
LAST = ".jp-Cell:last-of-type .jp-OutputArea"
SHY = "mkdir /w; echo hi > /w/index.html; exec httpd -f -p 127.0.0.1:5000 -h /w"


@pytest.fixture
def port(engine: Minidock) -> Iterator[int]:
    """Give a port of this machine that leads to a program which hears only itself."""
    found = free_port()
    for words in (
        ("network", "create", "shop"),
        ("run", "-d", "--name", "shy", "-p", f"{found}:5000", "busybox", "sh", "-c", SHY),
        ("run", "-d", "--name", "till", "--network", "shop", "busybox", "sleep", "1000"),
        ("run", "-d", "--name", "hermit", "--network", "none", "-v", "cave:/cave",
         "--tmpfs", "/fire", "busybox", "sleep", "1000"),
    ):  # fmt: skip
        made = engine.run(*words)
        assert made.returncode == 0, made.stderr
    try:
        yield found
    finally:
        engine.run("rm", "--force", "shy", "till", "hermit")
        engine.run("network", "rm", "shop")
        engine.run("volume", "rm", "cave")


@pytest.mark.parametrize("theme", THEMES)
def test_the_map_says_who_reaches_whom_and_hinders_nobody(
    chromium: Browser, lab: Lab, port: int, theme: str
) -> None:
    lab.put("map.ipynb", [LOAD, "%minidock network map"])
    with lab.open(chromium, "map.ipynb", theme=theme) as sheet:
        sheet.run(0)
        sheet.run(1)
        shown = sheet.output(1)
        expect(shown).to_contain_text("Who can reach whom?")
        expect(shown).to_contain_text(f"127.0.0.1:{port}/tcp → shy:5000")
        row = shown.get_by_role("row").filter(has_text="hermit").first
        expect(row).to_be_visible()
        expect(shown).to_contain_text("no network in common: shy and till")
        assert shown.locator("figure").count() == 2  # the chart, and the scene on paper
        assert hindrances(sheet.page, LAST) == []
        keep(shown, f"map-{theme.rpartition(' ')[2].lower()}")
        assert sheet.complaints == []


def test_why_localhost_does_not_answer_is_on_the_screen(
    chromium: Browser, lab: Lab, port: int
) -> None:
    lab.put("why.ipynb", [LOAD, f"%minidock explain port {port}"])
    with lab.open(chromium, "why.ipynb") as sheet:
        sheet.run(0)
        sheet.run(1)
        shown = sheet.output(1)
        expect(shown).to_contain_text("It dies at the process")
        expect(shown).to_contain_text("127.0.0.1")
        expect(shown).to_contain_text("What helps")
        keep(shown, "why-not")
        assert sheet.complaints == []


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_lost_is_on_the_screen_and_hinders_nobody(
    chromium: Browser, lab: Lab, port: int, theme: str
) -> None:
    lab.put("lose.ipynb", [LOAD, "%minidock explain survives hermit"])
    with lab.open(chromium, "lose.ipynb", theme=theme) as sheet:
        sheet.run(0)
        sheet.run(1)
        shown = sheet.output(1)
        expect(shown.get_by_role("columnheader", name="rm").first).to_be_visible()
        row = shown.get_by_role("row").filter(has_text="/cave").first
        expect(row).not_to_contain_text("lost")
        fire = shown.get_by_role("row").filter(has_text="/fire").first
        expect(fire).to_contain_text("lost")
        assert hindrances(sheet.page, LAST) == []
        keep(shown, f"survives-{theme.rpartition(' ')[2].lower()}")
        assert sheet.complaints == []


def test_a_story_lays_the_cable_step_by_step_by_keys_alone(
    chromium: Browser, lab: Lab, engine: Minidock
) -> None:
    run = f"%minidock run --rm -p {free_port()}:80 busybox true"
    lab.put("cable.ipynb", [LOAD, run, "%minidock trace show last"])
    with lab.open(chromium, "cable.ipynb") as sheet:
        for cell in range(3):
            sheet.run(cell)
        widget = sheet.widget(2)
        widget.get_by_role("slider").wait_for()
        tab = widget.get_by_role("button", name="Who can reach whom?")
        tab.focus()
        sheet.page.keyboard.press("Enter")
        expect(tab).to_have_attribute("aria-pressed", "true")
        panel = widget.locator(".md-ui-hosts")
        widget.get_by_role("slider").focus()
        sheet.page.keyboard.press("Home")
        expect(panel).to_contain_text("No container is on any network yet")
        for _ in range(400):
            if "eth0 172." in panel.inner_text():
                break
            sheet.page.keyboard.press("ArrowRight")
        expect(panel).to_contain_text("eth0")
        expect(panel).to_contain_text("/tcp →")
        assert hindrances(sheet.page, LAST) == []
        keep(widget, "cable")
        sheet.page.keyboard.press("End")
        assert sheet.complaints == []
