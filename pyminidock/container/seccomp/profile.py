"""Docker's seccomp profile: which system calls a container may make, as a JSON document.

    {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
     "syscalls": [{"names": ["clone"], "action": "SCMP_ACT_ALLOW",
                   "args": [{"index": 0, "value": 2114060288, "valueTwo": 0,
                             "op": "SCMP_CMP_MASKED_EQ"}],
                   "excludes": {"caps": ["CAP_SYS_ADMIN"]}}]}

A rule names calls and an action.  Its `args` must all hold; several rules for one call are
alternatives.  `includes` and `excludes` say for which containers, processors and kernels it
is meant.  Calls without a rule get the default.  How rules combine: `verdicts`.

This module has the values; `parse` reads the document, `compile` makes the program.

Source: moby/profiles, seccomp/seccomp.go; runtime-spec, config-linux.md, "Seccomp";
Linux, include/uapi/linux/seccomp.h.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from pyminidock.container.seccomp.syscalls import Architecture

# Action -> what the kernel reads from the upper half of the verdict.
ACTIONS: Mapping[str, int] = MappingProxyType(
    {
        "SCMP_ACT_KILL": 0x00000000,
        "SCMP_ACT_KILL_THREAD": 0x00000000,
        "SCMP_ACT_KILL_PROCESS": 0x80000000,
        "SCMP_ACT_TRAP": 0x00030000,
        "SCMP_ACT_ERRNO": 0x00050000,
        "SCMP_ACT_TRACE": 0x7FF00000,
        "SCMP_ACT_LOG": 0x7FFC0000,
        "SCMP_ACT_ALLOW": 0x7FFF0000,
    }
)


class Operator(Enum):
    """How a condition compares an argument with its value."""

    NE = "SCMP_CMP_NE"
    LT = "SCMP_CMP_LT"
    LE = "SCMP_CMP_LE"
    EQ = "SCMP_CMP_EQ"
    GE = "SCMP_CMP_GE"
    GT = "SCMP_CMP_GT"
    MASKED_EQ = "SCMP_CMP_MASKED_EQ"  # argument & value == value_two


@dataclass(frozen=True, slots=True)
class Action:
    """What happens to a call: a name of ACTIONS, and an errno or a tracer's message."""

    name: str
    data: int = 0

    @property
    def word(self) -> int:
        """The 32-bit verdict that the filter returns.

        >>> hex(Action("SCMP_ACT_ERRNO", 38).word)
        '0x50026'
        """
        return ACTIONS[self.name] | self.data


ALLOW = Action("SCMP_ACT_ALLOW")
UNKNOWN_CALL = Action("SCMP_ACT_ERRNO", 38)  # ENOSYS, "no such call": libc then falls back


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison with argument `index` (0 to 5), unsigned, 64 bits."""

    index: int
    operator: Operator
    value: int
    value_two: int = 0


@dataclass(frozen=True, slots=True)
class Guard:
    """For whom a rule is meant; an empty guard says nothing."""

    caps: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()  # Docker's names: amd64, arm64
    min_kernel: tuple[int, int] | None = None


ANYONE = Guard()


@dataclass(frozen=True, slots=True)
class Rule:
    """Some calls, one action, and when: by arguments, container, processor, kernel."""

    names: tuple[str, ...]
    action: Action
    conditions: tuple[Condition, ...] = ()
    includes: Guard = ANYONE
    excludes: Guard = ANYONE
    comment: str = ""

    def concerns(
        self, capabilities: frozenset[str], arch: Architecture, kernel: tuple[int, int]
    ) -> bool:
        """Say whether a container with these capabilities, here, gets this rule at all.

        `includes` asks for every capability it lists; one of `excludes` is enough to drop
        the rule.
        """
        wanted, unwanted = self.includes, self.excludes
        if not set(wanted.caps) <= capabilities or set(unwanted.caps) & capabilities:
            return False
        if wanted.arches and arch.docker_name not in wanted.arches:
            return False
        if arch.docker_name in unwanted.arches:
            return False
        if wanted.min_kernel and kernel < wanted.min_kernel:
            return False
        return not (unwanted.min_kernel and kernel >= unwanted.min_kernel)


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole profile: the default, then the rules in the order of the document."""

    default: Action
    rules: tuple[Rule, ...]
    architectures: tuple[str, ...] = ()
