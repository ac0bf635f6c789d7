"""Visits at the streams of a container: who may come, what is told, what is chosen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pyminidock.container.states import State, VerbRefused
from pyminidock.engine import attaching, run
from pyminidock.engine.attaching import KeysUnknown, Wish
from pyminidock.engine.house import House
from pyminidock.kernel.model.body import ModelBody
from pyminidock.store.records import NoSuchContainer
from tests.engine.houses import WISH, body_of, house_over, kinds, prepared, started

EVERYTHING = Wish(stdin=True, stdout=True, stderr=True)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_over(prepared(tmp_path), ModelBody()) as made:
        yield made


def visit(house: House, wish: Wish = EVERYTHING, **config: Any) -> attaching.Visit:
    made = attaching.attach(house, run.create(house, replace(WISH, **config)), wish)
    if made.place:
        made.place.close()
    return made


@pytest.mark.parametrize(
    ("wish", "shows", "has_place"),
    [
        (EVERYTHING, {1, 2}, True),
        (Wish(stdout=True), {1}, True),
        (Wish(stderr=True), {2}, True),
        (Wish(), set(), False),
        (Wish(stdin=True), set(), False),
        (Wish(stdout=True, is_live=False, wants_past=True), {1}, False),
    ],
)
def test_a_place_is_taken_for_whoever_wants_streams(
    house: House, wish: Wish, shows: set[int], has_place: bool
) -> None:
    made = visit(house, wish)
    assert made.shows == shows
    assert (made.place is not None) == has_place


def test_who_only_types_has_a_place_where_somebody_reads(house: House) -> None:
    assert visit(house, Wish(stdin=True), keeps_stdin=True).takes_input
    assert not visit(house, Wish(stdin=True)).takes_input


@pytest.mark.parametrize(
    ("once", "tty", "ends"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_the_end_of_what_is_typed_is_the_programs_if_it_is_attached_once(
    house: House, once: bool, tty: bool, ends: bool
) -> None:
    made = visit(house, keeps_stdin=True, stdin_once=once, has_terminal=tty)
    assert made.ends_input is ends


def test_keys_are_for_terminals(house: House) -> None:
    assert visit(house, has_terminal=True).keys == b"\x10\x11"
    assert visit(house).keys == b""
    wish = replace(EVERYTHING, keys="a,ctrl-b")
    assert visit(house, wish, has_terminal=True).keys == b"a\x02"


def test_keys_that_are_none_are_refused_before_the_container_is_looked_for(
    house: House,
) -> None:
    with pytest.raises(KeysUnknown) as refusal:
        attaching.attach(house, "nope", Wish(keys="ctrl-,a"))
    assert refusal.value.what == "Invalid detach keys (ctrl-,a) provided"
    assert refusal.value.status == 400
    with pytest.raises(NoSuchContainer):
        attaching.attach(house, "nope", EVERYTHING)


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (State.PAUSED, "container web is paused, unpause the container before attach"),
        (State.RESTARTING,
         "container web is restarting, wait until the container is running"),
    ],
)  # fmt: skip
def test_nobody_attaches_to_what_cannot_speak(
    house: House, state: State, what: str
) -> None:
    life = started(house, replace(WISH, name="web"))
    life.state = state
    with pytest.raises(VerbRefused) as refusal:
        attaching.attach(house, "web", EVERYTHING)
    assert (refusal.value.what, refusal.value.status) == (what, 409)
    life.state = State.RUNNING


def test_coming_and_leaving_are_told(house: House) -> None:
    life = started(house)
    made = attaching.attach(house, life.id, EVERYTHING)
    assert made.place is not None
    made.place.close()
    made.left()
    told = kinds(house, life.story)
    assert [kind for kind in told if kind.startswith("container.") and "tach" in kind] == [
        "container.attached", "container.detached",
    ]  # fmt: skip


def test_any_number_is_a_size_of_which_the_kernel_sees_sixteen_bits(house: House) -> None:
    life = started(house, replace(WISH, has_terminal=True))
    attaching.resize(house, life.id, 70_000, -1)
    assert life.process is not None
    assert body_of(house).world.tasks[life.process.pid].window == (70_000 & 0xFFFF, 0xFFFF)
    assert kinds(house, life.story)[-1] == "terminal.resized"
