"""The first pass over an instruction: cut it into words, each instruction in its own way.

    RUN CMD ENTRYPOINT SHELL     a JSON array, or else one text
    ADD COPY VOLUME              a JSON array, or else words
    FROM EXPOSE                  words
    ENV LABEL ARG                words that may be quoted; of the first two in pairs
    HEALTHCHECK ONBUILD          a word, and another instruction's form behind it
    USER WORKDIR STOPSIGNAL MAINTAINER      one text

What comes out has the right shape, but means nothing yet: that is for `readers`.

Source: buildkit 0.13, frontend/dockerfile/parser/line_parsers.go.
"""

import re
from dataclasses import dataclass, replace

from pyminidock.dockerfile.flags import FlagKind, Flags, parse_flags
from pyminidock.dockerfile.gotext import SPACES, quote
from pyminidock.dockerfile.instructions import KEYWORDS, Command
from pyminidock.dockerfile.lines import Line
from pyminidock.dockerfile.malformed import Fault
from pyminidock.dockerfile.words import (
    NotJson,
    blanks,
    cut_once,
    json_words,
    quoted,
    split_instruction,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """An instruction cut into words, not understood yet."""

    keyword: str  # upper case, or as written where it is unknown
    flags: tuple[str, ...]
    words: tuple[str, ...]
    line: Line
    is_json: bool = False
    is_old_form: bool = False

    def command(self) -> Command:
        """The words as something to run."""
        return Command(self.words, is_shell=not self.is_json)

    def known_flags(self, **known: FlagKind) -> Flags:
        """Read the flags.  Raises Fault."""
        return parse_flags(self.flags, **known)


def cut(line: Line, escape: str) -> Cut:
    """Cut an instruction into words, each in its own way.  Raises Fault."""
    return _cut(line, line.text, escape)


def _cut(line: Line, text: str, escape: str) -> Cut:
    written, flags, rest = split_instruction(text)
    keyword = written.upper() if written.upper() in KEYWORDS else written
    made = Cut(keyword, flags, (), line)
    match keyword:
        case "RUN" | "CMD" | "ENTRYPOINT" | "SHELL":
            made = _maybe_json(made, rest, whole=True)
        case "ADD" | "COPY" | "VOLUME":
            made = _maybe_json(made, rest, whole=False)
        case "FROM" | "EXPOSE":
            made = replace(made, words=blanks(rest))
        case "ENV" | "LABEL":
            made = _pairs(made, rest, escape)
        case "ARG":
            made = replace(made, words=quoted(rest, escape))
        case "HEALTHCHECK":
            made = _health(made, rest)
        case "ONBUILD" if rest:
            inner = _cut(line, rest, escape)
            made = replace(made, words=(inner.keyword, *inner.words))
        case "USER" | "WORKDIR" | "STOPSIGNAL" | "MAINTAINER" if rest:
            made = replace(made, words=(rest,))
    return made


def _maybe_json(made: Cut, rest: str, *, whole: bool) -> Cut:
    """An array of strings, or else the rest, whole or cut at blanks."""
    try:
        return replace(made, words=json_words(rest), is_json=True)
    except NotJson:
        words = ((rest,) if rest else ()) if whole else blanks(rest)
        return replace(made, words=words)


def _health(made: Cut, rest: str) -> Cut:
    """A type, then a command."""
    kind = re.match(f"[^{SPACES}]*", rest)
    kind_word = kind[0] if kind else ""
    if not kind_word:
        return made
    tail = _maybe_json(made, rest[len(kind_word) :].lstrip(SPACES), whole=True)
    return replace(tail, words=(kind_word, *tail.words))


def _pairs(made: Cut, rest: str, escape: str) -> Cut:
    """NAME=value …, or the old form: NAME and the rest of the line."""
    words = quoted(rest, escape)
    if not words:
        return made
    if "=" not in words[0]:
        pair = cut_once(rest)
        if len(pair) < 2:
            raise Fault(
                f"{made.keyword} must have two arguments",
                "a name needs a value, which may be empty",
                words[0],
            )
        return replace(made, words=pair, is_old_form=True)
    found: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Fault(
                f"Syntax error - can't find = in {quote(word)}. "
                "Must be of the form: name=value",
                "a blank ends a value, unless it is quoted or escaped",
                word,
            )
        found += (name, value)
    return replace(made, words=tuple(found))
