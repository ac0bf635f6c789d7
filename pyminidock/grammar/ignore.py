r"""`.dockerignore`: which files stay at home when a context is packed, by which line.

    node_modules        that name at the top        *.md  sub/*   * and ? stop at a slash
    **/*.log            at any depth                !README.md    takes back what is above
    # comment           only in the first column    [a-c] \*      classes, escapes

Lines are asked in order and the last that matches decides.  What holds for a directory
holds for everything below it.  A directory that is left out is not even entered, unless a
line with `!` begins, letter by letter, with its path: so `!**/keep` brings nothing back out
of it, however deep `keep` may lie.

Matching keeps the set of all places in the pattern that the path may have reached, so its
time is their product at worst, and nothing is tried twice.

Source: docker-build-and-api 2.1; moby/patternmatcher, patternmatcher.go and ignorefile.
Docker hands patterns to a regular expression; three accidents of that are not copied: a
letter behind a backslash, a `*` or `?` inside brackets, and `^` outside of them.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyminidock.errors import MinidockError

LARGEST_BYTES = 1 << 20  # of an ignore file
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
_WHY = "a pattern is a path with *, ?, ** and [a-z]; ! in front takes it back"


class IgnoreMalformed(MinidockError):
    """A line is no pattern, or the file is too long."""

    status = 400


class Verdict(NamedTuple):
    """What the file says about one path; `line` 0 is "no line speaks of it"."""

    is_ignored: bool = False
    line: int = 0  # the line that decided, from 1
    pattern: str = ""  # as written


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern; `pattern` cleaned and without its `!`."""

    line: int
    written: str
    pattern: str
    is_exception: bool
    _shape: "_Shape"

    def matches(self, path: str) -> bool:
        """Whether the pattern fits the path itself, parents aside."""
        return self._shape.fits(path)


Matched = tuple[bool, ...]  # one for each rule: it has matched a path or a parent of it


@dataclass(frozen=True, slots=True)
class Rules:
    """A whole file, in order."""

    rules: tuple[Rule, ...] = ()

    def verdict(self, path: str) -> Verdict:
        r"""Decide about a relative path with slashes; its parents are asked first.

        >>> rules = read("*.md\n!README.md\n")
        >>> rules.verdict("a.md").is_ignored, rules.verdict("README.md")
        (True, Verdict(is_ignored=False, line=2, pattern='!README.md'))
        """
        names = path.split("/")
        matched: Matched = ()
        verdict = Verdict()
        for depth in range(1, len(names) + 1):
            verdict, matched = self.judge("/".join(names[:depth]), matched)
        return verdict

    def judge(self, path: str, above: Matched = ()) -> tuple[Verdict, Matched]:
        """Decide about a path in a walk from the top.

        `above` is what came out for its parent directory, empty at the top.
        """
        verdict = Verdict()
        matched: list[bool] = []
        for place, rule in enumerate(self.rules):
            fits = bool(above) and above[place]
            # A pattern is asked only where its answer could change something.
            if not fits and rule.is_exception == verdict.is_ignored:
                fits = rule.matches(path)
            matched.append(fits)
            if fits:
                verdict = Verdict(not rule.is_exception, rule.line, rule.written)
        return verdict, tuple(matched)

    def must_enter(self, directory: str) -> bool:
        """Whether an ignored directory is walked all the same, for an exception's sake."""
        inside = f"{directory}/"
        return any(
            rule.is_exception and f"{rule.pattern}/".startswith(inside)
            for rule in self.rules
        )

    def keeping(self, *paths: str) -> "Rules":
        """Add an exception for each of `paths` that would be ignored.

        The Dockerfile and the ignore file itself always travel: the daemon needs them.
        """
        kept = [path for path in paths if self._fits_as_before(path)]
        return Rules((*self.rules, *(_rule(0, f"!{path}") for path in kept)))

    def _fits_as_before(self, path: str) -> bool:
        """Decide by the path and one parent of it, the way Docker does for these two."""
        is_ignored = False
        names = path.split("/")[:-1]
        for rule in self.rules:
            if rule.is_exception != is_ignored:
                continue
            depth = rule.pattern.count("/") + 1
            parent = "/".join(names[:depth]) if depth <= len(names) else ""
            if rule.matches(path) or (parent and rule.matches(parent)):
                is_ignored = not rule.is_exception
        return is_ignored


