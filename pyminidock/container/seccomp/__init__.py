"""Which system calls a container may make, as a program that the kernel runs.

The way of a profile through this room, each door a pure function:

    JSON ──parse_profile──► Profile ──compile_profile──► bytes ──► seccomp(2), in kernel/
                                                           └─run_program──► a verdict

    profile = default_profile()
    program = compile_profile(profile, frozenset(capabilities), "x86_64", (6, 12))
    verdict = run_program(program, SeccompData(nr=272, arch=0xC000003E))

`lesson` says in words what the default denies, and `STRICTER` where it denies more than
Docker's.  Read in this order: `bpf`, `profile`, `verdicts`, `compile`, `explain`.
"""

from pyminidock.container.seccomp.bpf import (
    ProgramRefused,
    SeccompData,
    listing,
    run_program,
)
from pyminidock.container.seccomp.compile import compile_profile
from pyminidock.container.seccomp.explain import STRICTER, lesson
from pyminidock.container.seccomp.parse import (
    ProfileRefused,
    default_profile,
    parse_profile,
)
from pyminidock.container.seccomp.profile import Profile

__all__ = [
    "STRICTER",
    "Profile",
    "ProfileRefused",
    "ProgramRefused",
    "SeccompData",
    "compile_profile",
    "default_profile",
    "lesson",
    "listing",
    "parse_profile",
    "run_program",
]
