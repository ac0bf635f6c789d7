"""A replay page in Chromium, from a file, with everything noted that should not happen.

replay = opened(page, tmp_path, *STORIES["run"])
replay.press("End")
assert replay.step == 62
assert not replay.complaints
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, Request

import pyminidock
from pyminidock.cli.trace_page import page_of
from pyminidock.events.journal import Header, Record, Trace

READY = "#md-player[data-ready]"

# What a person sees, as text: classes that change, texts, what is open, checked or current.
_SNAPSHOT = """() => [...document.querySelectorAll('.md-ui-caption, .md-ui-hosts')].map(
  element => element.outerHTML).join('\\n')"""


@dataclass  # without slots: Playwright keeps a note on whoever listens
class Replay:
    """A page that replays one story."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Note every word of the console, every error, every address that is asked."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._on_request)

    def go(self, address: str) -> None:
        """Open it, and wait until it shows its story."""
        self.page.goto(address)
        self.page.locator(READY).wait_for()

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def step(self) -> int:
        """The number of the step at which it stands."""
        return int(self.page.locator(".md-ui-number").input_value())

    @property
    def last(self) -> int:
        """How many steps there are."""
        return int(self.page.locator(".md-ui-total").inner_text().removeprefix("of "))

    @property
    def says(self) -> str:
        """The sentence of the step."""
        return self.page.locator(".md-ui-say-1").inner_text()

    def snapshot(self) -> str:
        """Everything that a step shows."""
        return str(self.page.evaluate(_SNAPSHOT))

    def button(self, name: str) -> Locator:
        """Give a button by the name that it is read out with."""
        return self.page.get_by_role("button", name=name, exact=True)

    def focused(self) -> str:
        """Say what has the focus: its class."""
        return str(self.page.evaluate("() => document.activeElement.className"))

    def _on_console(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.complaints.append(f"asked {request.url}")


def written(folder: Path, header: Header, records: Iterable[Record]) -> Path:
    """Write a story as a page, with the source of the engine that is installed."""
    told = replace(header, engine={"version": pyminidock.__version__})
    place = folder / "story.html"
    place.write_text(page_of(Trace(told, tuple(records))), encoding="utf-8")
    return place


def opened(
    page: Page, folder: Path, header: Header, records: Iterable[Record], hash: str = ""
) -> Replay:
    """Write a story as a page and open it."""
    replay = Replay(page)
    replay.listen()
    replay.go(written(folder, header, records).as_uri() + hash)
    return replay


def overflow(page: Page) -> Any:
    """Say by how many pixels the page is wider than its window."""
    return page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
