"""A live program looks through its layers: read, append, delete, make anew, by keys."""

import re

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.axe import hindrances
from tests.browser.lab import Lab, Sheet
from tests.browser.test_stepper import LOAD, PATIENCE_S, step_of, until_held
from tests.browser.themes import keep
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.browser
PROGRAM = "cat /etc/group; echo x >> /etc/group; rm /etc/passwd; rm -r /home; mkdir /home"
BREAKS = " ".join(
    f"--break '{pattern}'"
    for pattern in (
        "path.resolved path=/etc/group", "path.copied.up path=/etc/group",
        "whiteout.made", "opaque.made",
    )
)  # fmt: skip
HELD = f"handle = %minidock step run --glass {BREAKS} busybox sh -c '{PROGRAM}'\nhandle"
LOOK, COPY = "Who answers for a path?", "What did a change copy?"


def pressed(widget: Locator, key: str) -> None:
    """Press a key, and wait until the story has been held somewhere else."""
    before = widget.locator(".md-ui-banner-held").inner_text()
    widget.press(key)
    expect(widget.locator(".md-ui-banner-held")).not_to_have_text(
        before, timeout=PATIENCE_S * 1000
    )
    until_held(widget)


def until_shown(widget: Locator, words: str) -> None:
    """Let the program go on from hold to hold until the picture says so."""
    picture = widget.locator(".md-ui-host:visible")
    for _ in range(12):
        if words in " ".join(picture.inner_text().split()):
            return
        pressed(widget, "Enter")
    raise AssertionError(f"{words!r} was never shown: {picture.inner_text()}")


def test_the_x_ray_moves_by_keyboard_and_says_which_layer_and_why_not_the_other(
    chromium: Browser, lab: Lab, engine: Minidock
) -> None:
    lab.put("xray.ipynb", [LOAD, HELD, "handle.wait()"])
    with lab.open(chromium, "xray.ipynb") as sheet:
        sheet.run(0)
        sheet.run(1)
        widget = sheet.widget(1)
        until_held(widget)
        widget.focus()
        picture = widget.locator(".md-ui-host:visible")
        expect(picture).to_contain_text("/etc/group comes from A")
        expect(picture).to_contain_text("why not init: has no /etc/group")
        expect(picture).to_contain_text("why not upper: has no /etc to look in")
        expect(picture).to_contain_text(re.compile(r"cat\[\d+\] asked"))
        found = step_of(widget)
        for _ in range(3):
            widget.press("ArrowLeft")
        assert step_of(widget) < found
        expect(picture).not_to_contain_text("/etc/group comes from A")
        widget.press("End")
        widget.get_by_role("button", name=COPY).press("Enter")
        widget.focus()
        until_shown(widget, "copied up from A")
        copied = step_of(widget)
        until_shown(widget, "/etc/passwd whiteout: it says that this is deleted")
        widget.get_by_role("button", name="Run from here").press("Enter")
        banner = widget.locator(".md-ui-banner-held")
        expect(banner).to_contain_text("minidock start -ai", timeout=PATIENCE_S * 1000)
        made = re.search(r"start -ai (\w+)", banner.inner_text())
        assert made is not None
        name = made[1]
        widget.focus()
        until_shown(widget, "/home opaque: shows nothing of what lies below")
        widget.press("Enter")
        sheet.run(2)
        assert sheet.text(2) == "0"
        changes = engine.run("diff", name).stdout.splitlines()
        assert {"C /etc/group", "D /etc/passwd"} <= {*changes}
        assert "D /home" not in changes
        assert engine.run("rm", name).returncode == 0
        looked_at(sheet, widget, {LOOK: found, COPY: copied})
        assert not sheet.complaints


def looked_at(sheet: Sheet, widget: Locator, steps: dict[str, int]) -> None:
    """See both pictures by day and by night, as a program and as a person can."""
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        sheet.theme(theme)
        for view, step in steps.items():
            number = widget.locator(".md-ui-number")
            number.fill(str(step))
            number.press("Enter")
            widget.get_by_role("button", name=view).press("Enter")
            assert hindrances(sheet.page, ".md-root") == []
            assert fits(sheet, widget)
            keep(widget, f"xray-{view.split()[0]}-{theme.split()[1]}".lower())


def fits(sheet: Sheet, widget: Locator) -> bool:
    """Tell whether all of it is seen at once, and its picture has room, on a projector."""

    def height(shown: Locator) -> float:
        return float(shown.evaluate("e => e.getBoundingClientRect().height"))

    picture = height(widget.locator(".md-ui-host:visible"))
    room = height(sheet.page.locator(".jp-WindowedPanel-outer"))
    return height(widget) <= room and picture >= 130
