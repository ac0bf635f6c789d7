r"""`.dockerignore`: which files stay at home when a context is packed, by which line.

    node_modules        that name at the top        *.md  sub/*   * and ? stop at a slash
    **/*.log            at any depth                !README.md    takes back what is above
    # comment           only in the first column    [a-c] \*      classes, escapes

Lines are asked in order and the last that matches decides.  What holds for a directory
holds for everything below it.  A directory that is left out is not even entered, unless a
line with `!` begins, letter by letter, with its path: so `!**/keep` brings nothing back out
of it, however deep `keep` may lie.

Source: docker-build-and-api 2.1; moby/patternmatcher, patternmatcher.go and ignorefile.
"""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyminidock.errors import MinidockError
from pyminidock.grammar.ignorepattern import Shape, is_pattern, shape_of

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
    _shape: Shape

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
    if not is_pattern(pattern):
        raise IgnoreMalformed(
            "syntax error in pattern",
            why=f"line {number}: {written or spelled}: {_WHY}",
            try_next="put a backslash before a [ that is a letter of the name",
        )
    return Rule(number, written or spelled, pattern, is_exception, shape_of(pattern))


def _clean(path: str) -> str:
    """Shorten a path as Go does: no `.`, no empty name, `..` taken back where it can be."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned
