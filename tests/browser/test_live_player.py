"""A player that is told a live story, by a kernel that notes what it is asked for."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pyminidock.client.pagefiles import script, style
from tests.browser.axe import hindrances
from tests.viz.films import STORIES, film

pytestmark = pytest.mark.browser

BEGIN = """header => {
  window.sent = [];
  const root = document.body.appendChild(document.createElement('div'));
  window.film = new MdFilm(header);
  window.player = new MdPlayer(root, film, { send: message => sent.push(message) });
}"""
TELL = "([from, frames]) => { film.add(from, frames); player.grew(); }"


class Story:
    """A live story, told frame by frame."""

    def __init__(self, page: Page) -> None:
        told = film(*STORIES["run"], live=True)
        self.page, self.frames = page, told["frames"]
        page.add_style_tag(content=style())
        page.add_script_tag(content=script())
        page.evaluate(BEGIN, json.loads(json.dumps(told["header"])))

    def tell(self, upto: int) -> None:
        """Send the frames up to one."""
        known = self.page.evaluate("() => film.length")
        self.page.evaluate(TELL, [known + 1, self.frames[known:upto]])

    def news(self, **state: object) -> None:
        """Say how the story is."""
        self.page.evaluate("news => player.setState(news)", state)

    def hold(self, step: int) -> None:
        """Tell up to a step, and hold there."""
        self.tell(step)
        self.news(live=True, held=step, says="the root is next")

    @property
    def sent(self) -> Any:
        """What the kernel was told."""
        return self.page.evaluate("() => sent")

    @property
    def step(self) -> int:
        """The number of the step at which the player stands."""
        return int(self.page.evaluate("() => film.position"))


@pytest.fixture
def live(page: Page) -> Story:
    return Story(page)


def test_before_anything_happens_it_says_so_and_follows_from_the_first_step(
    live: Story,
) -> None:
    expect(live.page.locator(".md-ui-say-1")).to_have_text("Before the first step")
    live.tell(3)
    assert live.step == 3
    live.tell(9)
    assert live.step == 9
    expect(live.page.locator(".md-ui-label")).to_have_text("REAL")


def test_who_went_back_stays_there_while_the_story_goes_on(live: Story) -> None:
    live.tell(9)
    live.page.locator(".md-player").focus()
    live.page.keyboard.press("ArrowLeft")
    live.tell(20)
    assert live.step == 8
    live.page.keyboard.press("End")
    live.tell(21)
    assert live.step == 21


def test_what_is_held_can_be_let_go_by_button_and_by_key(live: Story) -> None:
    live.hold(18)
    banner = live.page.locator(".md-ui-banner")
    expect(banner).to_contain_text("Held after step 18: the root is next")
    expect(live.page.get_by_role("status")).to_contain_text("Held after step 18")
    assert hindrances(live.page) == []
    banner.get_by_role("button", name="Step", exact=True).click()
    assert live.sent == [{"t": "order", "word": "step"}]
    expect(banner).to_be_hidden()
    live.hold(19)
    live.page.locator(".md-player").focus()
    live.page.keyboard.press("ArrowRight")
    live.hold(20)
    live.page.keyboard.press("Enter")
    live.hold(21)
    banner.get_by_role("button", name="Undo what was begun", exact=True).click()
    words = [message["word"] for message in live.sent]
    assert words == ["step", "step", "continue", "abort"]


def test_going_back_while_held_orders_nothing(live: Story) -> None:
    live.hold(18)
    live.page.locator(".md-player").focus()
    for key in ("ArrowLeft", "Home", "ArrowRight", "End"):
        live.page.keyboard.press(key)
    assert live.sent == []
    assert live.step == 18
    expect(live.page.locator(".md-ui-banner")).to_be_visible()


def test_a_part_on_lets_go_step_by_step_until_the_next_part_begins(live: Story) -> None:
    starts = [frame["i"] for frame in live.frames if "head" in frame]
    goal = starts[3]
    live.hold(goal - 3)
    live.page.locator(".md-player").focus()
    live.page.keyboard.press("Shift+ArrowRight")
    for step in (goal - 2, goal - 1):
        live.news(held=step)  # before its frame: nothing can be known of it yet
        live.tell(step)
    assert len(live.sent) == 3
    live.hold(goal)
    assert len(live.sent) == 3
    assert live.step == goal
    expect(live.page.locator(".md-ui-banner")).to_be_visible()


def test_a_stop_is_told_to_the_engine_and_taken_back(live: Story) -> None:
    live.hold(18)
    kind = live.frames[17]["k"]
    live.page.locator(".md-player").focus()
    live.page.keyboard.press("b")
    live.page.keyboard.press("b")
    assert live.sent == [
        {"t": "break", "pattern": kind, "on": True},
        {"t": "break", "pattern": kind, "on": False},
    ]


def test_when_the_kernel_is_gone_stepping_stays_and_orders_end(live: Story) -> None:
    live.hold(18)
    live.page.locator(".md-ui-order-step").focus()
    live.news(gone=True)
    expect(live.page.locator(".md-ui-banner")).to_contain_text("Kernel gone")
    expect(live.page.locator(".md-ui-order-step")).to_be_hidden()
    expect(live.page.locator(".md-ui-label")).to_have_text("REPLAY of REAL")
    live.page.keyboard.press("Enter")
    assert live.sent == []
    live.page.keyboard.press("ArrowLeft")
    assert live.step == 17


def test_the_last_frames_may_come_after_the_word_that_it_is_over(live: Story) -> None:
    live.tell(30)
    live.news(live=False)
    live.tell(len(live.frames))
    assert live.step == len(live.frames)
