"""A page holds its story, may do nothing else, and can be read without its script."""

import gzip
import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from pyminidock.viz.painters.page import MOST_LISTED, page
from tests.viz.films import STORIES, film

SCRIPT, CSS = "/* script */", "/* style */"


def written(told: dict[str, Any]) -> str:
    return page(
        told["header"], told["frames"], told["sources"], css=CSS, script=SCRIPT
    )  # fmt: skip


def block_of(text: str) -> tuple[str, str]:
    """The type and the text of the data block, as a browser's parser ends it."""
    found = re.search(r'<script type="([^"]+)" id="md-film">(.*?)</script', text, re.DOTALL)
    assert found is not None
    return found[1], found[2]


def read_back(text: str) -> Any:
    kind, block = block_of(text)
    told = block if kind == "application/json" else gzip.decompress(b64decode(block))
    return json.loads(told)


class Tags(HTMLParser):
    """Which elements a page has, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element; none may act or fetch."""
        self.found.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        assert "src" not in dict(attrs)
        assert "href" not in dict(attrs)


@pytest.mark.parametrize("story", STORIES)
def test_what_went_into_a_page_is_read_out_of_it(story: str) -> None:
    told = film(*STORIES[story])
    assert read_back(written(told)) == json.loads(json.dumps(told))


def test_the_policy_allows_this_script_and_this_style_and_nothing_else() -> None:
    policy = re.search(r'Policy" content="([^"]+)"', written(film(*STORIES["run"])))
    assert policy is not None
    script, style = (
        b64encode(sha256(text.encode()).digest()).decode() for text in (SCRIPT, CSS)
    )
    assert policy[1].split("; ") == [
        "default-src 'none'", f"script-src 'sha256-{script}'",
        f"style-src 'sha256-{style}'", "img-src data:", "base-uri 'none'",
        "form-action 'none'",
    ]  # fmt: skip


def test_whatever_a_container_says_the_page_has_the_elements_of_ours() -> None:
    """H-44: in a replay, its list for readers without scripts included."""
    hostile, tame = (
        Tags(written(film(*STORIES[name]))).found for name in ("hostile", "run")
    )
    assert set(hostile) == set(tame)
    assert hostile.count("script") == 2
    kind, block = block_of(written(film(*STORIES["hostile"])))
    assert kind != "application/json" or "<" not in block


def test_a_long_film_is_compressed_and_a_short_one_can_be_read() -> None:
    told = {**film(*STORIES["run"]), "sources": {}}
    short = written(told)
    assert block_of(short)[0] == "application/json"
    many = {**told, "frames": told["frames"] * 20}
    assert block_of(written(many))[0] == "application/gzip"
    assert read_back(written(many))["frames"] == json.loads(json.dumps(many["frames"]))
    assert len(written(many)) < 4 * len(short)


def test_without_a_script_the_page_is_a_list_of_sentences() -> None:
    told = film(*STORIES["run"])
    listed = re.findall("<li>(.*?)</li>", written(told))
    assert len(listed) == min(len(told["frames"]), MOST_LISTED)
    assert "REPLAY of REAL" in written(told)


def test_a_page_is_the_same_each_time() -> None:
    assert written(film(*STORIES["cold"])) == written(film(*STORIES["cold"]))
