"""Frames reach a page in order, in few messages, and again when asked for."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pyminidock.viz.film import MOST_FRAMES
from pyminidock.widgets.live import Presence
from pyminidock.widgets.sender import (
    BATCH_BYTES,
    MOST_BYTES,
    Budget,
    Message,
    Outlet,
    Sender,
)
from tests.reference import wait_until

PATIENCE_S = 10


class Page:
    """A page at the other end: what arrives is kept."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.at: list[float] = []
        self.frames: dict[int, int] = {}

    def post(self, message: Message, buffers: list[bytes]) -> None:
        """Take a message."""
        self.at.append(time.monotonic())
        self.messages.append(dict(message))
        if message["t"] == "frames":
            told = json.loads(buffers[0])
            assert len(told) == message["n"]
            self.frames |= dict(enumerate(told, message["from"]))

    def has(self, count: int) -> bool:
        """Say whether these frames are here, each in its place."""
        return self.frames == {n: n for n in range(1, count + 1)}


@pytest.fixture
def sender() -> Iterator[Sender]:
    made = Sender()
    yield made
    made.close()


def shot(outlet: Outlet, first: int, last: int) -> None:
    for n in range(first, last + 1):
        outlet.add(str(n).encode())
        assert not outlet.is_full


def test_nothing_is_sent_before_a_page_says_hello(sender: Sender) -> None:
    page = Page()
    outlet = sender.outlet(page.post)
    shot(outlet, 1, 10)
    outlet.say({"t": "state"})
    time.sleep(0.15)
    assert page.messages == []
    outlet.greet(0, {"t": "film"})
    wait_until(lambda: page.has(10), PATIENCE_S, "the frames")
    assert [each["t"] for each in page.messages] == ["film", "frames"]


def test_a_burst_of_5000_frames_loses_nothing_and_needs_few_messages(
    sender: Sender,
) -> None:
    page = Page()
    outlet = sender.outlet(page.post)
    outlet.greet(0)
    shot(outlet, 1, 5000)
    wait_until(lambda: page.has(5000), PATIENCE_S, "5,000 frames")
    assert len(page.messages) < 25


def test_a_widget_is_told_at_most_twenty_times_a_second(sender: Sender) -> None:
    page = Page()
    outlet = sender.outlet(page.post)
    outlet.greet(0)
    for n in range(1, 101):
        shot(outlet, n, n)
        time.sleep(0.01)
    wait_until(lambda: page.has(100), PATIENCE_S, "the frames")
    pauses = [after - before for before, after in zip(page.at, page.at[1:], strict=False)]
    assert min(pauses) > 0.04


def test_the_first_event_of_a_quiet_time_is_sent_at_once(sender: Sender) -> None:
    page = Page()
    outlet = sender.outlet(page.post)
    outlet.greet(0)
    time.sleep(0.2)
    began = time.monotonic()
    shot(outlet, 1, 1)
    wait_until(lambda: page.has(1), PATIENCE_S, "the frame")
    assert page.at[-1] - began < 0.04


def test_a_page_that_missed_some_gets_everything_from_there(sender: Sender) -> None:
    page = Page()
    outlet = sender.outlet(page.post)
    outlet.greet(0)
    shot(outlet, 1, 9)
    wait_until(lambda: page.has(9), PATIENCE_S, "the frames")
    page.messages.clear()
    outlet.resend(4)
    wait_until(lambda: bool(page.messages), PATIENCE_S, "them again")
    assert page.messages == [{"t": "frames", "from": 4, "n": 6}]


def test_a_page_that_comes_late_gets_all_frames_and_knows_what_it_has(
    sender: Sender,
) -> None:
    early, late = Page(), Page()
    pages = [early]

    def post(message: Message, buffers: list[bytes]) -> None:
        for page in pages:
            page.post(message, buffers)

    outlet = sender.outlet(post)
    outlet.greet(0)
    shot(outlet, 1, 20)
    wait_until(lambda: early.has(20), PATIENCE_S, "the frames")
    pages.append(late)
    outlet.greet(0)
    wait_until(lambda: late.has(20), PATIENCE_S, "the frames")
    assert early.has(20)


