"""What must never leave: values of variables, credentials in commands and addresses.

Two circles.  Whoever listens live sees the command that was typed and the Dockerfile that
was sent, for they are their own; values of a container's variables nobody sees.  The
journal and what is exported from it may travel to strangers, so there every text is
searched for what looks like a credential; and a notebook is such an export, for it is
saved with its outputs:

    Authorization: Bearer …      a header: the rest of it goes
    https://user:…@host          the part of an address before the @
    curl -u user:…               the password
    API_TOKEN=…  --password …    a value whose name says what it is
    ENV A=…  ARG A=…  LABEL a=…  a value that a Dockerfile gives, whatever its name

A redacted value keeps no length, for a length is a hint.  What still looks like a secret
after all this stops an export (`grammar.credentials`), since the eye of a person is needed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any

from pyminidock.events.base import Event
from pyminidock.events.build import (
    CacheMissed,
    ConfigChanged,
    InstructionParsed,
    StepPrinted,
    StepSkipped,
    StepStarted,
)
from pyminidock.events.journal import JSON, Record, data_of, event_of

REDACTED = "‹redacted›"

PUBLIC = frozenset(
    ("PATH", "HOME", "HOSTNAME", "TERM", "LANG", "LC_ALL", "PWD", "SHLVL", "TZ")
)
"""Variables whose values may be seen: they describe the place, not the person."""

_SIDES = ("before", "after")
_SHORTEST, _LONG_ENOUGH = 4, 8  # characters of a value that is hidden where it is printed
_ENVIRONMENTS = frozenset({"environment", "build_arguments"})  # fields of NAME=value

# Possessive quantifiers (`++`) throughout: texts come from strangers, and a pattern that
# backtracks takes a minute for a megabyte of one letter.
_TELLING = "pass|pwd|secret|token|key|auth|cred|cookie|session|dsn|private|signature"
_TELLING_NAME = re.compile(_TELLING, re.IGNORECASE)
_TELLING_WORDS = tuple(_TELLING.split("|"))
_HEADER_NAME = re.compile(r"(?:proxy-)?authorization|(?:set-)?cookie|x-.*", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w.-])([\w.-]++)[\"']?\s*+([:=])")
_REST_OF_LINE = re.compile(r"\s*+[\"']?([^\"'\r\n]++)")
_VALUE = r"(\"[^\"]*+\"?|'[^']*+'?|[^\s\"'&;|]++)"
_AFTER = {
    "=": re.compile(r"\s*+" + _VALUE),
    ":": re.compile(
        r"\s++" + _VALUE
    ),  # YAML; `passwd:3`, `/key:/run/key:ro` are no secrets
}
_USERINFO = re.compile(r"://[^/\s@\"']++@")
_OPTION = re.compile(rf"--?[\w-]*(?:{_TELLING})[\w-]*", re.IGNORECASE)
_OPTION_IN_TEXT = re.compile(rf"(?<![\w-])({_OPTION.pattern}\s++){_VALUE}", re.IGNORECASE)
_CURL_USER = re.compile(r"((?<!\S)(?:-u\s*+|--user[\s=]\s*+)[\"']?[^\s:\"']++:)[^\s\"']++")
_OPTION_IN_JSON = re.compile(rf'("{_OPTION.pattern}"\s*+,\s*+")[^"]*+', re.IGNORECASE)
_WORD_WITHOUT_VALUE = re.compile(
    r"(can't find = in \")[^\"]*+"
)  # of an ENV, in its refusal
_GIVES_VALUES = re.compile(r"(\s*+(?:ONBUILD\s++)*+(ENV|ARG|LABEL)\s++)", re.IGNORECASE)
_WORD = re.compile(r"(?:[^\s\"'\\]|\\.?|\"(?:[^\"\\]|\\.)*+\"?|'[^']*+'?)++", re.DOTALL)


def for_listeners(event: Event) -> Event:
    """Hide the values of variables.

    >>> from pyminidock.events import SpecResolved
    >>> spec = SpecResolved("c", (), ("PATH=/bin", "A=b", "A_KEY=c"), "/", 0, 0, (), (),
    ...                     "default", False, False, False)
    >>> for_listeners(spec).environment
    ('PATH=/bin', 'A=‹redacted›', 'A_KEY=‹redacted›')
    """
    texts = _texts_of(type(event))
    if _ENVIRONMENTS.isdisjoint(texts):
        return event
    names = _ENVIRONMENTS.intersection(texts)
    return _changed(event, {name: _each(variable, getattr(event, name)) for name in names})


def for_journal(event: Event) -> Event:
    """Hide the values of variables and whatever looks like a credential, in every field.

    >>> from pyminidock.events import ProgramExecuted
    >>> for_journal(ProgramExecuted(("psql", "--password", "x", "postgres://me:x@db/")))
    ProgramExecuted(argv=('psql', '--password', '‹redacted›', 'postgres://‹redacted›@db/'))
    """
    match event:
        case InstructionParsed() | StepStarted() | StepSkipped():
            return _changed(event, {"text": instruction(event.text)})
        case CacheMissed(cause="instruction") | ConfigChanged(field="on_build"):
            sides = {name: _each(instruction, getattr(event, name)) for name in _SIDES}
            return _changed(event, sides)
        case ConfigChanged(field="environment" | "labels"):
            sides = {name: _each(variable, getattr(event, name)) for name in _SIDES}
            return _changed(event, sides)
    if not _is_suspicious(event):
        return event
    shown = for_listeners(event)
    names = _texts_of(type(event)).keys() - _ENVIRONMENTS
    return _changed(shown, {name: _each(text, getattr(shown, name)) for name in names})


def of_record(record: Record) -> Record:
    """Hide in a record what the journal would hide; its plain Linux is a text as well.

    An event that this version does not know is searched like any other text.
    """
    event = event_of(record)
    data = _searched(record.data) if event is None else data_of(for_journal(event))
    return replace(record, data=data, linux=text(record.linux))


def _searched(value: Any) -> Any:
    """Hide in all that a value holds."""
    if isinstance(value, Mapping):
        found: dict[str, JSON] = {name: _searched(item) for name, item in value.items()}
        return found
    if isinstance(value, tuple):
        return tuple(map(_searched, _each(text, value)))
    return _each(text, value)


def _is_suspicious(event: Event) -> bool:
    """Look quickly: nearly no event holds a text in which a rule could find anything."""
    for name in _texts_of(type(event)):
        value = getattr(event, name)
        if isinstance(value, str):
            if "=" in value or ":" in value or " -" in value:
                return True
        elif value:  # a tuple: options, and options alone, speak of the item after them
            joined = " ".join(value) if isinstance(value[0], str) else str(value)
            if "=" in joined or ":" in joined or "-" in joined:
                return True
    return False


class Given:
    """The values that were given to a build or a run, where programs print them.

    A word of an argument is no secret if it is short, unless its name says that it is one;
    of what ENV sets, names decide alone.  A value whose name says so is hidden wherever it
    was put, even in a path (`WORKDIR /srv/$TOKEN`), if it is long enough to be no accident.

    >>> from pyminidock.events import StepPrinted
    >>> given = Given({"WHO": "me", "TOKEN": "abcd"})
    >>> given.hide(StepPrinted(1, "stdout", "me abcd")).text
    'me ‹redacted›'
    """

    def __init__(self, arguments: Mapping[str, str | None] | None = None) -> None:
        arguments = arguments or {}
        self._values = {
            value for name, value in arguments.items()
            if value and len(value) >= (_SHORTEST if _tells(name) else _LONG_ENOUGH)
        }  # fmt: skip
        self._secrets: set[str] = set()
        self.learn(f"{name}={value}" for name, value in arguments.items() if value)

    def hide(self, event: Event) -> Event:
        """Hide the values in what a program printed; learn from what ENV sets.

        What ENV sets is given on as it is: the recorder hides it from everybody who reads,
        and whoever listens learns from it, too.
        """
        match event:
            case ConfigChanged(field="environment"):
                self.learn(event.after)
                return event
            case StepPrinted():
                return _changed(event, {"text": self.text(event.text)})
        if not self._secrets:
            return event
        names = _texts_of(type(event))
        return _changed(event, {n: _each(self._secret, getattr(event, n)) for n in names})

    def learn(self, assignments: Iterable[str]) -> None:
        """Remember values whose names tell that they are secrets, of NAME=value each."""
        told = {
            value for name, _, value in (each.partition("=") for each in assignments)
            if len(value) >= _SHORTEST and _tells(name)
        }  # fmt: skip
        self._values |= told
        self._secrets |= {value for value in told if len(value) >= _LONG_ENOUGH}

    def text(self, words: str) -> str:
        """Hide the values within a text."""
        return _without(self._values, words)

    def _secret(self, words: str) -> str:
        return _without(self._secrets, words)


def _without(values: Iterable[str], words: str) -> str:
    """Hide values in a text, the longest first: one may be the beginning of another."""
    for value in sorted(values, key=len, reverse=True):
        words = words.replace(value, REDACTED)
    return words


def _tells(name: str) -> bool:
    """Whether the name of a variable says that its value is a secret."""
    return _speaks_of_secrets(name) and name not in PUBLIC


def _speaks_of_secrets(words: str) -> bool:
    """Whether one of the telling names stands in it.

    To look for a dozen words takes a tenth of the pattern's time; it knows more letters,
    like the Kelvin sign, which is a "k".

    >>> [_speaks_of_secrets(name) for name in ("MyToken", "TO\u212aEN", "a")]
    [True, True, False]
    """
    if not words.isascii():
        return _TELLING_NAME.search(words) is not None
    lower = words.lower()
    return any(word in lower for word in _TELLING_WORDS)


def variable(assignment: str) -> str:
    """Hide the value of NAME=value, unless the name is on the public list.

    >>> variable("HOME=/root"), variable("X=y"), variable("X")
    ('HOME=/root', 'X=‹redacted›', 'X')
    """
    name, equals, _ = assignment.partition("=")
    return assignment if name in PUBLIC or not equals else f"{name}={REDACTED}"


def instruction(words: str) -> str:
    """Hide what an instruction of a Dockerfile gives as values, and all that `text` hides.

    >>> instruction('ENV A=1 PATH=/bin B="2 3"'), instruction("env A 1 2")
    ('ENV A=‹redacted› PATH=/bin B=‹redacted›', 'env A ‹redacted›')
    >>> instruction("ONBUILD ARG V=1"), instruction("ARG V"), instruction("USER me")
    ('ONBUILD ARG V=‹redacted›', 'ARG V', 'USER me')
    """
    head = _GIVES_VALUES.match(words)
    if head is None:
        return text(words)
    first, *more = _WORD.findall(words, head.end()) or [""]
    is_old = "=" not in first and head[2].upper() != "ARG"  # ENV NAME all the rest
    if is_old:
        return f"{head[1]}{first} {REDACTED}" if more else f"{head[1]}{first}"
    shown = (variable(word) if "=" in word else word for word in (first, *more))
    return head[1] + " ".join(shown)


def text(words: str) -> str:
    """Hide what looks like a credential within a text.

    >>> text("curl -H 'Authorization: Bearer abc' https://me:abc@host/?token=abc&page=2")
    "curl -H 'Authorization: ‹redacted›' https://‹redacted›@host/?token=‹redacted›&page=2"
    >>> text("psql --password 'a b' --host h")
    'psql --password ‹redacted› --host h'
    >>> text("mount -o size=64k,mode=755 passwd:3")
    'mount -o size=64k,mode=755 passwd:3'
    """
    if "://" in words:
        words = _USERINFO.sub(f"://{REDACTED}@", words)
    if "curl" in words:
        words = _CURL_USER.sub(rf"\1{REDACTED}", words)
    if "find = in" in words:
        words = _WORD_WITHOUT_VALUE.sub(rf"\1{REDACTED}", words)
    if _speaks_of_secrets(words):
        if "-" in words:
            words = _OPTION_IN_TEXT.sub(rf"\1{REDACTED}", words)
            words = _OPTION_IN_JSON.sub(rf"\1{REDACTED}", words)
        if ":" in words or "=" in words:
            words = "".join(_without_named_values(words))
    return words


def _without_named_values(words: str) -> Iterator[str]:
    """Copy a text, but for the values whose names tell what they are."""
    copied = 0
    for head in _NAME.finditer(words):
        name, mark = head.groups()
        if head.start() < copied or not _speaks_of_secrets(name):
            continue
        is_header = _HEADER_NAME.fullmatch(name) is not None
        value = (_REST_OF_LINE if is_header else _AFTER[mark]).match(words, head.end())
        if value is not None:
            yield words[copied : value.start(1)] + REDACTED
            copied = value.end(1)
    yield words[copied:]


@cache
def _texts(cls: Any) -> Mapping[str, object]:
    """Give the fields of an event class that can hold text."""
    return {each.name: each.type for each in fields(cls) if "str" in str(each.type)}


_texts_of: Callable[[Any], Mapping[str, object]] = _texts


def _each(hide: Callable[[str], str], value: Any) -> Any:
    """Hide in a text or in a tuple of them, where an option hides the argument after it."""
    if isinstance(value, str):
        return hide(value)
    if not isinstance(value, tuple):
        return value
    hidden = [_each(hide, item) for item in value]
    if hide is text:
        for at, item in enumerate(value[:-1]):
            if not isinstance(item, str):
                continue
            if _OPTION.fullmatch(item):
                hidden[at + 1] = REDACTED
            elif item in ("-u", "--user") and value[0] == "curl":
                hidden[at + 1] = text(f"curl -u {value[at + 1]}").removeprefix("curl -u ")
    return tuple(hidden)


def _changed(event: Event, new: Mapping[str, Any]) -> Event:
    """Give `event` itself where nothing changed: that is nearly always."""
    new = {name: value for name, value in new.items() if value != getattr(event, name)}
    return replace(event, **new) if new else event
