"""The browser's painter makes what Python's painter writes, and disturbs nobody."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.viz import scene
from pyminidock.viz.painters import harmless, html
from pyminidock.viz.scene import Node
from pyminidock.viz.views.birth import birth
from pyminidock.viz.views.build import build
from pyminidock.viz.views.layers import layers
from pyminidock.viz.world import fold_all
from tests.viz.buildstory import COLD, baked
from tests.viz.scenes import HOSTILE, STATES, any_scene, deep, everything
from tests.viz.story import STORY, recorded
from tests.viz.test_painters import with_words
from tests.widgets.node import NODE, STATIC, TESTS, write_module

Flat = dict[str, dict[str, Any]]
OPTIONS = {"glyphs": scene.GLYPHS, "states": scene.WORDS, "changed": scene.CHANGED}
BANNED = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser",
    "createContextualFragment", "eval(", "new Function", "javascript:", "srcdoc",
)  # fmt: skip


class Page:
    """A page in a process of its own: scenes in, markup out."""

    def __init__(self, folder: Path) -> None:
        write_module(folder, "dom", ["dom.js"], "mdElementOf, mdPaintView, mdPatchView")
        page = (TESTS / "page.mjs").read_text(encoding="utf-8")
        (folder / "page.mjs").write_text(page, encoding="utf-8")
        self.process = subprocess.Popen(
            [NODE, "page.mjs"], cwd=folder, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip

    def show(self, *scenes: Node) -> dict[str, Any]:
        """Paint the first scene, patch the others in; give markup and what was kept."""
        assert self.process.stdin
        assert self.process.stdout
        asked = {"scenes": [raw(each) for each in scenes], "options": OPTIONS}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the page is gone"
        told: dict[str, Any] = json.loads(answer)
        return told


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    made = Page(tmp_path_factory.mktemp("page"))
    yield made
    made.process.communicate(timeout=10)


def painted(node: Node) -> str:
    """Paint in Python, the attributes of each element in order of their names."""
    return re.sub(r"(?<=<)(\w+)((?: [\w-]+=\"[^\"]*\")+)(?=>)", _in_order, html.paint(node))


def _in_order(tag: re.Match[str]) -> str:
    return tag[1] + "".join(sorted(re.findall(r" [\w-]+=\"[^\"]*\"", tag[2])))


def raw(node: Node) -> Flat:
    """Lay a scene out flat as a film does, but with nothing made harmless."""
    nodes: Flat = {"": {"k": [node.id]}}
    _lay(node, nodes)
    return nodes


def _lay(node: Node, nodes: Flat) -> None:
    nodes[node.id] = {
        "p": node.primitive, "r": node.role, "n": node.name, "s": node.state,
        "t": node.text, "c": int(node.is_changed), "m": int(node.is_marked),
        "f": int(node.is_folded),
        "no": node.number, "mk": node.marked, "l": list(node.links),
        "k": [child.id for child in node.children],
    }  # fmt: skip
    for child in node.children:
        _lay(child, nodes)


def moments() -> list[Node]:
    world = fold_all(recorded(STORY[:40]))
    baking = fold_all(baked(COLD))
    return [birth(world), build(baking), layers(baking), everything()]


@pytest.mark.parametrize("number", range(len(moments())))
def test_both_painters_make_the_same_elements_of_a_view(page: Page, number: int) -> None:
    shown = moments()[number]
    assert page.show(shown)["markup"] == [painted(shown)]


@given(any_scene)
@settings(deadline=None)
def test_both_painters_make_the_same_elements_of_any_scene(page: Page, any_: Node) -> None:
    assert page.show(any_)["markup"] == [painted(any_)]


@given(st.lists(any_scene, min_size=2, max_size=3))
@settings(deadline=None)
def test_a_patched_picture_is_the_one_that_would_be_painted(
    page: Page, scenes: list[Node]
) -> None:
    told = page.show(*scenes)
    assert told["markup"] == [painted(each) for each in scenes]
    assert told["kept"], "an element, the focus or an open list was lost"


def redecorated(node: Node, choose: st.DataObject) -> Node:
    """The same things, some of them with other words, states and marks."""
    children = tuple(redecorated(child, choose) for child in node.children)
    if choose.draw(st.booleans()):
        return replace(node, children=children)
    state = choose.draw(st.sampled_from(STATES))
    return replace(
        node, children=children, text="other", state=state,
        is_changed=choose.draw(st.booleans()), is_marked=choose.draw(st.booleans()),
    )  # fmt: skip


@given(any_scene, st.data())
@settings(deadline=None)
def test_another_word_moves_nobody(page: Page, any_: Node, choose: st.DataObject) -> None:
    after = redecorated(any_, choose)
    told = page.show(any_, after, any_)
    assert told["markup"] == [painted(each) for each in (any_, after, any_)]
    assert told["kept"]


def test_a_story_is_walked_by_patches(page: Page) -> None:
    scenes = [birth(fold_all(recorded(STORY[:n]))) for n in range(len(STORY) + 1)]
    told = page.show(*scenes)
    assert told["markup"] == [painted(each) for each in scenes]
    assert told["kept"]


def test_what_is_too_much_is_counted_by_both(page: Page) -> None:
    many = harmless.MOST_CHILDREN + 12
    texts = [scene.text(f"t{n}", "x") for n in range(many)]
    rows = [scene.row(f"r{n}", scene.cell(f"c{n}", "x")) for n in range(many)]
    items = [scene.tree(f"i{n}", "x", "x") for n in range(many)]
    lines = "\n".join("x" for _ in range(harmless.MOST_LINES + 7))
    for shown in (
        scene.stack("s", "s", *texts),
        scene.table("t", "t", ("a",), *rows),
        scene.tree("u", "u", "u", *items),
        scene.code("c", "c", lines, 1, 2),
        scene.log("l", "l", lines),
        *(deep(300, primitive) for primitive in ("tree", "box", "group", "table", "row")),
    ):
        assert page.show(shown)["markup"] == [painted(shown)]


@pytest.mark.parametrize("said", [*HOSTILE, "y" * (1 << 20), "z " * (1 << 19)])
def test_hostile_words_are_the_words_of_the_other_painters(page: Page, said: str) -> None:
    """H-44: the page draws what html.py writes, whose elements are counted elsewhere."""
    for shown in with_words(said):
        (markup,) = page.show(shown)["markup"]
        assert markup == painted(shown)
        assert len(markup) < 150_000


def test_a_film_that_goes_round_in_circles_ends(page: Page) -> None:
    nodes = {
        "": {"k": ["a"]},
        "a": {"p": "tree", "t": "a", "k": ["b", "b", "a", "gone"]},
        "b": {"p": "stack", "k": ["a", "b", "c"]},
        "c": {"p": "constructor", "s": "toString", "t": HOSTILE[0], "k": ["a"]},
    }
    assert page.process.stdin
    assert page.process.stdout
    page.process.stdin.write(json.dumps({"scenes": [nodes], "options": {}}) + "\n")
    page.process.stdin.flush()
    (markup,) = json.loads(page.process.stdout.readline())["markup"]
    assert markup.count("&lt;img") == 1
    assert "toString" not in markup


def test_both_know_the_same_limits() -> None:
    script = (STATIC / "dom.js").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"const MD_(MOST_\w+) = (\d+);", script))
    assert numbers == {
        name: str(getattr(harmless, name))
        for name in ("MOST_TEXT", "MOST_LINES", "MOST_CHILDREN", "MOST_DEPTH")
    }
    assert f'"{harmless.TOO_DEEP}"' in script
    assert f'"{scene.CHANGED_WORD}"' in script


def test_no_script_of_ours_can_turn_words_into_markup() -> None:
    scripts = [each for each in STATIC.iterdir() if each.name.endswith(".js")]
    assert len(scripts) >= 2
    for each in scripts:
        text = each.read_text(encoding="utf-8")
        assert [word for word in BANNED if word in text] == [], each.name
