"""Pictures that are no story, in a real notebook: what is in an image, what was written."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import hindrances
from tests.browser.lab import Lab
from tests.browser.themes import THEMES, keep
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.browser

LOAD = "%load_ext pyminidock"
WRITE = (
    "%minidock run --name wrote busybox sh -c 'echo hi >/new; echo more >>/etc/passwd;"
    " rm /bin/vi'"
)


def test_an_image_is_a_picture_whose_layers_unfold_by_keys_alone(
    chromium: Browser, lab: Lab
) -> None:
    lab.put("image.ipynb", [LOAD, "%minidock image layers busybox"])
    with lab.open(chromium, "image.ipynb") as sheet:
        sheet.run(0)
        sheet.run(1)
        shown = sheet.output(1)
        expect(shown).to_contain_text("What is in this image, and who shares it?")
        assert shown.locator("figure").count() == 1
        for closed in shown.locator("summary").all():
            if closed.is_visible():
                closed.focus()
                sheet.page.keyboard.press("Enter")
        expect(shown.get_by_text("/bin/busybox").last).to_be_visible()
        keep(shown, "image-layers")
        assert sheet.complaints == []


@pytest.mark.parametrize("theme", THEMES)
def test_what_a_container_wrote_hinders_nobody(
    chromium: Browser, lab: Lab, engine: Minidock, theme: str
) -> None:
    lab.put("written.ipynb", [LOAD, WRITE, "%minidock explain written wrote"])
    try:
        with lab.open(chromium, "written.ipynb", theme=theme) as sheet:
            for cell in range(3):
                sheet.run(cell)
            shown = sheet.output(2)
            expect(shown).to_contain_text("one directory of the host")
            assert shown.locator("figure").count() == 1
            assert hindrances(sheet.page, ".jp-Cell:last-of-type .jp-OutputArea") == []
            keep(shown, f"written-{theme.rpartition(' ')[2].lower()}")
            assert sheet.complaints == []
    finally:
        engine.run("rm", "--force", "wrote")
