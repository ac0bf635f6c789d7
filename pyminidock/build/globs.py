r"""The wildcards of COPY and ADD: matched against whole paths of the context.

    *      any run of characters but `/`         [a-c]   one of them; [^a-c] another one
    ?      one character but `/`                 \*      the character itself

There is no `**`.  A malformed pattern matches nothing, as in Docker.  Time is at most the
product of both lengths: after a failure only the last star has to give way, for what an
earlier one could do the last one can do as well.

Source: Go, path/filepath/match.go; measured on Docker Engine 26.1.
"""

from collections.abc import Callable
from typing import TypeAlias

_Test: TypeAlias = Callable[[str], bool]


class _Malformed(ValueError):
    """A class that is not closed, or a backslash at the end."""


def has_wildcards(pattern: str) -> bool:
    r"""Say whether a source is a pattern.

    >>> has_wildcards("a*"), has_wildcards(r"a\*")
    (True, False)
    """
    skips = False
    for character in pattern:
        if skips:
            skips = False
        elif character == "\\":
            skips = True
        elif character in "*?[":
            return True
    return False


def matches(pattern: str, path: str) -> bool:
    """Say whether `path`, all of it, is what `pattern` means.

    >>> matches("d/*.p?", "d/a.py"), matches("*.py", "d/a.py"), matches("[[]x]", "[x]")
    (True, False, True)
    """
    try:
        tests = _tests(pattern)
    except _Malformed:
        return False
    return _walk(tests, path)


def _walk(tests: list[_Test | None], path: str) -> bool:
    at = here = 0
    star, resumed = -1, 0  # where the last star is, and where its next attempt begins
    while here < len(path):
        test = tests[at] if at < len(tests) else None
        if at < len(tests) and test is None:
            star, resumed = at, here
            at += 1
        elif test is not None and test(path[here]):
            at, here = at + 1, here + 1
        elif star >= 0 and path[resumed] != "/":
            resumed += 1
            at, here = star + 1, resumed
        else:
            return False
    return all(test is None for test in tests[at:])


def _tests(pattern: str) -> list[_Test | None]:
    """Cut a pattern into what is asked of one character each; None is a star."""
    tests: list[_Test | None] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            if not tests or tests[-1] is not None:
                tests.append(None)
        elif character == "?":
            tests.append(lambda seen: seen != "/")
        elif character == "[":
            test, at = _class(pattern, at)
            tests.append(test)
        else:
            if character == "\\":
                character, at = _next(pattern, at)
            tests.append(character.__eq__)
    return tests


def _class(pattern: str, at: int) -> tuple[_Test, int]:
    is_negated = pattern[at : at + 1] == "^"
    at += is_negated
    ranges: list[tuple[str, str]] = []
    while True:
        if pattern[at : at + 1] == "]" and ranges:
            break
        low, at = _member(pattern, at)
        high = low
        if pattern[at : at + 1] == "-":
            high, at = _member(pattern, at + 1)
        ranges.append((low, high))

    def test(seen: str) -> bool:
        return any(low <= seen <= high for low, high in ranges) != is_negated

    return test, at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    character, at = _next(pattern, at)
    if character in "-]":
        raise _Malformed
    return _next(pattern, at) if character == "\\" else (character, at)


def _next(pattern: str, at: int) -> tuple[str, int]:
    if at >= len(pattern):
        raise _Malformed
    return pattern[at], at + 1
