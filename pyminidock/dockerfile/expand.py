r"""Variables in an instruction, and the quotes and escapes around them.

Docker reads a word like a shell, but it is no shell: there are no commands, no splitting
except for EXPOSE, and a fixed list of what may stand behind a name.

    $NAME ${NAME}           the value, or nothing
    ${NAME:-w} ${NAME-w}    w if NAME is unset; with a colon also if it is empty
    ${NAME:+w} ${NAME+w}    w if NAME is set; with a colon only if it is not empty
    ${NAME:?w} ${NAME?w}    refuse with w
    ${NAME#p} ## % %%       without a front or an end that matches p, shortest or longest
    ${NAME/p/w} //          with the first or every match of p replaced
    '…'  "…"  \c            literal; literal but for $, " and the escape; the character c

Source: buildkit 0.13, frontend/dockerfile/shell/lex.go.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from pyminidock.dockerfile import globs
from pyminidock.dockerfile.gotext import SPACES, quote
from pyminidock.errors import MinidockError

_END = ""  # what stands behind the last character
_SPECIAL = frozenset("@*#?-$!0")
_MEANS_MORE = re.compile(r"[$'\"\\`]")  # than itself; one of the last two is the escape
_DEEPEST = 100  # ${A:-${A:-… inside each other; Docker has no limit, Python's stack has


class SubstitutionFailed(MinidockError):
    """A word cannot be read, or asks for a variable that must be set."""

    status = 400


class _Fault(Exception):
    """The reason, without the word around it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read: what stays in the result although it has a meaning."""

    escape: str = "\\"
    keeps_quotes: bool = False
    keeps_escapes: bool = False
    keeps_unset: bool = False  # `$X` without a value stays `$X`
    are_quotes_plain: bool = False  # as in the content of a heredoc


def expand(word: str, environment: Mapping[str, str], escape: str = "\\") -> str:
    """Read one word into one word.  Raises SubstitutionFailed.

    >>> expand("${V:-none}/$U'$V'", {"V": "x"})
    'x/$V'
    """
    if is_plain(word):  # nearly all words
        return word
    return read(word, environment, Reading(escape))[0]


def is_plain(text: str) -> bool:
    """Whether no sign of a text means more than itself, whatever the escape."""
    return _MEANS_MORE.search(text) is None


def expand_words(
    word: str, environment: Mapping[str, str], escape: str = "\\"
) -> list[str]:
    """Read one word into any number: blanks in a value separate.

    Raises SubstitutionFailed.

    >>> expand_words("$PORTS 90", {"PORTS": "80 81/udp"})
    ['80', '81/udp', '90']
    """
    return read(word, environment, Reading(escape))[1]


def expand_content(text: str, environment: Mapping[str, str]) -> str:
    """Fill in the content of a heredoc that COPY writes.  Raises SubstitutionFailed."""
    return read(text, environment, Reading(are_quotes_plain=True))[0]


def read(
    word: str, environment: Mapping[str, str], reading: Reading
) -> tuple[str, list[str]]:
    """Read `word`: the result as one text, and cut at unquoted blanks.

    Takes time in proportion to the word and to the values that it asks for.
    Raises SubstitutionFailed.
    """
    try:
        return _Reader(word, environment, reading).read()
    except _Fault as fault:
        raise SubstitutionFailed(
            f"failed to process {quote(word)}: {fault}",
            why="a $ begins NAME, {NAME} or {NAME and one of the modifiers :- :+ :? # % /; "
            "a quote runs to its partner",
            try_next="put a backslash before a $ or a quote that shall stay as it is",
            lesson="dockerfile",
        ) from fault


def variables(word: str, escape: str = "\\") -> frozenset[str]:
    """Name every variable that the word asks for; of a malformed word, those before."""
    reader = _Reader(word, {}, Reading(escape))
    with suppress(_Fault):
        reader.read()
    return frozenset(reader.asked)


class _Words:
    """Collects characters, and cuts where an unquoted blank stands between words."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._word: list[str] = []

    def add(self, text: str) -> None:
        for character in text:
            if character in SPACES:
                self._cut()
            else:
                self._word.append(character)

    def add_quoted(self, text: str) -> None:
        if text:
            self._word.append(text)

    def _cut(self) -> None:
        if self._word:
            self._words.append("".join(self._word))
            self._word = []

    def end(self) -> list[str]:
        self._cut()
        return self._words


