"""Read a seccomp profile, and say where it is wrong.

The document comes from a user, so its size and depth are limited before it is read, and
every value is checked before it is used: a profile half understood would be a hole.  Only
unknown keys are passed over, as Docker does, because profiles carry comments.

One habit of runc is kept: a rule that names the same argument twice means "either", not
"both", so it becomes one rule per condition.

Source: moby/profiles, seccomp/seccomp_linux.go; runc, libcontainer/seccomp/.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, NoReturn

from pyminidock.container.seccomp.profile import (
    ACTIONS,
    ANYONE,
    Action,
    Condition,
    Guard,
    Operator,
    Profile,
    Rule,
)
from pyminidock.errors import MinidockError
from pyminidock.grammar import capabilities

MAX_BYTES = 1 << 20
MAX_DEPTH = 8  # a real profile needs 5
EPERM = 1
# The largest number an action can carry: the kernel cuts an errno at MAX_ERRNO.
DATA_LIMITS = {"SCMP_ACT_ERRNO": 4095, "SCMP_ACT_TRACE": 0xFFFF}
OPERATORS = {operator.value: operator for operator in Operator}
WHY_SHAPE = "a profile is a JSON object in the format of Docker's seccomp profile"


class ProfileRefused(MinidockError):
    """The document is not a seccomp profile that can be carried out."""

    status = 400


def parse_profile(text: str | bytes) -> Profile:
    """Read Docker's profile format.  Raises ProfileRefused, naming the place.

    >>> profile = parse_profile('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": ['
    ...                         '{"names": ["chmod"], "action": "SCMP_ACT_ERRNO"}]}')
    >>> profile.rules[0].names, hex(profile.rules[0].action.word)
    (('chmod',), '0x50001')
    >>> parse_profile('{"defaultAction": "SCMP_ACT_DENY"}')
    Traceback (most recent call last):
    ...
    pyminidock.container.seccomp.parse.ProfileRefused: seccomp profile: defaultAction: \
