"""Classic BPF: what the assembler writes, what the interpreter reads, what both refuse."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.container.seccomp.bpf import (
    AND,
    JUMP,
    JUMP_EQ,
    JUMP_GE,
    JUMP_GT,
    JUMP_SET,
    LOAD_WORD,
    RETURN,
    Branch,
    Goto,
    Instruction,
    Label,
    Line,
    Load,
    Mask,
    ProgramRefused,
    Return,
    SeccompData,
    assemble,
    decode,
    run_program,
)

YES, NO = 1, 2
ANSWERS: tuple[Line, ...] = (Label("no"), Return(NO), Label("yes"), Return(YES))
WORDS = st.integers(0, 2**32 - 1)


def pack(*instructions: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)


def ask(data: SeccompData, code: int, value: int, *, offset: int = 0) -> int:
    question = (Load(offset), Branch(code, value, "yes", "no"))
    return run_program(assemble((*question, *ANSWERS)), data)


@given(WORDS, WORDS)
def test_each_comparison_is_unsigned_and_32_bits_wide(nr: int, value: int) -> None:
    data = SeccompData(nr, arch=0)
    for right in (value, nr):  # equal words are rare among random ones
        assert ask(data, JUMP_EQ, right) == (YES if nr == right else NO)
        assert ask(data, JUMP_GT, right) == (YES if nr > right else NO)
        assert ask(data, JUMP_GE, right) == (YES if nr >= right else NO)
        assert ask(data, JUMP_SET, right) == (YES if nr & right else NO)


@given(st.tuples(*[st.integers(0, 2**64 - 1)] * 6), WORDS, WORDS)
def test_every_word_of_the_record_is_where_the_kernel_puts_it(
    args: tuple[int, ...], nr: int, arch: int
) -> None:
    data = SeccompData(nr, arch, args, instruction_pointer=0x0000700000001000)
    expected = [nr, arch, 0x1000, 0x7000]
    for argument in args:
        expected += [argument & 0xFFFFFFFF, argument >> 32]
    for at, word in enumerate(expected):
        assert ask(data, JUMP_EQ, word, offset=4 * at) == YES


def test_a_mask_keeps_only_its_bits() -> None:
    program = assemble(
        (Load(0), Mask(0xFF00), Branch(JUMP_EQ, 0x1200, "yes", "no"), *ANSWERS)
    )
    assert run_program(program, SeccompData(nr=0x451234, arch=0)) == YES
    assert run_program(program, SeccompData(nr=0x451334, arch=0)) == NO


@pytest.mark.parametrize("distance", [0, 1, 253, 254, 255, 256, 257, 1000, 4000])
@pytest.mark.parametrize("far", ["yes", "no", "both"])
def test_a_jump_arrives_however_far_it_is(distance: int, far: str) -> None:
    lines: list[Line] = [Load(0)]
    match far:
        case "yes":
            lines.append(Branch(JUMP_EQ, 7, yes="far yes"))
        case "no":
            lines.append(Branch(JUMP_EQ, 7, no="far no"))
        case _:
            lines.append(Branch(JUMP_EQ, 7, "far yes", "far no"))
    lines += [Return(3)] * distance
    lines += [Return(4), Label("far yes"), Return(YES), Label("far no"), Return(NO)]
    program = assemble(lines)
    stays = 3 if distance else 4
    seven = run_program(program, SeccompData(nr=7, arch=0))
    other = run_program(program, SeccompData(nr=8, arch=0))
    assert seven == (stays if far == "no" else YES)
    assert other == (stays if far == "yes" else NO)


def test_a_near_jump_costs_nothing_and_a_far_one_a_single_instruction() -> None:
    def length(distance: int) -> int:
        between = [Return(NO)] * distance
        branch = Branch(JUMP_EQ, 0, yes="there")
        return len(decode(assemble((branch, *between, Label("there"), Return(YES)))))

    assert length(255) == 255 + 2
    assert length(256) == 256 + 3


def test_two_targets_at_the_edge_of_reach_need_one_jump_only_for_the_farther() -> None:
    lines: list[Line] = [Branch(JUMP_EQ, 7, "far", "near"), *[Return(3)] * 254]
    program = assemble(
        (*lines, Label("near"), Return(NO), Return(3), Label("far"), Return(YES))
    )
    assert [line.code for line in decode(program)].count(JUMP) == 1
    assert run_program(program, SeccompData(nr=8, arch=0)) == NO


def test_going_to_the_next_line_is_no_instruction() -> None:
    program = assemble([Goto("here"), Label("here"), Return(YES)])
    assert decode(program) == (Instruction(RETURN, 0, 0, YES),)


def test_a_goto_skips_what_lies_between() -> None:
    program = assemble([Goto("end"), Return(NO), Return(NO), Label("end"), Return(YES)])
    assert decode(program)[0] == Instruction(JUMP, 0, 0, 2)
    assert run_program(program, SeccompData(nr=0, arch=0)) == YES


def test_a_label_above_is_no_target() -> None:
    with pytest.raises(KeyError, match="above"):
        assemble([Label("above"), Load(0), Goto("above"), Return(YES)])


@pytest.mark.parametrize(
    ("program", "why"),
    [
        pytest.param(b"", "1 to 4096", id="nothing"),
        pytest.param(b"\0" * 7, "eight bytes", id="half an instruction"),
        pytest.param(pack((RETURN, 0, 0, 0)) * 4097, "1 to 4096", id="too long"),
        pytest.param(pack((LOAD_WORD, 0, 0, 0)), "must be a return", id="no return"),
        pytest.param(
            pack((LOAD_WORD, 0, 0, 64), (RETURN, 0, 0, 0)), "within 64", id="load beyond"
        ),
        pytest.param(
            pack((LOAD_WORD, 0, 0, 2), (RETURN, 0, 0, 0)), "aligned", id="load askew"
        ),
        pytest.param(
            pack((JUMP, 0, 0, 1), (RETURN, 0, 0, 0)), "ends within", id="jump beyond"
        ),
        pytest.param(
            pack((JUMP_EQ, 1, 0, 0), (RETURN, 0, 0, 0)), "ends within", id="yes beyond"
        ),
        pytest.param(
            pack((JUMP_EQ, 0, 1, 0), (RETURN, 0, 0, 0)), "ends within", id="no beyond"
        ),
        pytest.param(
            pack((0x00, 0, 0, 0), (RETURN, 0, 0, 0)), "eight opcodes", id="other opcode"
        ),
    ],
)
def test_what_the_kernel_would_not_accept_is_refused(program: bytes, why: str) -> None:
    with pytest.raises(ProgramRefused) as refusal:
        run_program(program, SeccompData(nr=0, arch=0))
    assert why in refusal.value.why


def test_the_longest_program_that_the_kernel_takes_is_accepted() -> None:
    assert len(decode(pack((RETURN, 0, 0, YES)) * 4096)) == 4096


@given(st.lists(st.tuples(st.sampled_from([0x05, 0x06, 0x15, 0x20, 0x25, 0x35, 0x45, AND]),
                          st.integers(0, 3), st.integers(0, 3), st.integers(0, 70)),
                max_size=12))  # fmt: skip
def test_any_program_that_is_accepted_ends(code: list[tuple[int, int, int, int]]) -> None:
    program = pack(*code)
    try:
        decode(program)
    except ProgramRefused:
        return
    returns = {k for opcode, _, _, k in code if opcode == RETURN}
    assert run_program(program, SeccompData(nr=3, arch=5, args=(1, 2))) in returns
