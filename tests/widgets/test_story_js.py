"""The player's parts that touch no page: words, keys, parts, stops, the lens."""

import re
from pathlib import Path

from pyminidock.client.pagefiles import script
from tests.widgets.node import run_tests, write_module

FILES = ["film.js", "story.js", "element.js", "keyboard.js", "pace.js", "lens.js",
         "compare.js"]  # fmt: skip
NAMES = (
    "MdFilm, MdKeys, MdParts, mdAhead, mdBehind, mdDelay, mdDifferences, mdExcerpt, "
    "mdGlob, mdReadAsOne, mdMatches, mdNextOf, mdStops, mdWords"
)


def test_the_story_keeps_its_promises_under_node(tmp_path: Path) -> None:
    write_module(tmp_path, "story", FILES, NAMES)
    run_tests(tmp_path, "story.test.mjs", {})


def test_no_two_files_of_one_script_give_a_name_to_different_things() -> None:
    for last in (("replay.js",), ("beside.js", "widget.js")):
        text = script(*last)
        names = re.findall(
            r"^(?:async )?(?:function|class|const|let) (\w+)", text, re.MULTILINE
        )
        # What is within a function is indented in the files, but no longer here.
        ours = [name for name in names if re.match(r"[Mm]d[A-Z]|MD_", name)]
        assert len(ours) > 100
        assert sorted(ours) == sorted(set(ours))
