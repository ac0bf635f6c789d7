"""Reading a profile: what it means, and what is said when it means nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.container.seccomp.parse import (
    MAX_BYTES,
    ProfileRefused,
    default_profile,
    parse_profile,
)
from pyminidock.container.seccomp.profile import (
    ACTIONS,
    Action,
    Condition,
    Guard,
    Operator,
    Profile,
    Rule,
)

DENY = {"defaultAction": "SCMP_ACT_ERRNO"}
ALLOW_CHMOD = {"names": ["chmod"], "action": "SCMP_ACT_ALLOW"}


def profile_with(**changes: Any) -> str:
    """A profile of one rule about chmod, with some keys of that rule changed."""
    return json.dumps({**DENY, "syscalls": [{**ALLOW_CHMOD, **changes}]})


def test_a_full_rule_becomes_a_value() -> None:
    text = profile_with(
        names=["clone", "fork"],
        action="SCMP_ACT_ERRNO",
        errnoRet=38,
        args=[{"index": 2, "value": 6, "valueTwo": 4, "op": "SCMP_CMP_MASKED_EQ"}],
        includes={"caps": ["CAP_CHOWN"], "arches": ["amd64"], "minKernel": "4.8"},
        excludes={"caps": ["CAP_KILL", "CAP_BPF"]},
        comment="a sentence",
    )
    assert parse_profile(text) == Profile(
        Action("SCMP_ACT_ERRNO", 1),
        (
            Rule(
                ("clone", "fork"),
                Action("SCMP_ACT_ERRNO", 38),
                (Condition(2, Operator.MASKED_EQ, 6, 4),),
                Guard(("CAP_CHOWN",), ("amd64",), (4, 8)),
                Guard(("CAP_KILL", "CAP_BPF")),
                "a sentence",
            ),
        ),
    )


def test_bytes_and_text_are_the_same_profile() -> None:
    text = profile_with(comment="é")
    assert parse_profile(text) == parse_profile(text.encode())


@pytest.mark.parametrize(("name", "word"), sorted(ACTIONS.items()))
def test_every_action_of_docker_is_known(name: str, word: int) -> None:
    with_data = name in {"SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"}
    (rule,) = parse_profile(profile_with(action=name, errnoRet=7)).rules
    assert rule.action.word == word + (7 if with_data else 0)


def test_an_errno_that_is_not_given_is_eperm() -> None:
    profile = parse_profile(json.dumps({**DENY, "defaultErrnoRet": None}))
    assert profile.default == Action("SCMP_ACT_ERRNO", 1)


def test_an_old_rule_with_one_name_is_read() -> None:
    (rule,) = parse_profile(profile_with(name="mkdir", names=[])).rules
    assert rule.names == ("mkdir",)


def test_null_and_missing_and_unknown_keys_say_nothing() -> None:
    nothing: dict[str, Any] = {
        "args": None,
        "includes": None,
        "excludes": {},
        "comment": None,
        "novelty": 1,
    }
    assert parse_profile(profile_with(**nothing)) == parse_profile(profile_with())


def test_an_argument_named_twice_means_either_as_in_runc() -> None:
    twice = [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in (1, 2)]
    rules = parse_profile(profile_with(args=twice)).rules
    assert [rule.conditions for rule in rules] == [
        (Condition(0, Operator.EQ, 1),),
        (Condition(0, Operator.EQ, 2),),
    ]


def test_architectures_come_from_the_map_or_the_list() -> None:
    mapped = {"archMap": [{"architecture": "A", "subArchitectures": ["B", "C"]}]}
    assert parse_profile(json.dumps({**DENY, **mapped})).architectures == ("A", "B", "C")
    listed = {"architectures": ["A"]}
    assert parse_profile(json.dumps({**DENY, **listed})).architectures == ("A",)


REFUSALS = {
    "no action": ("{}", "defaultAction: missing"),
    "not JSON": ("{", "not JSON"),
    "a list": ("[]", "not an object"),
    "a number of 5000 digits": ('{"defaultErrnoRet": ' + "9" * 5000 + "}", "not JSON"),
    "not UTF-8": (b'{"\xff": 1}', "not UTF-8 at byte 2"),
    "too deep": ("[" * 100_000, "nested 100000 deep"),
    "too long": (" " * (MAX_BYTES + 1), f"{MAX_BYTES + 1} bytes"),
    "both families": (
        json.dumps({**DENY, "architectures": ["A"], "archMap": [{"architecture": "A"}]}),
        "both architectures and archMap",
    ),
    "rules are no list": (
        json.dumps({**DENY, "syscalls": {"a": 1}}),
        "syscalls: not a list",
    ),
    "both names": (profile_with(name="chmod"), "syscalls[0]: both name and names"),
    "no names": (profile_with(names=[]), "syscalls[0]: no system call is named"),
    "an empty name": (profile_with(names=[""]), "syscalls[0].names: not a list of names"),
    "a number as name": (profile_with(names=[5]), "syscalls[0].names"),
    "unknown action": (profile_with(action="ALLOW"), "syscalls[0].action: unknown action"),
    "a notifier": (
        profile_with(action="SCMP_ACT_NOTIFY"),
        "SCMP_ACT_NOTIFY is not supported",
    ),
    "errno of libc's size": (
        profile_with(action="SCMP_ACT_ERRNO", errnoRet=4096),
        "syscalls[0].errnoRet: number out of range",
    ),
    "an argument too many": (
        profile_with(args=[{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]),
        "syscalls[0].args[0].index",
    ),
    "a value of 65 bits": (
        profile_with(args=[{"index": 0, "value": 2**64, "op": "SCMP_CMP_EQ"}]),
        "syscalls[0].args[0].value",
    ),
    "a negative value": (
        profile_with(args=[{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}]),
        "syscalls[0].args[0].value",
    ),
    "a truth as value": (
        profile_with(args=[{"index": 0, "value": True, "op": "SCMP_CMP_EQ"}]),
        "syscalls[0].args[0].value",
    ),
    "unknown comparison": (
        profile_with(args=[{"index": 0, "value": 1, "op": "=="}]),
        "syscalls[0].args[0].op: unknown comparison '=='",
    ),
    "unknown capability": (
        profile_with(includes={"caps": ["SYS_ADMIN"]}),
        "syscalls[0].includes.caps: unknown capability 'SYS_ADMIN'",
    ),
    "unreadable kernel": (
        profile_with(excludes={"minKernel": "new"}),
        "syscalls[0].excludes.minKernel: unreadable version 'new'",
    ),
    "guards are no object": (
        profile_with(includes=[1]),
        "syscalls[0].includes: not an object",
    ),
    "a comment that is none": (
        profile_with(comment=[1]),
        "syscalls[0].comment: not a string",
    ),
}


@pytest.mark.parametrize(("text", "what"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_names_the_place_the_rule_and_the_way_out(
    text: str | bytes, what: str
) -> None:
    with pytest.raises(ProfileRefused) as refusal:
        parse_profile(text)
    assert what in refusal.value.what
    assert refusal.value.why not in {"", refusal.value.what}
    assert refusal.value.try_next
    assert refusal.value.status == 400


KEYS = (
    *("defaultAction", "syscalls", "names", "action", "args", "index", "op", "value"),
    *("includes", "caps", "archMap", "architectures", "minKernel"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*ACTIONS]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
)


@given(JSON)
def test_any_json_is_a_profile_or_a_refusal(document: object) -> None:
    try:
        answer: object = parse_profile(json.dumps(document))
    except ProfileRefused as refusal:
        answer = refusal.try_next
    assert answer


def test_the_default_profile_is_read_once_and_says_why_for_each_rule() -> None:
    assert default_profile() is default_profile()
    assert all(rule.comment.endswith(".") for rule in default_profile().rules)


def test_the_default_profile_names_no_call_twice_without_a_guard_or_condition() -> None:
    plain = [
        name
        for rule in default_profile().rules
        if not rule.conditions and rule.includes == rule.excludes == Guard()
        for name in rule.names
    ]
    assert len(plain) == len(set(plain))
