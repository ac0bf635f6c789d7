"""The stepper in a terminal of 80 × 24: every key does what the table says."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

from pyminidock import events as e
from pyminidock.cli.stepper import StepperApp, textual_name
from pyminidock.cli.stepper_source import Source, TraceSource
from pyminidock.events.journal import Trace
from pyminidock.viz.keys import KEYS
from pyminidock.viz.painters.text import columns
from tests.stepper.stories import LiveStory
from tests.viz.story import HEADER, HOST_PID, STORY, recorded

DEADLINE_S = 20.0
LAST = len(STORY)
Body = Callable[[StepperApp, Pilot[str]], Awaitable[None]]


def step_through(source: Source, body: Body, **options: Any) -> str | None:
    """Run the stepper without a terminal, do `body`, give what the stepper gave."""

    async def run() -> str | None:
        app = StepperApp(source, light=False, **options)
        async with app.run_test(size=(80, 24)) as pilot:
            await body(app, pilot)
        return app.return_value

    return asyncio.run(run())


def recording(**options: Any) -> Callable[[Body], str | None]:
    """Decorate a body: it is run on the recorded story, once all of it was read."""

    def decorate(body: Body) -> str | None:
        async def loaded(app: StepperApp, pilot: Pilot[str]) -> None:
            await until(pilot, lambda: app.walk.last == LAST and app.walk.position == 1)
            await settled(pilot)
            await body(app, pilot)

        return step_through(TraceSource(Trace(HEADER, recorded())), loaded, **options)

    return decorate


async def until(pilot: Pilot[str], claim: Callable[[], bool]) -> None:
    """Let the screen work until the claim holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not claim():
        assert time.monotonic() < deadline, "it never came true"
        await pilot.pause(0.01)


def screen(app: StepperApp) -> list[str]:
    """Read the screen as a person does: 24 lines."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def settled(pilot: Pilot[str]) -> None:
    app = pilot.app
    assert isinstance(app, StepperApp)

    def is_settled() -> bool:
        # Below a dialog nothing is refreshed: a picture begun before is finished after it.
        has_dialog = len(app.screen_stack) > 1
        return app.picture.is_drawn or has_dialog or app.return_value is not None

    await until(pilot, is_settled)


async def press(pilot: Pilot[str], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


def test_every_step_is_shown_forward_and_back_and_each_time_the_same() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        assert LAST >= 40
        await press(pilot, "home", "2")
        there = []
        for position in range(LAST + 1):
            assert app.walk.position == position
            there.append(screen(app))
            await press(pilot, "right")
        back = []
        for position in range(LAST, -1, -1):
            assert app.walk.position == position
            if position < LAST:  # at the end → has left a note
                back.append(screen(app))
            await press(pilot, "left")
        assert back[::-1] == there[:-1]
        assert len({tuple(lines) for lines in there}) == LAST + 1


def test_each_moment_fits_into_80_by_24() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "2")
        for _step in range(LAST):
            lines = screen(app)
            assert len(lines) == 24
            assert all(columns(line) <= 80 for line in lines)
            assert "REPLAY of REAL, 2026-01-01" in lines[0]
            assert f"step {app.walk.position}/{LAST}" in lines[0]
            assert lines[1].startswith("── Processes")
            assert "? keys" in lines[23]
            await press(pilot, "right")


def test_at_the_first_depth_many_alike_are_one_and_the_title_says_which() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"32", "enter", "right")
        assert app.walk.position == 34
        assert f"steps 33 to 34/{LAST}" in screen(app)[0]
        await press(pilot, "left")
        assert app.walk.position == 32


def test_the_screen_of_a_mount_shows_world_words_command_and_source() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"26", "enter")
        lines = screen(app)
        assert any("PID 1 (host 4711) being made" in line for line in lines)
        assert any("Δ ● /proc" in line and "proc" in line for line in lines)
        assert lines[13].startswith("✓ the kernel answered · mounted · birth · 0.026 s")
        assert lines[14].startswith("Mounted at /proc: a fresh view of processes")
        assert lines[15].startswith("# mkdir -p ./proc && mount -t proc -o nosuid")
        assert lines[17].startswith("── Source kernel/recording.py:133")
        assert any(line.startswith("► 133") for line in lines)


def test_no_meaning_is_in_a_colour_alone() -> None:
    """Without any colour the words and glyphs still tell own from the host's."""

    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"16", "enter")
        text = "\n".join(screen(app))
        for told in ("● pid     own", "· network host's", "● mount   own"):
            assert told in text
        (changed,) = [line for line in screen(app) if "mount   own" in line]
        assert "Δ" in changed


ACTIONS = {key.action: textual_name(key.names[0]) for key in KEYS}


def test_the_keys_that_move() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        for action, position in (
            ("next", 2), ("next", 3), ("previous", 2), ("last", LAST), ("first", 0),
            ("next-span", 4), ("next-span", 8), ("previous-span", 4),
        ):  # fmt: skip
            await press(pilot, ACTIONS[action])
            assert app.walk.position == position, action


