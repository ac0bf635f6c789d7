"""From a profile to the program that the kernel will run before every system call.

    load arch        not ours: kill, because every number would mean another call
    load nr          x32 (bit 30 on x86_64): ENOSYS
    binary search    over runs of neighbouring numbers with the same verdict
    blocks           one per combination of argument rules, shared by its numbers
    returns          one per verdict

Sorted runs are what makes it short and fast: neighbours mostly share a verdict, so some 370
numbers become about 70 runs, and six or seven comparisons find the answer.

The program sees a 64-bit argument as two words.  Equality wants both words equal; an order
is decided by the high word, and by the low one only if the high words are equal.  Where the
kernel itself only takes 32 bits, the high word is no part of the argument: it counts as 0.

Source: seccomp(2); the layout of `struct seccomp_data` is drawn in `bpf`.
"""

from collections.abc import Iterator

from pyminidock.container.seccomp.bpf import (
    JUMP_EQ,
    JUMP_GE,
    JUMP_GT,
    NEXT,
    Branch,
    Goto,
    Label,
    Line,
    Load,
    Mask,
    Return,
    assemble,
)
from pyminidock.container.seccomp.profile import UNKNOWN_CALL, Action, Operator, Profile
from pyminidock.container.seccomp.syscalls import X32_BIT, architecture
from pyminidock.container.seccomp.verdicts import Check, Clause, Verdicts, decide

NR, ARCH, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
KILL_PROCESS = Action("SCMP_ACT_KILL_PROCESS")
LOW_WORD = 0xFFFFFFFF

Clauses = tuple[Clause, ...]
Run = tuple[int, Clauses]  # the first number of the run, and its verdict


def compile_profile(
    profile: Profile, capabilities: frozenset[str], arch: str, kernel: tuple[int, int]
) -> bytes:
    """Make the seccomp program of one container: `struct sock_filter`s, little-endian.

    `capabilities` are the container's bounding set, spelled CAP_SYS_ADMIN; `arch` is what
    `uname -m` says.  Costs about a millisecond.  Raises ArchitectureUnknown, and
    ProgramRefused if the rules do not fit into 4096 instructions.

    >>> from pyminidock.container.seccomp import parse_profile, listing
    >>> silent = parse_profile('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": ['
    ...                        '{"names": ["chmod"], "action": "SCMP_ACT_ERRNO"}]}')
    >>> print(listing(compile_profile(silent, frozenset(), "x86_64", (6, 12))))
    0: ld [4]
    1: jeq 0xc000003e ? 2 : 8
    2: ld [0]
    3: jge 0x40000000 ? 9 : 4
    4: jge 0x5a ? 5 : 6
    5: jge 0x5b ? 6 : 7
    6: ret 0x7fff0000
    7: ret 0x50001
    8: ret 0x80000000
    9: ret 0x50026
    """
    processor = architecture(arch)
    runs = _runs(decide(profile, capabilities, arch, kernel))
    lines: list[Line] = [
        Load(ARCH),
        Branch(JUMP_EQ, processor.audit, no=_door(KILL_PROCESS)),
        Load(NR),
    ]
    if arch == "x86_64":
        lines.append(Branch(JUMP_GE, X32_BIT, yes=_door(UNKNOWN_CALL)))
    verdicts = tuple(dict.fromkeys(clauses for _, clauses in runs))
    doors = {clauses: f"verdict {at}" for at, clauses in enumerate(verdicts)}
    lines += _search(runs, doors)
    for clauses, door in doors.items():
        if clauses[0].checks:
            lines += [Label(door), *_block(clauses, door)]
    actions = [clause.action for clauses in verdicts for clause in clauses]
    for word in dict.fromkeys(a.word for a in (*actions, KILL_PROCESS, UNKNOWN_CALL)):
        lines += [Label(f"return {word:#x}"), Return(word)]
    return assemble(lines)


def _door(action: Action) -> str:
    return f"return {action.word:#x}"


def _runs(verdicts: Verdicts) -> list[Run]:
    """Cut the numbers, in order, wherever the verdict changes."""
    runs: list[Run] = []
    for number in range(verdicts.newest + 2):  # the last one stands for all beyond
        clauses = verdicts.of(number)
        if not runs or runs[-1][1] != clauses:
            runs.append((number, clauses))
    return runs


def _search(runs: list[Run], doors: dict[Clauses, str]) -> Iterator[Line]:
    """Compare with the middle of `runs`, then search one half; a single run is a door."""
    if len(runs) == 1:
        yield Goto(_entrance(runs[0][1], doors))
        return
    middle = len(runs) // 2
    lower, upper = runs[:middle], runs[middle:]
    yes = _entrance(upper[0][1], doors) if len(upper) == 1 else f"from {upper[0][0]}"
    no = _entrance(lower[0][1], doors) if len(lower) == 1 else NEXT
    yield Branch(JUMP_GE, upper[0][0], yes, no)
    if len(lower) > 1:
        yield from _search(lower, doors)
    if len(upper) > 1:
        yield Label(yes)
        yield from _search(upper, doors)


def _entrance(clauses: Clauses, doors: dict[Clauses, str]) -> str:
    """Name the place that answers for `clauses`: a return, or a block of checks."""
    return doors[clauses] if clauses[0].checks else _door(clauses[0].action)


def _block(clauses: Clauses, name: str) -> Iterator[Line]:
    """Try the clauses in order; the first check that fails leads to the next clause."""
    for at, clause in enumerate(clauses):
        following = f"{name}.{at + 1}"
        if not clause.checks:
            yield Goto(_door(clause.action))
        for step, check in enumerate(clause.checks, start=1):
            if step == len(clause.checks):
                yield from _check(check, _door(clause.action), following)
            else:
                passed = f"{name}.{at}.{step}"
                yield from _check(check, passed, following)
                yield Label(passed)
        yield Label(following)


def _check(check: Check, yes: str, no: str) -> Iterator[Line]:
    """Go to `yes` or `no`, whichever the argument deserves."""
    condition = check.condition
    value, operator = condition.value, condition.operator
    mask = None
    match operator:  # three comparisons are the opposite of another one
        case Operator.NE:
            operator, yes, no = Operator.EQ, no, yes
        case Operator.LT:
            operator, yes, no = Operator.GE, no, yes
        case Operator.LE:
            operator, yes, no = Operator.GT, no, yes
        case Operator.MASKED_EQ:
            operator, mask, value = Operator.EQ, condition.value, condition.value_two
    is_order = operator is not Operator.EQ
    low, high = ARGUMENTS + 8 * condition.index, ARGUMENTS + 8 * condition.index + 4
    if check.is_int and value >> 32:  # no 32-bit number is equal to this, or above it
        yield Goto(no)
        return
    if not check.is_int:
        yield Load(high)
        if mask is not None:
            yield Mask(mask >> 32)
        if is_order:
            yield Branch(JUMP_GT, value >> 32, yes=yes)
        yield Branch(JUMP_EQ, value >> 32, no=no)
    yield Load(low)
    if mask is not None:
        yield Mask(mask & LOW_WORD)
    code = {Operator.EQ: JUMP_EQ, Operator.GE: JUMP_GE, Operator.GT: JUMP_GT}[operator]
    yield Branch(code, value & LOW_WORD, yes, no)
