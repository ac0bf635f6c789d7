"""The patterns of ${V#p} agree with a slow and obvious matcher, and never go back."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.dockerfile.globs import PatternMalformed, replace, trim_prefix, trim_suffix

PATTERNS = st.text(alphabet="ab*?", max_size=6)
VALUES = st.text(alphabet="abc", max_size=8)


def expression(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern))


@given(PATTERNS, VALUES, st.booleans())
def test_a_prefix_is_the_shortest_or_the_longest_that_fits(
    pattern: str, value: str, is_greedy: bool
) -> None:
    fits = [n for n in range(len(value) + 1) if expression(pattern).fullmatch(value[:n])]
    cut = (max if is_greedy else min)(fits, default=0)
    assert trim_prefix(pattern, value, is_greedy=is_greedy) == value[cut:]


@given(PATTERNS, VALUES, st.booleans())
def test_a_suffix_is_the_shortest_or_the_longest_that_fits(
    pattern: str, value: str, is_greedy: bool
) -> None:
    ends = range(len(value) + 1)
    fits = [n for n in ends if expression(pattern).fullmatch(value[len(value) - n :])]
    cut = (max if is_greedy else min)(fits, default=0)
    assert trim_suffix(pattern, value, is_greedy=is_greedy) == value[: len(value) - cut]


@given(PATTERNS, VALUES, st.booleans())
def test_a_replacement_is_leftmost_and_longest(
    pattern: str, value: str, is_global: bool
) -> None:
    found = expression(pattern).sub("-", value, count=0 if is_global else 1)
    # Python's sub() also replaces an empty match right behind another one; Go does not.
    if is_global and "*" in pattern and not pattern.strip("*"):
        found = "-"
    assert replace(pattern, value, "-", is_global=is_global) == found


def test_only_signs_can_be_escaped() -> None:
    assert trim_prefix(r"\*\?", "*?x", is_greedy=False) == "x"
    assert trim_suffix(r"\*x", "a*x", is_greedy=False) == "a"
    with pytest.raises(PatternMalformed, match="invalid escape"):
        trim_prefix(r"\a", "a", is_greedy=False)


def test_many_stars_cost_no_more_than_their_number() -> None:
    started = time.process_time()
    trim_prefix("a*" * 1000 + "b", "a" * 50_000, is_greedy=True)
    trim_suffix("*a" * 1000 + "?", "a" * 50_000, is_greedy=False)
    replace("a*" * 1000 + "b", "a" * 50_000, "x", is_global=True)
    assert time.process_time() - started < 5
