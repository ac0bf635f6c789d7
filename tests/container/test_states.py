"""The table of lives, and what is said to verbs that it does not know."""

import itertools

import pytest

from pyminidock.container.states import (
    TABLE,
    NothingToDo,
    NotPaused,
    State,
    Verb,
    VerbRefused,
    after,
)

CREATED, RUNNING, PAUSED, RESTARTING, EXITED, REMOVING, DEAD = State


@pytest.mark.parametrize(
    ("lives", "verbs"),
    [
        ([CREATED, RUNNING, EXITED, REMOVING], [Verb.START, Verb.EXIT, Verb.REMOVE]),
        ([EXITED, RUNNING, RUNNING, EXITED], [Verb.START, Verb.KILL, Verb.EXIT]),
        ([CREATED, CREATED, RUNNING], [Verb.FAIL, Verb.START]),
        ([CREATED, REMOVING, DEAD, REMOVING], [Verb.REMOVE, Verb.FAIL, Verb.REMOVE]),
        (
            [RUNNING, PAUSED, RUNNING, PAUSED, PAUSED, EXITED],
            [Verb.PAUSE, Verb.UNPAUSE, Verb.PAUSE, Verb.STOP, Verb.EXIT],
        ),
        (
            [RUNNING, RESTARTING, RUNNING, RESTARTING, RESTARTING, EXITED],
            [Verb.RETRY, Verb.AGAIN, Verb.RETRY, Verb.KILL, Verb.EXIT],
        ),
    ],
)
def test_a_life_goes_on_verb_by_verb(lives: list[State], verbs: list[Verb]) -> None:
    steps = itertools.pairwise(lives)
    for (before, expected), verb in zip(steps, verbs, strict=True):
        assert after(before, verb, name="web", container_id="ab") is expected


@pytest.mark.parametrize(
    ("state", "verb", "message"),
    [
        (EXITED, Verb.KILL, "container ab is not running"),
        (CREATED, Verb.PAUSE, "container ab is not running"),
        (PAUSED, Verb.PAUSE, "Container ab is already paused"),
        (RESTARTING, Verb.PAUSE, "Container ab is restarting, wait until the container is "
         "running"),
        (PAUSED, Verb.START, "cannot start a paused container, try unpause instead"),
        (CREATED, Verb.EXEC, "container ab is not running"),
        (PAUSED, Verb.EXEC, "Container web is paused, unpause the container before exec"),
        (RESTARTING, Verb.EXEC, "Container ab is restarting, wait until the container is "
         "running"),
        (EXITED, Verb.ATTACH, "You cannot attach to a stopped container, start it first"),
        (PAUSED, Verb.ATTACH, "container web is paused, unpause the container before "
         "attach"),
        (RESTARTING, Verb.ATTACH, "container web is restarting, wait until the container "
         "is running"),
        (RUNNING, Verb.REMOVE, 'cannot remove container "/web": container is running: stop '
         "the container before removing or force remove"),
        (RESTARTING, Verb.REMOVE, 'cannot remove container "/web": container is '
         "restarting: stop the container before removing or force remove"),
        (PAUSED, Verb.REMOVE, 'cannot remove container "/web": container is paused '
         "and must be unpaused first"),
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
    ("state", "verb"),
    [
        *((state, Verb.START) for state in (RUNNING, RESTARTING)),
        *((state, Verb.STOP) for state in (CREATED, EXITED, REMOVING, DEAD)),
    ],
)
def test_what_is_so_already_is_no_error(state: State, verb: Verb) -> None:
    with pytest.raises(NothingToDo) as answer:
        after(state, verb, name="web", container_id="ab")
    assert answer.value.status == 304


@pytest.mark.parametrize("state", [each for each in State if each is not PAUSED])
def test_what_is_not_paused_cannot_go_on_and_that_is_a_fault(state: State) -> None:
    with pytest.raises(NotPaused) as refusal:
        after(state, Verb.UNPAUSE, name="web", container_id="ab")
    assert (refusal.value.what, refusal.value.status) == ("Container ab is not paused", 500)


def test_every_state_can_be_reached_and_left() -> None:
    reached = {goal for verbs in TABLE.values() for goal in verbs.values()}
    assert reached | {CREATED} == set(State) == set(TABLE)
    assert all(TABLE[state] for state in State)
