r"""One pattern of `.dockerignore` against one path, in time that nobody can blow up.

    name  dir/name      compared letter by letter
    dir/**              by the beginning of the path
    **/name             by its end
    a*/[b-d]?/**/e      by an automaton: the set of places in the pattern that the path may
                        have reached, moved on by each character

The automaton tries nothing twice, so its time is pattern times path at worst.

Source: moby/patternmatcher, patternmatcher.go, whose four ways these are.  Docker hands the
last to a regular expression; three accidents of that are not copied: a letter behind a
backslash, a `*` or `?` inside brackets, and `^` outside of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

_CLASS_CHARACTER = r"(?:\\.|[^\\\]\-])"
_CLASS = rf"\[(?:\^|(?!\^))(?:{_CLASS_CHARACTER}(?:-{_CLASS_CHARACTER})?)+\]"
_PATTERN = re.compile(rf"(?:\\.|{_CLASS}|[^\\\[])*", re.DOTALL)


def is_pattern(pattern: str) -> bool:
    r"""Whether every [ has its ], every range its order, every \ something to escape."""
    if _PATTERN.fullmatch(pattern) is None:
        return False
    ranges = (one for token in _tokens(pattern) for one in token.ranges)
    return all(low <= high for low, high in ranges)


class Shape(Protocol):
    """How a pattern is compared: one of four ways, the plain ones without any search."""

    def fits(self, path: str) -> bool:
        """Whether the pattern stands for this path, all of it."""


@dataclass(frozen=True, slots=True)
class _Exact:
    text: str

    def fits(self, path: str) -> bool:
        return path == self.text


@dataclass(frozen=True, slots=True)
class _Beginning:
    """`name/**`."""

    text: str

    def fits(self, path: str) -> bool:
        return path.startswith(self.text)


@dataclass(frozen=True, slots=True)
class _Ending:
    """`**/name`; also `**name`, where the end of a longer name will do."""

    text: str

    def fits(self, path: str) -> bool:
        return path.endswith(self.text) or (self.text[:1] == "/" and path == self.text[1:])


def shape_of(pattern: str) -> Shape:
    """Choose the way; what has no sign but ** at one end needs no automaton."""
    if not re.search(r"[*?\\\[\]]", pattern):
        return _Exact(pattern)
    if pattern.startswith("**") and not re.search(r"[*?\\\[\]]", pattern[2:]):
        return _Ending(pattern[2:])
    if pattern.endswith("**") and not re.search(r"[*?\\\[\]]", pattern[:-2]):
        return _Beginning(pattern[:-2])
    return _Glob(tuple(_tokens(pattern)))


@dataclass(frozen=True, slots=True)
class _Token:
    """One element of a pattern: a letter, a class, or one of the signs below."""

    kind: str
    ranges: tuple[tuple[str, str], ...] = ()
    is_negated: bool = False

    def takes(self, character: str) -> bool:
        """Whether a letter or class stands for `character`; a class may be a slash."""
        inside = any(low <= character <= high for low, high in self.ranges)
        return inside != self.is_negated


_LETTER, _CLASS_OF = "letter", "class"
_ONE = _Token("?")
_STAR = _Token("*")
_REST = _Token("**")  # at the end: whatever follows
_MAYBE, _DEEP = _Token("maybe"), _Token("deep")  # together: directories, or none


def _tokens(pattern: str) -> Iterator[_Token]:
    place = 0
    while place < len(pattern):
        if pattern.startswith("**", place):
            place += 3 if pattern.startswith("/", place + 2) else 2
            yield from (_MAYBE, _DEEP) if place < len(pattern) else (_REST,)
            continue
        character = pattern[place]
        place += 1
        if character == "*":
            yield _STAR
        elif character == "?":
            yield _ONE
        elif character == "[":
            end = _class_end(pattern, place)
            yield _class(pattern[place:end])
            place = end + 1
        else:
            if character == "\\":
                character = pattern[place]
                place += 1
            yield _Token(_LETTER, ((character, character),))


def _class_end(pattern: str, place: int) -> int:
    while pattern[place] != "]":
        place += 2 if pattern[place] == "\\" else 1
    return place


def _class(text: str) -> _Token:
    is_negated = text.startswith("^")
    letters = iter(re.findall(r"\\.|.", text[is_negated:], re.DOTALL))
    ranges: list[tuple[str, str]] = []
    for letter in letters:
        if letter == "-":  # stands between two; at an end it is refused before
            ranges[-1] = (ranges[-1][0], next(letters)[-1])
        else:
            ranges.append((letter[-1], letter[-1]))
    return _Token(_CLASS_OF, tuple(ranges), is_negated)


class _Glob:
    """An automaton: which tokens may come next, after each character of the path."""

    __slots__ = ("_end", "_start", "_tokens")

    def __init__(self, tokens: tuple[_Token, ...]) -> None:
        self._tokens = tokens
        letters = [t.ranges[0][0] if t.kind == _LETTER else "" for t in tokens]
        head = next((n for n, letter in enumerate(letters) if not letter), len(letters))
        tail = next((n for n, letter in enumerate(letters[::-1]) if not letter), 0)
        self._start = "".join(letters[:head])
        self._end = "".join(letters[len(letters) - tail :])

    def fits(self, path: str) -> bool:
        # Most paths are refused by their first or last letters.
        if not path.startswith(self._start) or not path.endswith(self._end):
            return False
        places = self._skip({0})
        for character in path:
            places = self._skip(self._step(places, character))
            if not places:
                return False
        return len(self._tokens) in places

    def _skip(self, places: set[int]) -> set[int]:
        """Add the places that are reached without a character."""
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place == len(self._tokens):
                continue
            token = self._tokens[place]
            reached = [place + 1] if token in (_STAR, _REST, _MAYBE) else []
            reached += [place + 2] if token is _MAYBE else []
            for new in reached:
                if new not in places:
                    places.add(new)
                    waiting.append(new)
        return places

    def _step(self, places: set[int], character: str) -> set[int]:
        """The places behind `character`."""
        after: set[int] = set()
        for place in places:
            if place == len(self._tokens):
                continue
            token = self._tokens[place]
            if token is _DEEP or token is _REST:
                after.add(place)
                if token is _DEEP and character == "/":
                    after.add(place + 1)
            elif token is _STAR:
                if character != "/":
                    after.add(place)
            elif token is _ONE:
                if character != "/":
                    after.add(place + 1)
            elif token is not _MAYBE and token.takes(character):
                after.add(place + 1)
        return after
