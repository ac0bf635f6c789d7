"""The player's parts that touch no page: words, keys, parts, stops, the lens."""

from pathlib import Path

from tests.widgets.node import run_tests, write_module

FILES = ["film.js", "story.js", "element.js", "keyboard.js", "pace.js", "lens.js",
         "compare.js"]  # fmt: skip
NAMES = (
    "MdFilm, MdKeys, MdParts, mdDelay, mdDifferences, mdExcerpt, mdGlob, mdMatches, "
    "mdNextOf, mdStops, mdWords"
)


def test_the_story_keeps_its_promises_under_node(tmp_path: Path) -> None:
    write_module(tmp_path, "story", FILES, NAMES)
    run_tests(tmp_path, "story.test.mjs", {})
