"""The language in which a lesson says what has to be true."""

from dataclasses import dataclass

import pytest

from pyminidock.course.goal import (
    Absent,
    Fact,
    Field,
    GoalMalformed,
    Predicate,
    Value,
    judge,
    parse,
)


@dataclass
class Told:
    """A sight that always sees the same."""

    seen: Fact | Absent

    def fact(self, subject: Field, path: tuple[Field, ...]) -> Fact:
        """See goal.Sight."""
        if isinstance(self.seen, Absent):
            raise self.seen
        return self.seen


@pytest.mark.parametrize(
    ("text", "subject", "path", "operator", "expected"),
    [
        ('container("c1").exited(0)', Field("container", ("c1",)),
         (Field("exited", (0,)),), "", None),
        ('file("c1", "/me") == "42"', Field("file", ("c1", "/me")), (), "==", "42"),
        ('image("h").config.cmd == ["echo", "a,b"]', Field("image", ("h",)),
         (Field("config"), Field("cmd")), "==", ("echo", "a,b")),
        ('image("h").size < 2.5 MB', Field("image", ("h",)), (Field("size"),), "<", 2.5e6),
        ('stops("x").seconds<=500 ms', Field("stops", ("x",)), (Field("seconds"),),
         "<=", 0.5),
        ("output has \"== it's\"", Field("output"), (), "has", "== it's"),
        ('image("h").config.cmd == none', Field("image", ("h",)),
         (Field("config"), Field("cmd")), "==", None),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_it_is_meant(
    text: str, subject: Field, path: tuple[Field, ...], operator: str, expected: Value
) -> None:
    assert parse(text) == Predicate(text, subject, path, operator, expected)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1),
        ("== 3", 1),
        ('container("c1"', 15),
        ('container("c1").', 17),
        ('file("c" "d")', 10),
        ('image("h").size < ', 19),
        ('image("h") or true', 12),
        ('__import__("os").system("ls") ; 1', 31),
        ('image("h).size', 7),
    ],
)
def test_a_mistake_is_pointed_at(text: str, place: int) -> None:
    with pytest.raises(GoalMalformed, match=f"← at {place}: "):
        parse(text)


@pytest.mark.parametrize(
    ("text", "fact", "why"),
    [
        ('run("h") == "X"', Fact("what `run h` prints", "Y"),
         'what `run h` prints is "Y", and should be "X"'),
        ('image("h").size < 1 MB', Fact("the size of h", 2_030_000, unit="B"),
         "the size of h is 2.03 MB, and should be below 1 MB"),
        ('stops("h").seconds < 1 s', Fact("the time", 3.04, unit="s"),
         "the time is 3.04 s, and should be below 1 s"),
        ('image("h").config.cmd == ["a"]', Fact("CMD of h", None),
         'CMD of h is nothing, and should be ["a"]'),
        ('run("h") has "X"', Fact("what it prints", "abc"),
         'what it prints is "abc", and should contain "X"'),
        ('container("c").running', Fact("c runs", value=False, instead="c does not run"),
         "c does not run"),
        ('image("h").size < 1 MB', Fact("the size", "big"),
         'the size is "big", and should be below 1e+06'),
    ],
)  # fmt: skip
def test_a_near_miss_says_what_is_there_instead(text: str, fact: Fact, why: str) -> None:
    verdict = judge(parse(text), Told(fact))
    assert (verdict.ok, verdict.why) == (False, why)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x == 3", 3), ("x != 3", 4), ("x < 3", 2), ("x <= 3", 3), ("x > 3", 4),
        ("x >= 3", 3), ('x has "b"', "abc"), ('x has "b"', ("a", "b")), ("x", True),
        ("x == true", True), ('x == ["a"]', ("a",)),
    ],
)  # fmt: skip
def test_what_holds_needs_no_words(text: str, value: Value) -> None:
    verdict = judge(parse(text), Told(Fact("x", value)))
    assert (verdict.ok, verdict.why) == (True, "")


def test_what_is_absent_fails_with_its_own_sentence() -> None:
    verdict = judge(
        parse('container("c").running'), Told(Absent("no container is called c"))
    )
    assert (verdict.ok, verdict.why) == (False, "no container is called c")


def test_a_cause_that_was_named_wrongly_does_not_tell_the_right_one() -> None:
    verdict = judge(parse('said("10.4") == "shell-form"'), Told(Fact("the cause", "grace")))
    assert verdict.why == "the cause is not it"
    assert "shell-form" not in verdict.text + verdict.why
