"""The stepper where a program looks through its layers: 80 × 24, forward and back."""

import asyncio

from textual.pilot import Pilot

from pyminidock.cli.stepper import StepperApp
from pyminidock.cli.stepper_source import TraceSource
from pyminidock.events.journal import Trace
from tests.stepper.stories import LiveStory
from tests.stepper.test_stepper import press, screen, settled, until
from tests.viz import xray
from tests.viz.story import HEADER

RECORDS = xray.seen(xray.STORY)


def joined(app: StepperApp) -> str:
    return "\n".join(line.rstrip() for line in screen(app))


def test_the_screen_alone_says_which_layer_a_file_comes_from_and_why_not_the_other() -> (
    None
):
    async def run() -> None:
        app = StepperApp(TraceSource(Trace(HEADER, RECORDS)), light=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.walk.last == len(RECORDS))
            app.walk.go(len(xray.READ))
            app.redraw()
            await settled(pilot)
            said = joined(app)
            assert "/etc/motd comes from C (RUN echo world > /etc/motd)" in said
            assert "why not A: a file in C answers first" in said
            assert "cat[7] asked" in said
            await changes(app, pilot)

    async def changes(app: StepperApp, pilot: Pilot[str]) -> None:
        app.walk.go(len(xray.APPENDED) - 1)
        await press(pilot, "right")
        there = joined(app)
        assert "Δ ✎ /srv/data/log  20 MB, copied up from B" in there
        assert "B ── 20 MB copied ──▸ upper" in there
        await press(pilot, "left", "right")
        assert joined(app) == there

    asyncio.run(run())


def test_a_live_program_is_held_at_each_answer_and_its_row_is_pointed_at() -> None:
    story = LiveStory("layer.probed", RECORDS)

    async def run() -> None:
        app = StepperApp(story, light=True)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.walk.held_at > 0)
            await settled(pilot)
            assert "► upper" in joined(app)
            before = app.walk.last
            await press(pilot, "right")
            await until(pilot, lambda: app.walk.held_at > before)
            await settled(pilot)
            assert "► init" in joined(app)

    asyncio.run(run())
