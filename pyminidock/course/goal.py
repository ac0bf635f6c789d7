r"""How a lesson says what has to be true, and how a near miss is told.

    container("c1").exited(0)                  subject ("arguments") . field . field(…)
    file("c1", "/tmp/me") == "42"              … and what it has to be
    image("h").size < 3 MB
    run("h", "X") == "X"

That is the whole language.  It is parsed, never evaluated by Python: a lesson may come from
a stranger.  Reading it needs no engine; `judge` asks a *sight* for the fact, compares, and
says in one sentence which condition fails and what is there instead.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pyminidock.errors import MinidockError

Value: TypeAlias = str | int | float | bool | tuple[str, ...] | None


class GoalMalformed(MinidockError):
    """A condition that cannot be read; its text points at the place."""

    status = 400


class Absent(Exception):
    """What a condition asks about is not there; its text is the sentence to show."""


@dataclass(frozen=True, slots=True)
class Field:
    """A name in a condition, with its arguments: `exited(0)`."""

    name: str
    arguments: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition; without an operator, it asks whether something is so."""

    text: str
    subject: Field
    path: tuple[Field, ...] = ()
    operator: str = ""
    expected: Value = None

    @property
    def is_secret(self) -> bool:
        """Whether what is expected is for whoever plays to find out."""
        return self.subject.name == "said"

    @property
    def shown(self) -> str:
        """The condition as whoever plays may read it."""
        if not self.is_secret or not self.operator:
            return self.text
        return self.text.partition(self.operator)[0].rstrip()


@dataclass(frozen=True, slots=True)
class Fact:
    """What was seen: a value, in a phrase that can begin a sentence.

    `instead` says what is there where a yes was expected and it is a no.
    """

    phrase: str
    value: Value
    instead: str = ""
    unit: str = ""


class Sight(Protocol):
    """Whatever can be asked for the facts that conditions speak of."""

    def fact(self, subject: Field, path: tuple[Field, ...]) -> Fact:
        """Give one fact.  Raises Absent; GoalMalformed where no such thing can be asked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a condition holds; if not, `why` says what is there instead."""

    text: str
    ok: bool
    why: str = ""


# ── Judging ──────────────────────────────────────────────────────────────────────────────

_WORDS = {
    "==": "and should be {}", "!=": "and should not be", "<": "and should be below {}",
    "<=": "and should be at most {}", ">": "and should be above {}",
    ">=": "and should be at least {}", "has": "and should contain {}",
}  # fmt: skip


def judge(predicate: Predicate, sight: Sight) -> Verdict:
    """Tell whether a condition holds of what `sight` sees."""
    text = predicate.shown
    try:
        fact = sight.fact(predicate.subject, predicate.path)
    except Absent as missing:
        return Verdict(text, ok=False, why=str(missing))
    if not predicate.operator:
        ok = fact.value is True
        return Verdict(text, ok, "" if ok else fact.instead or fact.phrase)
    if _holds(fact.value, predicate.operator, predicate.expected):
        return Verdict(text, ok=True)
    if predicate.is_secret:
        return Verdict(text, ok=False, why=f"{fact.phrase} is not it")
    wanted = _WORDS[predicate.operator].format(shown(predicate.expected, fact.unit))
    return Verdict(
        text, ok=False, why=f"{fact.phrase} is {shown(fact.value, fact.unit)}, {wanted}"
    )


def _holds(value: Value, operator: str, expected: Value) -> bool:
    """Compare; what cannot be compared is not so."""
    if operator == "==":
        return value == expected
    if operator == "!=":
        return value != expected
    if operator == "has":
        return isinstance(value, str | tuple) and str(expected) in value
    if not isinstance(value, int | float) or not isinstance(expected, int | float):
        return False
    return {
        "<": value < expected, "<=": value <= expected,
        ">": value > expected, ">=": value >= expected,
    }[operator]  # fmt: skip