unknown action 'SCMP_ACT_DENY'
    """
    top = _Place("", _load(text))
    listed = top.strings("architectures")
    families = top.items("archMap")
    if listed and families:
        top.refuse(
            "both architectures and archMap are given",
            "each says which processors the profile is for, so they could disagree",
            "keep archMap and remove architectures",
        )
    mapped = tuple(
        name
        for family in families
        for name in (family.string("architecture"), *family.strings("subArchitectures"))
    )
    rules = tuple(rule for place in top.items("syscalls") for rule in _rules(place))
    return Profile(
        _action(top, "defaultAction", "defaultErrnoRet"), rules, listed or mapped
    )


@cache
def default_profile() -> Profile:
    """Give the profile that containers get when none is asked for: `default.json` here."""
    document = resources.files("pyminidock.container.seccomp").joinpath("default.json")
    return parse_profile(document.read_bytes())


@dataclass(frozen=True, slots=True)
class _Place:
    """One JSON object of the document and the way to it, for messages."""

    path: str
    table: dict[str, Any]

    def refuse(self, what: str, why: str, try_next: str, *, key: str = "") -> NoReturn:
        where = ".".join(part for part in (self.path, key) if part)
        raise ProfileRefused(
            f"seccomp profile: {where}: {what}" if where else f"seccomp profile: {what}",
            why=why,
            try_next=try_next,
            lesson="isolation",
        )

    def string(self, key: str) -> str:
        value = self.table.get(key) or ""
        if not isinstance(value, str):
            self.refuse("not a string", WHY_SHAPE, f'write "{key}": "…"', key=key)
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key) or []
        if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
            self.refuse("not a list of names", WHY_SHAPE, f'write "{key}": ["…"]', key=key)
        return tuple(value)

    def number(self, key: str, limit: int, default: int = 0) -> int:
        value = self.table.get(key)
        value = default if value is None else value
        if type(value) is not int or not 0 <= value <= limit:
            why = "the kernel compares unsigned numbers of a fixed width"
            self.refuse("number out of range", why, f"use 0 to {limit}", key=key)
        return value

    def part(self, key: str) -> "_Place":
        value = self.table.get(key) or {}
        if not isinstance(value, dict):
            self.refuse("not an object", WHY_SHAPE, f'write "{key}": {{…}}', key=key)
        return _Place(f"{self.path}.{key}" if self.path else key, value)

    def items(self, key: str) -> tuple["_Place", ...]:
        value = self.table.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.refuse(
                "not a list of objects", WHY_SHAPE, f'write "{key}": [{{…}}]', key=key
            )
        path = f"{self.path}.{key}" if self.path else key
        return tuple(_Place(f"{path}[{at}]", item) for at, item in enumerate(value))


def _load(text: str | bytes) -> dict[str, Any]:
    """Parse JSON within limits; depth comes first, since a deep one exhausts the stack."""
    top = _Place("", {})
    if len(text) > MAX_BYTES:
        why = "a profile is read into memory and compiled for every new set of capabilities"
        top.refuse(f"{len(text)} bytes", why, f"keep it below {MAX_BYTES} bytes")
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as fault:
        top.refuse(f"not UTF-8 at byte {fault.start}", WHY_SHAPE, "save it as UTF-8")
    depth = deepest = 0
    for bracket in re.findall(r"[][{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", decoded)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        top.refuse(f"nested {deepest} deep", "a profile needs five levels", "flatten it")
    try:
        document = json.loads(decoded)
    except ValueError as fault:
        top.refuse(f"not JSON: {fault}", WHY_SHAPE, "correct the document at that place")
    if not isinstance(document, dict):
        top.refuse(
            "not an object", WHY_SHAPE, 'begin with {"defaultAction": "SCMP_ACT_ERRNO"'
        )
    return document


def _rules(place: _Place) -> Iterator[Rule]:
    """Read one entry of `syscalls`: one rule, or several if an argument is named twice."""
    name, names = place.string("name"), place.strings("names")
    if bool(name) == bool(names):
        place.refuse(
            "both name and names are given" if name else "no system call is named",
            "a rule says in one place which calls it is about",
            'write "names": ["…"]',
        )
    rule = Rule(
        names or (name,),
        _action(place, "action", "errnoRet"),
        tuple(_condition(item) for item in place.items("args")),
        _guard(place.part("includes")),
        _guard(place.part("excludes")),
        place.string("comment"),
    )
    indexes = {condition.index for condition in rule.conditions}
    if len(indexes) == len(rule.conditions):
        yield rule
    else:
        yield from (replace(rule, conditions=(one,)) for one in rule.conditions)


def _action(place: _Place, key: str, data_key: str) -> Action:
    name = place.string(key)
    if name == "SCMP_ACT_NOTIFY":
        place.refuse(
            "SCMP_ACT_NOTIFY is not supported",
            "it suspends the call until another program answers, and there is none here",
            "use SCMP_ACT_LOG to see the calls, or SCMP_ACT_ERRNO to refuse them",
            key=key,
        )
    if name not in ACTIONS:
        place.refuse(
            f"unknown action {name!r}" if name else "missing",
            "the kernel knows only these answers to a system call",
            "use one of " + ", ".join(ACTIONS),
            key=key,
        )
    limit = DATA_LIMITS.get(name)
    return Action(name, place.number(data_key, limit, EPERM) if limit else 0)


def _condition(place: _Place) -> Condition:
    operator = place.string("op")
    if operator not in OPERATORS:
        place.refuse(
            f"unknown comparison {operator!r}",
            "a filter can only compare numbers",
            "use one of " + ", ".join(OPERATORS),
            key="op",
        )
    return Condition(
        place.number("index", 5),
        OPERATORS[operator],
        place.number("value", 2**64 - 1),
        place.number("valueTwo", 2**64 - 1),
    )


def _guard(place: _Place) -> Guard:
    caps = place.strings("caps")
    for name in caps:
        if name not in capabilities.NAMES:
            place.refuse(
                f"unknown capability {name!r}",
                "a guard that never matches would change the profile without a word",
                "use a name of capabilities(7), such as CAP_SYS_ADMIN",
                key="caps",
            )
    text = place.string("minKernel")
    version = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", text)
    if text and not version:
        why = "kernels are compared by their first two numbers"
        place.refuse(f"unreadable version {text!r}", why, 'write "4.8"', key="minKernel")
    kernel = (int(version[1]), int(version[2])) if version else None
    guard = Guard(caps, place.strings("arches"), kernel)
    return guard if guard != Guard() else ANYONE
