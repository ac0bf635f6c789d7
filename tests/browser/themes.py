"""The looks in which everything has to be readable, and where pictures of them are kept.

A theme is JupyterLab's; what a person's system prefers is the browser's, and is imitated:

    with lab.open(chromium, "a.ipynb", theme="JupyterLab Dark") as sheet:
        prefers(sheet.page, motion="reduce", forced_colors="active")
        keep(sheet.widget(0), "stepper-dark")       build/shots/stepper-dark.png, to look at
"""

from pathlib import Path
from typing import Literal

from playwright.sync_api import Locator, Page

THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
SHOTS = Path(__file__).parents[2] / "build" / "shots"  # git ignores build/


def prefers(
    page: Page,
    *,
    scheme: Literal["light", "dark"] = "light",
    motion: Literal["no-preference", "reduce"] = "no-preference",
    forced_colors: Literal["none", "active"] = "none",
    medium: Literal["screen", "print"] = "screen",
) -> None:
    """Let the page believe that its reader's system is set so."""
    page.emulate_media(
        color_scheme=scheme, reduced_motion=motion, forced_colors=forced_colors,
        media=medium,
    )  # fmt: skip


def zoom(page: Page, factor: float) -> None:
    """Show the page larger, as Ctrl and + do: fewer of its pixels fit into the window."""
    size = page.viewport_size
    assert size is not None
    session = page.context.new_cdp_session(page)
    session.send(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": round(size["width"] / factor),
            "height": round(size["height"] / factor),
            "deviceScaleFactor": factor, "mobile": False,
        },
    )  # fmt: skip


def keep(shown: Page | Locator, name: str) -> Path:
    """Keep a picture of what is shown, to be looked at; give its place."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    place = SHOTS / f"{name}.png"
    shown.screenshot(path=place, animations="disabled", caret="hide")
    return place
