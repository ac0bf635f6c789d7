"""The replay page, as a person has it: keys, mouse, other eyes, other pages around it."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pyminidock import events as e
from tests.browser.axe import hindrances
from tests.browser.replay import READY, Replay, opened, overflow, written
from tests.browser.themes import keep, prefers, zoom
from tests.reference import wait_until
from tests.viz import buildstory
from tests.viz.films import STORIES, long
from tests.viz.scenes import HOSTILE

pytestmark = pytest.mark.browser


@pytest.fixture
def run(page: Page, tmp_path: Path) -> Replay:
    return opened(page, tmp_path, *STORIES["run"])


def settle(replay: Replay, step: int) -> None:
    """Wait until it stands at a step."""
    wait_until(lambda: replay.step == step, 10, f"step {step}, not {replay.step}")


# ── Moving ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("story", ["run", "cold", "edited", "hostile"])
def test_from_the_first_step_to_the_last_and_back_everything_is_as_it_was(
    page: Page, tmp_path: Path, story: str
) -> None:
    replay = opened(page, tmp_path, *STORIES[story])
    replay.press("2")  # one by one
    forward = []
    for step in range(1, replay.last + 1):
        assert replay.step == step
        forward.append(replay.snapshot())
        replay.press("ArrowRight")
    for step in range(replay.last, 0, -1):
        assert replay.step == step
        assert replay.snapshot() == forward[step - 1]
        replay.press("ArrowLeft")
    assert replay.step == 0
    replay.press("End")
    assert replay.snapshot() == forward[-1]
    replay.press("Home", "ArrowRight")
    assert replay.snapshot() == forward[0]
    assert replay.complaints == []


def test_hostile_words_stay_words_on_a_page(page: Page, tmp_path: Path) -> None:
    """H-44: in title, steps, output, names and errors; at all depths, in all panels."""
    heard: list[e.Event] = [
        told
        for step, said in enumerate((*HOSTILE, "y" * (1 << 20)), start=1)
        for told in (
            e.StepStarted(step, len(HOSTILE) + 1, "0", f"RUN {said}", step),
            e.StepPrinted(step, "stdout", f"{said}\n"),
            e.FileChanged(f"/{said}", "added", "file", 0o644, 0, 0, 1),
            e.LayerCommitted(said, said, 1, 1),
        )
    ]
    heard += [e.ImageTagged(HOSTILE[0], HOSTILE[1]), e.BuildFailed(1, HOSTILE[2], 1, "")]
    header = replace(buildstory.HEADER, title="".join(HOSTILE[:4]))
    page.on("dialog", lambda asked: asked.dismiss())
    replay = opened(page, tmp_path, header, buildstory.baked(heard))
    title = page.title()
    replay.press("End", "2", "3", "t", "s", "l", "Home")
    for _ in range(replay.last):
        replay.press("ArrowRight")
    assert replay.complaints == []
    assert page.locator("img, iframe, object, embed, link, form, a[href*=':']").count() == 0
    assert page.title() == title
    assert page.locator("script").count() == 2


def test_a_jump_shows_what_a_walk_shows(run: Replay) -> None:
    run.press("2")
    walked = {}
    for step in range(1, run.last + 1):
        walked[step] = run.snapshot()
        run.press("ArrowRight")
    for step in (40, 3, run.last, 17, 41, 1):
        run.press("g", *str(step), "Enter", "Escape")
        assert run.step == step
        assert run.snapshot() == walked[step]


def test_the_mouse_goes_where_the_keys_go(run: Replay) -> None:
    run.button("Next").click()
    run.button("Next").click()
    assert run.step == 3
    run.button("Back").click()
    assert run.step == 2
    run.button("End").click()
    assert run.step == run.last
    expect(run.button("Next")).to_have_attribute("aria-disabled", "true")
    run.button("Start").click()
    assert run.step == 0
    assert run.says == "Before the first step"
    run.page.locator(".md-ui-range").fill("20")
    settle(run, 20)
    assert run.complaints == []


def test_at_the_first_depth_one_goes_by_what_is_read_as_one(run: Replay) -> None:
    run.press("Home")
    stops = []
    while run.step < run.last:
        run.press("ArrowRight")
        stops.append(run.step)
    assert len(stops) < run.last
    joined = next(stop for stop, after in itertools.pairwise(stops)
                  if after > stop + 1)  # fmt: skip
    run.press("g", *str(joined + 1), "Enter", "Escape")
    assert run.says
    expect(run.page.locator(".md-ui-group")).to_contain_text(f"{joined + 1} to ")
    run.press("2")
    expect(run.page.locator(".md-ui-group")).to_be_hidden()
    run.press("1", "End")
    for stop in [*reversed(stops[:-1]), 0]:
        run.press("ArrowLeft")
        assert run.step == stop


def test_parts_are_gone_through_with_shift(run: Replay) -> None:
    stops = []
    run.press("Home")
    while run.step < run.last:
        run.press("Shift+ArrowRight")
        stops.append(run.step)
    assert len(stops) > 3
    for stop in [*reversed(stops[:-1]), 0]:
        run.press("Shift+ArrowLeft")
        assert run.step == stop


def test_playing_stops_at_a_kind_that_was_chosen_and_says_so(run: Replay) -> None:
    run.press("/", *"pivot_root", "Enter", "Escape")
    pivoted = run.step
    run.press("b", "Home")
    run.page.locator(".md-ui-speed").select_option("recorded")
    run.page.locator("#md-player").focus()
    run.press("Space")
    settle(run, pivoted)
    expect(run.page.locator(".md-ui-note")).to_contain_text("stopped")
    expect(run.page.locator(".md-ui-stop")).to_contain_text("stops here")
    run.page.locator(".md-ui-breaks summary").click()
    run.button("Remove root.pivoted").click()
    assert run.page.locator(".md-ui-break-list li").count() == 0
    assert "md-ui-tool" in run.focused()
    run.press("Escape")
    run.button("Play").click()
    settle(run, run.last)
    assert run.complaints == []


def test_a_search_counts_and_goes_round(run: Replay) -> None:
    run.press("/", *"namespace", "Enter")
    first = run.step
    found = run.page.locator(".md-ui-found").inner_text()
    assert re.fullmatch(r"1 of \d+", found)
    run.press("Enter")
    assert run.step > first
    run.press("Shift+Enter", "Shift+Enter")
    assert run.step > first  # around the beginning
    many = int(found.removeprefix("1 of "))
    run.press("Escape", "t")
    assert run.page.locator(".md-ui-row-found").count() == many
    run.press("t", "/", "Control+A", *"no such words", "Enter")
    assert run.page.locator(".md-ui-found").inner_text() == "no step says that"


# ── Keys that are not ours, and the focus ─────────────────────────────────────────────────


def test_the_whole_page_can_be_walked_without_a_mouse(run: Replay) -> None:
    reached = set()
    for _ in range(40):
        run.press("Tab")
        reached.add(run.focused().split(" ")[-1])
    wanted = {"md-ui-button-first", "md-ui-range", "md-ui-number", "md-ui-src",
              "md-ui-search", "md-ui-speed", "md-ui-depth", "md-ui-host"}  # fmt: skip
    assert wanted <= reached
    run.page.locator("#md-player").focus()
    run.press("2")
    expect(run.page.locator(".md-ui-say-2")).to_be_visible()
    run.press("3")
    expect(run.page.locator(".md-ui-say-3")).to_be_visible()
    run.press("s")
    expect(run.page.locator(".md-ui-line-marked")).to_be_visible()
    run.press("l")
    expect(run.page.locator(".md-ui-linux")).to_be_hidden()
    run.press("t")
    expect(run.page.locator(".md-ui-steps")).to_be_visible()
    run.press("t", "x", "End", "x")
    expect(run.page.locator(".md-ui-compare")).to_be_visible()
    run.press("Escape")
    expect(run.page.locator(".md-ui-compare")).to_be_hidden()
    run.press("?")
    expect(run.page.get_by_role("dialog")).to_be_visible()
    run.press("Escape")
    expect(run.page.get_by_role("dialog")).to_be_hidden()
    assert run.complaints == []


def test_a_button_keeps_the_focus_through_fifty_steps(run: Replay) -> None:
    run.press("2")
    run.button("Next").focus()
    for _ in range(50):
        run.press("Enter")
    assert run.step == 51
    assert "md-ui-button-next" in run.focused()


def test_keys_keep_their_meaning_in_fields(run: Replay) -> None:
    run.press("/", *"b x t s l 1 ? !", "ArrowLeft", "Home", "End")
    assert run.step == 1
    assert run.page.locator(".md-ui-search").input_value() == "b x t s l 1 ? !"
    run.press("Escape")
    assert "md-player" in run.focused()


def test_single_letters_can_be_switched_off(run: Replay) -> None:
    run.press("?")
    run.page.get_by_role("checkbox").uncheck()
    run.press("Escape", "Escape", "t", "ArrowRight")
    expect(run.page.locator(".md-ui-steps")).to_be_hidden()
    assert run.step == 2


def test_no_unmodified_key_leaves_the_player(run: Replay) -> None:
    run.page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown',"
        " event => window.heard.push(event.key)); }"
    )
    run.button("Next").focus()
    run.press("b", "x", "d", "d", "ArrowDown", "Shift+Enter", "Control+Enter", "Control+b")
    assert run.page.evaluate("() => window.heard") == ["Control", "Control", "b"]


# ── The table, the lens ───────────────────────────────────────────────────────────────────


def test_the_table_has_every_step_and_leads_to_each(run: Replay) -> None:
    run.press("t")
    table = run.page.locator(".md-ui-steps-table")
    assert table.locator(".md-ui-row").count() == run.last
    expect(table).to_have_attribute("aria-rowcount", str(run.last + 1))
    table.get_by_role("button", name="Go to step 30", exact=True).click()
    assert run.step == 30
    expect(table.locator("[aria-current=step] .md-ui-go")).to_have_text("30")
    run.press("ArrowDown", "ArrowDown", "Enter")
    assert run.step == 32


def test_the_lens_shows_the_line_that_told_the_step(run: Replay) -> None:
    run.press("s")
    told = run.page.locator(".md-ui-src").inner_text()
    marked = run.page.locator(".md-ui-line-marked .md-ui-line-number").inner_text()
    assert told.rpartition(":")[2] == marked.replace("►", "").strip()
    assert run.page.locator(".md-ui-line").count() <= 40


# ── Other eyes ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
@pytest.mark.parametrize("story", ["run", "edited"])
def test_nothing_hinders_anybody_as_far_as_axe_can_tell(
    page: Page, tmp_path: Path, scheme: str, story: str
) -> None:
    prefers(
        page, scheme="dark" if scheme == "dark" else "light",
        forced_colors="active" if scheme == "forced" else "none",
    )  # fmt: skip
    replay = opened(page, tmp_path, *STORIES[story], "#step=40&depth=3")
    keep(page, f"replay-{story}-{scheme}")
    assert hindrances(page) == []
    replay.press("s", "t")
    assert hindrances(page) == []
    replay.press("t", "x", "End", "x")
    assert hindrances(page) == []
    replay.press("?")
    assert hindrances(page) == []
    assert replay.complaints == []


@pytest.mark.parametrize(("width", "height"), [(320, 640), (1280, 720)])
def test_the_page_is_never_wider_than_its_window(
    page: Page, tmp_path: Path, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    replay = opened(page, tmp_path, *STORIES["edited"], "#step=60&depth=3")
    for key in ("", "s", "t", "t"):
        replay.press(*filter(None, [key]))
        assert overflow(page) <= 0
    keep(page, f"replay-{width}")


def test_at_twice_the_size_nothing_is_cut(run: Replay) -> None:
    zoom(run.page, 2)
    assert overflow(run.page) <= 0
    keep(run.page, "replay-zoomed")


def test_targets_are_large_enough_to_hit(run: Replay) -> None:
    small = run.page.evaluate("""() => [...document.querySelectorAll(
      '.md-player button, .md-player select, .md-player input, .md-player summary')]
      .filter(each => each.offsetParent)
      .map(each => [each.className, each.getBoundingClientRect()])
      .filter(([, box]) => box.height < 28 || box.width < 24).map(([name]) => name)""")
    assert small == []


def test_who_asked_for_no_motion_gets_none(run: Replay) -> None:
    prefers(run.page, motion="reduce")
    moving = run.page.evaluate("""() => [...document.querySelectorAll('.md-player *')]
      .filter(each => parseFloat(getComputedStyle(each).transitionDuration) > 0).length""")
    assert moving == 0


def test_the_voice_says_the_sentence_once_one_stands_still(run: Replay) -> None:
    voice = run.page.get_by_role("status")
    run.press("ArrowRight", "ArrowRight")
    expect(voice).to_have_text(run.says)
    assert run.page.locator("[aria-live=assertive]").count() == 0
    assert voice.count() == 1


def test_on_paper_there_is_the_step_and_its_sentence(run: Replay) -> None:
    run.press("g", *"20", "Enter")
    prefers(run.page, medium="print")
    expect(run.page.locator(".md-ui-say-1")).to_be_visible()
    expect(run.page.locator(".md-ui-host").first).to_be_visible()
    expect(run.page.locator(".md-ui-toolbar")).to_be_hidden()


# ── Around the page ───────────────────────────────────────────────────────────────────────


def test_an_address_leads_to_a_step_and_follows_it(page: Page, tmp_path: Path) -> None:
    replay = opened(page, tmp_path, *STORIES["run"], "#step=12&depth=2")
    assert replay.step == 12
    expect(page.locator(".md-ui-say-2")).to_be_visible()
    replay.press("ArrowRight")
    page.wait_for_function("() => location.hash.includes('step=13')")
    page.evaluate("() => { location.hash = '#mark=root.pivoted'; }")
    kinds = [record.kind for record in STORIES["run"][1]]
    settle(replay, kinds.index("root.pivoted") + 1)
    assert replay.complaints == []


def test_in_a_frame_it_obeys_its_parent_and_tells_it_each_step(
    chromium: Browser, page: Page, tmp_path: Path
) -> None:
    story = written(tmp_path, *STORIES["run"])
    (tmp_path / "deck.html").write_text(
        "<title>deck</title><script>window.heard = [];"
        "onmessage = event => heard.push(event.data);</script>"
        f'<iframe title="story" sandbox="allow-scripts" width="900" height="600" '
        f'src="{story.name}#step=5&embed=1"></iframe>'
    )
    outer = Replay(page)
    outer.listen()
    page.goto((tmp_path / "deck.html").as_uri())
    inner = page.frame_locator("iframe")
    inner.locator(READY).wait_for()
    expect(inner.locator(".md-ui-number")).to_have_value("5")
    expect(inner.locator(".md-ui-title")).to_be_hidden()
    expect(inner.locator(".md-ui-label")).to_be_visible()
    page.evaluate("() => frames[0].postMessage({ type: 'minidock:goto', step: 9 }, '*')")
    expect(inner.locator(".md-ui-number")).to_have_value("9")
    wait_until(
        lambda: {"type": "minidock:step", "step": 9} in [
            {key: each[key] for key in ("type", "step")}
            for each in page.evaluate("() => window.heard")
        ],
        10, "the parent to hear",
    )  # fmt: skip
    assert outer.complaints == []


def test_without_a_script_there_is_a_list(chromium: Browser, tmp_path: Path) -> None:
    window = chromium.new_context(java_script_enabled=False)
    try:
        page = window.new_page()
        page.goto(written(tmp_path, *STORIES["run"]).as_uri())
        assert page.locator("noscript li, .md-page-list li").count() > 30
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    finally:
        window.close()


def test_what_a_container_says_is_shown_and_does_nothing(
    page: Page, tmp_path: Path
) -> None:
    page.add_init_script("window.onerror = () => { window.harmed = true; }")
    replay = opened(page, tmp_path, *STORIES["hostile"])
    for _ in range(replay.last):
        replay.press("ArrowRight")
        assert page.locator(".md-player img, .md-player iframe, .md-player a").count() == 0
    replay.press("t")
    assert page.evaluate("() => window.harmed") is None
    shown = page.locator(".md-player").inner_text()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert overflow(page) <= 0
    assert replay.complaints == []


def test_a_long_story_is_compressed_opens_and_is_stepped_through(
    page: Page, tmp_path: Path
) -> None:
    replay = opened(page, tmp_path, STORIES["cold"][0], long(2000), "#step=1500")
    assert (tmp_path / "story.html").stat().st_size < 1_500_000
    assert replay.step == 1500
    replay.press("t")
    rows = page.locator(".md-ui-steps-table .md-ui-row")
    assert 20 < rows.count() < 200  # of two thousand
    expect(page.locator("[aria-current=step] .md-ui-go")).to_be_in_viewport()
    replay.press("End")
    expect(page.locator("[aria-current=step] .md-ui-go")).to_be_in_viewport()
    assert replay.complaints == []
