"""Hostile words and secrets in a notebook: executed, saved, exported, opened by strangers.

The words come from a real engine: names of files, labels, what programs print, what was
typed.  The exporters are Jupyter's own; what they make is read with parsers.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab, Sheet, notebook
from tests.browser.test_notebooks_on_paper import convert
from tests.browser.themes import keep
from tests.minidock_cli import Minidock
from tests.reference import wait_until

pytestmark = pytest.mark.browser

LOAD = "%load_ext pyminidock"
HOSTILE = r"""BAD = (
    "<img src=http://evil.invalid/x onerror='window.__pwned=1'>\x1b]0;pwned\x07"
    "\x1b]52;c;eA==\x07\x1b]8;;http://evil.invalid\x07\x1b[2J</script><script>"
    "window.__pwned=1;document.title='pwned'</script>\u202eevil"
)
import os
os.makedirs("ctx", exist_ok=True)
open("ctx/" + BAD.replace("/", "_"), "w").write(BAD)
open("ctx/big", "w").write("y" * (1 << 20) + "\n")
quoted = BAD.replace("\x1b", "").replace("\x07", "")
open("ctx/Dockerfile", "w").write(
    f'FROM busybox\nLABEL bad="{quoted}"\nCOPY . /ctx/\n'
    "RUN cat /ctx/*; printf '\\355\\240\\200\\000\\377'\n"
)
None"""
WRITE = (
    '%minidock run --name hostile hostile sh -c \'for f in /ctx/*; do cat "$f"; '
    'cp "$f" "$f.w"; done; printf "\\355\\240\\200\\000"\''
)
CANARIES = {
    name: f"canary-{name}-xyzzy"
    for name in ("env", "token", "header", "option", "userinfo", "argument", "label",
                 "instruction", "file", "given")
}  # fmt: skip
PLANT = r"""open("ctx/secret", "w").write("API_TOKEN=canary-file-xyzzy\n")
open("ctx/Secrets", "w").write(
    "FROM busybox\nARG WHO\nENV A_KEY=canary-instruction-xyzzy\n"
    "LABEL maker=canary-label-xyzzy\nCOPY secret /s\nRUN cat /s; echo $WHO $A_KEY\n"
)
None"""
CELLS = (
    LOAD, HOSTILE, "%minidock build -t hostile ctx", WRITE,
    "%minidock image layers hostile", "%minidock explain written hostile",
    "%%predict 00.left\nminidock run --rm -e A_TOKEN=canary-token-xyzzy hostile "
    "sh -c 'cat /ctx/*; echo $A_TOKEN'",
    "%level 00.1", PLANT,
    "%minidock build --build-arg WHO=canary-argument-xyzzy --label a=canary-given-xyzzy"
    " -t secrets -f ctx/Secrets ctx",
    "%minidock run --rm -e PLAIN=canary-env-xyzzy -e A_TOKEN=canary-token-xyzzy secrets"
    " sh -c 'echo $A_TOKEN; cat /s; : curl "
    "-H \"Authorization: Bearer canary-header-xyzzy\" --password canary-option-xyzzy https://u:canary-userinfo-xyzzy@h/'",
    "%minidock trace show last", "%minidock image layers secrets",
    "!minidock rm --force hostile",
)  # fmt: skip
DRAWN = (2, 3, 4, 5, 9, 10, 11, 12)  # cells whose output is a picture
_FORBIDDEN = ("script", "iframe", "object", "embed", "link", "style", "form", "base")


class Outputs(HTMLParser):
    """What stands below the cells of an exported page, as elements and texts."""

    def __init__(self, page: str, only: str = "") -> None:
        super().__init__(convert_charrefs=True)
        self.images: list[dict[str, str]] = []
        self.acting: list[str] = []
        self.said = ""
        self._only, self._depth = only, 0 if only else 1
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and whatever of it could act or fetch."""
        told = {name: value or "" for name, value in attrs}
        if self._depth and tag == "div":
            self._depth += bool(self._only)
        elif self._only and tag == "div" and self._only in told.get("class", "").split():
            self._depth = 1
        if not self._depth:
            return
        if tag == "img":
            self.images.append(told)
        acting = [name for name in told if name.startswith("on")]
        remote = [
            value for name, value in told.items()
            if name in ("src", "href", "srcset", "action", "data")
            and not value.startswith(("data:image/", "#"))
        ]  # fmt: skip
        if tag in _FORBIDDEN or acting or remote:
            self.acting.append(f"<{tag} {acting} {remote}>")

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if self._only and self._depth and tag == "div":
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self._depth:
            self.said += data