def read(text: str) -> Rules:
    r"""Read a whole file.  Bytes that are no UTF-8 may stand as surrogates.

    Raises IgnoreMalformed.

    >>> [(rule.line, rule.pattern) for rule in read("# all\n/sub/\n\n!./a/../b").rules]
    [(2, 'sub'), (4, 'b')]
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LARGEST_BYTES:
        what = f"error reading .dockerignore: {size} bytes, more than {LARGEST_BYTES}"
        raise IgnoreMalformed(what, why="it is asked about every file", try_next="use **")
    lines = text.removeprefix("\ufeff").split("\n")
    return Rules(tuple(_rules(lines)))


def _rules(lines: Sequence[str]) -> Iterator[Rule]:
    for number, line in enumerate(lines, start=1):
        written = line.strip(_SPACES)
        if line.startswith("#") or not written:
            continue
        is_exception = written.startswith("!")
        pattern = written[1:].strip(_SPACES) if is_exception else written
        if pattern:
            pattern = _clean(pattern)
            pattern = pattern[1:] if len(pattern) > 1 and pattern[0] == "/" else pattern
        yield _rule(number, ("!" if is_exception else "") + pattern, written)


def _rule(number: int, spelled: str, written: str = "") -> Rule:
    """Make a rule of a pattern that is cleaned, but still has its `!`.

    It is cleaned a second time, as in Docker, with the `!` as a part of the first name.
    """
    spelled = _clean(spelled.strip(_SPACES))
    is_exception = spelled.startswith("!")
    pattern = spelled[1:] if is_exception else spelled
    if not pattern:
        raise IgnoreMalformed(
            'illegal exclusion pattern: "!"',
            why="an exception names what it takes back",
            try_next=f"remove line {number}",
        )
    if not _is_pattern(pattern):
        raise IgnoreMalformed(
            "syntax error in pattern",
            why=f"line {number}: {written or spelled}: {_WHY}",
            try_next="put a backslash before a [ that is a letter of the name",
        )
    return Rule(number, written or spelled, pattern, is_exception, _shape(pattern))


def _clean(path: str) -> str:
    """Shorten a path as Go does: no `.`, no empty name, `..` taken back where it can be."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


# ── Patterns ─────────────────────────────────────────────────────────────────────────────

_CLASS_CHARACTER = r"(?:\\.|[^\\\]\-])"
_CLASS = rf"\[(?:\^|(?!\^))(?:{_CLASS_CHARACTER}(?:-{_CLASS_CHARACTER})?)+\]"
_PATTERN = re.compile(rf"(?:\\.|{_CLASS}|[^\\\[])*", re.DOTALL)


def _is_pattern(pattern: str) -> bool:
    r"""Whether every [ has its ], every range its order, every \ something to escape."""
    if _PATTERN.fullmatch(pattern) is None:
        return False
    ranges = (one for token in _tokens(pattern) for one in token.ranges)
    return all(low <= high for low, high in ranges)


class _Shape:
    """How a pattern is compared; one of four ways, the plain ones without any search."""

    def fits(self, path: str) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Exact(_Shape):
    text: str

    def fits(self, path: str) -> bool:
        return path == self.text


@dataclass(frozen=True, slots=True)
class _Beginning(_Shape):
    """`name/**`."""

    text: str

    def fits(self, path: str) -> bool:
        return path.startswith(self.text)


@dataclass(frozen=True, slots=True)
class _Ending(_Shape):
    """`**/name`; also `**name`, where the end of a longer name will do."""

    text: str

    def fits(self, path: str) -> bool:
        return path.endswith(self.text) or (self.text[:1] == "/" and path == self.text[1:])


def _shape(pattern: str) -> _Shape:
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


class _Glob(_Shape):
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
