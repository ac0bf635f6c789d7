"""Where two containers, or two builds, differ, and which of the differences are meant.

`allowlist.toml` holds one rule per meant difference.  A rule that nothing needs any more is
stale, and stale rules fail the tests, so the list only ever says what is true.  Nothing
about capabilities, seccomp, masked paths or /dev can be meant.
"""

import datetime
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.compat.observe import Facts

NEVER_MEANT = frozenset(
    {"capabilities", "devices", "masks", "no new privileges", "seccomp"}
)
MOUNT_RULES_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact on which two containers disagree; a missing fact reads "absent"."""

    topic: str
    key: str
    docker: str
    ours: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.key}: {self.docker} | {self.ours}"


def differences(docker: Facts, ours: Facts) -> list[Difference]:
    """Every fact on which the two disagree, in the order of topics and keys.

    >>> for difference in differences({("ids", "Uid"): "0"}, {("ids", "Uid"): "1"}):
    ...     print(difference)
    ids: Uid: 0 | 1
    """
    return [
        Difference(*name, docker.get(name, "absent"), ours.get(name, "absent"))
        for name in sorted({*docker, *ours})
        if docker.get(name) != ours.get(name)
    ]


@dataclass(frozen=True, slots=True)
class Rule:
    """A difference that is meant: `pattern` matches the whole of `KEY: DOCKER | OURS`."""

    id: str
    topic: str
    pattern: str
    reason: str
    expires: str  # an ISO date, or "never" for what the design chose for good

    def covers(self, difference: Difference) -> bool:
        """Whether this rule means `difference`."""
        words = f"{difference.key}: {difference.docker} | {difference.ours}"
        return self.topic == difference.topic and bool(re.fullmatch(self.pattern, words))


class RuleRefused(ValueError):
    """The allow-list holds a rule that must not be there."""


@dataclass(slots=True)
class AllowList:
    """The rules, and which of them were needed so far."""

    rules: Sequence[Rule]
    used: set[str] = field(default_factory=set)

    def unexplained(self, found: Iterable[Difference]) -> list[Difference]:
        """The differences that no rule covers; the others mark their rules as used."""
        left = []
        for difference in found:
            covering = {rule.id for rule in self.rules if rule.covers(difference)}
            self.used |= covering
            if not covering:
                left.append(difference)
        return left

    @property
    def stale(self) -> list[str]:
        """The ids of the rules that nothing needed."""
        return [rule.id for rule in self.rules if rule.id not in self.used]


def read(text: str, today: datetime.date) -> AllowList:
    """Read the rules of a TOML text.  Raises RuleRefused."""
    rules = [Rule(**row) for row in tomllib.loads(text).get("rule", [])]
    for rule in rules:
        if rule.topic in NEVER_MEANT:
            raise RuleRefused(f"{rule.id}: no difference in {rule.topic} can be meant")
        if rule.expires != "never" and datetime.date.fromisoformat(rule.expires) < today:
            raise RuleRefused(f"{rule.id}: expired on {rule.expires}")
    if len({rule.id for rule in rules}) < len(rules):
        raise RuleRefused("two rules have one id")
    if sum(rule.topic == "mounts" for rule in rules) > MOUNT_RULES_AT_MOST:
        raise RuleRefused(f"more than {MOUNT_RULES_AT_MOST} rules for mounts")
    return AllowList(rules)


def standing(*, about_builds: bool) -> AllowList:
    """Give the rules of allowlist.toml, either those about builds or the others.

    What is taken from the cache, what the stock command line prints, what containers are
    called and what the API tells of them are topics of their own.
    Raises RuleRefused.
    """
    own = ("cache", "stock cli", "names", *DOCUMENTS)
    others = [rule for rule in _rules() if rule.topic not in own]
    return AllowList([r for r in others if r.topic.startswith("build") == about_builds])


def about_the_cache() -> AllowList:
    """Give the rules about what is taken from the cache.  Raises RuleRefused."""
    return AllowList([rule for rule in _rules() if rule.topic == "cache"])


def about_the_stock_cli() -> AllowList:
    """Give the rules about what the stock command line prints.  Raises RuleRefused."""
    return AllowList([rule for rule in _rules() if rule.topic == "stock cli"])


DOCUMENTS = ("create", "inspect", "list", "update")


def about_documents(*topics: str) -> AllowList:
    """Give the rules about what the API tells of containers.  Raises RuleRefused."""
    return AllowList([rule for rule in _rules() if rule.topic in topics])


def _rules() -> Sequence[Rule]:
    text = Path(__file__).with_name("allowlist.toml").read_text()
    return read(text, datetime.datetime.now(datetime.UTC).date()).rules
