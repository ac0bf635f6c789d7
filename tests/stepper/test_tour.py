"""The tour on a screen: forward lets the engine go on, back moves the view alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from pyminidock.cli.tour_live import Seen
from pyminidock.cli.tour_screen import TourApp
from pyminidock.client.connect import EngineAbsent
from pyminidock.course.tour import Stop, tour
from tests.viz.story import recorded

STOPS = tour()
DEADLINE_S = 20.0


class Engine:
    """Comes to each stop when it is asked to; it fails at those that are named."""

    def __init__(self, fails_at: str = "") -> None:
        self.reached: list[str] = []
        self.fails_at = fails_at

    def reach(self, stop: Stop) -> Seen | None:
        """Come to a stop, and stand still there."""
        self.reached.append(stop.title)
        if stop.title == self.fails_at:
            raise EngineAbsent("no engine answers", why="", try_next="")
        return Seen(7, next(iter(recorded())), is_held=True, pid=4242)


def on_screen(
    engine: Engine, body: Callable[[TourApp, Pilot[None]], Awaitable[None]]
) -> None:
    async def run() -> None:
        app = TourApp(STOPS, engine.reach, light=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await arrived(app, pilot, 1)
            await body(app, pilot)

    asyncio.run(run())


async def arrived(app: TourApp, pilot: Pilot[None], count: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while app.is_waiting or len(app.leaves) < count:
        assert time.monotonic() < deadline, "it never came"
        await pilot.pause(0.01)
    await pilot.pause()


def screen(app: TourApp) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


def test_the_first_stop_is_shown_with_reason_lines_and_event() -> None:
    async def body(app: TourApp, pilot: Pilot[None]) -> None:
        shown = screen(app)
        assert STOPS[0].file in shown
        assert f"1 of {len(STOPS)}" in shown
        assert STOPS[0].title in shown
        assert "class Event:" in shown
        assert "held now at step 7" in shown
        assert "ls /proc/4242/root/" in shown
        assert "→ next" in shown

    on_screen(Engine(), body)


def test_back_asks_nothing_of_the_engine() -> None:
    engine = Engine()

    async def body(app: TourApp, pilot: Pilot[None]) -> None:
        await pilot.press("left")  # there is nothing before the first
        await pilot.press("right")
        await arrived(app, pilot, 2)
        await pilot.press("right")
        await arrived(app, pilot, 3)
        assert STOPS[2].title in screen(app)
        await pilot.press("left")
        await pilot.pause()
        assert STOPS[1].title in screen(app)
        await pilot.press("home")
        await pilot.pause()
        assert STOPS[0].title in screen(app)
        await pilot.press("end")
        await pilot.pause()
        assert STOPS[2].title in screen(app)

    on_screen(engine, body)
    assert engine.reached == [stop.title for stop in STOPS[:3]]


def test_the_last_stop_is_the_last() -> None:
    engine = Engine()

    async def body(app: TourApp, pilot: Pilot[None]) -> None:
        for count in range(2, len(STOPS) + 1):
            await pilot.press("right")
            await arrived(app, pilot, count)
        await pilot.press("right", "right")
        await pilot.pause()
        assert STOPS[-1].title in screen(app)

    on_screen(engine, body)
    assert len(engine.reached) == len(STOPS)


def test_where_the_engine_does_not_come_the_reading_goes_on() -> None:
    async def body(app: TourApp, pilot: Pilot[None]) -> None:
        await pilot.press("right")
        await arrived(app, pilot, 2)
        assert STOPS[1].title in screen(app)
        assert "the engine did not come here: no engine answers" in screen(app)
        await pilot.press("right")
        await arrived(app, pilot, 3)
        assert STOPS[2].title in screen(app)

    on_screen(Engine(fails_at=STOPS[1].title), body)


def test_long_source_is_scrolled() -> None:
    async def body(app: TourApp, pilot: Pilot[None]) -> None:
        for count in range(2, 9):
            await pilot.press("right")
            await arrived(app, pilot, count)
        assert "def start_plan(" in screen(app)
        await pilot.press("pagedown", "pagedown")
        await pilot.pause()
        assert "def start_plan(" not in screen(app)
        assert STOPS[7].title in screen(app)

    on_screen(Engine(), body)