def test_large_frames_travel_in_messages_of_bounded_size(sender: Sender) -> None:
    sizes: list[int] = []

    def post(_message: Message, buffers: list[bytes]) -> None:
        sizes.append(len(buffers[0]))

    outlet = sender.outlet(post)
    for _ in range(40):
        outlet.add(b'"' + b"x" * 40_000 + b'"')
    outlet.greet(0)
    wait_until(lambda: sum(sizes) > 40 * 40_000, PATIENCE_S, "all of it")
    assert max(sizes) < BATCH_BYTES + 50_000


def test_a_story_beyond_the_limit_is_full_but_for_its_last_frame() -> None:
    outlet = Outlet(print, Sender()._changed)
    for _ in range(MOST_FRAMES - 1):
        assert not outlet.is_full
        outlet.add(b"0")
    assert outlet.is_full
    outlet.add(b"0")
    assert len(outlet) == MOST_FRAMES


def test_a_story_of_large_pictures_is_full_earlier() -> None:
    outlet = Outlet(print, Sender()._changed)
    for _ in range(MOST_BYTES // 1_000_000 + 1):
        assert not outlet.is_full
        outlet.add(b"0" * 1_000_000)
    assert outlet.is_full


def test_a_page_that_fails_does_not_silence_the_others(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_message: Message, _buffers: list[bytes]) -> None:
        raise OSError("gone")

    page = Page()
    bad, good = sender.outlet(broken), sender.outlet(page.post)
    for outlet in (bad, good):
        outlet.greet(0)
        shot(outlet, 1, 3)
    wait_until(lambda: page.has(3), PATIENCE_S, "the frames")
    assert "could not be told" in caplog.text


def test_of_several_states_that_wait_the_last_one_is_told(sender: Sender) -> None:
    page = Page()
    outlet = sender.outlet(page.post)
    outlet.greet(0, {"t": "film"})
    for n in range(10):
        outlet.say({"t": "state", "held": n})
    wait_until(lambda: {"t": "state", "held": 9} in page.messages, PATIENCE_S, "the last")
    assert len(page.messages) <= 3


def test_a_hold_is_told_behind_the_frame_that_is_held(sender: Sender) -> None:
    page = Page()
    outlet = sender.outlet(page.post)
    shot(outlet, 1, 9)
    outlet.greet(0, {"t": "film"}, {"t": "state", "held": 9})
    wait_until(lambda: len(page.messages) == 3, PATIENCE_S, "all three")
    assert [each["t"] for each in page.messages] == ["film", "frames", "state"]


def test_all_widgets_together_stay_within_their_budget() -> None:
    budget = Budget(per_s=200, burst=40)
    sent = sum(budget.take(n / 1000) for n in range(3000))
    assert 600 <= sent <= 641


def test_a_drawing_is_made_soon_and_not_for_every_change(sender: Sender) -> None:
    drawn: list[int] = []
    outlet = sender.outlet(print)
    for n in range(50):
        outlet.draw("figure", lambda n=n: drawn.append(n))  # type: ignore[misc]
        time.sleep(0.005)
    wait_until(lambda: drawn[-1:] == [49], PATIENCE_S, "the last drawing")
    assert len(drawn) < 6


def test_the_thread_ends_with_the_last_outlet(sender: Sender) -> None:
    outlet = sender.outlet(print)
    thread = sender._thread
    assert thread is not None
    assert thread.daemon
    sender.drop(outlet)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_story_that_is_held_again_has_time_until_it_is_looked_at() -> None:
    presence = Presence()
    presence.seen(now=0.0)
    presence.held(now=100.0)
    assert not presence.is_lost(now=103.0)
    assert presence.is_lost(now=105.0)
