"""Capabilities: what people may type, what they get, and what Docker gives for the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.grammar.capabilities import (
    ALL_MASK,
    BITS,
    DEFAULT,
    NAMES,
    CapabilityLacking,
    CapabilityUnknown,
    Grant,
    Sets,
    grant,
    mask_of,
    names_of,
    parse,
    sets_after_exec,
    tweak,
)

# The machine on which dockerd was asked lacked CAP_SYS_RESOURCE (bit 24).
MEASURED_ON = ALL_MASK & ~(1 << 24)
ROOT, STUDENT = 0, 1000


@pytest.mark.parametrize(
    ("flags", "uid", "held", "bounding"),
    [
        pytest.param("", ROOT, 0xA80425FB, 0xA80425FB, id="root by default"),
        pytest.param("", STUDENT, 0, 0xA80425FB, id="another user"),
        pytest.param("+NET_ADMIN", STUDENT, 0, 0xA80435FB, id="another user adds one"),
        pytest.param("+ALL", ROOT, 0x1FFFEFFFFFF, 0x1FFFEFFFFFF, id="add all"),
        pytest.param("-ALL", ROOT, 0, 0, id="drop all"),
        pytest.param("-ALL +CHOWN", ROOT, 1, 1, id="drop all, add one"),
        pytest.param("-MKNOD +SYS_ADMIN", ROOT, 0xA02425FB, 0xA02425FB, id="swap one"),
        pytest.param("+ALL -MKNOD", ROOT, 0x1FFF6FFFFFF, 0x1FFF6FFFFFF, id="all but one"),
        pytest.param("+MKNOD -MKNOD", ROOT, 0xA80425FB, 0xA80425FB, id="both: present"),
        pytest.param("privileged", ROOT, 0x1FFFEFFFFFF, 0x1FFFEFFFFFF, id="privileged"),
        pytest.param("privileged", STUDENT, 0, 0x1FFFEFFFFFF, id="privileged user"),
    ],
)
def test_the_masks_are_those_of_a_docker_container(
    flags: str, uid: int, held: int, bounding: int
) -> None:
    added = [flag[1:] for flag in flags.split() if flag[0] == "+"]
    dropped = [flag[1:] for flag in flags.split() if flag[0] == "-"]
    names = tweak(added, dropped, flags == "privileged", MEASURED_ON)
    assert sets_after_exec(names, uid) == Sets(0, held, held, bounding, 0)


def test_privileged_does_not_look_at_what_is_dropped() -> None:
    assert tweak([], ["ALL"], True, MEASURED_ON) == names_of(MEASURED_ON)


def test_all_beside_other_names_is_still_all() -> None:
    assert tweak(["chown", "all"], ["all"], False, 0b11) == (
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
    )


def test_the_default_set_keeps_the_order_of_docker() -> None:
    assert tweak([], [], False, ALL_MASK) == DEFAULT
    assert len(DEFAULT) == len(set(DEFAULT)) == 14


def test_names_are_read_in_any_case_with_or_without_prefix_and_once() -> None:
    assert parse(["net_admin", "CAP_NET_ADMIN", "Cap_Chown", "aLL"]) == (
        "CAP_NET_ADMIN",
        "CAP_CHOWN",
        "ALL",
    )


@pytest.mark.parametrize("option", ["CapAdd", "CapDrop"])
def test_an_unknown_name_is_refused_in_the_words_of_docker(option: str) -> None:
    with pytest.raises(CapabilityUnknown) as refusal:
        parse(["chown", "nope"], option=option)
    assert refusal.value.what == f'invalid {option}: unknown capability: "CAP_NOPE"'
    assert refusal.value.status == 400


def test_tweak_says_which_option_held_the_unknown_name() -> None:
    with pytest.raises(CapabilityUnknown, match="invalid CapAdd"):
        tweak(["nope"], [], False, ALL_MASK)
    with pytest.raises(CapabilityUnknown, match="invalid CapDrop"):
        tweak([], ["nope"], True, ALL_MASK)


def test_a_near_miss_is_answered_with_the_names_that_share_a_word() -> None:
    with pytest.raises(CapabilityUnknown) as refusal:
        parse(["net_admni"])
    assert "CAP_NET_ADMIN" in refusal.value.try_next
    assert "CAP_CHOWN" not in refusal.value.try_next


def test_a_capability_newer_than_the_kernel_is_skipped() -> None:
    granted = grant(["CAP_CHOWN", "CAP_PERFMON", "CAP_BPF"], ALL_MASK, last_cap=38)
    assert granted == Grant(("CAP_CHOWN", "CAP_PERFMON"), skipped=("CAP_BPF",))


def test_a_capability_that_this_machine_lacks_is_refused_with_the_way_out() -> None:
    wanted = tweak(["SYS_RESOURCE"], [], False, MEASURED_ON)
    with pytest.raises(CapabilityLacking) as refusal:
        grant(wanted, MEASURED_ON, last_cap=40)
    assert refusal.value.what == "this machine's root lacks CAP_SYS_RESOURCE"
    assert refusal.value.try_next == "--cap-drop SYS_RESOURCE"


def test_what_the_kernel_does_not_know_is_not_called_lacking() -> None:
    granted = grant(names_of(ALL_MASK), (1 << 38) - 1, last_cap=37)
    assert granted.skipped == ("CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE")


def test_there_are_41_names_and_some_well_known_bits() -> None:
    assert len(NAMES) == len(BITS) == 41
    known = {"CAP_KILL": 5, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21, "CAP_MKNOD": 27}
    assert {name: BITS[name] for name in known} == known
    assert BITS["CAP_CHECKPOINT_RESTORE"] == 40


@given(st.integers(0, ALL_MASK))
def test_a_mask_survives_being_named(mask: int) -> None:
    assert mask_of(names_of(mask)) == mask


@given(
    st.lists(st.sampled_from([*NAMES, "ALL"])),
    st.lists(st.sampled_from([*NAMES, "ALL"])),
    st.integers(0, ALL_MASK),
)
def test_tweak_follows_the_rule_as_docker_states_it(
    added: list[str], dropped: list[str], available: int
) -> None:
    got = set(tweak(added, dropped, False, available))
    if "ALL" in added:
        assert got == set(names_of(available)) - set(dropped)
    elif "ALL" in dropped:
        assert got == set(added)
    else:
        assert got == set(DEFAULT) - set(dropped) | set(added)


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_capability_or_a_lesson(typed: str) -> None:
    try:
        answer: object = parse([typed])[0] in {*NAMES, "ALL"}
    except CapabilityUnknown as refusal:
        answer = refusal.why and refusal.try_next
    assert answer
