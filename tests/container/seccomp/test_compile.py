"""The program does what the rules mean, for every number and every edge of an argument."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.container.seccomp import (
    ProgramRefused,
    SeccompData,
    compile_profile,
    default_profile,
    run_program,
)
from pyminidock.container.seccomp.bpf import JUMP, decode
from pyminidock.container.seccomp.profile import (
    ACTIONS,
    ALLOW,
    Action,
    Condition,
    Guard,
    Operator,
    Profile,
    Rule,
)
from pyminidock.container.seccomp.syscalls import numbers
from pyminidock.container.seccomp.verdicts import decide
from pyminidock.grammar.capabilities import DEFAULT, NAMES
from tests.container.seccomp.reference_rules import (
    AUDIT,
    ENOSYS,
    KILL_PROCESS,
    Rules,
    Situation,
    edges,
)

ALLOWED, EPERM = 0x7FFF0000, 0x00050001
X86_64, AARCH64 = AUDIT["x86_64"], AUDIT["aarch64"]
I386 = 0x40000003
MENTIONED = sorted(
    {cap for rule in default_profile().rules for cap in (*rule.includes.caps,)}
)
CAPABILITIES = {
    "default": frozenset(DEFAULT),
    "all": frozenset(NAMES),
    "none": frozenset[str](),
    **{cap: frozenset({cap}) for cap in MENTIONED},
}


def ask(program: bytes, call: str, *args: int, arch: str = "x86_64") -> int:
    return run_program(program, SeccompData(numbers(arch)[call], AUDIT[arch], args))


def default_program(*added: str, arch: str = "x86_64") -> bytes:
    return compile_profile(default_profile(), frozenset({*DEFAULT, *added}), arch, (6, 12))


@pytest.mark.parametrize("arch", AUDIT)
@pytest.mark.parametrize("caps", CAPABILITIES.values(), ids=CAPABILITIES)
def test_the_default_program_means_the_default_rules(
    caps: frozenset[str], arch: str
) -> None:
    program = compile_profile(default_profile(), caps, arch, (6, 12))
    rules = Rules(default_profile(), Situation(caps, arch))
    for nr in range(1024):
        for edge in edges(default_profile()):
            data = SeccompData(nr, AUDIT[arch], (edge, 2**64 - 1))
            assert run_program(program, data) == rules.verdict(data), (nr, hex(edge))


@pytest.mark.parametrize("arch", AUDIT)
def test_no_number_of_another_processor_is_ever_looked_at(arch: str) -> None:
    program = default_program(*NAMES, arch=arch)
    foreign = {X86_64, AARCH64, I386, 0x40000028, 0, 2**32 - 1} - {AUDIT[arch]}
    for nr in (*range(1024), 0x40000000, 2**32 - 1):
        for other in foreign:
            assert run_program(program, SeccompData(nr, other)) == KILL_PROCESS


def test_x32_numbers_do_not_exist() -> None:
    program = default_program(*NAMES)
    for nr in (*range(0x40000000, 0x40000400), 0x7FFFFFFF, 0x80000000, 2**32 - 1):
        assert run_program(program, SeccompData(nr, X86_64)) == ENOSYS


SAMPLE = [
    ("unshare", (0x00020000,), EPERM),
    ("mount", (), EPERM),
    ("keyctl", (), EPERM),
    ("bpf", (), EPERM),
    ("clone", (0x10000000,), EPERM),  # CLONE_NEWUSER
    ("clone", (0x00010F00,), ALLOWED),  # a thread
    ("clone3", (), ENOSYS),
    ("socket", (40,), EPERM),  # AF_VSOCK
    ("socket", (38,), EPERM),  # AF_ALG
    ("socket", (2**32 + 38,), EPERM),
    ("socket", (2**32 + 40,), EPERM),
    ("socket", (39,), ALLOWED),
    ("socket", (2,), ALLOWED),
    ("personality", (0,), ALLOWED),
    ("personality", (0x20000,), ALLOWED),
    ("personality", (2**32 - 1,), ALLOWED),
    ("personality", (0x400000,), EPERM),
    ("getpid", (), ALLOWED),
    ("mseal", (), ENOSYS),
]


@pytest.mark.parametrize("arch", AUDIT)
@pytest.mark.parametrize(("call", "args", "verdict"), SAMPLE)
def test_the_sample_that_the_kernel_is_asked_too(
    arch: str, call: str, args: tuple[int, ...], verdict: int
) -> None:
    assert ask(default_program(arch=arch), call, *args, arch=arch) == verdict


def test_sys_admin_opens_namespaces_and_mounts() -> None:
    program = default_program("CAP_SYS_ADMIN")
    for call, args, _ in SAMPLE[:2]:
        assert ask(program, call, *args) == ALLOWED
    assert ask(program, "clone", 0x10000000) == ask(program, "clone3") == ALLOWED


def test_a_kernel_before_4_8_gets_no_ptrace() -> None:
    for kernel, verdict in (((4, 7), EPERM), ((4, 8), ALLOWED), ((5, 0), ALLOWED)):
        program = compile_profile(default_profile(), frozenset(), "x86_64", kernel)
        assert ask(program, "ptrace") == verdict


def test_a_rule_without_any_known_name_is_reported() -> None:
    vanished = decide(default_profile(), frozenset(NAMES), "aarch64", (6, 12)).vanished
    assert vanished == ()
    rule = Rule(("iopl", "ioperm"), ALLOW)
    profile = Profile(Action("SCMP_ACT_ERRNO", 1), (rule,))
    assert decide(profile, frozenset(), "aarch64", (6, 12)).vanished == (rule,)
    assert decide(profile, frozenset(), "x86_64", (6, 12)).vanished == ()


@pytest.mark.parametrize("arch", AUDIT)
@pytest.mark.parametrize("caps", CAPABILITIES.values(), ids=CAPABILITIES)
def test_the_default_program_is_short(caps: frozenset[str], arch: str) -> None:
    assert len(decode(compile_profile(default_profile(), caps, arch, (6, 12)))) <= 100


def combined(default: str, *rules: tuple[str, int | None]) -> bytes:
    """A program of rules about chmod: an action, and the mode asked for or None for any."""
    return compile_profile(
        Profile(
            Action(f"SCMP_ACT_{default}"),
            tuple(
                Rule(
                    ("chmod",),
                    Action(f"SCMP_ACT_{action}", 1 if action == "ERRNO" else 0),
                    () if mode is None else (Condition(1, Operator.GE, mode),),
                )
                for action, mode in rules
            ),
        ),
        frozenset(),
        "x86_64",
        (6, 12),
    )


LOG, KILLED = ACTIONS["SCMP_ACT_LOG"], ACTIONS["SCMP_ACT_KILL"]


@pytest.mark.parametrize(
    ("default", "rules", "verdicts"),
    [
        pytest.param(
            *("ALLOW", [("LOG", 7), ("ERRNO", None)], (EPERM, EPERM)),
            id="a rule without conditions settles it, even from below",
        ),
        pytest.param(
            *("ALLOW", [("ERRNO", None), ("KILL", None)], (EPERM, EPERM)),
            id="of two that settle it the first",
        ),
        pytest.param(
            *("ALLOW", [("LOG", 7), ("ERRNO", 5)], (EPERM, EPERM)),
            id="of two that hold the stricter",
        ),
        pytest.param(
            *("ALLOW", [("ERRNO", 7), ("LOG", 5)], (LOG, EPERM)),
            id="the stricter only where it holds",
        ),
        pytest.param(
            *("ALLOW", [("KILL", 5), ("KILL_PROCESS", 7)], (KILLED, KILL_PROCESS)),
            id="nothing is stricter than killing the whole process",
        ),
        pytest.param(
            *("KILL", [("KILL", None), ("ALLOW", 7)], (KILLED, ALLOWED)),
            id="repeating the default says nothing",
        ),
    ],
)
def test_how_several_rules_about_one_call_combine(
    default: str, rules: list[tuple[str, int | None]], verdicts: tuple[int, int]
) -> None:
    program = combined(default, *rules)
    assert (ask(program, "chmod", 0, 6), ask(program, "chmod", 0, 7)) == verdicts


def test_a_rule_that_repeats_the_default_still_counts_for_the_newest_number() -> None:
    rule = Rule(("mseal",), Action("SCMP_ACT_KILL"))
    profile = Profile(Action("SCMP_ACT_KILL"), (rule, Rule(("read",), ALLOW)))
    program = compile_profile(profile, frozenset(), "x86_64", (6, 12))
    assert ask(program, "mseal") == KILLED
    newer = SeccompData(numbers("x86_64")["mseal"] + 1, X86_64)
    assert run_program(program, newer) == ENOSYS


def many_conditions(count: int) -> Profile:
    """A profile with `count` rules about one call, each with another argument."""
    rules = tuple(
        Rule(("chmod",), ALLOW, (Condition(1, Operator.EQ, 2**32 * n + n),))
        for n in range(count)
    )
    return Profile(Action("SCMP_ACT_ERRNO", 1), rules)


def test_a_program_longer_than_a_jump_still_means_its_rules() -> None:
    profile = many_conditions(500)
    program = compile_profile(profile, frozenset(), "x86_64", (6, 12))
    assert JUMP in {instruction.code for instruction in decode(program)}
    for n in (0, 1, 250, 499, 500):
        expected = ALLOWED if n < 500 else EPERM
        assert ask(program, "chmod", 0, 2**32 * n + n) == expected
        assert ask(program, "chmod", 0, 2**32 * n + n + 1) == EPERM


def test_a_profile_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ProgramRefused, match="bytes"):
        compile_profile(many_conditions(2000), frozenset(), "x86_64", (6, 12))


def test_an_empty_profile_is_its_default() -> None:
    for action in (ALLOW, Action("SCMP_ACT_ERRNO", 13)):
        program = compile_profile(Profile(action, ()), frozenset(), "x86_64", (6, 12))
        assert ask(program, "read") == ask(program, "mseal") == action.word


MASK, WANTED = 2**33 + 6, 2**33 + 2
AROUND = (
    5,
    2**32 + 4,
    2**32 + 5,
    2**32 + 6,
    2**33 + 4,
    2**33 + 5,
    2**33 + 2,
    2**34 + WANTED,
    2,
)


@pytest.mark.parametrize("operator", Operator)
@pytest.mark.parametrize("call", ["chmod", "socket"])
def test_each_comparison_looks_at_both_words_unless_the_kernel_drops_one(
    operator: Operator, call: str
) -> None:
    values = (MASK, WANTED) if operator is Operator.MASKED_EQ else (2**32 + 5, 0)
    rule = Rule((call,), ALLOW, (Condition(2, operator, *values),))
    profile = Profile(Action("SCMP_ACT_ERRNO", 1), (rule,))
    program = compile_profile(profile, frozenset(), "x86_64", (6, 12))
    rules = Rules(profile, Situation(frozenset(), "x86_64"))
    for value in AROUND:
        data = SeccompData(numbers("x86_64")[call], X86_64, (0, 0, value))
        assert run_program(program, data) == rules.verdict(data), hex(value)


VALUES = st.sampled_from([0, 1, 40, 2**31, 2**32 - 1, 2**32, 2**32 + 40, 2**64 - 1])
CALLS = ("read", "fcntl", "socket", "personality", "clone", "openat2", "futex_waitv")
CONDITIONS = st.builds(
    Condition,
    st.integers(0, 5),
    st.sampled_from(Operator),
    VALUES | st.integers(0, 2**64 - 1),
    VALUES,
)
GUARDS = st.builds(
    Guard,
    st.lists(st.sampled_from(["CAP_BPF", "CAP_CHOWN"]), max_size=1).map(tuple),
    st.lists(st.sampled_from(["amd64", "arm64"]), max_size=1).map(tuple),
    st.none() | st.sampled_from([(4, 8), (6, 12), (6, 13)]),
)
ACTION = st.builds(Action, st.sampled_from([*ACTIONS]), st.just(0)).map(
    lambda action: replace(action, data=9) if action.name == "SCMP_ACT_ERRNO" else action
)
RULES = st.builds(
    Rule,
    st.lists(st.sampled_from(CALLS), min_size=1, max_size=3).map(tuple),
    ACTION,
    st.lists(CONDITIONS, max_size=3).map(tuple),
    st.just(Guard()) | GUARDS,
    st.just(Guard()) | GUARDS,
)
PROFILES = st.builds(Profile, ACTION, st.lists(RULES, max_size=8).map(tuple))


@settings(max_examples=200, deadline=None)
@given(PROFILES, st.sampled_from([*AUDIT]), st.data())
def test_any_profile_means_its_rules(
    profile: Profile, arch: str, draw: st.DataObject
) -> None:
    here = Situation(frozenset({"CAP_CHOWN"}), arch)
    program = compile_profile(profile, here.caps, here.arch, here.kernel)
    rules = Rules(profile, here)
    asked = [numbers(arch)[call] for call in CALLS] + [437, 450, 1000]
    arguments = st.tuples(*[st.sampled_from(edges(profile))] * 6)
    for args in draw.draw(st.lists(arguments, min_size=4, max_size=4)):
        for nr in asked:
            data = SeccompData(nr, AUDIT[arch], args)
            assert run_program(program, data) == rules.verdict(data)
