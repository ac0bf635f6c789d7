"""A stepper without a browser: what it answers to a page, and what it draws on paper."""

import json
from base64 import b64decode
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from pyminidock.events.journal import Header, Trace
from pyminidock.events.redaction import of_record
from pyminidock.viz.film import flat
from pyminidock.viz.views import suiting
from pyminidock.viz.world import fold_all
from pyminidock.widgets.assets import loader, look, script, source
from pyminidock.widgets.cell import is_watched
from pyminidock.widgets.figure import figure, image, refused, waiting
from pyminidock.widgets.footage import Footage
from pyminidock.widgets.sender import Message, Sender
from pyminidock.widgets.stepper import Stepper
from tests.reference import wait_until
from tests.viz.films import HOSTILE, STORIES

PATIENCE_S = 60  # for what takes a second; other programs may want the processors too


class Tags(HTMLParser):
    """The tags and attributes of a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes |= {f"{tag}.{name}": value or "" for name, value in attrs}


class Posted:
    """What a stepper would have sent to its pages."""

    def __init__(self, stepper: Stepper) -> None:
        self.messages: list[dict[str, Any]] = []
        self.frames: dict[int, dict[str, Any]] = {}
        self._stepper = stepper
        stepper.outlet.post = self._take

    def hear(self, message: dict[str, object]) -> None:
        """Say something to the kernel, as a page does."""
        self._stepper.widget._handle_custom_msg(message, [])

    def _take(self, message: Message, buffers: list[bytes]) -> None:
        self.messages.append(dict(message))
        if message["t"] == "frames":
            self.frames |= dict(enumerate(json.loads(buffers[0]), message["from"]))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Wait for a message of this kind; give all there are, the newest last."""
        wait_until(
            lambda: any(each["t"] == kind for each in self.messages), PATIENCE_S, kind
        )
        return [each for each in self.messages if each["t"] == kind]

    def wait_for_all(self) -> int:
        """Wait until every frame of the story came, so none is on its way; count them."""
        count = len(trace("run").records)
        wait_until(lambda: len(self.frames) == count, PATIENCE_S, "all frames")
        return count


def trace(name: str) -> Trace:
    header, records = STORIES[name]
    return Trace(header, tuple(records))


@pytest.fixture
def stepper() -> Iterator[Stepper]:
    made = Stepper(trace("run"))
    yield made
    made.close()


def test_a_recorded_story_reaches_a_page_whole(stepper: Stepper) -> None:
    posted = Posted(stepper)
    posted.hear({"t": "hello", "have": 0})
    count = posted.wait_for_all()
    assert [posted.frames[n]["i"] for n in range(1, count + 1)] == [*range(1, count + 1)]
    film = posted.of("film")[-1]
    assert film["header"]["format"] == "minidock-film"
    assert not film["header"]["live"]
    assert any(path.endswith(".py") for path in film["sources"])
    assert film["opens"] == 1 + [each.kind for each in trace("run").records].index(
        "container.started"
    )
    assert posted.of("state")[-1] | {"beat": 0} == {
        "t": "state", "live": False, "held": 0, "says": "", "parts": False,
        "beat": 0,
    }  # fmt: skip


def test_frames_are_sent_again_from_where_a_page_asks(stepper: Stepper) -> None:
    posted = Posted(stepper)
    posted.hear({"t": "hello", "have": 0})
    posted.wait_for_all()
    posted.messages.clear()
    posted.hear({"t": "resend", "from": 3})
    assert posted.of("frames")[0]["from"] == 3


@pytest.mark.parametrize(
    "nonsense",
    [
        {}, {"t": 7}, {"t": "resend", "from": "x"}, {"t": "order", "word": "rm -rf"},
        {"t": "pin", "step": None}, {"t": "hello", "have": -5},
        {"t": "break", "pattern": 3}, {"t": "order", "word": "step"},
    ],
)  # fmt: skip
def test_a_page_that_talks_nonsense_is_not_obeyed_and_hurts_nobody(
    stepper: Stepper, nonsense: dict[str, object]
) -> None:
    posted = Posted(stepper)
    posted.hear(nonsense)
    posted.hear({"t": "hello", "have": 0})
    posted.wait_for_all()


def test_what_a_stepper_prints_is_the_same_in_every_run(stepper: Stepper) -> None:
    assert repr(stepper) == f"<Stepper: {trace('run').header.title}>"


def test_a_widget_carries_no_frames_in_what_a_notebook_would_save(
    stepper: Stepper,
) -> None:
    state = stepper.widget.get_state()
    told = {name: state[name] for name in state if not name.startswith("_")}
    assert len(json.dumps(told, default=str)) < 1000


