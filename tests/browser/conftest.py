"""Chromium, a JupyterLab and an engine, one of each for the whole run.

On a laptop without Chromium these tests skip and say what to install; in CI nothing skips.

Playwright's event loop runs in this thread from the first test on.  What wants a loop of
its own here (nbclient, `asyncio.run`) has to be a program of its own.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.lab import VIEW, Lab, lab_at, scratch
from tests.minidock_cli import Minidock
from tests.reference import wait_until

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium fonts-dejavu-core")
    # Only root goes without a sandbox: as root, Chromium has none.
    args = ["--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"]
    args += ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=args)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page, the size of a projector."""
    window = chromium.new_context(viewport=VIEW, locale="en-GB", timezone_id="UTC")
    try:
        yield window.new_page()
    finally:
        window.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[Minidock]:
    """An engine with its busybox image, which the lab's kernels speak to."""
    with scratch("minidock-lab-") as place:
        engine = Minidock(place / "root", place / "minidock.sock")
        try:
            made = engine.run("bootstrap", "busybox")
            assert made.returncode == 0, made.stderr
            yield engine
        finally:
            ended = engine.run("system", "reset", "--force")
        assert ended.returncode == 0, ended.stderr
        with suppress(TimeoutError):
            wait_until(lambda: not engine.remains(), 10, "our engine to be gone")
        left = engine.remains()
        assert not left, "\n".join(left)


@pytest.fixture(scope="session")
def lab(engine: Minidock) -> Iterator[Lab]:
    """A JupyterLab whose notebooks find that engine."""
    with scratch("lab-") as home, lab_at(home, engine.environment) as lab:
        yield lab