@pytest.fixture(scope="module")
def executed(engine: Minidock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The notebook, run to its end where nobody looks, with the state of its widgets."""
    path = tmp_path_factory.mktemp("safe") / "safe.ipynb"
    path.write_text(json.dumps(notebook(CELLS, {})))
    yield convert(engine, path, "--to", "notebook", "--execute",
                  "--ExecutePreprocessor.store_widget_state=True")  # fmt: skip
    engine.run("rm", "--force", "hostile")
    engine.run("rmi", "--force", "hostile", "secrets")


def cells(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["cells"])


def bundles(cell: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give each text that a cell put out, by its type; pictures are unpacked as well."""
    for output in cell.get("outputs", []):
        told = output.get("data") or {
            "stream": output.get("text", output.get("evalue", ""))
        }
        for kind, value in told.items():
            text = value if isinstance(value, str) else "".join(value)
            yield kind, text
            for picture in re.findall(r"base64,([A-Za-z0-9+/=]+)", text):
                yield "image/svg+xml", b64decode(picture).decode()


def captions(cell: dict[str, Any]) -> list[str]:
    texts = [text for kind, text in bundles(cell) if kind == "text/html"]
    return re.findall("<figcaption>(.*?)</figcaption>", "".join(texts))


def checked(images: Sequence[dict[str, str]]) -> None:
    """Each is a real picture, inert, with a text."""
    for image in images:
        assert len(image["alt"]) > 20
        head, _, encoded = image["src"].partition("base64,")
        assert head == "data:image/svg+xml;"
        root = ET.fromstring(b64decode(encoded))  # noqa: S314  (our own words)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert len("".join(root.itertext())) > 100
        for element in root.iter():
            assert element.tag.rpartition("}")[2] not in (
                "script",
                "foreignObject",
                "image",
            )
            assert not [name for name in element.attrib if name.startswith("on")]
            assert not [value for value in element.attrib.values() if "//" in value]


# ── On paper ─────────────────────────────────────────────────────────────────────────────


def test_every_output_is_inert_and_bounded(executed: Path) -> None:
    """H-44: with hostile names, labels, output and build output."""
    for cell in cells(executed)[2:]:
        for kind, text in bundles(cell):
            if kind == "stream":  # the command line's own words, as in a terminal
                continue
            assert len(text) < 500_000
            found = [each for each in text if each in "\x00\x07\x1b\u202e"]
            assert not found, kind
            text.encode()  # no surrogate stands alone
            if kind == "text/html":
                assert Outputs(text).acting == []
    assert "evil" in "".join(text for cell in cells(executed) for _, text in bundles(cell))


def test_no_canary_is_in_outputs_widget_state_or_pictures(executed: Path) -> None:
    """H-45: of environment, argv, labels, arguments, instructions, printed files."""
    told = json.loads(executed.read_text())
    saved = "".join(text for cell in told["cells"] for _, text in bundles(cell))
    saved += json.dumps(told["metadata"])
    assert "‹redacted›" in saved
    assert [name for name, canary in CANARIES.items() if canary in saved] == []


def test_a_saved_notebook_stays_small(executed: Path) -> None:
    told = json.loads(executed.read_text())
    assert len(json.dumps(told["metadata"])) < 800_000
    for cell in told["cells"]:
        assert len(json.dumps(cell["outputs"])) < 400_000


@pytest.mark.parametrize("kind", ["html", "slides"])
def test_a_page_shows_pictures_with_texts_and_fetches_nothing_of_ours(
    engine: Minidock, executed: Path, kind: str
) -> None:
    """H-44: Jupyter's page has scripts of its own; below our cells there is none."""
    page = convert(engine, executed, "--to", kind).read_text()
    shown = Outputs(page, "jp-OutputArea-output")
    assert len(shown.images) == len(DRAWN)
    checked(shown.images)
    assert shown.acting == []
    for number in DRAWN:
        (caption,) = captions(cells(executed)[number])
        assert Outputs(caption).said in shown.said
    assert "Loading" not in shown.said
    assert "model_id" not in shown.said


def test_markdown_has_the_same_pictures(engine: Minidock, executed: Path) -> None:
    said = convert(engine, executed, "--to", "markdown").read_text()
    figures = re.findall("<figure.*?</figure>", said, re.DOTALL)
    shown = Outputs("".join(figures))
    assert len(shown.images) == len(DRAWN)
    checked(shown.images)
    assert shown.acting == []


def test_latex_has_the_pictures_as_text(engine: Minidock, executed: Path) -> None:
    said = convert(engine, executed, "--to", "latex").read_text()
    for number in DRAWN:
        (caption,) = captions(cells(executed)[number])
        assert Outputs(caption).said in said
    assert said.count("\\begin{verbatim}\n") >= len(DRAWN)


# ── In JupyterLab ────────────────────────────────────────────────────────────────────────


def is_untouched(sheet: Sheet) -> bool:
    """Whether no word of a container became a deed."""
    return bool(sheet.page.evaluate(
        "() => window.__pwned === undefined && !document.title.includes('pwned')"
    ))  # fmt: skip


def test_hostile_words_are_words_in_a_live_notebook(chromium: Browser, lab: Lab) -> None:
    """H-44: in steppers, pictures and cards of JupyterLab, first step to last."""
    lab.put("hostile.ipynb", CELLS[:8])
    with lab.open(chromium, "hostile.ipynb") as sheet:
        for number in range(8):
            sheet.run(number)
        for number in (2, 3):
            widget = sheet.widget(number)
            expect(widget.locator(".md-ui-number").first).to_be_visible(timeout=30_000)
            for key in ("End", "t", "2", "3", "s", "l", "Home", "ArrowRight", "End"):
                widget.focus()
                widget.press(key)
        for summary in sheet.page.locator(".jp-OutputArea summary:visible").all():
            summary.click()
        card = sheet.widget(6)
        card.get_by_role("radio").first.check()
        card.get_by_role("button", name="Reveal").click()
        expect(card.locator(".md-result")).to_be_visible()
        sheet.page.wait_for_timeout(300)
        keep(sheet.page, "hostile-live")
        assert is_untouched(sheet)
        assert sheet.page.locator("img[src*=evil], .jp-OutputArea script").count() == 0
        assert sheet.complaints == []


def test_a_stranger_opens_it_and_sees_pictures(
    chromium: Browser, lab: Lab, executed: Path
) -> None:
    """H-44: JupyterLab trusts nothing here, and has no kernel for its widgets."""
    (lab.folder / "foreign.ipynb").write_text(executed.read_text())
    with lab.open(chromium, "foreign.ipynb") as sheet:
        assert not sheet.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.widgets[2].model.trusted"
        )
        for number in DRAWN:
            picture = sheet.output(number).locator("figure img").first
            picture.scroll_into_view_if_needed()
            expect(picture).to_be_visible()
            assert len(str(picture.get_attribute("alt"))) > 20
            assert picture.evaluate("image => image.naturalWidth") > 100
            assert "Loading" not in sheet.output(number).inner_text()
        for number, words in ((6, "What happens"), (7, "Level 00.1")):
            sheet.cell(number).scroll_into_view_if_needed()
            expect(sheet.output(number)).to_contain_text(words)
        assert sheet.page.locator(".jp-OutputArea script").count() == 0
        keep(sheet.page, "hostile-stranger")
        assert is_untouched(sheet)
        assert sheet.complaints == []


