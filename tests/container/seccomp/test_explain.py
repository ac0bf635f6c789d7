"""The lesson table says exactly what the filter does."""

import pytest

from pyminidock.container.seccomp import (
    STRICTER,
    SeccompData,
    compile_profile,
    default_profile,
    lesson,
    parse_profile,
    run_program,
)
from pyminidock.container.seccomp.explain import REST, THEMES, Denial, Lesson
from pyminidock.container.seccomp.syscalls import numbers
from pyminidock.grammar.capabilities import DEFAULT, NAMES
from tests.container.seccomp.reference_rules import AUDIT

ALLOWED = 0x7FFF0000
WORDS = {"EPERM": 0x00050001, "ENOSYS": 0x00050026}
SETS = {"default": frozenset(DEFAULT), "all": frozenset(NAMES), "none": frozenset[str]()}


def denials(lessons: tuple[Lesson, ...]) -> dict[str, Denial]:
    return {denial.call: denial for part in lessons for denial in part.denials}


@pytest.mark.parametrize("arch", AUDIT)
@pytest.mark.parametrize("caps", SETS.values(), ids=SETS)
def test_a_call_is_in_the_table_if_and_only_if_it_is_denied(
    caps: frozenset[str], arch: str
) -> None:
    told = denials(lesson(default_profile(), caps, arch, (6, 12)))
    program = compile_profile(default_profile(), caps, arch, (6, 12))
    for call, number in numbers(arch).items():
        denial = told.get(call, Denial(call, ""))
        worst = 0x7E020028 if call == "clone" else 40 if call == "socket" else 5
        word = run_program(program, SeccompData(number, AUDIT[arch], (worst,)))
        assert word == WORDS.get(denial.answer, ALLOWED), call


def test_each_capability_that_opens_a_call_really_does() -> None:
    caps = frozenset(DEFAULT)
    told = denials(lesson(default_profile(), caps, "x86_64", (6, 12)))
    opened = {call: denial.opened_by for call, denial in told.items() if denial.opened_by}
    assert opened["bpf"] == ("CAP_BPF", "CAP_SYS_ADMIN")
    for call, names in opened.items():
        for name in names:
            program = compile_profile(default_profile(), caps | {name}, "x86_64", (6, 12))
            data = SeccompData(numbers("x86_64")[call], AUDIT["x86_64"], (2**32 - 1,))
            assert run_program(program, data) == ALLOWED


def test_arguments_that_pass_are_said() -> None:
    told = denials(lesson(default_profile(), frozenset(), "x86_64", (6, 12)))
    assert (
        told["socket"].unless
        == "argument 0 < 0x26 or argument 0 = 0x27 or argument 0 > 0x28"
    )
    assert told["clone"].unless == "argument 0 & 0x7e020000 = 0x0"
    assert told["mount"].unless == ""


def test_a_profile_that_denies_some_arguments_is_said_the_other_way_round() -> None:
    profile = parse_profile(
        '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod"], '
        '"action": "SCMP_ACT_KILL", "args": ['
        '{"index": 1, "value": 511, "op": "SCMP_CMP_GE"},'
        '{"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]}]}'
    )
    (only,) = lesson(profile, frozenset(), "x86_64", (6, 12))
    assert only.title == REST.title
    assert only.denials == (
        Denial("chmod", "killed", "anything but argument 1 ≥ 0x1ff and argument 0 ≠ 0x0"),
    )


def test_each_call_belongs_to_one_theme_and_exists() -> None:
    calls = [call for theme in THEMES for call in theme.calls]
    assert len(calls) == len(set(calls))
    assert set(calls) <= set(numbers("x86_64"))


def test_what_is_denied_without_a_theme_is_only_what_is_newer_than_the_profile() -> None:
    *_, last = lesson(default_profile(), frozenset(DEFAULT), "x86_64", (6, 12))
    assert last.title == REST.title
    assert {denial.answer for denial in last.denials} == {"ENOSYS"}


def test_a_theme_without_denials_is_not_shown() -> None:
    titles = [
        part.title
        for part in lesson(default_profile(), frozenset(NAMES), "x86_64", (6, 12))
    ]
    assert "New namespaces" not in titles
    assert "Keyrings" in titles


def test_the_stricter_rows_are_named() -> None:
    assert [row.name for row in STRICTER] == [
        "int-arguments",
        "af-alg",
        "i386-entry",
        "x32-entry",
    ]