def test_the_depth_keys_change_the_sentence() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"33", "enter")
        said = {}
        for depth in "123":
            await press(pilot, depth)
            said[depth] = screen(app)[14].strip()
        assert len(set(said.values())) == 3
        assert "(2)" in said["3"]


def test_s_and_l_hide_and_show_the_source_and_the_command() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"26", "enter", "s")
        assert not any("Source" in line for line in screen(app))
        await press(pilot, "l")
        assert not any("mount -t proc" in line for line in screen(app))
        await press(pilot, "s", "l")
        assert any("Source" in line for line in screen(app))
        assert any("mount -t proc" in line for line in screen(app))


def test_t_shows_the_story_as_a_table_that_can_be_scrolled() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "end", "t")
        assert any("68" in x and "Container web is gone" in x for x in screen(app))
        assert not any("Processes and" in line for line in screen(app))
        await press(pilot, *["pageup"] * 12)
        assert any("[REAL]" in line for line in screen(app))
        await press(pilot, "escape")
        assert any("Processes and" in line for line in screen(app))


def test_x_compares_two_steps_in_either_order() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"27", "enter", "x")
        assert "step 27 is marked" in screen(app)[23]
        await press(pilot, "left", "left", "x")
        lines = screen(app)
        assert lines[1].startswith("What is different: step 25 → step 27")
        assert any(line.startswith("  +") and "/proc" in line for line in lines)
        assert not any("tracers" in line for line in lines), "that is the same in both"
        await press(pilot, "x")
        assert app.walk.compared is None
        await press(pilot, "x", "x")
        assert any("nothing in this picture is different" in x for x in screen(app))


def test_a_search_stays_open_for_the_next_match() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "slash", *"tmpfs", "enter")
        first = app.walk.position
        await press(pilot, "enter")
        assert app.walk.position > first
        assert (app.walk.record or recorded()[0]).kind == "mounted"
        await press(pilot, "escape", "right")
        assert app.walk.position > first + 1, "keys move again"


def test_a_number_that_is_none_is_said_to_be_none() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"ab", "enter")
        assert "no step is called 'ab'" in screen(app)[23]
        assert app.walk.position == 1


def test_playing_stops_at_a_break_and_at_the_end() -> None:
    @recording(play_s=0.02)
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "g", *"26", "enter", "b")
        assert "stops at mounted" in screen(app)[23]
        await press(pilot, "home", "space")
        await until(pilot, lambda: app.walk.position == 26 and app._timer is None)
        assert "stopped at a break" in app.note
        assert "■ stops here" in screen(app)[13]
        await press(pilot, "b", "space")
        await until(pilot, lambda: app.walk.is_at_end and app._timer is None)


def test_space_pauses() -> None:
    @recording(play_s=60.0)
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "space")
        assert "playing" in screen(app)[23]
        await press(pilot, "space")
        assert "paused" in screen(app)[23]


@pytest.mark.parametrize(
    ("key", "says"),
    [("u", "← moves the view only"), ("enter", "nothing is held here"),
     ("exclamation_mark", "this is a recording")],
)  # fmt: skip
def test_what_a_recording_cannot_do_it_says(key: str, says: str) -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, key)
        assert says in screen(app)[23]
        assert app.walk.position == 1


def test_the_help_shows_every_key_and_every_mark_without_scrolling() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "question_mark")
        text = "\n".join(screen(app))
        for key in KEYS:
            assert key.says in text
        for mark in "∴✓◉≡◌◂Δ●·▸✎⊘":
            assert f"{mark} " in text
        await press(pilot, "escape", "right")
        assert app.walk.position == 2


def test_q_leaves_a_recording_at_once() -> None:
    @recording()
    async def given(_app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "q")

    assert given == "go on"


def test_every_key_of_the_table_has_its_action() -> None:
    for key in KEYS:
        name = key.action.partition("-")[0]
        is_walked = name == "depth" or key.action.endswith("-span")
        assert is_walked or hasattr(StepperApp, f"do_{name}"), key


def test_a_recording_that_was_cut_opens_and_says_so() -> None:
    trace = Trace(HEADER, recorded()[:12], "line 14: it is no JSON")

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.last == 12 and bool(app.note))
        await settled(pilot)
        assert "the recording is cut: line 14" in screen(app)[23]

    step_through(TraceSource(trace), body)


# ── Live ─────────────────────────────────────────────────────────────────────────────────


def held(pattern: str, body: Body, **options: Any) -> tuple[LiveStory, str | None]:
    """Run the stepper on a live story, held where the pattern says first."""
    story = LiveStory(pattern)

    async def when_held(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.held_at > 0)
        await body(app, pilot)

    given = step_through(story, when_held, **options)
    assert story.is_closed, "whoever leaves lets go"
    return story, given


