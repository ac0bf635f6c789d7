"""Who answers for a path, and why not the others: from what was told, never guessed."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pyminidock.events import Event
from pyminidock.events.journal import Record
from pyminidock.unionfs.lookup import Kind, Layer
from pyminidock.unionfs.lookup import lookup as look_up
from pyminidock.viz.frames import Player
from pyminidock.viz.painters import html, svg
from pyminidock.viz.painters.text import paint
from pyminidock.viz.seeking import MOST
from pyminidock.viz.views import expected, suiting
from pyminidock.viz.views.lookup import lookup, suits
from pyminidock.viz.world import fold_all
from tests.viz import xray
from tests.viz.story import STORY, recorded


def shown(records: Iterable[Record]) -> list[str]:
    return paint(lookup(fold_all(records)), 80).splitlines()


def drawn(heard: Iterable[Event]) -> list[str]:
    return shown(recorded(heard))


def test_each_layer_has_a_row_and_each_name_of_the_path_a_column() -> None:
    assert shown(xray.seen(xray.READ)) == [
        "── Who answers for /etc/motd? ──────────────────────────────────────────────────",
        "[REAL]  cat[7] asked · ◉ read back from the kernel",
        "         layer                       etc          motd",
        "  upper  the container's own layer   ○ no         · not asked",
        "  init   places to mount on          ● directory  ○ no",
        "Δ C      RUN echo world > /etc/motd  ● directory  ● file",
        "  B      RUN mkdir /srv/data         ○ no         · not asked",
        "  A      FROM scratch                ● directory  · not asked",
        "  ● /etc/motd comes from C (RUN echo world > /etc/motd)",
        "  why not upper, B: has no /etc to look in",
        "  why not init: has no /etc/motd",
        "  why not A: a file in C answers first, and hides what is below",
    ]


def test_what_the_algorithms_told_is_called_explained() -> None:
    assert drawn(xray.READ)[1] == "[REAL]  a program asked · ≡ computed, not seen"


def test_while_a_layer_is_asked_its_row_is_pointed_at_and_nothing_is_answered() -> None:
    said = drawn(xray.READ[:-2])  # init was asked for /etc/motd, C not yet
    assert said[4].startswith("► init")
    assert "no answer yet" in "".join(said)
    assert "  why not C, A: not asked yet" in said


def test_a_whiteout_ends_the_search_and_is_named_as_the_reason() -> None:
    gone = xray.asks("/etc/motd", ("init", "absent"), (xray.C, "whiteout"))
    said = drawn((*xray.CREATED, *xray.ETC, *gone))
    assert any("⊘ whiteout: stop" in line for line in said)
    text = " ".join(" ".join(said).split())
    assert "/etc/motd is not there: a whiteout in C (RUN echo world > /etc/motd)" in text
    assert "why not A: a whiteout in C says deleted, so nobody below is asked" in text


def test_an_opaque_directory_ends_the_search_for_what_is_in_it() -> None:
    opaque = xray.asks("/etc", ("upper", "absent"), ("init", "absent"),
                       (xray.C, "opaque directory"), of=(xray.C,))  # fmt: skip
    inside = xray.asks("/etc/issue", (xray.C, "absent"))
    said = drawn((*xray.CREATED, *opaque, *inside))
    assert any("⊘ opaque: stop" in line for line in said)
    assert "  ○ /etc/issue is not there: no layer has it" in said
    why = "  why not B, A: the directory in C is opaque, so nobody below is asked"
    assert why in said


def test_directories_merge_and_all_who_have_one_are_named() -> None:
    assert "  ● /etc merges the directories of init, C, A" in drawn(
        (*xray.CREATED, *xray.ETC)
    )


def test_the_way_was_not_told_so_it_is_not_guessed() -> None:
    said = drawn((*xray.CREATED, *xray.MOTD))
    assert "  why not upper, init, C, B, A: it was not told who has /etc" in said


def test_a_story_that_is_cut_at_its_head_names_the_layers_as_they_were_asked() -> None:
    said = drawn(xray.MOTD)
    assert any(line.startswith("Δ A     cccccccccccc") for line in said)


def test_a_search_by_another_program_begins_anew() -> None:
    one = xray.seen(xray.READ[:-2], "cat", 7)
    other = xray.seen(xray.READ[-2:-1], "ls", 8)
    world = fold_all((*one, *(replace(each, seq=100) for each in other)))
    asked = world.union.asked["/etc/motd"]
    assert (asked.command, asked.answers) == ("ls", ((xray.C, "file"),))


def test_it_shows_what_the_pure_lookup_told_as_well() -> None:
    base = Layer("base", {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.FILE})
    top = Layer("top", {"/etc": Kind.DIRECTORY, "/etc/motd": Kind.WHITEOUT})
    heard: list[Event] = []
    look_up([top, base], "/etc/motd", emit=heard.append)
    said = drawn(heard)
    assert any("⊘ whiteout: stop" in line for line in said)
    assert any("is not there: a whiteout in B (top) hides it" in line for line in said)


def test_a_long_way_shows_its_last_names_and_many_layers_still_fit() -> None:
    many = [f"l{n}" for n in range(127)]
    path = "/a/b/c/d/e/f/g"
    heard = [
        event
        for n in range(1, 8)
        for event in xray.asks(
            "/" + "/".join(path.split("/")[1 : n + 1]),
            *((layer, "directory") for layer in many), of=tuple(many),
        )
    ]  # fmt: skip
    said = drawn(heard)
    assert all(len(line) <= 80 for line in said)
    assert "…/c" in said[2]


def test_forward_and_back_it_is_the_same_picture() -> None:
    records = xray.seen(xray.STORY)
    player = Player(records)
    there = [paint(lookup(player.go(n)), 80) for n in range(len(records) + 1)]
    back = [paint(lookup(player.go(n)), 80) for n in reversed(range(len(records) + 1))]
    assert there == back[::-1]
    assert len(set(there)) > 20


def test_what_was_asked_long_ago_is_forgotten() -> None:
    heard = [e for n in range(MOST + 40) for e in xray.asks(f"/f{n}", ("upper", "absent"))]
    world = fold_all(recorded(heard))
    assert len(world.union.asked) == MOST
    assert "/f0" not in world.union.asked


def test_only_a_story_that_looked_for_something_has_the_view_and_then_first() -> None:
    assert not suits(fold_all(recorded(STORY)))
    assert suiting(fold_all(recorded(xray.STORY)))[0].name == "lookup"
    names = [view.name for view in expected("run-1", is_seen_through=True)]
    assert names[:2] == ["lookup", "copyup"]
    assert "lookup" not in [view.name for view in expected("run-1")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_painters_draw_it_and_describe_it(theme: str) -> None:
    scene = lookup(fold_all(xray.seen(xray.READ)))
    picture = svg.paint(scene, theme="dark" if theme == "dark" else "light")
    assert "why not init: has no /etc/motd" in picture
    assert "/etc/motd comes from C" in html.paint(scene)
    names = [row.name for row in scene.children[1].children]
    assert names[3] == (
        "C (RUN echo world &gt; /etc/motd): /etc directory, /etc/motd file"
    ).replace("&gt;", ">")
