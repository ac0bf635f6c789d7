"""The device program answers as its rules do, for whatever the kernel may ask."""

import itertools
import random
import struct
from collections.abc import Iterator

import pytest

from pyminidock.container.devicefilter import device_program
from pyminidock.container.devicerules import DEVICES

BLOCK, CHAR = 1, 2
MAKE, READ, WRITE = 1, 2, 4
YES, NO = 1, 0

LOADS = {0x61: "<I", 0x69: "<H"}
SEEDS = range(200)


def ask(program: bytes, kind: int, access: int, major: int, minor: int) -> int:
    """Run a program as the kernel would, after what its verifier insists on.

    It knows the six instructions that device programs use, and no others.
    """
    lines = list(struct.iter_unpack("<BBhi", program))
    record = struct.pack("<III", access << 16 | kind, major, minor)
    registers: dict[int, int] = {}  # reading one that was never written is a KeyError
    at = 0
    while True:
        code, both, off, imm = lines[at]
        dst, src = both & 15, both >> 4
        at += 1
        match code:
            case 0x61 | 0x69:
                assert src == 1, "only register 1 points at the record"
                (registers[dst],) = struct.unpack_from(LOADS[code], record, off)
            case 0xB4:
                registers[dst] = imm
            case 0x55 | 0x45:
                assert off >= 0, "jumps go forward"
                value = registers[dst]
                at += off if (value != imm if code == 0x55 else value & imm) else 0
            case 0x95:
                return registers[0]
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")


def reachable(program: bytes) -> set[int]:
    """Number the instructions that some record leads to: the kernel refuses others."""
    lines = list(struct.iter_unpack("<BBhi", program))
    seen, waiting = set[int](), [0]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        assert at < len(lines), "a jump leads out of the program"
        seen.add(at)
        code, _, off, _ = lines[at]
        if code != 0x95:
            waiting.append(at + 1)
        if code in (0x55, 0x45):
            waiting.append(at + 1 + off)
    return seen


def is_allowed(
    rules: tuple[str, ...], kind: int, access: int, major: int, minor: int
) -> bool:
    """Ask the rules themselves: one of them has to cover everything that is wanted."""
    wanted = {letter for letter, bit in zip("mrw", (1, 2, 4), strict=True) if access & bit}
    for rule in rules:
        name, numbers, letters = rule.split(" ")
        if name != "a" and {"b": BLOCK, "c": CHAR}[name] != kind:
            continue
        pairs = zip(numbers.split(":"), (major, minor), strict=True)
        if all(said in ("*", str(number)) for said, number in pairs) and wanted <= {
            *letters
        }:
            return True
    return False


def edges(rules: tuple[str, ...]) -> Iterator[tuple[int, int, int, int]]:
    """Every type and access, at each number of a rule, beside it and at the ends."""
    named = {int(n) for rule in rules for n in rule.split(" ")[1].split(":") if n.isdigit()}
    numbers = {0, (1 << 12) - 1, (1 << 20) - 1, (1 << 32) - 1}
    numbers |= {max(0, n + step) for n in named for step in (-1, 0, 1)}
    return itertools.product((BLOCK, CHAR), range(1, 8), sorted(numbers), sorted(numbers))


def test_the_program_of_a_container_answers_as_the_list_of_version_1_does() -> None:
    program = device_program(DEVICES)
    cases = list(edges(DEVICES))
    for case in cases:
        assert ask(program, *case) == is_allowed(DEVICES, *case), case
    assert len(cases) > 5000
    assert {ask(program, *case) for case in cases} == {YES, NO}


@pytest.mark.parametrize("seed", SEEDS)
def test_any_rules_become_a_program_that_answers_as_they_do(seed: int) -> None:
    dice = random.Random(seed)
    rules = tuple(_rule(dice) for _ in range(dice.randrange(6)))
    program = device_program(rules)
    assert reachable(program) == set(range(len(program) // 8))
    for case in dice.sample(list(edges(rules)), 100):
        assert ask(program, *case) == is_allowed(rules, *case), (rules, case)


def _rule(dice: random.Random) -> str:
    major, minor = (dice.choice(("*", "0", "1", "7", "4095", "1048575")) for _ in "12")
    letters = "".join(dice.sample("rwm", dice.randint(1, 3)))
    return f"{dice.choice('abc')} {major}:{minor} {letters}"


@pytest.mark.parametrize(
    ("kind", "access", "major", "minor", "answer"),
    [
        pytest.param(BLOCK, MAKE, 8, 0, YES, id="a node for the first disk"),
        pytest.param(BLOCK, READ, 8, 0, NO, id="reading the first disk"),
        pytest.param(BLOCK, WRITE, 8, 0, NO, id="writing the first disk"),
        pytest.param(BLOCK, READ | MAKE, 8, 0, NO, id="more than may be"),
        pytest.param(CHAR, READ, 1, 1, NO, id="reading the memory of the host"),
        pytest.param(CHAR, READ | WRITE, 1, 3, YES, id="null"),
        pytest.param(BLOCK, READ, 1, 3, NO, id="a block device with null's number"),
        pytest.param(CHAR, READ | WRITE, 136, 77, YES, id="a terminal"),
        pytest.param(CHAR, 1 << 3, 1, 3, NO, id="something that no rule knows"),
    ],
)
def test_a_node_may_be_made_but_the_host_s_disk_does_not_open(
    kind: int, access: int, major: int, minor: int, answer: int
) -> None:
    assert ask(device_program(DEVICES), kind, access, major, minor) == answer


def test_without_rules_nothing_is_allowed() -> None:
    assert ask(device_program(()), CHAR, READ, 1, 3) == NO


@pytest.mark.parametrize(
    "rule", ["", "a", "c 1:3", "c 1:3 x", "d 1:3 r", "c 1 r", "c 1:3 r\n"]
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="no rule for devices"):
        device_program((rule,))
