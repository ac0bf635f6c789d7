"""From rules about names to one verdict per number.

A profile is written for all containers, processors and kernels at once.  For one container
it becomes a table: which numbers have a rule here, and what the rules say about each, in
order.  A number without an entry gets the default; a number above the newest call that the
profile names was invented after the profile was written, so nobody decided about it: it
answers ENOSYS, "no such call", and libc falls back to an older one.

Source: runc, libcontainer/seccomp/patchbpf/enosys_linux.go, for the ENOSYS boundary.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyminidock.container.seccomp.profile import (
    UNKNOWN_CALL,
    Action,
    Condition,
    Profile,
    Rule,
)
from pyminidock.container.seccomp.syscalls import INT_ARGUMENTS, architecture, numbers

PERMISSIVE = frozenset({"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"})


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on a known call: `is_int` if the kernel only looks at the low word."""

    condition: Condition
    is_int: bool


@dataclass(frozen=True, slots=True)
class Clause:
    """If all `checks` hold, then `action`; without checks it always holds."""

    checks: tuple[Check, ...]
    action: Action


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one container may call: number -> clauses, the first that holds decides."""

    default: Action
    beyond: Action  # for every number above `newest`
    newest: int
    clauses: Mapping[int, tuple[Clause, ...]]
    vanished: tuple[Rule, ...]  # meant for this container, but no name exists here

    def of(self, number: int) -> tuple[Clause, ...]:
        """Give the clauses of `number`, which always end with one that holds."""
        if number > self.newest:
            return (Clause((), self.beyond),)
        found = self.clauses.get(number, ())
        if found and not found[-1].checks:
            return found
        return (*found, Clause((), self.default))


def decide(
    profile: Profile, capabilities: frozenset[str], arch: str, kernel: tuple[int, int]
) -> Verdicts:
    """Choose the rules that concern this container and sort them by number.

    Raises ArchitectureUnknown.
    """
    processor, table = architecture(arch), numbers(arch)
    clauses: dict[int, tuple[Clause, ...]] = {}
    vanished = []
    for rule in profile.rules:
        if not rule.concerns(capabilities, processor, kernel):
            continue
        known = [name for name in rule.names if name in table]
        if not known:
            vanished.append(rule)
        for name in known:
            earlier = clauses.get(table[name], ())
            if not earlier or earlier[-1].checks:  # else an earlier rule always holds
                clauses[table[name]] = (*earlier, _clause(rule, name))
    beyond = profile.default if profile.default.name in PERMISSIVE else UNKNOWN_CALL
    newest = max(clauses, default=max(table.values()))
    return Verdicts(profile.default, beyond, newest, clauses, tuple(vanished))


def _clause(rule: Rule, name: str) -> Clause:
    short = INT_ARGUMENTS.get(name, frozenset())
    return Clause(
        tuple(Check(condition, condition.index in short) for condition in rule.conditions),
        rule.action,
    )
