"""A story of very many steps: it opens, and any jump in it is quick."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from pyminidock.client.pagefiles import script, style
from pyminidock.viz.painters.page import page as page_of
from tests.browser.replay import Replay
from tests.viz.films import STORIES, film, long

pytestmark = [pytest.mark.browser, pytest.mark.soak]

JUMP_MS = 100  # drawing included
STEPS = 100_000

# The number field and not the film, so that everything is drawn that a person would see.
_JUMP = """async to => {
  const field = document.querySelector('.md-ui-number');
  field.value = String(to);
  const began = performance.now();
  field.dispatchEvent(new Event('change'));
  document.body.offsetHeight;
  const took = performance.now() - began;
  await new Promise(requestAnimationFrame);
  return took;
}"""


def test_any_jump_in_a_long_story_is_quick(
    page: Page, tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    many = at_length(STEPS)
    told = film(STORIES["cold"][0], long(2_000))
    once = told["frames"]
    frames = [{**once[n % len(once)], "i": n + 1} for n in range(many)]
    text = page_of(
        told["header"], frames, {}, css=style("page.css"), script=script("replay.js")
    )
    (tmp_path / "story.html").write_text(text, encoding="utf-8")
    replay = Replay(page)
    replay.listen()
    replay.go((tmp_path / "story.html").as_uri())
    assert replay.last == many
    took = sorted(page.evaluate(_JUMP, 1 + n * 7919 % many) for n in range(60))
    assert took[48] < JUMP_MS, took  # four of five: the others may wait for other programs
    replay.press("t", "End")
    assert page.locator(".md-ui-row").count() < 200
    assert replay.complaints == []