def test_the_player_comes_once_for_a_page_and_not_with_each_widget(
    stepper: Stepper,
) -> None:
    """A notebook that keeps the state of its widgets keeps the script of each."""
    kept = stepper.widget.get_state()
    assert len(kept["_esm"]) + len(kept.get("_css", "")) < 4_000
    sent = Posted(stepper)
    sent.hear({"t": "code"})
    assert sent.of("code") == [{"t": "code", "name": kept["code"]}]


# ── On paper ─────────────────────────────────────────────────────────────────────────────


def drawn(name: str, step: int = 0) -> dict[str, str]:
    told, sender = trace(name), Sender()
    footage = Footage.of_trace(told.header, told.records, sender.outlet(print))
    sender.close()
    for record in told.records:
        footage.add(record)
    picture = footage.picture(told.records, step)
    assert picture is not None
    scene, question, caption = picture
    return figure(scene, question, caption)


def test_a_page_that_is_full_gets_the_last_step_and_the_figure_knows_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, sender = trace("cold"), Sender()
    outlet = sender.outlet(print)
    sender.close()
    monkeypatch.setattr("pyminidock.widgets.sender.MOST_FRAMES", 12)
    footage = Footage.of_trace(told.header, told.records, outlet)
    for record in told.records:
        footage.add(record)
    assert footage.is_full
    assert len(outlet) == len(footage) == 11
    footage.end()
    outlet.greet(0)
    _, (frames,) = outlet.next_message(0.0)
    last = json.loads(frames)[-1]
    assert (last["i"], last["seq"]) == (12, told.records[-1].seq)
    assert last["left"] == len(told.records) - 12
    picture = footage.picture(told.records)
    assert picture is not None
    world = fold_all(map(of_record, told.records))
    assert flat(picture[0]) == flat(suiting(world)[0].draw(world))
    assert picture[2].startswith("Step 12 of 12: ")


@pytest.mark.parametrize("name", list(STORIES))
def test_a_figure_says_the_same_as_a_picture_and_as_text(name: str) -> None:
    told = Tags(drawn(name)["text/html"])
    assert told.tags[0] == "figure"
    assert told.attributes["img.alt"]
    picture = told.attributes["img.src"].partition("base64,")[2]
    assert len(picture) < 210_000
    assert Tags(b64decode(picture).decode()).tags[:2] == ["svg", "title"]
    assert {"figcaption", "details", "summary", "pre"} <= set(told.tags)
    assert not {"script", "svg", "iframe", "style", "object", "link"} & set(told.tags)
    assert not [name for name in told.attributes if ".on" in name]


def test_a_pinned_step_is_drawn_as_it_was_then() -> None:
    assert "Step 2 of" in drawn("run", 2)["text/html"]
    kinds = [record.kind for record in trace("run").records]
    assert f"Step {kinds.index('container.started') + 1} of" in drawn("run")["text/html"]
    assert drawn("run", 2) != drawn("run", 9)


def test_a_hostile_story_is_inert_on_paper() -> None:
    """H-44: in the static figure."""
    html = drawn("hostile")["text/html"]
    assert "<img onerror" not in html
    assert "</script>" not in html
    assert not [
        each for each in html if each in "\x00\x1b\u202e" or 0xD800 <= ord(each) < 0xE000
    ]
    assert HOSTILE not in html


def test_an_image_has_its_text_alternative() -> None:
    assert Tags(image("<svg/>", '<"x">')).attributes["img.alt"] == '<"x">'


def test_a_figure_that_is_to_come_says_so() -> None:
    bundle = waiting("run <b>", "comes later")
    assert "run &lt;b&gt;: comes later" in bundle["text/html"]


def test_a_figure_that_never_comes_says_why_and_obeys_nothing_in_it() -> None:
    bundle = refused("build -t <b>", ["minidock: no <b>", "  try: \x1b[2Jb"])
    assert "<pre>minidock: no &lt;b&gt;\n  try: \\x1b[2Jb</pre>" in bundle["text/html"]
    assert bundle["text/plain"] == "build -t <b>\nminidock: no <b>\n  try: \\x1b[2Jb"


# ── What goes to the browser ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", [script(), loader()])
def test_the_module_needs_nothing_from_elsewhere(text: str) -> None:
    assert "import " not in [line[:7] for line in text.splitlines()]
    assert text.count("export default") == 1
    for banned in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "http:"):
        assert banned not in text.replace("http://www.w3.org/", ""), banned
    assert "md-static" in look()


@pytest.mark.parametrize(
    "path", ["../secrets.py", "/etc/passwd", "viz//film.py", "x/../../a.py", "look.css"]
)
def test_only_source_of_this_package_is_given(path: str) -> None:
    assert source(path) is None
    assert source("viz/film.py") is not None


def test_a_terminal_is_looked_at_by_somebody() -> None:
    assert is_watched()


def test_a_header_without_records_has_no_picture() -> None:
    told, sender = Header(story="run-1", title="", created="", backend=""), Sender()
    footage = Footage.of_trace(told, (), sender.outlet(print))
    sender.close()
    assert footage.picture(()) is None