def test_a_notebook_that_keeps_the_state_of_widgets_is_small_and_has_no_secret(
    chromium: Browser, lab: Lab
) -> None:
    """H-45: saveState is off by default; where it is switched on, all is as before."""
    setting = lab.folder.parent / (
        "config/lab/user-settings/@jupyter-widgets/jupyterlab-manager"
        "/plugin.jupyterlab-settings"
    )
    setting.parent.mkdir(parents=True, exist_ok=True)
    setting.write_text('{"saveState": true}')
    run = (
        "%minidock run --rm -e A_TOKEN=canary-token-xyzzy busybox sh -c "
        "'echo $A_TOKEN; : --password canary-option-xyzzy'"
    )
    path = lab.put("kept.ipynb", [LOAD, run, "%minidock image layers busybox"])
    try:
        with lab.open(chromium, "kept.ipynb") as sheet:
            for number in range(3):
                sheet.run(number)
            expect(sheet.widget(1).locator(".md-ui-number").first).to_be_visible()
            wait_until(lambda: "<img" in "".join(
                text for _, text in bundles({"outputs": sheet.outputs(1)})
            ), 30, "the picture")  # fmt: skip
            sheet.save()
            assert sheet.complaints == []
        told = json.loads(path.read_text())
        state = json.dumps(told["metadata"]["widgets"])
        assert len(state) < 500_000
        assert "canary" not in state + json.dumps(
            [cell["outputs"] for cell in told["cells"]]
        )
        with lab.open(chromium, "kept.ipynb") as sheet:
            picture = sheet.output(1).locator("figure img").first
            expect(picture).to_be_visible()
            sheet.page.wait_for_timeout(500)
            expect(picture).to_be_visible()
            keep(sheet.page, "kept-reopened")
    finally:
        setting.unlink()
