"""What the rules of a profile mean, the slow way: no runs, no words, no program.

It shares values and tables of numbers with the code under test, but no logic: guards,
comparisons and the order of rules are written down a second time, as plainly as possible.
"""

from dataclasses import dataclass

from pyminidock.container.seccomp.bpf import SeccompData
from pyminidock.container.seccomp.profile import Condition, Guard, Operator, Profile, Rule
from pyminidock.container.seccomp.syscalls import numbers

ENOSYS = 0x00050026
KILL_PROCESS = 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
DOCKER_NAME = {"x86_64": "amd64", "aarch64": "arm64"}
# The kernel takes these arguments as `int` or `unsigned int`.
SHORT = {("personality", 0)} | {("socket", n) for n in (0, 1, 2)}
SHORT |= {("fcntl", 0), ("fcntl", 1)}
EVERYWHERE = (0, 1, 2**31, 2**32 - 1, 2**64 - 1)


@dataclass(frozen=True)
class Situation:
    """For whom a profile is read."""

    caps: frozenset[str]
    arch: str
    kernel: tuple[int, int] = (6, 12)


def edges(profile: Profile) -> tuple[int, ...]:
    """The argument values at which a comparison of `profile` may change its mind."""
    found = set(EVERYWHERE)
    for rule in profile.rules:
        for condition in rule.conditions:
            for v in (condition.value, condition.value_two):
                found |= {v - 1, v, v + 1, 2**32 + v}
    return tuple(sorted(edge % 2**64 for edge in found))


class Rules:
    """The rules of one profile in one situation."""

    def __init__(self, profile: Profile, here: Situation) -> None:
        self.profile, self.here = profile, here
        self.names = {number: name for name, number in numbers(here.arch).items()}
        self.rules = [rule for rule in profile.rules if self._is_meant(rule)]
        named = {name for rule in self.rules for name in rule.names}
        known = [number for number, name in self.names.items() if name in named]
        self.newest = max(known or self.names)

    def verdict(self, data: SeccompData) -> int:
        """The word that the filter should return for `data`."""
        if data.arch != AUDIT[self.here.arch]:
            return KILL_PROCESS
        if self.here.arch == "x86_64" and data.nr >= 2**30:
            return ENOSYS
        if data.nr > self.newest:
            word = self.profile.default.word
            return word if word >= 0x7FF00000 and word < 0x80000000 else ENOSYS
        name = self.names.get(data.nr)
        rules = [rule for rule in self.rules if name in rule.names]
        rules = [rule for rule in rules if rule.action != self.profile.default]
        settled = [rule for rule in rules if not rule.conditions]
        holding = [r for r in rules if all(holds(name, c, data) for c in r.conditions)]
        for rule in settled or sorted(holding, key=strictness, reverse=True):
            return rule.action.word
        return self.profile.default.word

    def _is_meant(self, rule: Rule) -> bool:
        caps, arch = self.here.caps, DOCKER_NAME[self.here.arch]
        wanted: Guard = rule.includes
        unwanted: Guard = rule.excludes
        return not (
            any(cap not in caps for cap in wanted.caps)
            or any(cap in caps for cap in unwanted.caps)
            or (wanted.arches and arch not in wanted.arches)
            or arch in unwanted.arches
            or (wanted.min_kernel and self.here.kernel < wanted.min_kernel)
            or (unwanted.min_kernel and self.here.kernel >= unwanted.min_kernel)
        )


def strictness(rule: Rule) -> int:
    """Seven grades; both names of the killed thread are one."""
    lenient_first = ("ALLOW", "LOG", "TRACE", "ERRNO", "TRAP", "KILL", "KILL_PROCESS")
    return lenient_first.index(
        rule.action.name.removeprefix("SCMP_ACT_").replace("_THREAD", "")
    )


def holds(name: str | None, condition: Condition, data: SeccompData) -> bool:
    """Say whether the argument satisfies the condition, in numbers that have no words."""
    argument = (*data.args, 0, 0, 0, 0, 0, 0)[condition.index]
    if (name, condition.index) in SHORT:
        argument %= 2**32
    value = condition.value
    return {
        Operator.EQ: argument == value,
        Operator.NE: argument != value,
        Operator.LT: argument < value,
        Operator.LE: argument <= value,
        Operator.GE: argument >= value,
        Operator.GT: argument > value,
        Operator.MASKED_EQ: argument & value == condition.value_two,
    }[condition.operator]
