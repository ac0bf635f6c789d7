"""Where no engine can run, recorded stories are shown, and say that they are recorded."""

import json
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.axe import hindrances
from tests.browser.lab import lab_at, scratch
from tests.browser.themes import keep
from tests.minidock_cli import Minidock

NOTEBOOK = Path(__file__).parents[2] / "binder" / "recorded.ipynb"


def test_each_recorded_story_opens_without_an_engine(chromium: Browser) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    shown = [n for n, cell in enumerate(cells) if "trace show" in "".join(cell["source"])]
    with scratch("recorded-") as home:
        nowhere = Minidock(home / "root", home / "root" / "socket")
        (home / "root").write_text("a file, where an engine would have its directory")
        with lab_at(home / "lab", nowhere.environment) as lab:
            (lab.folder / "recorded.ipynb").write_bytes(NOTEBOOK.read_bytes())
            with lab.open(chromium, "recorded.ipynb") as sheet:
                sheet.run_all()
                for number in shown:
                    widget = sheet.widget(number)
                    widget.get_by_text("REPLAY of REAL").wait_for()
                    widget.press("End")
                    assert int(widget.get_by_role("slider").input_value()) > 10
                assert hindrances(sheet.page) == []
                keep(sheet.page, "recorded")
                assert sheet.complaints == []
