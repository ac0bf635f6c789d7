"""From rules about names to one verdict per number.

A profile is written for all containers, processors and kernels at once.  For one container
it becomes a table: which numbers have a rule here, and what the rules say about each.

* A rule without conditions settles its calls, whatever other rules say; the first one wins.
* Of the rules whose conditions hold, the strictest decides, as it does among filters.
* A rule that repeats the default action says nothing.
* A number that no rule names gets the default.
* A number above the newest named one was invented after the profile was written, so nobody
  decided about it: it answers ENOSYS, "no such call", and libc falls back to an older one.

Docker does the same but in the second point: there libseccomp sorts comparisons in a way of
its own, so that of two conditions that hold, either may decide.

Source: runc, libcontainer/seccomp/seccomp_linux.go and patchbpf/enosys_linux.go; seccomp(2)
for the order of actions; all but the second point measured on dockerd 26.1.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyminidock.container.seccomp.profile import (
    ACTIONS,
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
    """What one container may call: number -> clauses, of which the first that holds."""

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
    newest = -1
    for rule in profile.rules:
        if not rule.concerns(capabilities, processor, kernel):
            continue
        known = [name for name in rule.names if name in table]
        if not known:
            vanished.append(rule)
        for name in known:
            number = table[name]
            newest = max(newest, number)
            if rule.action != profile.default:
                clauses[number] = _joined(clauses.get(number, ()), _clause(rule, name))
    beyond = profile.default if profile.default.name in PERMISSIVE else UNKNOWN_CALL
    newest = newest if newest >= 0 else max(table.values())
    return Verdicts(profile.default, beyond, newest, clauses, tuple(vanished))


def _joined(earlier: tuple[Clause, ...], clause: Clause) -> tuple[Clause, ...]:
    """Add a clause: strictest first, in the document's order where they are equal."""
    if earlier and not earlier[0].checks:
        return earlier
    if not clause.checks:
        return (clause,)
    return tuple(sorted((*earlier, clause), key=_leniency))


def _leniency(clause: Clause) -> int:
    """Give the kernel's order of actions: as signed words, smaller is stricter."""
    return ACTIONS[clause.action.name] ^ 0x80000000


def _clause(rule: Rule, name: str) -> Clause:
    short = INT_ARGUMENTS.get(name, frozenset())
    return Clause(
        tuple(Check(condition, condition.index in short) for condition in rule.conditions),
        rule.action,
    )
