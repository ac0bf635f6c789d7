"""What reaches a page is what the files say, less what only readers need."""

import re

import pytest

from pyminidock.client import pagefiles

SCRIPTS = (*pagefiles.PLAYER, "beside.js", "widget.js", "picture.js", "replay.js", "ask.js")
STYLES = (*pagefiles.STYLES, "widget.css", "page.css", "ask.css")


@pytest.mark.parametrize("name", SCRIPTS + STYLES)
def test_what_is_left_out_of_a_file_is_comment_or_room(name: str) -> None:
    text = pagefiles.text_of(name)
    told = re.sub(r"^[ \t]*/\*.*?\*/[ \t]*$|^[ \t]*//[^\n]*$", "", text, flags=re.M | re.S)
    assert pagefiles.lean(text).split() == told.split()


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_text_of_a_script_goes_over_several_lines(name: str) -> None:
    """Room at the beginning of a line could be part of it."""
    for number, line in enumerate(pagefiles.lean(pagefiles.text_of(name)).split("\n"), 1):
        plain = re.sub(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\\n]|\\.)+/[a-z]*(?=[.,);])', "", line)
        plain = plain.partition("//")[0]
        assert plain.count("`") % 2 == 0, f"{name}:{number}: {line}"


def test_a_page_carries_less_than_a_hundred_thousand_characters_of_player() -> None:
    assert len(pagefiles.script()) + len(pagefiles.style()) < 100_000