class _Reader:
    """One walk over one word; a _Fault ends it."""

    def __init__(self, word: str, environment: Mapping[str, str], reading: Reading) -> None:
        self._text, self._place, self._depth = word, 0, 0
        self._environment, self._reading = environment, reading
        self._keeps_escapes = reading.keeps_escapes
        self.asked: set[str] = set()

    def read(self) -> tuple[str, list[str]]:
        return self._until(_END, self._reading.keeps_escapes)

    # ── Characters ───────────────────────────────────────────────────────────────────────

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _next(self) -> str:
        character = self._peek()
        self._place += len(character)
        return character

    def _until(self, stop: str, keeps_escapes: bool) -> tuple[str, list[str]]:
        """Read to the character `stop`, which is eaten, or to the end."""
        before, self._keeps_escapes = self._keeps_escapes, keeps_escapes
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Fault(f"substitutions are nested more than {_DEEPEST} deep")
        result: list[str] = []
        words = _Words()
        while (character := self._peek()) != stop:
            if character == _END:
                raise _Fault(
                    f"unexpected end of statement while looking for matching {stop}"
                )
            if character == "$":
                value = self._dollar()
                words.add(value)
            elif character in "'\"" and not self._reading.are_quotes_plain:
                value = self._single() if character == "'" else self._double()
                words.add_quoted(value)
            else:
                value = self._plain(words)
            result.append(value)
        self._next()
        self._depth -= 1
        self._keeps_escapes = before
        return "".join(result), words.end()

    def _plain(self, words: _Words) -> str:
        character = self._next()
        if character != self._reading.escape:
            words.add(character)
            return character
        kept = character if self._keeps_escapes else ""
        escaped = kept + self._next()
        words.add_quoted(escaped)
        return escaped

    # ── Quotes ───────────────────────────────────────────────────────────────────────────

    def _single(self) -> str:
        quote_mark = self._next()
        end = self._text.find("'", self._place)
        if end < 0:
            self._place = len(self._text)
            raise _Fault(
                "unexpected end of statement while looking for matching single-quote"
            )
        inside = self._text[self._place : end]
        self._place = end + 1
        return f"{quote_mark}{inside}{quote_mark}" if self._reading.keeps_quotes else inside

    def _double(self) -> str:
        quote_mark = self._next() if self._reading.keeps_quotes else self._next()[:0]
        result = [quote_mark]
        while (character := self._peek()) != '"':
            if character == _END:
                raise _Fault(
                    "unexpected end of statement while looking for matching double-quote"
                )
            if character == "$":
                result.append(self._dollar())
                continue
            self._next()
            if character == self._reading.escape:
                if self._keeps_escapes:
                    result.append(character)
                if self._peek() == _END:
                    continue
                if self._peek() in f'"${self._reading.escape}':
                    character = self._next()
            result.append(character)
        self._next()
        return "".join((*result, quote_mark))

    # ── Variables ────────────────────────────────────────────────────────────────────────

    def _dollar(self) -> str:
        self._next()
        if self._peek() != "{":
            name = self._name()
            if not name:
                return "$"
            return self._value(name, f"${name}")[0]
        self._next()
        if self._peek() == _END:
            raise _Fault("syntax error: missing '}'")
        if self._peek() in "{}:":
            raise _Fault("syntax error: bad substitution")
        name = self._name()
        modifier = self._next()
        if modifier == "}":
            return self._value(name, f"${{{name}}}")[0]
        if modifier == "/":
            return self._replaced(name)
        is_empty_unset = modifier == ":"
        if is_empty_unset:
            modifier = self._next()
        elif not modifier or modifier not in "+-?#%":
            raise _Fault(
                f"unsupported modifier ({modifier or chr(0xFFFD)}) in substitution"
            )
        return self._modified(name, modifier, is_empty_unset)

    def _modified(self, name: str, modifier: str, is_empty_unset: bool) -> str:
        spelled = f"{':' if is_empty_unset else ''}{modifier or chr(0xFFFD)}"
        word = self._argument(
            "}", bool(modifier) and modifier in "#%", "syntax error: missing '}'"
        )
        value, is_set = self._value(name, f"${{{name}{spelled}{word}}}")
        if self._reading.keeps_unset and not is_set:
            return value
        is_there = is_set and not (is_empty_unset and not value)
        match modifier:
            case "-":
                return value if is_there else word
            case "+":
                return word if is_there else ""
            case "?":
                if not is_there:
                    state = "empty" if is_set else "unset"
                    raise _Fault(f"{name}: {word or f'is not allowed to be {state}'}")
                return value
            case "#" | "%":
                return _trimmed(modifier, word, value)
        raise _Fault(f"unsupported modifier ({spelled}) in substitution")

    def _replaced(self, name: str) -> str:
        is_global = self._peek() == "/"
        if is_global:
            self._next()
        pattern = self._argument("/", True, "syntax error: missing '/' in ${}")
        replacement = self._argument("}", True, "syntax error: missing '}'")
        value, is_set = self._value(name, f"${{{name}/{pattern}/{replacement}}}")
        if self._reading.keeps_unset and not is_set:
            return value
        try:
            return globs.replace(pattern, value, replacement, is_global=is_global)
        except globs.PatternMalformed as malformed:
            raise _Fault(str(malformed)) from malformed

    def _argument(self, stop: str, keeps_escapes: bool, missing: str) -> str:
        """Read what stands behind a modifier; an end before `stop` is `missing`."""
        try:
            return self._until(stop, keeps_escapes)[0]
        except _Fault as fault:
            if self._peek() == _END:
                raise _Fault(missing) from fault
            raise

    def _name(self) -> str:
        start = self._place
        first = self._peek()
        if first.isdigit():
            while self._peek().isdigit():
                self._next()
        elif first and first in _SPECIAL:
            self._next()
        else:
            while (character := self._peek()) == "_" or character.isalnum():
                self._next()
        return self._text[start : self._place]

    def _value(self, name: str, as_written: str) -> tuple[str, bool]:
        self.asked.add(name)
        if name in self._environment:
            return self._environment[name], True
        return (as_written if self._reading.keeps_unset else ""), False


def _trimmed(modifier: str, pattern: str, value: str) -> str:
    is_greedy = pattern.startswith(modifier)
    pattern = pattern[1:] if is_greedy else pattern
    trim = globs.trim_prefix if modifier == "#" else globs.trim_suffix
    try:
        return trim(pattern, value, is_greedy=is_greedy)
    except globs.PatternMalformed as malformed:
        raise _Fault(str(malformed)) from malformed
