"""A prediction and a level in a real notebook: by mouse, and by keyboard alone."""

from playwright.sync_api import Browser, expect

from tests.browser.axe import hindrances
from tests.browser.lab import Lab, Sheet
from tests.browser.themes import THEMES, keep, zoom
from tests.minidock_cli import Minidock

LEARN = "from pyminidock.widgets.ask import register\nregister(get_ipython())"
PREDICT = "%%predict 00.left\nminidock run --rm busybox echo hi"


def opened(lab: Lab, name: str, *cells: str) -> str:
    lab.put(name, [LEARN, *cells])
    return name


def test_an_answer_uncovers_what_was_printed(chromium: Browser, lab: Lab) -> None:
    name = opened(lab, "predict.ipynb", PREDICT)
    with lab.open(chromium, name) as sheet:
        sheet.run(0)
        sheet.run(1)
        card = sheet.widget(1)
        expect(card.get_by_role("radio")).to_have_count(6)
        assert "echo hi" not in card.inner_text()
        static = sheet.page.locator('[id="md-static-predict-00.left"]')
        expect(static).to_be_hidden()
        reveal = card.get_by_role("button", name="Reveal")
        assert reveal.get_attribute("aria-disabled") == "true"
        reveal.click(force=True)  # nothing is uncovered before an answer
        assert card.locator(".md-result").count() == 0
        keep(card, "predict-covered")
        card.get_by_role("radio", name="A stopped container").check()
        card.get_by_role("radio", name="certain").check()
        reveal.click()
        result = card.locator(".md-result")
        expect(result).to_contain_text("Not this time.")
        expect(result).to_contain_text("$ minidock run --rm busybox echo hi")
        expect(result).to_contain_text("Nothing of the container")
        card.get_by_role("radio", name="Nothing of the container").check()
        reveal.click()
        expect(result).to_contain_text("Right.")
        expect(card.get_by_role("status")).to_contain_text("Right.")
        keep(card, "predict-uncovered")
        assert sheet.complaints == []


def test_keys_alone_answer_and_leave_the_notebook_alone(
    chromium: Browser, lab: Lab
) -> None:
    name = opened(lab, "keys.ipynb", PREDICT)
    with lab.open(chromium, name) as sheet:
        sheet.run(0)
        sheet.run(1)
        cells = _cells(sheet)
        card = sheet.widget(1)
        card.get_by_role("radio").first.focus()
        keys = sheet.page.keyboard
        keys.press("Space")
        for harmful in ("b", "x", "d", "d", "j"):
            keys.press(harmful)
        keys.press("ArrowDown")
        expect(card.get_by_role("radio").nth(1)).to_be_checked()
        expect(card.get_by_role("radio").nth(1)).to_be_focused()
        keys.press("Tab")
        keys.press("Space")
        expect(card.get_by_role("radio").nth(3)).to_be_checked()
        keys.press("Tab")
        expect(card.get_by_role("button", name="Reveal")).to_be_focused()
        keys.press("Enter")
        expect(card.locator(".md-result")).to_contain_text("Not this time.")
        expect(card.get_by_role("button", name="Reveal")).to_be_focused()
        assert _cells(sheet) == cells
        keys.press("Escape")
        expect(card).to_be_focused()
        assert sheet.complaints == []


def test_two_questions_are_answered_apart(chromium: Browser, lab: Lab) -> None:
    name = opened(lab, "two.ipynb", PREDICT, PREDICT)
    with lab.open(chromium, name) as sheet:
        sheet.run_all()
        one, two = sheet.widget(1), sheet.widget(2)
        one.get_by_role("radio").first.check()
        two.get_by_role("radio").nth(1).check()
        expect(one.get_by_role("radio").first).to_be_checked()
        expect(two.get_by_role("radio").nth(1)).to_be_checked()


def test_a_level_is_started_checked_and_solved(
    chromium: Browser, lab: Lab, engine: Minidock
) -> None:
    name = opened(lab, "level.ipynb", "%level 00.1")
    with lab.open(chromium, name) as sheet:
        sheet.run(0)
        sheet.run(1)
        card = sheet.widget(1)
        expect(card).to_contain_text("Not started.")
        card.get_by_role("button", name="Start").click()
        expect(card.get_by_role("status")).to_contain_text("Started")
        card.get_by_role("button", name="Hint").click()
        expect(card.locator(".md-hints li")).to_have_count(1)
        card.get_by_role("button", name="Check").click()
        expect(card).to_contain_text("no container is called c1")
        keep(card, "level-not-yet")
        engine.run("run", "--name", "c1", "busybox", "sh", "-c", "echo 42 > /tmp/me")
        card.get_by_role("button", name="Check").click()
        expect(card).to_contain_text("Solved.")
        expect(card).to_contain_text("1 operation (run), par 1. 2 of 3 stars.")
        keep(card, "level-solved")
        card.get_by_role("button", name="Undo").click()
        expect(card).to_contain_text("the world is as the level begins")
        assert "c1" not in engine.run("ps", "-a").stdout
        assert sheet.complaints == []


def test_a_break_asks_for_its_cause(chromium: Browser, lab: Lab, engine: Minidock) -> None:
    name = opened(lab, "break.ipynb", "%level 10.4 start")
    with lab.open(chromium, name) as sheet:
        sheet.run(0)
        sheet.run(1)
        card = sheet.widget(1)
        card.get_by_role("radio", name="ENTRYPOINT is in shell form").check()
        card.get_by_role("button", name="Check").click()
        expect(card).to_contain_text("did not end by itself", timeout=20_000)
        assert card.locator(".md-goal.md-s-hit").count() == 2  # the greeting, the cause
        keep(card, "level-break")
    engine.run("rm", "-f", "door1")


def test_nothing_hinders_anybody_in_any_theme(chromium: Browser, lab: Lab) -> None:
    name = opened(lab, "themes.ipynb", PREDICT, "%level 10.1 start\n%level 10.1 check")
    with lab.open(chromium, name) as sheet:
        for number in range(3):
            sheet.run(number)
        sheet.widget(1).get_by_role("radio").first.check()
        sheet.widget(1).get_by_role("button", name="Reveal").click()
        expect(sheet.widget(1).locator(".md-result")).to_be_visible()
        for theme in THEMES:
            sheet.theme(theme)
            assert hindrances(sheet.page, ".md-card") == []
            short = theme.partition(" ")[2].lower().replace(" ", "-")
            keep(sheet.page, f"cards-{short}")
        sheet.theme(THEMES[0])
        zoom(sheet.page, 2)
        sheet.widget(1).scroll_into_view_if_needed()
        assert hindrances(sheet.page, ".md-card") == []
        keep(sheet.page, "cards-200-percent")


def _cells(sheet: Sheet) -> int:
    return int(sheet.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    ))  # fmt: skip
