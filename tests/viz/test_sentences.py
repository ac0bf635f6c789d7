"""Every event has its words, whatever is in it."""

from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock import events as e
from pyminidock.events import Event
from pyminidock.events.journal import record_kinds
from pyminidock.viz import english
from pyminidock.viz.sentences import WIDTHS, middle, say, visible, words_of
from tests.viz.story import STORY, recorded

HOSTILE = st.text(max_size=300) | st.sampled_from(
    ["\x1b]52;c;aGk=\x07", "\u202egpj.exe", "\udcff", "{0}{x}", "%s", "a" * 5000, "\n", ""]
)
TUPLES: dict[Any, Any] = {
    tuple[str, ...]: st.lists(HOSTILE, max_size=4).map(tuple),
    tuple[int, ...]: st.lists(st.integers(), max_size=4).map(tuple),
    tuple[tuple[str, str], ...]: st.lists(st.tuples(HOSTILE, HOSTILE), max_size=3).map(
        tuple
    ),
    str: HOSTILE,
    int: st.integers(-5, 10**30),
    bool: st.booleans(),
}


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    cls = draw(st.sampled_from(list(record_kinds().values())))
    hints = get_type_hints(cls)
    values = {each.name: draw(TUPLES[hints[each.name]]) for each in fields(cls)}
    return cls(**values)


@given(any_event(), st.sampled_from([1, 2, 3]))
def test_a_sentence_is_one_short_printable_line_whatever_the_facts(
    event: Event, depth: int
) -> None:
    sentence = say(event, depth)
    assert 0 < len(sentence) <= WIDTHS[depth]
    assert sentence.isprintable()


def test_every_word_of_the_catalogue_belongs_to_a_kind_and_every_kind_has_words() -> None:
    assert {key.partition("/")[0] for key in english.CATALOGUE} == set(record_kinds())


def test_the_words_of_one_story_all_differ_in_depth() -> None:
    for event in STORY:
        assert len({say(event, depth) for depth in (1, 2, 3)}) == 3, event


@pytest.mark.parametrize(
    ("event", "depth", "sentence"),
    [
        (e.NamespaceEntered("network"), 1,
         "A new network namespace: no network devices but its own lo"),
        (e.NamespaceEntered("network"), 3, "unshare(2) CLONE_NEWNET (0x40000000)"),
        (e.NamespaceEntered("ipc", True, 7), 3,
         "setns(2) CLONE_NEWIPC (0x08000000), the namespace of process 7"),
        (e.ResourceLimited("core", 0, -1), 1,
         "At most 0 for core (it may ask for unlimited)"),
        (e.CapabilitiesSet(()), 1, "The process keeps none of root's powers"),
        (e.ContainerExited("c", 137, 9, True), 1,
         "The kernel killed the program: its memory budget was used up"),
        (e.ContainerSignalled("c" * 64, 9), 1, "Signal 9 was sent to the first process"),
        (e.ContainerRemoved("c" * 64, "web"), 3, "cccccccccccc removed"),
        (e.DeviceMade("/dev/sda", 8, 0, 0o660, True), 3,
         "mknodat(2) /dev/sda b 8:0 mode 0660"),
        (e.PathResolved("/a", ()), 1, "/a does not exist"),
        (e.PathResolved("/a", ("top", "base")), 1, "/a comes from top base"),
    ],
)  # fmt: skip
def test_what_is_said(event: Event, depth: int, sentence: str) -> None:
    assert say(event, depth) == sentence


def test_a_record_is_said_like_its_event() -> None:
    for record, event in zip(recorded(), STORY, strict=True):
        assert say(record, 2) == say(event, 2)


def test_a_kind_of_a_newer_engine_is_named_and_its_facts_are_kept() -> None:
    (record,) = recorded([e.LoopbackRaised()])
    stranger = replace(record, kind="moon.landed", data={"crater": "Ty\x1bcho"})
    assert say(stranger, 1).startswith("moon.landed: ")
    assert say(stranger, 3) == r"crater Ty\x1bcho"


def test_a_long_path_gives_way_in_its_middle() -> None:
    sentence = say(e.WorkingDirectoryEntered("/start/" + "x" * 500 + "/end"), 1)
    assert "/start/" in sentence
    assert sentence.endswith("/end")
    assert [middle("abcdef", n) for n in (1, 2, 3, 6)] == ["…", "…f", "a…f", "abcdef"]


def test_what_would_redraw_the_screen_is_spelt_out() -> None:
    assert visible("\x1b[2J\u202e\udcff\x85") == r"\x1b[2J\u202e\udcff\x85"
    assert visible("zażółć 容器") == "zażółć 容器"


def test_every_entry_fills_with_the_facts_of_its_event() -> None:
    heard = {words_of(event)[0] for event in STORY}  # type: ignore[arg-type]
    assert "image.found/stand-in" in heard
    assert "path.masked/absent" in heard
