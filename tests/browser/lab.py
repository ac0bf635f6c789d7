"""A real JupyterLab, with an engine of its own behind it, as somebody at a screen has it.

    with lab_at(home, environment) as lab:              the server; ready when it answers
        lab.put("a.ipynb", ["%load_ext pyminidock", "1 + 1"])
        with lab.open(browser, "a.ipynb") as sheet:     a page that shows the notebook
            sheet.run(1)                                one cell, until it is done
            assert sheet.text(1) == "2"
            assert not sheet.complaints                 console errors, strangers asked

The server runs in a home directory of its own, so settings, trust and workspaces of whoever
runs the tests stay out of it and untouched.  It has no token: it listens on 127.0.0.1 for
a test.  The page never waits for a time, only for what the notebook says of itself.

Source: jupyterlab 4.6, docs/source/user/commands.rst; jupyter.md 5.3.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    ViewportSize,
)

from tests.reference import wait_until

VIEW: ViewportSize = {"width": 1280, "height": 720}  # a projector
READY_S = 60.0
CELL_MS = 60_000
BIN = Path(sys.executable).parent

# What JupyterLab itself says, whatever the notebook shows.
_OF_LAB = (
    "terminals",  # we switched them off
    "ResizeObserver loop",  # Chromium's word for a layout that took two passes
)

_SHOWN = """() => {
  const shown = window.jupyterapp?.shell?.currentWidget;
  return Boolean(shown?.sessionContext?.session?.kernel && shown.content?.widgets?.length);
}"""
_READY = """async () => {
  await window.jupyterapp.restored;
  const shown = window.jupyterapp.shell.currentWidget;
  await shown.context.ready;
  await shown.sessionContext.ready;
  await shown.sessionContext.session.kernel.info;
}"""
_RUN = """async n => {
  const { content, sessionContext } = window.jupyterapp.shell.currentWidget;
  content.deselectAll();
  content.activeCellIndex = n;
  await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
_IDLE = """() => {
  const shown = window.jupyterapp.shell.currentWidget;
  return shown.sessionContext.session?.kernel?.status === 'idle' &&
    shown.content.widgets.every(
      cell => cell.model.type !== 'code' || cell.model.executionState !== 'running');
}"""
_OUTPUTS = """n => {
  const model = window.jupyterapp.shell.currentWidget.content.widgets[n].model;
  return model.outputs ? model.outputs.toJSON() : [];
}"""
_WRITE = """([n, text]) => {
  window.jupyterapp.shell.currentWidget.content.widgets[n].model.sharedModel.setSource(text);
}"""
_COMMAND = "([name, args]) => window.jupyterapp.commands.execute(name, args)"


@dataclass(frozen=True, slots=True)
class Lab:
    """A JupyterLab server and the directory whose files it shows."""

    url: str
    folder: Path

    def put(self, name: str, cells: Sequence[str], **metadata: object) -> Path:
        """Write a notebook of code cells; one that begins with "# " and a space is text."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook(cells, metadata)), encoding="utf-8")
        return path

    @contextmanager
    def open(
        self, browser: Browser, name: str, *, theme: str = "", **context: Any
    ) -> Iterator["Sheet"]:
        """Show a notebook with its kernel ready; end both at the end.

        `theme` is one of `themes.THEMES`; `context` goes to the browser's new window, as
        `reduced_motion="reduce"`, `device_scale_factor=2`.
        """
        settings: dict[str, Any] = {
            "viewport": VIEW, "locale": "en-GB", "timezone_id": "UTC", **context,
        }  # fmt: skip
        window = browser.new_context(**settings)
        try:
            sheet = Sheet(window.new_page(), self.url)
            sheet.listen()
            sheet.go(f"{self.url}/lab/tree/{name}?reset")
            if theme:
                sheet.theme(theme)
            yield sheet
            sheet.end()
        finally:
            window.close()


@dataclass  # without slots: Playwright keeps a note on whoever listens
class Sheet:
    """A page of JupyterLab that shows one notebook; cells are counted from 0."""

    page: Page
    origin: str
    errors: list[str] = field(default_factory=list)  # what the console was told
    strangers: list[str] = field(default_factory=list)  # addresses asked elsewhere

    @property
    def complaints(self) -> list[str]:
        """Everything that should not have happened."""
        return [*self.errors, *(f"asked {address}" for address in self.strangers)]

    # ── Cells ─────────────────────────────────────────────────────────────────────────────

    def cell(self, number: int) -> Locator:
        """Give a cell."""
        return self.page.locator(".jp-Notebook-cell").nth(number)

    def output(self, number: int) -> Locator:
        """Give what is below a cell."""
        return self.cell(number).locator(".jp-OutputArea").first

    def run(self, number: int) -> None:
        """Run one cell, and wait until the kernel has done it."""
        self.page.evaluate(_RUN, number)
        self.wait_idle()

    def begin(self, number: int) -> None:
        """Run one cell, and do not wait."""
        self.page.evaluate(f"n => void ({_RUN})(n)", number)

    def run_all(self) -> None:
        """Run all cells from the top."""
        self.command("notebook:run-all-cells")
        self.wait_idle()

    def restart_and_run_all(self) -> None:
        """Do what the menu calls "Restart Kernel and Run All Cells", and agree."""
        self.restart()
        self.run_all()

    def wait_idle(self) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(_IDLE, timeout=CELL_MS)

    def write(self, number: int, text: str) -> None:
        """Put another text into a cell."""
        self.page.evaluate(_WRITE, [number, text])

    def outputs(self, number: int) -> list[dict[str, Any]]:
        """Give the outputs of a cell as the notebook file would have them."""
        return list(self.page.evaluate(_OUTPUTS, number))

    def text(self, number: int) -> str:
        """Give the plain text that a cell put out, errors too, without escape sequences."""
        return "".join(map(_plain, self.outputs(number))).strip()

    def widget(self, number: int, selector: str = ".md-root") -> Locator:
        """Wait until a widget stands below a cell, and give it."""
        found = self.output(number).locator(selector).first
        found.wait_for(timeout=CELL_MS)
        found.scroll_into_view_if_needed()
        return found

    # ── The notebook and its kernel ───────────────────────────────────────────────────────

    def command(self, name: str, **args: object) -> None:
        """Do what an entry of Lab's menu or command palette does."""
        self.page.evaluate(_COMMAND, [name, args])

    def theme(self, name: str) -> None:
        """Show everything in another of Lab's themes."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(
            "name => document.body.dataset.jpThemeName === name", arg=name
        )

    def save(self) -> None:
        """Save the notebook."""
        self.command("docmanager:save")

    def restart(self) -> None:
        """Restart the kernel, without being asked whether."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
            ".restart()"
        )
        self._wait_ready()

    def reload(self) -> None:
        """Load the page again, as F5 does."""
        self.go(self.page.url)

    def go(self, address: str) -> None:
        """Go to a page of Lab whose notebook gets a kernel."""
        self.page.goto(address)
        self._wait_ready()

    def _wait_ready(self) -> None:
        self.page.wait_for_function(_SHOWN, timeout=CELL_MS)
        self.page.evaluate(_READY)
        self.page.wait_for_function(_SHOWN, timeout=CELL_MS)
        self.wait_idle()

    def end(self) -> None:
        """Save nothing, and end the kernel."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.shutdown()"
        )

    # ── What should not happen ────────────────────────────────────────────────────────────

    def listen(self) -> None:
        """Note what the console is told, and who else is asked for anything."""
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def _told(self, message: ConsoleMessage) -> None:
        # "Failed to load resource" names no address; `_answered` does.
        expected = ("Failed to load resource", *_OF_LAB)
        if message.type == "error" and not any(words in message.text for words in expected):
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self.strangers.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and "/api/terminals" not in response.url:
            self.errors.append(f"{response.status} {response.url}")


def notebook(cells: Sequence[str], metadata: Mapping[str, object]) -> dict[str, object]:
    """Make a notebook of code cells; a text that begins with "# " is a cell of text."""
    made: list[dict[str, object]] = []
    for number, source in enumerate(cells):
        cell: dict[str, object] = {"id": f"cell-{number}", "metadata": {}, "source": source}
        if source.startswith("# "):
            cell["cell_type"] = "markdown"
        else:
            cell |= {"cell_type": "code", "outputs": [], "execution_count": None}
        made.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "cells": made, "metadata": {"kernelspec": kernel, **metadata}, "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip


def _plain(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        said = output["text"]
    elif output["output_type"] == "error":
        said = "\n".join(output["traceback"])
    else:
        said = output["data"].get("text/plain", "")
    text = said if isinstance(said, str) else "".join(said)
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


# ── The server ────────────────────────────────────────────────────────────────────────────


@contextmanager
def lab_at(
    home: Path, environment: Mapping[str, str], settings: Sequence[str] = ()
) -> Iterator[Lab]:
    """Run a server below `home`; its kernels see `environment`.

    The programs of this Python come first on PATH, so `!minidock` is ours.
    """
    folder = home / "notebooks"
    folder.mkdir(parents=True)
    quiet = home / "config/lab/user-settings/@jupyterlab/apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    port = free_port()
    words = [
        sys.executable, "-m", "pyminidock.cli.lab_server", "--no-browser",
        "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.terminals_enabled=False", *settings,
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]  # fmt: skip
    with (home / "server.txt").open("wb") as said:
        server = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=folder,
            env={
                **environment, "HOME": str(home), "PATH": f"{BIN}:{environment['PATH']}",
                "JUPYTER_CONFIG_DIR": str(home / "config"), "NO_COLOR": "1",
            },
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: server.poll() is not None or answers(url), READY_S, "JupyterLab")
        assert server.poll() is None, (home / "server.txt").read_text()
        yield Lab(url, folder)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def free_port() -> int:
    """Give a port that nobody has at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(url: str) -> bool:
    """Tell whether a server answers, to whoever may ask."""
    try:
        with urllib.request.urlopen(f"{url}/api", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """Give a directory that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as place:
        yield Path(place)
