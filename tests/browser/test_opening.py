"""What `minidock lab` opens: JupyterLab on the folder, silent towards the world."""

import subprocess
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.lab import READY_S, answers
from tests.browser.themes import keep
from tests.minidock_cli import Minidock
from tests.reference import wait_until


def test_the_lab_opens_in_a_browser_and_asks_nobody_else(
    page: Page, engine: Minidock, tmp_path: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    (tmp_path / "home").mkdir()
    words = engine.words("lab", str(tmp_path / "mine"), "--print-url")
    lab = subprocess.Popen(
        words, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**engine.environment, "HOME": str(tmp_path / "home")},
    )  # fmt: skip
    try:
        assert lab.stdout
        address = lab.stdout.readline().strip()
        server = address.partition("/lab")[0]
        wait_until(lambda: answers(server), READY_S, "JupyterLab")
        page.goto(address)
        page.locator("#jp-main-dock-panel").wait_for(timeout=60_000)
        page.locator(".jp-DirListing").first.wait_for()
        page.wait_for_timeout(1_500)  # in which Lab used to ask for news
        keep(page, "minidock-lab")
        assert page.locator(".jp-toastContainer").all_inner_texts() == []
    finally:
        lab.terminate()
        with suppress(
            subprocess.TimeoutExpired
        ):  # Jupyter's threads may wait for each other
            lab.wait(60)
        lab.kill()
        lab.communicate()
    others = [url for url in asked if not url.startswith((server, "data:", "blob:"))]
    assert others == []
    assert not any("/lab/api/news" in url for url in asked)
