"""Classic BPF: the language in which a process is told which system calls it may make.

A seccomp filter is a tiny program that the kernel runs before every system call.  It has
one register, A, and sees one read-only record, `struct seccomp_data`, 64 bytes long:

     0      4      8                      16          24                        56        64
     +------+------+----------------------+-----------+--- ... -----------------+---------+
     | nr   | arch | instruction pointer  | args[0]   |                         | args[5] |
     +------+------+----------------------+-----------+--- ... -----------------+---------+

An instruction is eight bytes, `struct sock_filter`: what to do (code), how many of the next
instructions to skip when a test holds (jt) or does not (jf), and a constant (k).  Jumps go
forward only, so every program ends; the word it returns is the verdict.

`assemble` turns lines with labels into those bytes, from the last line to the first: since
jumps go forward, every label is known before anything jumps to it.  `run_program` is the
kernel's half, so that a filter can be questioned without being installed.

Source: Linux, include/uapi/linux/{filter,seccomp}.h and kernel/seccomp.c,
seccomp_check_filter(); seccomp(2).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pyminidock.errors import MinidockError

LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS: A = the word at byte k
AND = 0x54  # BPF_ALU | BPF_AND | BPF_K: A = A & k
JUMP = 0x05  # BPF_JMP | BPF_JA: skip k instructions
JUMP_EQ = 0x15  # BPF_JMP | BPF_JEQ | BPF_K: is A == k?
JUMP_GT = 0x25  # BPF_JMP | BPF_JGT | BPF_K: is A > k?
JUMP_GE = 0x35  # BPF_JMP | BPF_JGE | BPF_K: is A >= k?
JUMP_SET = 0x45  # BPF_JMP | BPF_JSET | BPF_K: is A & k != 0?
RETURN = 0x06  # BPF_RET | BPF_K: the verdict is k

TESTS = {JUMP_EQ: "jeq", JUMP_GT: "jgt", JUMP_GE: "jge", JUMP_SET: "jset"}
MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS
MAX_SKIP = 255  # jt and jf are one byte each
DATA_BYTES = 64
NEXT = ""  # the label of the line below

_SOCK_FILTER = struct.Struct("<HBBI")
_SECCOMP_DATA = struct.Struct("<II7Q")
_WORDS = struct.Struct("<16I")


class Instruction(NamedTuple):
    """One `struct sock_filter`."""

    code: int
    jt: int
    jf: int
    k: int


@dataclass(frozen=True, slots=True)
class SeccompData:
    """What a filter may look at: one system call, as the kernel sees it arrive."""

    nr: int
    arch: int
    args: tuple[int, ...] = ()
    instruction_pointer: int = 0

    def words(self) -> tuple[int, ...]:
        """Give the record as sixteen little-endian words; missing arguments are 0.

        >>> SeccompData(nr=41, arch=0xC000003E, args=(2**32 + 40,)).words()[:6]
        (41, 3221225534, 0, 0, 40, 1)
        """
        args = (*self.args, *(0,) * (6 - len(self.args)))
        packed = _SECCOMP_DATA.pack(self.nr, self.arch, self.instruction_pointer, *args)
        return tuple(_WORDS.unpack(packed))


@dataclass(frozen=True, slots=True)
class Label:
    """A name for the line below it."""

    name: str


@dataclass(frozen=True, slots=True)
class Load:
    """A = the 32-bit word at byte `offset` of the record."""

    offset: int


@dataclass(frozen=True, slots=True)
class Mask:
    """A = A & `bits`."""

    bits: int


@dataclass(frozen=True, slots=True)
class Branch:
    """Compare A with `value` and go to the label `yes` or `no`."""

    code: int
    value: int
    yes: str = NEXT
    no: str = NEXT


@dataclass(frozen=True, slots=True)
class Goto:
    """Go on at `label`."""

    label: str


@dataclass(frozen=True, slots=True)
class Return:
    """Answer with `verdict`."""

    verdict: int


Line = Label | Load | Mask | Branch | Goto | Return


class ProgramRefused(MinidockError):
    """The kernel would not accept this filter, or it cannot be written down."""

    status = 400


def assemble(lines: Sequence[Line]) -> bytes:
    """Turn `lines` into a program; a far target is reached by a `Goto` placed right behind.

    Raises ProgramRefused for more than 4096 instructions, KeyError for a label that is not
    further down.

    >>> program = assemble([Load(0), Branch(JUMP_EQ, 39, yes="no pid"), Return(0x7FFF0000),
    ...                     Label("no pid"), Return(0x00050001)])
    >>> print(listing(program))
    0: ld [0]
    1: jeq 0x27 ? 3 : 2
    2: ret 0x7fff0000
    3: ret 0x50001
    """
    behind: list[Instruction] = []  # what follows, nearest last
    places: dict[str, int] = {}  # label -> how many instructions stand from it to the end
    for line in reversed(lines):
        places[NEXT] = len(behind)
        match line:
            case Label(name):
                places[name] = len(behind)
            case Branch(code, value, yes, no):
                # The farther target first: a jump for the nearer one then cannot move it
                # out of reach.
                for label in sorted({yes, no}, key=places.__getitem__):
                    places[label] = _landing(behind, places[label])
                here = len(behind)
                behind.append(
                    Instruction(code, here - places[yes], here - places[no], value)
                )
            case Goto(label):
                if places[label] != len(behind):
                    behind.append(Instruction(JUMP, 0, 0, len(behind) - places[label]))
            case Load(offset):
                behind.append(Instruction(LOAD_WORD, 0, 0, offset))
            case Mask(bits):
                behind.append(Instruction(AND, 0, 0, bits))
            case Return(verdict):
                behind.append(Instruction(RETURN, 0, 0, verdict))
    program = b"".join(_SOCK_FILTER.pack(*instruction) for instruction in reversed(behind))
    decode(program)
    return program


def _landing(behind: list[Instruction], place: int) -> int:
    """Say where a test lands for `place`: there, or on a jump put right behind the test.

    Whoever comes next may land on that jump too: it is nearer than the place itself.
    """
    if len(behind) - place > MAX_SKIP:
        behind.append(Instruction(JUMP, 0, 0, len(behind) - place))
        return len(behind)
    return place


@lru_cache(maxsize=64)
def decode(program: bytes) -> tuple[Instruction, ...]:
    """Give the instructions of `program` after the kernel's own checks.

    Raises ProgramRefused when the size, an opcode, a load or a jump is not allowed.
    """
    count, rest = divmod(len(program), _SOCK_FILTER.size)
    if rest or not 1 <= count <= MAX_INSTRUCTIONS:
        raise _refusal(
            f"a program of {len(program)} bytes",
            f"a filter has 1 to {MAX_INSTRUCTIONS} instructions of eight bytes each",
        )
    instructions = tuple(map(Instruction._make, _SOCK_FILTER.iter_unpack(program)))
    for at, instruction in enumerate(instructions):
        if fault := _fault(instruction, count - at - 1):
            raise _refusal(f"instruction {at}: {instruction}", fault)
    if instructions[-1].code != RETURN:
        raise _refusal(f"instruction {count - 1} is the last one", "it must be a return")
    return instructions


def _fault(instruction: Instruction, remaining: int) -> str:
    code, jt, jf, k = instruction
    if code == LOAD_WORD and (k % 4 or k >= DATA_BYTES):
        return f"loads are aligned and within {DATA_BYTES} bytes"
    if code == JUMP and k >= remaining:
        return "a jump ends within the program"
    if code in TESTS and max(jt, jf) >= remaining:
        return "a jump ends within the program"
    if code not in {LOAD_WORD, AND, JUMP, RETURN, *TESTS}:
        return "filters made here use eight opcodes, and this is none of them"
    return ""


def _refusal(what: str, why: str) -> ProgramRefused:
    return ProgramRefused(
        f"seccomp filter refused: {what}",
        why=why,
        try_next="use fewer rules with arguments: each costs three to six instructions",
        lesson="isolation",
    )


def run_program(program: bytes, data: SeccompData) -> int:
    """Ask the filter about one system call, as the kernel would, and give its verdict.

    Raises ProgramRefused for a program that the kernel would not have accepted.

    >>> answer = assemble([Load(0), Branch(JUMP_GE, 600, no="known"), Return(0x00050026),
    ...                    Label("known"), Return(0x7FFF0000)])
    >>> hex(run_program(answer, SeccompData(nr=600, arch=0)))
    '0x50026'
    """
    instructions = decode(program)
    words = data.words()
    register, at = 0, 0
    while True:
        code, jt, jf, k = instructions[at]
        at += 1
        if code == JUMP_EQ:
            at += jt if register == k else jf
        elif code == JUMP_GE:
            at += jt if register >= k else jf
        elif code == JUMP_GT:
            at += jt if register > k else jf
        elif code == JUMP_SET:
            at += jt if register & k else jf
        elif code == LOAD_WORD:
            register = words[k // 4]
        elif code == AND:
            register &= k
        elif code == JUMP:
            at += k
        else:
            return k


def listing(program: bytes) -> str:
    """Write `program` for people: one instruction a line, jumps as line numbers.

    >>> print(listing(assemble([Load(16), Mask(0x7E020000), Return(0)])))
    0: ld [16]
    1: and 0x7e020000
    2: ret 0x0
    """
    rows = []
    for at, (code, jt, jf, k) in enumerate(decode(program)):
        if code in TESTS:
            text = f"{TESTS[code]} {k:#x} ? {at + 1 + jt} : {at + 1 + jf}"
        elif code == LOAD_WORD:
            text = f"ld [{k}]"
        elif code == JUMP:
            text = f"ja {at + 1 + k}"
        else:
            text = f"{'and' if code == AND else 'ret'} {k:#x}"
        rows.append(f"{at}: {text}")
    return "\n".join(rows)
