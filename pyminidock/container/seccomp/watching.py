"""A filter that refuses nothing: it lets somebody be told of the calls that name files.

Of several filters the strictest verdict counts, and to refuse is stricter than to tell.  So
what a container's profile refuses stays refused, and nobody is told of it; what it allows
waits until whoever listens has said "go on".

    load nr ── one of 36 numbers? ── yes: tell (USER_NOTIF) · no: allow

Source: seccomp(2), "Filter return values"; seccomp_unotify(2).
"""

from pyminidock.container.seccomp.bpf import (
    JUMP_EQ,
    Branch,
    Label,
    Line,
    Load,
    Return,
    assemble,
)
from pyminidock.container.seccomp.syscalls import architecture, numbers
from pyminidock.kernel.watch.notices import SHAPES

TELL, ALLOW = 0x7FC00000, 0x7FFF0000  # SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW


def watching_program(arch: str) -> bytes:
    """Make the filter for the processor that `uname -m` calls so.

    Raises ArchitectureUnknown.
    """
    known = numbers(arch)
    told = sorted(known[name] for name in SHAPES if name in known)
    lines: list[Line] = [
        Load(4),
        Branch(JUMP_EQ, architecture(arch).audit, no="allow"),
        Load(0),
        *(Branch(JUMP_EQ, number, yes="tell") for number in told),
        Label("allow"),
        Return(ALLOW),
        Label("tell"),
        Return(TELL),
    ]
    return assemble(lines)
