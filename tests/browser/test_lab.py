"""JupyterLab opens, a cell runs, and our tests would notice what should not happen."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.axe import hindrances
from tests.browser.lab import Lab
from tests.browser.themes import THEMES, keep, zoom
from tests.minidock_cli import Minidock


def test_a_cell_prints_and_nothing_else_happens(chromium: Browser, lab: Lab) -> None:
    lab.put("smoke.ipynb", ["# A title", "print(6 * 7)", "1 / 0"])
    with lab.open(chromium, "smoke.ipynb") as sheet:
        sheet.run(1)
        assert sheet.text(1) == "42"
        assert sheet.output(1).inner_text().strip() == "42"
        sheet.run(2)
        assert "ZeroDivisionError" in sheet.text(2)
        assert sheet.complaints == []


def test_the_command_in_a_cell_is_ours_and_finds_the_engine(
    chromium: Browser, lab: Lab, engine: Minidock
) -> None:
    lab.put("engine.ipynb", ["!minidock run --rm busybox echo from inside"])
    with lab.open(chromium, "engine.ipynb") as sheet:
        sheet.run(0)
        assert sheet.text(0) == "from inside"
    assert "busybox" in engine.run("images").stdout


def test_each_theme_is_shown_and_a_picture_of_it_kept(chromium: Browser, lab: Lab) -> None:
    lab.put("theme.ipynb", ["1"])
    with lab.open(chromium, "theme.ipynb", theme=THEMES[-1]) as sheet:
        for theme in THEMES:
            sheet.theme(theme)
            is_light = sheet.page.evaluate("() => document.body.dataset.jpThemeLight")
            assert is_light == str(theme == "JupyterLab Light").lower()
            picture = keep(sheet.page, f"lab-{theme.partition(' ')[2]}")
            assert picture.stat().st_size > 10_000


def test_a_page_can_be_shown_twice_as_large(page: Page) -> None:
    page.set_content("<title>t</title>")
    zoom(page, 2)
    assert page.evaluate("() => [innerWidth, innerHeight, devicePixelRatio]") == [
        640,
        360,
        2,
    ]


def test_errors_and_strangers_are_noticed(chromium: Browser, lab: Lab) -> None:
    lab.put(
        "bad.ipynb",
        ["from IPython.display import Javascript\n"
         "Javascript(\"console.error('not so'); fetch('http://127.0.0.2:9/')\")"],
    )  # fmt: skip
    with lab.open(chromium, "bad.ipynb") as sheet:
        sheet.run(0)
        sheet.page.wait_for_timeout(200)
        assert "not so" in sheet.complaints
        assert "asked http://127.0.0.2:9/" in sheet.complaints


def test_axe_names_what_hinders_and_passes_what_does_not(page: Page) -> None:
    page.set_content(
        "<html lang=en><title>t</title><main><h1>Two</h1>"
        "<div class=bad><img src='data:,'></div><div class=good><p>Words</p></div></main>"
    )
    (said,) = hindrances(page, ".bad")
    assert said.startswith("image-alt (critical) at img: ")
    assert hindrances(page, ".good") == []
    with pytest.raises(Exception, match="nothing matches"):
        hindrances(page, ".absent")
