"""The table of lives, and what is said to verbs that it does not know."""

import itertools

import pytest

from pyminidock.container.states import TABLE, NothingToDo, State, Verb, VerbRefused, after

CREATED, RUNNING, EXITED, REMOVING, DEAD = State


@pytest.mark.parametrize(
    ("lives", "verbs"),
    [
        ([CREATED, RUNNING, EXITED, REMOVING], [Verb.START, Verb.EXIT, Verb.REMOVE]),
        ([EXITED, RUNNING, RUNNING, EXITED], [Verb.START, Verb.KILL, Verb.EXIT]),
        ([CREATED, CREATED, RUNNING], [Verb.FAIL, Verb.START]),
        ([CREATED, REMOVING, DEAD, REMOVING], [Verb.REMOVE, Verb.FAIL, Verb.REMOVE]),
    ],
)
def test_a_life_goes_on_verb_by_verb(lives: list[State], verbs: list[Verb]) -> None:
    steps = itertools.pairwise(lives)
    for (before, expected), verb in zip(steps, verbs, strict=True):
        assert after(before, verb, name="web", container_id="ab") is expected


@pytest.mark.parametrize(
    ("state", "verb", "message"),
    [
        (EXITED, Verb.KILL, "cannot kill container: web: container ab is not running"),
        (CREATED, Verb.EXEC, "container ab is not running"),
        (EXITED, Verb.ATTACH, "You cannot attach to a stopped container, start it first"),
        (RUNNING, Verb.REMOVE, 'cannot remove container "/web": container is running: stop '
         "the container before removing or force remove"),
        (REMOVING, Verb.REMOVE, "removal of container web is already in progress"),
        (DEAD, Verb.START, "container is marked for removal and cannot be started"),
    ],
)  # fmt: skip
def test_a_verb_out_of_turn_is_refused_in_docker_s_words(
    state: State, verb: Verb, message: str
) -> None:
    with pytest.raises(VerbRefused) as refusal:
        after(state, verb, name="web", container_id="ab")
    assert (refusal.value.what, refusal.value.status) == (message, 409)
    assert all(known.value in refusal.value.why for known in TABLE[state])
    assert refusal.value.try_next.startswith("minidock ")


@pytest.mark.parametrize(
    ("state", "verb"), [(RUNNING, Verb.START), (EXITED, Verb.STOP), (CREATED, Verb.STOP)]
)
def test_what_is_so_already_is_no_error(state: State, verb: Verb) -> None:
    with pytest.raises(NothingToDo) as answer:
        after(state, verb, name="web", container_id="ab")
    assert answer.value.status == 304


def test_every_state_can_be_reached_and_left() -> None:
    reached = {goal for verbs in TABLE.values() for goal in verbs.values()}
    assert reached | {CREATED} == set(State) == set(TABLE)
    assert all(TABLE[state] for state in State)