PIVOTED = next(n for n, x in enumerate(STORY, 1) if isinstance(x, e.RootPivoted))


def test_a_held_container_is_announced_and_stays_held_while_one_looks_back() -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        root = f"/proc/{HOST_PID}/root"
        said = f"held live at step {PIVOTED}: PID {HOST_PID} — look at {root}"
        await settled(pilot)
        assert said in screen(app)[23]
        assert "[REAL]" in screen(app)[0]
        await press(pilot, "left", "left", "home")
        assert app.walk.position == 0
        assert said in screen(app)[23]
        await press(pilot, "end")
        assert app.walk.position == PIVOTED

    story, _ = held("root.pivoted", body)
    assert story.told == PIVOTED
    assert story.orders == ["resume"]


def test_right_at_the_end_lets_it_do_one_step_and_enter_lets_it_go_on() -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "right")
        await until(pilot, lambda: app.walk.held_at == PIVOTED + 1)
        assert app.walk.position == PIVOTED + 1
        await press(pilot, "enter")
        await until(pilot, lambda: app.walk.last == LAST)
        assert app.walk.held is None
        assert app.walk.is_at_end

    story, _ = held("root.pivoted", body)
    assert story.orders == ["resume", "step", "resume"]


def test_enter_runs_to_a_break_that_was_set_here() -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        app.walk.breaks.add("hostname.set")
        await press(pilot, "enter")
        await until(pilot, lambda: app.walk.held_at > PIVOTED)
        record = app.walk.record
        assert record
        assert record.kind == "hostname.set"

    held("root.pivoted", body)


def test_a_shell_opens_as_far_inside_as_the_container_has_been_born() -> None:
    opened: list[Sequence[str]] = []

    async def body(_app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "exclamation_mark")

    held("root.pivoted", body, shell=opened.append)
    held("init.forked", body, shell=opened.append)
    held("cgroup.created", body, shell=opened.append)
    assert opened == [
        ["nsenter", "--target", str(HOST_PID), "--mount", "--uts", "--ipc", "--net",
         "--pid", "--cgroup", "--", "/bin/sh"],
        ["nsenter", "--target", str(HOST_PID), "--pid", "--", "sh"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "given", "order"),
    [("enter", "go on", "resume"), ("a", "abort", "abort"), ("g", "go on", "resume")],
)
def test_leaving_asks_what_becomes_of_a_held_container(
    key: str, given: str, order: str
) -> None:
    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "q")
        question = f"PID {HOST_PID} is held live"
        await until(pilot, lambda: any(question in line for line in screen(app)))
        await press(pilot, "escape")
        assert app.walk.held_at == PIVOTED, "it stays"
        await press(pilot, "q", key)
        await until(pilot, lambda: app.return_value is not None)

    story, said = held("root.pivoted", body)
    assert said == given
    assert story.orders[-1] == order


def test_what_the_engine_refuses_is_said_and_the_keys_go_on() -> None:
    class Refusing(LiveStory):
        def step(self) -> None:
            raise OSError("the engine is gone")

    story = Refusing("root.pivoted")

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.held_at > 0)
        await press(pilot, "right")
        await until(pilot, lambda: "the engine is gone" in app.note)
        await press(pilot, "left")
        assert app.walk.position == PIVOTED - 1

    step_through(story, body)


def test_the_work_begins_when_everybody_listens() -> None:
    begun: list[str] = []

    async def body(_app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: bool(begun))

    step_through(LiveStory("root.pivoted"), body, work=lambda: begun.append("started"))


def test_what_arrives_while_the_keys_are_shown_is_drawn_beneath() -> None:
    class Late(LiveStory):
        def more(self) -> None:
            self._go("resume")

    story = Late("root.pivoted")

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.held_at > 0)
        await pilot.press("question_mark")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        story.more()
        await until(pilot, lambda: app.walk.last == LAST)
        await press(pilot, "escape")
        await until(pilot, lambda: f"step {LAST}/{LAST}" in screen(app)[0])

    step_through(story, body)


def test_a_slow_order_does_not_freeze_the_keys() -> None:
    class Slow(LiveStory):
        def step(self) -> None:
            with self._news:
                self._news.wait_for(lambda: self.is_closed, DEADLINE_S)

    story = Slow("root.pivoted")

    async def body(app: StepperApp, pilot: Pilot[str]) -> None:
        await until(pilot, lambda: app.walk.held_at > 0)
        await press(pilot, "right", "left", "left")
        assert app.walk.position == PIVOTED - 2

    step_through(story, body)


def test_the_picture_can_be_exported() -> None:
    @recording()
    async def _(app: StepperApp, pilot: Pilot[str]) -> None:
        await press(pilot, "end")
        picture = app.export_screenshot()
        assert picture.startswith("<svg")
        assert "minidock" in picture
