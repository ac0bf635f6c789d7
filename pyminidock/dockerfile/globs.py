"""The patterns of `${NAME#pattern}`: `*` any run, `?` one character, the rest as it stands.

Stars cut a pattern into segments of fixed length, and a star can be as short or as long
as it likes.  So the earliest place of each segment leaves the most room to the next, and
the last place of the last one gives the longest match: one pass, no backtracking.

    f*o on foobarbar    segments  f  o      shortest: fo     longest: foo

Source: buildkit, frontend/dockerfile/shell/lex.go, convertShellPatternToRegex().  There a
star does not cross a line feed, here it does.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


class PatternMalformed(ValueError):
    """The pattern escapes a character that has no meaning; the message is BuildKit's."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """Characters without a star; None is a question mark."""

    characters: tuple[str | None, ...]

    def find(self, text: str, start: int) -> int:
        """The first place at or behind `start`, or -1."""
        if None not in self.characters:
            return text.find(self._literal, start)
        found = self._expression.search(text, start)
        return found.start() if found else -1

    def find_last(self, text: str, start: int) -> int:
        """The last place at or behind `start`, or -1."""
        if None not in self.characters:
            return text.rfind(self._literal, start)
        for place in range(len(text) - len(self.characters), start - 1, -1):
            if self.fits(text, place):
                return place
        return -1

    def fits(self, text: str, place: int) -> bool:
        """Whether the segment stands exactly there."""
        return self._expression.match(text, place) is not None

    @property
    def _literal(self) -> str:
        return "".join(c or "" for c in self.characters)

    @property
    def _expression(self) -> re.Pattern[str]:
        # Fixed length and no repetition: nothing to go back to.
        return re.compile(
            "".join("." if c is None else re.escape(c) for c in self.characters)
        )


def trim_prefix(pattern: str, value: str, *, is_greedy: bool) -> str:
    """Cut the shortest or longest match from the front.  Raises PatternMalformed.

    >>> trim_prefix("f*o", "foobarbar", is_greedy=False)
    'obarbar'
    """
    end = _match_at_front(_segments(pattern), value, is_greedy)
    return value if end is None else value[end:]


def trim_suffix(pattern: str, value: str, *, is_greedy: bool) -> str:
    """Cut the shortest or longest match from the end: a prefix, read backwards.

    >>> trim_suffix("b*", "foobarbar", is_greedy=True)
    'foo'
    """
    end = _match_at_front(_segments(_backwards(pattern)), value[::-1], is_greedy)
    return value if end is None else value[: len(value) - end]


def replace(pattern: str, value: str, replacement: str, *, is_global: bool) -> str:
    """Replace the first match, or every one.  Raises PatternMalformed.

    >>> replace("ba?", "foobarbar", "X", is_global=True)
    'fooXX'
    """
    segments = _segments(pattern)
    parts: list[str] = []
    done = 0
    while (found := _find(segments, value, done)) is not None:
        start, end = found
        parts.append(value[done:start])
        if not is_global:
            return "".join((*parts, replacement, value[end:]))
        parts.append(_filled(replacement, value[start:end]))
        done = end
        if start == end:  # an empty match: step over one character, or for ever
            if end == len(value):
                break
            parts.append(value[end])
            done += 1
        elif end == len(value):
            break
    return "".join((*parts, value[done:]))


def _find(segments: list[_Segment], text: str, start: int) -> tuple[int, int] | None:
    """The leftmost, longest match at or behind `start`."""
    first = segments[0].find(text, start)
    if first < 0:
        return None
    # A later beginning would only leave less room for the other segments.
    end = _rest(segments, text, first + len(segments[0].characters), is_greedy=True)
    return None if end is None else (first, end)


def _match_at_front(segments: list[_Segment], text: str, is_greedy: bool) -> int | None:
    """Where a match that begins at 0 ends."""
    if not segments[0].fits(text, 0):
        return None
    return _rest(segments, text, len(segments[0].characters), is_greedy)


def _rest(segments: list[_Segment], text: str, place: int, is_greedy: bool) -> int | None:
    """Match what follows the first segment, which ended at `place`."""
    for number, segment in enumerate(segments[1:], start=2):
        find: Callable[[str, int], int] = segment.find
        if is_greedy and number == len(segments):
            find = segment.find_last
        found = find(text, place)
        if found < 0:
            return None
        place = found + len(segment.characters)
    return place


def _segments(pattern: str) -> list[_Segment]:
    """Cut a pattern at its stars."""
    segments: list[list[str | None]] = [[]]
    characters = iter(pattern)
    for character in characters:
        if character == "*":
            segments.append([])
        elif character == "?":
            segments[-1].append(None)
        elif character == "\\":
            escaped = next(characters, "\ufffd")
            if escaped not in r"*?\}/":
                fault = f"invalid escape '\\{escaped}'"
                raise PatternMalformed(
                    f"invalid pattern ({pattern}) in substitution: {fault}"
                )
            segments[-1].append(escaped)
        else:
            segments[-1].append(character)
    return [_Segment(tuple(segment)) for segment in segments]


def _backwards(pattern: str) -> str:
    r"""Turn a pattern round, escapes before what they escape: a\*c becomes c\*a."""
    return "".join(reversed(re.findall(r"\\.|.", pattern, re.DOTALL)))


def _filled(replacement: str, match: str) -> str:
    """Read `$0` and `$$` in a replacement as Go's regexp does: there are no groups."""

    def value(name: re.Match[str]) -> str:
        if name[0] == "$$":
            return "$"
        return match if (name[1] or name[2]) == "0" else ""

    return re.sub(r"\$(?:\$|(\w+)|\{(\w+)\})", value, replacement)
