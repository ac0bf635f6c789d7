"""Four questions of somebody who has only the screen, and the clicks that answer them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator

from tests.browser.lab import Lab, Sheet

DOCKERFILE = """%%dockerfile newcomer --build
FROM busybox
RUN echo "{} from a layer" > /hello.txt
RUN sleep 0.5; head -c 1000000 /dev/zero > /zero
RUN chmod 600 /zero
"""
CELLS = [
    "%load_ext pyminidock",
    "%minidock run --name newcomer busybox sh -c 'echo me > /etc/motd'",
    DOCKERFILE.format("hello"),
    DOCKERFILE.format("hi"),
    "!minidock rm newcomer; minidock rmi -f newcomer",
]
RUN, CHANGED, LAST = 1, 3, 4


@pytest.fixture(scope="module")
def sheet(chromium: Browser, lab: Lab) -> Iterator[Sheet]:
    """A notebook in which a container wrote something and a build was done again."""
    lab.put("newcomer.ipynb", CELLS)
    with lab.open(chromium, "newcomer.ipynb") as sheet:
        for number in range(LAST):
            sheet.run(number)
        yield sheet
        sheet.run(LAST)
        assert sheet.complaints == []


def over(sheet: Sheet, number: int) -> Locator:
    """Wait for a widget whose story has come to its end, and give it."""
    widget = sheet.widget(number)
    widget.get_by_role("slider").wait_for()
    known = -1
    while known != (known := position(widget)[1]) or known < 20:  # the timeout ends it
        sheet.page.wait_for_timeout(1000)
    return widget


def picture(widget: Locator, question: str) -> Locator:
    """Choose a picture by its question."""
    widget.get_by_role("button", name=question).click()
    return widget.get_by_role("group", name=question)


def position(widget: Locator) -> tuple[int, int]:
    """Give the step where the widget stands, and how many there are."""
    slider = widget.get_by_role("slider")
    return int(slider.input_value()), int(slider.get_attribute("max") or 0)


@pytest.mark.parametrize("number", [RUN, CHANGED])
def test_who_watches_a_story_stands_at_its_end_when_it_is_over(
    sheet: Sheet, number: int
) -> None:
    widget = over(sheet, number)
    sheet.page.wait_for_timeout(500)  # in which its last frames come
    here, last = position(widget)
    assert here == last > 20


def test_what_did_this_container_write_and_where_is_it(sheet: Sheet) -> None:
    shown = picture(over(sheet, RUN), "What is in this image").inner_text()
    assert "/etc/motd" in shown
    assert "/containers/" in shown
    assert "/upper" in shown


def test_why_was_step_4_rebuilt(sheet: Sheet) -> None:
    widget = over(sheet, CHANGED)
    widget.get_by_label("Search").fill("Step 4 has to be done")
    widget.get_by_label("Search").press("Enter")
    shown = picture(widget, "Why was this step done again?").inner_text()
    assert "Why is step 4 done?" in shown
    assert "The step before it was done again" in shown
    assert "It began with step 2: the instruction is another one" in shown


def test_where_did_the_seconds_go(sheet: Sheet) -> None:
    widget = over(sheet, CHANGED)
    widget.press("End")
    shown = picture(widget, "Where did the seconds go?")
    assert "The longest: step 3, " in shown.inner_text()
    lines = shown.locator("td", has_text="░").evaluate_all("""cells => cells.map(cell => {
      const words = document.createRange();
      words.selectNodeContents(cell);
      return words.getClientRects().length;
    })""")
    assert set(lines) == {1}  # a bar is one line


def test_which_line_of_the_engine_called_pivot_root(sheet: Sheet) -> None:
    widget = over(sheet, RUN)
    widget.get_by_label("Search").fill("pivot_root")
    widget.get_by_label("Search").press("Enter")
    assert "The new tree becomes /" in widget.locator(".md-ui-say-1").inner_text()
    widget.get_by_role("button", name="kernel/linux/walls.py").click()
    lens = widget.locator(".md-ui-lens")
    lens.wait_for()
    assert "def pivot_root" in lens.locator(".md-ui-line-marked").inner_text()
    assert 'syscalls.pivot_root(b".", b".")' in lens.inner_text()
    top = lens.evaluate("lens => lens.getBoundingClientRect().top")
    assert 0 <= top < 720  # without scrolling
