"""The scope of ARG, row by row of docker-build-and-api 1.4."""

from collections.abc import Mapping

import pytest

from pyminidock.dockerfile.arguments import Arguments, unused_warning
from pyminidock.dockerfile.instructions import Arg
from pyminidock.dockerfile.parse import parse
from pyminidock.dockerfile.stages import before_from


def test_an_argument_above_from_is_for_from_alone() -> None:
    arguments = before_from(parse("ARG A=1\nARG B=$A-2\nFROM x\n")).enter_stage()
    assert arguments.for_from() == {"A": "1", "B": "1-2"}
    assert arguments.visible({}) == {}


@pytest.mark.parametrize(
    ("given", "value"), [({}, "1"), ({"A": "3"}, "3"), ({"A": ""}, ""), ({"B": "4"}, "1")]
)
def test_a_stage_asks_for_it_by_name(given: Mapping[str, str], value: str) -> None:
    arguments = before_from(parse("ARG A=1\nFROM x\n"), given).enter_stage()
    assert arguments.declare(Arg((("A", None),))).visible({}) == {"A": value}


def test_a_default_of_the_stage_wins_over_the_one_above() -> None:
    arguments = before_from(parse("ARG A=1\nFROM x\n")).enter_stage()
    assert arguments.declare(Arg((("A", "5"),))).visible({}) == {"A": "5"}


def test_a_new_stage_has_forgotten_the_other_one() -> None:
    arguments = Arguments().declare(Arg((("A", "1"),)))
    assert arguments.enter_stage().visible({}) == {}
    assert arguments.enter_stage().unused() == ()


def test_env_hides_an_argument() -> None:
    arguments = Arguments({"A": "3"}).declare(Arg((("A", "1"), ("B", "2"))))
    assert arguments.visible({"A": "env"}) == {"B": "2"}
    assert arguments.for_words({"A": "env"}) == {"A": "env", "B": "2"}


def test_a_null_argument_is_unset_whatever_its_default() -> None:
    arguments = Arguments({"A": None, "Z": None}).declare(Arg((("A", "1"),)))
    assert arguments.visible({}) == {}
    assert arguments.unused() == ("Z",)


def test_a_proxy_needs_no_declaration_and_leaves_no_trace() -> None:
    arguments = Arguments({"http_proxy": "p", "X": "1"})
    assert arguments.visible({}) == {"http_proxy": "p"}
    assert arguments.remembered({}) == ()
    assert arguments.unused() == ("X",)
    declared = arguments.declare(Arg((("http_proxy", None), ("B", "2"), ("A", "1"))))
    assert declared.remembered({}) == ("A=1", "B=2", "http_proxy=p")


def test_what_was_not_used_is_said_at_the_end() -> None:
    names = Arguments({"B": "1", "A": "2", "C": "3"}).declare(Arg((("C", None),))).unused()
    assert unused_warning(names) == (
        "[Warning] One or more build-args [A B] were not consumed"
    )
    assert unused_warning(()) == ""
