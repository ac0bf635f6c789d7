r"""Patterns for names, `^com\.example\.(team|tier)`, matched in one walk over the name.

A pattern comes from whoever makes a container, and is matched by the engine.  Python's `re`
tries one way after another, and a pattern can be made for which there are billions of ways;
Go's, which Docker uses, follows all ways at once.  So does this: a pattern is a graph, and
a letter takes a set of places in it to the next set.

    a(b|c)*d      0 ─a→ 1 ─┬─b→ 1      at each letter: the set of places where one can be
                           ├─c→ 1
                           └─d→ end

What Go has beyond letters, classes, groups, alternatives, repetition, ^ and $ is refused.

Source: Russ Cox, "Regular Expression Matching Can Be Simple And Fast", 2007; Go,
regexp/syntax, for the messages.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pyminidock.errors import MinidockError

_LONGEST = 500  # characters of a pattern
_DEEPEST = 50  # groups within groups
_MOST_PLACES = 2000  # of its graph; {1000} multiplies
_REPEAT = re.compile(r"\{([0-9]{1,4})(,([0-9]{1,4})?)?\}")
_ANY = re.compile(r"[^\n]")


class PatternRefused(MinidockError):
    """The text is no pattern, or one of a kind that is not known here."""

    status = 400


@dataclass(slots=True)
class _Graph:
    """Places, by number: what a letter must be to leave one, and where to.

    A place without a test leads on at once; the tests "^" and "$" hold at the ends.
    """

    tests: list[re.Pattern[str] | str] = field(default_factory=list)
    ways: list[list[int]] = field(default_factory=list)

    def place(self, test: re.Pattern[str] | str = "") -> int:
        if len(self.tests) == _MOST_PLACES:
            raise _refused("expression too large", "")
        self.tests.append(test)
        self.ways.append([])
        return len(self.tests) - 1


def matcher(pattern: str) -> Callable[[str], bool]:
    """Give what tells whether `pattern` is found somewhere in a text.

    >>> [matcher("^(a|b)+$")(text) for text in ("abba", "cab", "")]
    [True, False, False]
    """
    if len(pattern) > _LONGEST:
        raise _refused("expression too large", pattern[:40])
    reader = _Reader(pattern)
    first, last = reader.alternatives()
    if reader.rest:
        raise _refused("unexpected )", pattern)
    graph = reader.graph
    return lambda text: _is_found(graph, first, last, text)


def _is_found(graph: _Graph, first: int, last: int, text: str) -> bool:
    """Walk over the text with all places at once; a match may begin at every letter."""
    here: set[int] = set()
    for at in range(len(text) + 1):
        here = _spread(graph, here | {first}, at == 0, at == len(text))
        if last in here:
            return True
        if at < len(text):
            here = set(_step(graph, here, text[at]))
    return False


def _spread(graph: _Graph, places: set[int], is_begin: bool, is_end: bool) -> set[int]:
    """Add the places where one gets without a letter."""
    holds = {"": True, "^": is_begin, "$": is_end}
    found, todo = set(places), list(places)
    while todo:
        place = todo.pop()
        test = graph.tests[place]
        if isinstance(test, str) and holds[test]:
            new = [way for way in graph.ways[place] if way not in found]
            found.update(new)
            todo += new
    return found


def _step(graph: _Graph, places: set[int], letter: str) -> Iterator[int]:
    for place in places:
        test = graph.tests[place]
        if not isinstance(test, str) and test.fullmatch(letter):
            yield from graph.ways[place]


class _Reader:
    """Reads a pattern from left to right; each part becomes (first place, last place)."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.rest, self.graph = pattern, pattern, _Graph()
        self.depth = 0

    def alternatives(self) -> tuple[int, int]:
        """Read a|b|c."""
        first, last = self.graph.place(), self.graph.place()
        while True:
            begin, end = self._sequence()
            self.graph.ways[first].append(begin)
            self.graph.ways[end].append(last)
            if not self.rest.startswith("|"):
                return first, last
            self.rest = self.rest[1:]

    def _sequence(self) -> tuple[int, int]:
        first = last = self.graph.place()
        while self.rest and self.rest[0] not in "|)":
            before = self.rest
            begin, end = self._one()
            text = before[: len(before) - len(self.rest)]
            begin, end = self._repeated(text, begin, end)
            self.graph.ways[last].append(begin)
            last = end
        return first, last

    def _one(self) -> tuple[int, int]:
        """Read one letter, class, group or end."""
        sign = self.rest[0]
        if sign in "*+?":
            raise _refused("missing argument to repetition operator", sign)
        if sign == "(":
            return self._group()
        if sign in "^$":
            self.rest = self.rest[1:]
            return self._between(sign)
        return self._between(self._letters())

    def _between(self, test: re.Pattern[str] | str) -> tuple[int, int]:
        first, last = self.graph.place(test), self.graph.place()
        self.graph.ways[first].append(last)
        return first, last

    def _group(self) -> tuple[int, int]:
        head = re.match(r"\((\?:|\?P?<\w+>)?", self.rest)
        assert head is not None  # noqa: S101  (it begins with a parenthesis)
        if self.rest.startswith("(?") and not head[1]:
            raise _refused("invalid or unsupported Perl syntax", self.rest[:3])
        self.rest = self.rest[head.end() :]
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _refused("expression nests too deeply", self.pattern[:40])
        first, last = self.alternatives()
        self.depth -= 1
        if not self.rest:
            raise _refused("missing closing )", self.pattern)
        self.rest = self.rest[1:]
        return first, last

    def _letters(self) -> re.Pattern[str]:
        """Read what one letter must be."""
        if self.rest[0] == ".":
            self.rest = self.rest[1:]
            return _ANY
        head = re.match(r"\[\^?\]?(?:[^\]\\]|\\.)*\]|\\.|[^\[\\]", self.rest, re.DOTALL)
        if head is None:
            if self.rest[0] == "[":
                raise _refused("missing closing ]", self.rest)
            raise _refused("trailing backslash at end of expression", "")
        self.rest = self.rest[head.end() :]
        if re.search(r"(?<!\\)\\(?![dDsSwW])[0-9A-Za-z]", head[0]) or "[:" in head[0]:
            raise _refused("invalid escape sequence", head[0])
        try:
            return re.compile(head[0] if len(head[0]) > 1 else re.escape(head[0]), re.ASCII)
        except re.error as fault:
            raise _refused("invalid character class range", head[0]) from fault

    def _repeated(self, text: str, first: int, last: int) -> tuple[int, int]:
        """Read *, +, ? or {2,5} behind what was just read as `text`."""
        before = self.rest
        found = _REPEAT.match(self.rest)
        if found:
            least = int(found[1])
            most = least if not found[2] else int(found[3]) if found[3] else None
            if max(least, most or 0) > 1000 or (most is not None and most < least):
                raise _refused("invalid repeat count", found[0])
            self.rest = self.rest[found.end() :]
        elif self.rest[:1] and self.rest[0] in "*+?":
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[self.rest[0]]
            self.rest = self.rest[1:]
        else:
            return first, last
        self.rest = self.rest.removeprefix("?")  # how eagerly makes no difference here
        again = _REPEAT.match(self.rest) or re.match(r"[*+?]", self.rest)
        if again:
            both = before[: len(before) - len(self.rest) + again.end()]
            raise _refused("invalid nested repetition operator", both)
        return self._copies(text, least, most)

    def _copies(self, text: str, least: int, most: int | None) -> tuple[int, int]:
        """Lay copies of a part one behind the other; the last ones may be left out."""
        begin = end = self.graph.place()
        exits = [begin] if least == 0 else []
        for number in range(1, max(least, most or 0, 1) + 1):
            first, last = self._again(text)
            self.graph.ways[end].append(first)
            end = last
            if number >= least:
                exits.append(last)
            if most is None and number == max(least, 1):
                self.graph.ways[last].append(first)
        done = self.graph.place()
        for place in exits:
            self.graph.ways[place].append(done)
        return begin, done

    def _again(self, text: str) -> tuple[int, int]:
        """Read a part once more, into places of its own."""
        rest, self.rest = self.rest, text
        part = self._one()
        self.rest = rest
        return part


def _refused(fault: str, text: str) -> PatternRefused:
    return PatternRefused(
        f"error parsing regexp: {fault}: `{text}`" if text
        else f"error parsing regexp: {fault}",
        why="a pattern has letters, [classes], (groups|alternatives), * + ? {2,5}, ^ and $",
        try_next="--log-opt labels-regex=^com[.]example[.]",
        lesson="logs",
    )  # fmt: skip
