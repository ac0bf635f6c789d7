"""Any moment can be reached, and coming back finds it as it was."""

import itertools
import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.events.journal import Record
from pyminidock.viz import frames
from pyminidock.viz.frames import MAX_OPERATIONS, Player, apply, difference, frame
from pyminidock.viz.rings import Ring
from pyminidock.viz.things import EMPTY, World
from pyminidock.viz.world import fold, fold_all
from tests.viz.story import STORY, recorded

SOME = st.lists(st.sampled_from(recorded()), max_size=30)


def worlds_of(records: list[Record]) -> list[World]:
    worlds = [EMPTY]
    for record in records:
        worlds.append(fold(worlds[-1], record))
    return worlds


@given(SOME, SOME)
def test_a_difference_leads_from_any_world_to_any_other(
    some: list[Record], others: list[Record]
) -> None:
    old, new = fold_all(some), fold_all(others)
    assert apply(difference(old, new), old) == new
    step = frame(old, new, 1)
    assert apply(step.back, apply(step.forward, old)) == old
    assert len(step.forward) <= MAX_OPERATIONS
    assert len(step.back) <= MAX_OPERATIONS


@given(SOME)
def test_applying_the_frames_up_to_a_step_gives_the_world_of_that_step(
    some: list[Record],
) -> None:
    player = Player(some)
    for position, world in enumerate(worlds_of(some)):
        assert player.go(position) == world


def test_equal_worlds_have_no_difference() -> None:
    assert difference(fold_all(recorded()), fold_all(recorded())) == ()


@pytest.mark.parametrize("cap", [1, 2, 5])
def test_a_ring_goes_forward_and_back_by_one_item(cap: int) -> None:
    rings = [World(failures=Ring(cap))]
    for n in range(7):
        now = rings[-1]
        rings.append(World(failures=now.failures.add(n)))  # type: ignore[arg-type]
    for old, new in itertools.pairwise(rings):
        step = frame(old, new, 0)
        assert [type(o).__name__ for o in step.forward] == ["Append"]
        assert [type(o).__name__ for o in step.back] == ["Retract"]
        assert apply(step.forward, old) == new
        assert apply(step.back, new) == old


def test_going_back_and_forth_finds_byte_identical_worlds() -> None:
    records = recorded(STORY * 3)
    player = Player(records)
    there = [repr(sorted_world(player.go(n))) for n in range(player.last + 1)]
    back = [repr(sorted_world(player.go(n))) for n in range(player.last, -1, -1)]
    assert back[::-1] == there


def sorted_world(thing: object) -> object:
    """Spell a world so that equal ones are equal byte by byte."""
    if isinstance(thing, dict):
        return [(key, sorted_world(thing[key])) for key in sorted(thing)]
    if isinstance(thing, tuple):
        return [sorted_world(each) for each in thing]
    slots = getattr(type(thing), "__slots__", ())
    return [(name, sorted_world(getattr(thing, name))) for name in slots] or thing


def test_a_jump_in_a_long_story_is_quick(at_length: Callable[[int], int]) -> None:
    count = max(2_000, at_length(10_000))
    player = Player(recorded(STORY * (count // len(STORY) + 1)))
    rng, worst_s = random.Random(1), 0.0  # of the processor: others use it too
    for _ in range(200):
        began = time.thread_time()
        player.go(rng.randint(0, player.last))
        worst_s = max(worst_s, time.thread_time() - began)
    assert worst_s < 0.1


def test_keyframes_weigh_no_more_than_the_frames() -> None:
    player = Player(recorded(STORY * 20))
    operations = sum(len(player.frame_at(n + 1).forward) for n in range(player.last))
    assert 2 <= len(player._keyframes) <= operations / frames.KEYFRAME_BUDGET + 1


def test_a_player_holds_a_window_of_a_story_that_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "MAX_FRAMES", 300)
    records = recorded(STORY * 10)
    player = Player(records)
    assert player.first > 0
    assert player.last == len(records)
    assert player.last - player.first <= 300
    assert player.position == player.first, "it moved to the oldest that is left"
    for position in (player.first, player.last, player.first + 5, 0):
        shown = max(position, player.first)
        assert player.go(position) == fold_all(records[:shown])


def test_a_position_is_found_by_the_number_of_its_event() -> None:
    player = Player(recorded(start=100))
    assert player.position_of(100) == 1
    assert player.position_of(99) == 0
    assert player.position_of(10_000) == player.last
