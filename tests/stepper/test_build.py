"""The stepper at a build: recorded, both ways, and held live between two instructions."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from textual.pilot import Pilot

from pyminidock import events as e
from pyminidock.cli.stepper import StepperApp
from pyminidock.cli.stepper_draw import BIRTH, BUILD, IMAGE, panes
from pyminidock.cli.stepper_source import Source, TraceSource
from pyminidock.cli.stepper_walk import Walk
from pyminidock.events.journal import Trace
from pyminidock.viz.painters.text import columns
from pyminidock.viz.world import fold_all
from tests.stepper.stories import LiveStory
from tests.stepper.test_stepper import press, screen, settled, until
from tests.viz.buildstory import COLD, EDITED, FAILED, HEADER, STAGES, STORIES, baked
from tests.viz.story import recorded

Body = Callable[[StepperApp, Pilot[str]], Awaitable[None]]


def step_through(
    source: Source, body: Body, size: tuple[int, int] = (80, 24), *, light: bool = False
) -> None:
    """Run the stepper without a terminal, and do `body` once there is something."""

    async def run() -> None:
        app = StepperApp(source, light=light)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.walk.position > 0)
            await settled(pilot)
            await body(app, pilot)

    asyncio.run(run())


def replay(name: str, body: Body, **options: object) -> None:
    """Step through one of the recorded stories."""
    source = TraceSource(Trace(HEADER, baked(STORIES[name])))
    step_through(source, body, **options)  # type: ignore[arg-type]


def walk_of(name: str) -> Walk:
    walk = Walk()
    walk.add(baked(STORIES[name]), follow=False)
    return walk


@pytest.mark.parametrize("name", ["cold", "edited", "failed", "stages"])
def test_a_recorded_build_is_stepped_forward_and_back_and_each_time_the_same(
    name: str,
) -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "home", "2")
        there = []
        for position in range(app.walk.last + 1):
            assert app.walk.position == position
            there.append(screen(app))
            await press(pilot, "right")
        back = []
        for _ in range(app.walk.last + 1):
            back.append(screen(app))
            await press(pilot, "left")
        assert back[::-1][:-1] == there[:-1]  # at the end → has left a note
        for position in (app.walk.last, 4, 17, 0):
            app.walk.go(position)
            assert app.walk.world == fold_all(app.walk.records[:position])

    replay(name, body)


def test_one_instruction_is_one_part_both_ways() -> None:
    walk = walk_of("cold")
    ends = []
    while not walk.is_at_end:
        walk.next_span()
        ends.append(walk.record.kind if walk.record else "")
    assert ends == ["instruction.parsed", *["step.finished"] * 5, "image.built",
                    "image.tagged"]  # fmt: skip
    steps = []
    while walk.position:
        steps.append(walk.world.build.step)
        walk.previous_span()
    assert steps == [6, 6, 5, 4, 3, 2, 1, 0]


def test_the_screen_of_an_edited_file_says_why_in_one_look() -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "slash", *"another content", "enter", "escape")
        lines = screen(app)
        assert "[REPLAY of REAL, 2026-01-01]" in lines[0]
        assert lines[1].startswith("── Dockerfile: step 5 of 6 ─")
        assert "── Why is step 5 done? ─" in lines[1]
        text = "\n".join(lines)
        assert "► 6  ✎  COPY sample.py ." in text
        assert "Δ ○ sample.py has another content" in text
        assert "111111111111 → 222222222222" in text
        assert "● D  step 3    12.3 kB  4 names" in text
        assert "Step 5 has to be done: sample.py has another content" in text

    replay("edited", body)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("light", [False, True])
def test_each_moment_of_each_build_fits(size: tuple[int, int], light: bool) -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        while not app.walk.is_at_end:
            await press(pilot, "shift+right")
            lines = screen(app)
            assert len(lines) == size[1]
            assert all(columns(line) <= size[0] for line in lines)
            assert "? keys" in lines[-1]

    for name in STORIES:
        replay(name, body, size=size, light=light)


def test_a_large_screen_has_room_for_the_engine_s_source_and_a_small_one_asks() -> None:
    async def small(app: StepperApp, pilot: Pilot[str]) -> None:
        assert not any("── Source" in line for line in screen(app))
        await press(pilot, "s")
        assert any("── Source" in line for line in screen(app))

    async def large(app: StepperApp, pilot: Pilot[str]) -> None:
        assert any("── Source" in line for line in screen(app))

    replay("cold", small)
    replay("cold", large, size=(120, 40))


def test_at_the_third_depth_the_container_of_a_run_is_seen_being_born() -> None:
    walk = walk_of("cold")
    assert walk.search("umask(2)")
    assert panes(walk) == BUILD
    walk.depth = 3
    assert panes(walk) == BIRTH
    walk.next_span()
    assert panes(walk) == BUILD


def test_where_an_image_is_loaded_its_layers_are_shown() -> None:
    walk = Walk()
    told = recorded([e.LayerUnpacked("c", "d", 15, 2), e.ImageLoaded("i", ("a",), 1)])
    walk.add([replace(each, story="load-1") for each in told], follow=True)
    assert panes(walk) == IMAGE


def test_a_failure_is_shown_with_the_way_in() -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "end")
        text = "\n".join(screen(app))
        assert "Dockerfile: failed at step 3 of 6" in text
        assert "── Why did step 3 fail? ─" in text
        assert "minidock run -it 000000000000 sh" in text

    replay("failed", body)


# ── Live ─────────────────────────────────────────────────────────────────────────────────


class LiveBuild(LiveStory):
    """A build that is told live, and held before each instruction."""

    holds_parts = True


def test_a_live_build_goes_on_by_one_instruction_and_looking_back_lets_nothing_go() -> None:
    source = LiveBuild("step.started", baked(EDITED))

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.held_at > 0)
        await settled(pilot)
        assert "held before instruction 1" in screen(app)[-1]
        for step in range(2, 6):
            await press(pilot, "shift+right")
            await until(pilot, lambda: app.walk.held_at > 0)
            assert app.walk.world.build.step == step
            assert app.walk.record
            assert app.walk.record.kind == "step.started"
        told = source.told
        await press(pilot, "shift+left", "shift+left", "left")
        assert app.walk.world.build.step < 5
        assert source.told == told
        await press(pilot, "shift+right", "shift+right", "shift+right")
        assert source.told == told, "the view only came back to where the build stands"
        await press(pilot, "right")
        await until(pilot, lambda: source.told == told + 1)
        assert source.orders[-1] == "step"

    step_through(source, body)


def test_where_gates_stand_elsewhere_an_instruction_is_done_event_by_event() -> None:
    source = LiveStory("layer.found", baked(COLD))

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.held_at > 0)
        await press(pilot, "shift+right")
        await until(pilot, lambda: app.walk.held_at > 0)
        assert (app.walk.record or app.walk.records[0]).kind == "layer.found", "a break"
        await press(pilot, "shift+right")
        await until(pilot, lambda: app.walk.held_at > 0 and app.walk.world.build.step == 2)
        assert (app.walk.record or app.walk.records[0]).kind == "step.started"
        assert set(source.orders[1:]) == {"step"}

    step_through(source, body)


def test_leaving_a_held_build_asks_what_shall_become_of_it() -> None:
    source = LiveBuild("step.started", baked(FAILED))

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.held_at > 0)
        await press(pilot, "q")
        assert any("The build is held live." in line for line in screen(app))
        await pilot.press("a")
        await until(pilot, lambda: app.return_value == "abort")
        assert source.orders[-1] == "abort"

    step_through(source, body)


def _note(opened: list[list[str]], words: Sequence[str]) -> None:
    opened.append([*words])


def test_a_shell_between_two_instructions_opens_in_the_image_of_the_last_one() -> None:
    source = LiveBuild("step.started", baked(STAGES))
    opened: list[list[str]] = []

    async def run() -> None:
        shell = partial(_note, opened)
        app = StepperApp(source, light=False, shell=shell)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.walk.held_at > 0)
            await press(pilot, "exclamation_mark")
            assert "there is no image yet" in app.note
            await press(pilot, "shift+right")
            await until(pilot, lambda: app.walk.world.build.step == 3)
            await until(pilot, lambda: app.walk.held_at > 0)
            await press(pilot, "exclamation_mark")

    asyncio.run(run())
    assert opened == [
        ["minidock", "run", "--rm", "-it", "--entrypoint", "sh", "ba5eba5eba5e"]
    ]
