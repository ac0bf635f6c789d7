"""Whatever a story tells, in whatever order: its film can be played both ways."""

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.events.journal import Record
from pyminidock.viz.film import MOST_NODES, Frame, Op, Reel, State, apply, flat, state_after
from pyminidock.viz.frames import Player
from pyminidock.viz.scene import GLYPHS, PRIMITIVES, Node
from pyminidock.viz.sentences import WIDTHS
from pyminidock.viz.things import EMPTY
from pyminidock.viz.views import VIEWS
from pyminidock.viz.world import fold, fold_all
from tests.viz.anything import GOLDENS, strange_story

KEYS = {"p", "r", "n", "s", "t", "c", "m", "f", "no", "mk", "k", "l"}


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def shown(records: tuple[Record, ...]) -> State:
    """Give what the views draw at the end of a story, without any film."""
    world = fold_all(records)
    return {view.name: flat(view.draw(world)) for view in VIEWS}


def is_right(frame: Frame) -> bool:
    """Whether a frame keeps to what players rely on."""
    for told, depth in zip(frame["say"], (1, 2, 3), strict=True):
        assert 0 < len(told) <= WIDTHS[depth]
        assert told.isprintable()
    assert json.loads(json.dumps(frame)) == frame
    assert json.dumps(frame, ensure_ascii=False).isprintable()
    assert len(frame["ops"]) <= 2 * MOST_NODES * len(VIEWS)
    return all(map(is_operation, frame["ops"]))


def is_operation(op: Op) -> bool:
    word, view, id_, *rest = op
    assert view in {each.name for each in VIEWS}
    if word == "d":
        return isinstance(id_, str) and not rest
    (node,) = rest
    assert set(node) <= KEYS
    assert not id_ or (node["p"] in PRIMITIVES and node.get("s", "") in GLYPHS)
    return word == "n" and all(value for key, value in node.items() if key != "n")


@settings(deadline=None)
@given(strange_story())
def test_a_film_shows_what_the_views_draw_whatever_is_told(
    records: tuple[Record, ...],
) -> None:
    reel, state = Reel(), State()
    for number, record in enumerate(records, 1):
        frame = reel.add(record)
        if frame is None:
            continue
        assert is_right(frame)
        apply(frame["ops"], state)
        if number % 7 == 0 or number == len(records):
            assert state == shown(records[:number])


@settings(deadline=None)
@given(strange_story(), st.data())
def test_forward_to_a_step_is_jumping_there_is_stepping_back_to_it(
    records: tuple[Record, ...], data: st.DataObject
) -> None:
    frames = list(Reel().frames(records))
    target = data.draw(st.integers(0, len(frames)))
    state: State = {}
    states, backs = [deepcopy(state)], []
    for frame in frames:
        backs.append(apply(frame["ops"], state))
        states.append(deepcopy(state))
    jumped = state_after(frames[:target])
    for back in reversed(backs[target:]):
        apply(back, state)
    assert filled(state) == filled(states[target]) == filled(jumped)


def filled(state: State) -> State:
    """Leave out views of which nothing is left: a player has them all from the start."""
    return {view: nodes for view, nodes in state.items() if nodes}


@settings(deadline=None)
@given(strange_story(), st.lists(st.integers(0, 60), max_size=6))
def test_any_walk_through_the_worlds_finds_the_same_worlds(
    records: tuple[Record, ...], walk: list[int]
) -> None:
    player = Player(records)
    worlds = [EMPTY]
    for record in records:
        worlds.append(fold(worlds[-1], record))
    for position in (*walk, len(records), 0):
        assert player.go(position) == worlds[min(position, len(records))]


@pytest.mark.parametrize("name", sorted(GOLDENS))
def test_a_golden_story_is_a_film_whose_pictures_have_ids_of_their_own(name: str) -> None:
    reel, world, state = Reel(), EMPTY, State()
    for record in GOLDENS[name]:
        world = fold(world, record)
        frame = reel.add(record)
        assert frame is not None
        assert is_right(frame)
        apply(frame["ops"], state)
        for view in VIEWS:
            ids = [node.id for node in nodes(view.draw(world))]
            assert len(ids) == len(set(ids))
    assert state == shown(GOLDENS[name])


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(sorted(GOLDENS)), st.integers(0, 400), st.integers(0, 400))
def test_a_story_that_is_cut_anywhere_still_is_a_film(
    name: str, first: int, last: int
) -> None:
    records = GOLDENS[name][first:last]
    frames = list(Reel().frames(records))
    assert len(frames) == len(records)
    assert state_after(frames) == (shown(records) if records else {})