def shown(value: Value, unit: str = "") -> str:
    """Write a value as people read it.

    >>> shown("X"), shown(("echo", "hi")), shown(None), shown(2_030_000, "B")
    ('"X"', '["echo", "hi"]', 'nothing', '2.03 MB')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "so" if value else "not so"
    if isinstance(value, str | tuple):
        written = json.dumps(value, ensure_ascii=False)
        return written if len(written) <= _LONGEST else f"{written[:_LONGEST]}…"
    if unit == "B":
        size, units = float(value), ["B", "kB", "MB", "GB"]
        while size >= 1000 and len(units) > 1:
            size, _ = size / 1000, units.pop(0)
        return f"{size:.4g} {units[0]}"
    return f"{value:.3g} {unit}".rstrip()


_LONGEST = 300  # characters of a value in a sentence

# ── Reading ──────────────────────────────────────────────────────────────────────────────

_TOKEN = re.compile(
    r"""\s*(?: (?P<string>"(?:[^"\\]|\\.)*") | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z_0-9]*) | (?P<sign>==|!=|<=|>=|[<>().,\[\]]) )""",
    re.VERBOSE,
)
_OPERATORS = ("==", "!=", "<=", ">=", "<", ">", "has")
_UNITS: Mapping[str, float] = {
    "B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "s": 1, "ms": 0.001,
}  # fmt: skip
_CONSTANTS: Mapping[str, Value] = {"none": None, "true": True, "false": False}


def parse(text: str) -> Predicate:
    """Read one condition.  Raises GoalMalformed.

    >>> parse('image("h").size < 3 MB')  # doctest: +NORMALIZE_WHITESPACE
    Predicate(text='image("h").size < 3 MB', subject=Field(name='image', arguments=('h',)),
              path=(Field(name='size', arguments=()),), operator='<', expected=3000000)
    """
    return _Reader(text).predicate()


class _Reader:
    """One condition and how far it was read."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._kind, self._token = "", ""
        self._start = 0
        self._next()

    def predicate(self) -> Predicate:
        subject, path = self._field(), []
        while self._took("."):
            path.append(self._field())
        operator, expected = "", None
        if self._token in _OPERATORS and self._kind != "string":
            operator = self._token
            self._next()
            expected = self._value()
        if self._kind:
            raise self._mistake("the condition should end here")
        return Predicate(self._text, subject, tuple(path), operator, expected)

    def _field(self) -> Field:
        if self._kind != "name":
            raise self._mistake("a name is expected here")
        name = self._token
        self._next()
        return Field(name, self._values(")") if self._took("(") else ())

    def _values(self, end: str) -> tuple[Value, ...]:
        found: list[Value] = []
        while not self._took(end):
            if found and not self._took(","):
                raise self._mistake(f"a comma or {end} is expected here")
            found.append(self._value())
        return tuple(found)

    def _value(self) -> Value:
        kind, token = self._kind, self._token
        if self._took("["):
            return tuple(str(each) for each in self._values("]"))
        if kind == "name" and token in _CONSTANTS:
            self._next()
            return _CONSTANTS[token]
        if kind == "string":
            self._next()
            return str(json.loads(token))
        if kind == "number":
            self._next()
            return self._measured(float(token) if "." in token else int(token))
        raise self._mistake("a value is expected here")

    def _measured(self, number: float) -> float:
        if self._kind != "name" or self._token not in _UNITS:
            return number
        number *= _UNITS[self._token]
        self._next()
        return number

    def _took(self, sign: str) -> bool:
        is_it = self._kind == "sign" and self._token == sign
        if is_it:
            self._next()
        return is_it

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        rest = self._text[self._at :]
        self._start = self._at + len(rest) - len(rest.lstrip())
        if found is None:
            self._kind = self._token = ""
            if rest.strip():
                raise self._mistake("this is no part of a condition")
            return
        self._kind = str(found.lastgroup)
        self._token = found[self._kind]
        self._start, self._at = found.start(self._kind), found.end()

    def _mistake(self, what: str) -> GoalMalformed:
        return GoalMalformed(
            f"{self._text}  ← at {self._start + 1}: {what}",
            why='a condition is subject("argument").field == value',
            try_next='container("c1").exited(0)',
        )


# ── For whoever answers ──────────────────────────────────────────────────────────────────


def unknown(field: Field, known: Mapping[str, Callable[..., object]]) -> GoalMalformed:
    """Say that no condition can speak of this."""
    return GoalMalformed(
        f"nothing can be asked about {field.name}",
        why=f"known here: {', '.join(sorted(known))}",
        try_next=f"{min(known)}",
    )
