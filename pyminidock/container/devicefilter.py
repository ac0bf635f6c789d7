"""Which device nodes a container may open, as a program that the kernel runs.

A device node is only a door with a number on it, and a container's root may make any: it
has CAP_MKNOD.  So at every mknod and at every open the kernel asks the cgroup.  In version
1 the answer is a list of rules; in version 2 it is a program, asked with one record:

     0          2          4                   8                  12
     +----------+----------+-------------------+-------------------+
     | type     | access   | major             | minor             |
     +----------+----------+-------------------+-------------------+
       1 block    1 mknod, 2 read, 4 write; sums of them
       2 char

An instruction of extended BPF is eight bytes, `struct bpf_insn`: what to do (code), which
registers (dst, src), how far to read or to jump (off), and a constant (imm).  Register 1
points at the record, register 0 holds the answer: 1 yes, 0 no.  One rule becomes

    c 1:3 rwm    if type   != 2        skip to the next rule
                 if access &  0xfff8   skip to the next rule    more than rwm is wanted
                 if major  != 1        skip to the next rule
                 if minor  != 3        skip to the next rule
                 answer 1

and what no rule lets through is answered 0.  Jumps go forward only, so it always ends.

Source: Linux, include/uapi/linux/bpf.h, struct bpf_cgroup_dev_ctx; the standard
"BPF Instruction Set Architecture" (RFC 9669); Documentation/admin-guide/cgroup-v1/devices.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LOAD_HALF = 0x69  # BPF_LDX | BPF_MEM | BPF_H: dst = 16 bits at [src + off]
LOAD_WORD = 0x61  # BPF_LDX | BPF_MEM | BPF_W: dst = 32 bits at [src + off]
MOVE = 0xB4  # BPF_ALU | BPF_MOV | BPF_K: dst = imm
JUMP_NE = 0x55  # BPF_JMP | BPF_JNE | BPF_K: if dst != imm, skip off instructions
JUMP_SET = 0x45  # BPF_JMP | BPF_JSET | BPF_K: if dst & imm, skip off instructions
EXIT = 0x95  # BPF_JMP | BPF_EXIT: the answer is register 0

ANSWER, RECORD, TYPE, ACCESS, MAJOR, MINOR = range(6)  # what each register is for

TYPES = {"b": 1, "c": 2}
ACCESSES = {"m": 1, "r": 2, "w": 4}
_EVERY_ACCESS = 0xFFFF  # 16 bits, whatever a later kernel may ask in them

_INSTRUCTION = struct.Struct("<BBhi")
_RULE = re.compile(r"([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})")


class Instruction(NamedTuple):
    """One `struct bpf_insn`."""

    code: int
    dst: int = 0
    src: int = 0
    off: int = 0
    imm: int = 0

    def packed(self) -> bytes:
        """Give its eight bytes; the two registers share one."""
        return _INSTRUCTION.pack(self.code, self.dst | self.src << 4, self.off, self.imm)


def device_program(rules: Iterable[str]) -> bytes:
    """Write the program that allows what one of `rules` allows, and nothing else.

    A rule is spelled as in devices.allow of version 1.  Raises ValueError for another text.

    >>> program = device_program(("c 1:3 rwm", "b *:* m"))
    >>> len(program) // 8, "instructions"
    (16, 'instructions')
    """
    lines = [
        Instruction(LOAD_HALF, TYPE, RECORD, off=0),
        Instruction(LOAD_HALF, ACCESS, RECORD, off=2),
        Instruction(LOAD_WORD, MAJOR, RECORD, off=4),
        Instruction(LOAD_WORD, MINOR, RECORD, off=8),
    ]
    for rule in rules:
        lines += _allow(rule)
    lines += _answer(0)
    return b"".join(line.packed() for line in lines)


def _allow(rule: str) -> Iterator[Instruction]:
    """Answer 1 if every test of the rule holds; each test that fails skips the rest."""
    tests = list(_tests(rule))
    yes = _answer(1)
    for number, test in enumerate(tests, start=1):
        yield test._replace(off=len(tests) - number + len(yes))
    yield from yes


def _tests(rule: str) -> Iterator[Instruction]:
    """Give one jump for each thing the rule is particular about."""
    parts = _RULE.fullmatch(rule)
    if parts is None:
        raise ValueError(f"no rule for devices: {rule!r}")
    kind, major, minor, letters = parts.groups()
    if kind != "a":
        yield Instruction(JUMP_NE, TYPE, imm=TYPES[kind])
    allowed = sum(ACCESSES[letter] for letter in set(letters))
    yield Instruction(JUMP_SET, ACCESS, imm=_EVERY_ACCESS & ~allowed)
    if major != "*":
        yield Instruction(JUMP_NE, MAJOR, imm=int(major))
    if minor != "*":
        yield Instruction(JUMP_NE, MINOR, imm=int(minor))


def _answer(verdict: int) -> tuple[Instruction, ...]:
    return Instruction(MOVE, ANSWER, imm=verdict), Instruction(EXIT)
