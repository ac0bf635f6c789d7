"""Notebooks that are run where nobody looks: real pictures, no secrets, twice the same.

They run in programs of their own: the loop of this process belongs to the browser.
"""

import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import BIN, notebook
from tests.minidock_cli import Minidock

pytestmark = pytest.mark.browser

CELLS = (
    "%load_ext pyminidock",
    "%%dockerfile paper --build --no-cache\n"
    "FROM busybox\nRUN echo built\nCMD echo on paper\n",
    "handle = %minidock run --rm paper\nhandle",
    "print(handle.wait(), handle.state)",
    "%minidock step run busybox echo stepped",
    "!minidock run --rm paper",
    "%minidock run --rm -e TOKEN=canary-env busybox true --header 'X-Token: canary-argv'",
    "%minidock ps -aq",
    "%minidock rm nobody",
    "%minidock image layers paper",
    "%minidock trace show last",
    "%%dockerfile <b>no</b> --build\nFROM busybox\n",
)  # fmt: skip
VARIES = re.compile(r"[0-9a-f]{12,64}|\d+(\.\d+)? ?(m?s|kB|MB|B)\b")


class Images(HTMLParser):
    """The text alternatives of the images in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an image."""
        if tag == "img":
            self.found.append(dict(attrs).get("alt") or "")


def convert(engine: Minidock, path: Path, *words: str) -> Path:
    """Do what `jupyter nbconvert` does with it."""
    kind = words[words.index("--to") + 1]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nbconvert", *words),
            *("--output", f"{path.stem}-{kind}", path),
        ],
        env=engine.environment
        | {"HOME": str(path.parent), "PATH": f"{BIN}:{os.environ['PATH']}"},
        cwd=path.parent, text=True,
        capture_output=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return next(path.parent.glob(f"{path.stem}-{kind}.*"))


def plain(path: Path) -> list[str]:
    """Give what each output says as text, without what differs from run to run."""
    found = []
    for cell in json.loads(path.read_text())["cells"]:
        streams = {"stdout": "", "stderr": ""}  # however many pieces they came in
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                streams[output["name"]] += "".join(output["text"])
            else:
                found.append("".join(output.get("data", {}).get("text/plain", "")))
        found += [text for text in streams.values() if text]
    return [VARIES.sub("…", text.replace("\r", "")) for text in found]


@pytest.fixture(scope="module")
def executed(
    engine: Minidock, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ...]:
    """Run the notebook twice, from the top, in two kernels."""
    made = []
    for name in ("one", "two"):
        path = tmp_path_factory.mktemp(name) / f"{name}.ipynb"
        path.write_text(json.dumps(notebook(CELLS, {})))
        made.append(convert(engine, path, "--to", "notebook", "--execute",
                            "--ExecutePreprocessor.store_widget_state=False"))  # fmt: skip
    return tuple(made)


def html_of(path: Path, number: int) -> str:
    outputs: list[dict[str, Any]] = json.loads(path.read_text())["cells"][number]["outputs"]
    return "".join("".join(each.get("data", {}).get("text/html", "")) for each in outputs)


def test_a_notebook_says_the_same_each_time_it_is_run(executed: tuple[Path, ...]) -> None:
    one, two = map(plain, executed)
    assert one == two
    assert one.count("on paper") == 1
    assert one.count("on paper\n") == 1  # what `!` prints
    assert "stepped" in one
    assert "0 exited (0)\n" in one


def test_a_build_that_was_refused_before_it_began_says_so_where_its_picture_would_be(
    executed: tuple[Path, ...],
) -> None:
    html = html_of(executed[0], -1)
    assert "minidock: Error response from daemon: invalid reference format\n  why: " in html
    assert "<b>" not in html


@pytest.mark.parametrize("number", [1, 2, 4, 6, 9, 10])
def test_every_story_and_image_is_a_picture_with_its_text(
    executed: tuple[Path, ...], number: int
) -> None:
    html = html_of(executed[0], number)
    assert [alt for alt in Images(html).found if len(alt) > 20]
    assert "<pre>" in html


def test_a_page_made_of_it_shows_the_pictures_and_asks_nobody_for_a_widget(
    engine: Minidock, executed: tuple[Path, ...]
) -> None:
    page = convert(engine, executed[0], "--to", "html").read_text()
    assert len([alt for alt in Images(page).found if len(alt) > 20]) >= 5
    assert "application/vnd.jupyter.widget-state+json" not in page


def test_no_secret_is_in_what_is_shown(executed: tuple[Path, ...]) -> None:
    for cell in json.loads(executed[0].read_text())["cells"]:
        shown = json.dumps(cell.get("outputs", []))
        assert "canary" not in shown
        for picture in re.findall("base64,([A-Za-z0-9+/=]+)", shown):
            assert b"canary" not in b64decode(picture)
