"""The wildcards of COPY, against Go's own table and against regular expressions."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.build.globs import has_wildcards, matches


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [  # Source: Go, path/filepath/match_test.go
        ("abc", "abc", True), ("*", "abc", True), ("*c", "abc", True), ("a*", "a", True),
        ("a*", "abc", True), ("a*", "ab/c", False), ("a*/b", "abc/b", True),
        ("a*/b", "a/c/b", False), ("a*b*c*d*e*/f", "axbxcxdxe/f", True),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
        ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", False),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", False), ("a*b?c*x", "abxbbxdbxebxczzx", True),
        ("a*b?c*x", "abxbbxdbxebxczzy", False), ("ab[c]", "abc", True),
        ("ab[b-d]", "abc", True), ("ab[e-g]", "abc", False), ("ab[^c]", "abc", False),
        ("ab[^b-d]", "abc", False), ("ab[^e-g]", "abc", True), (r"a\*b", "a*b", True),
        (r"a\*b", "ab", False), ("a?b", "a☺b", True), ("a[^a]b", "a☺b", True),
        ("a???b", "a☺b", False), ("a[^a][^a][^a]b", "a☺b", False), ("[a-ζ]*", "β", True),
        ("*[a-ζ]", "A", False), ("a?b", "a/b", False), ("a*b", "a/b", False),
        (r"[\]a]", "]", True), (r"[\-]", "-", True), (r"[x\-]", "x", True),
        (r"[x\-]", "-", True), (r"[x\-]", "z", False), (r"[\-x]", "x", True),
        ("[]a]", "]", False), ("[-]", "-", False), ("[x-]", "x", False),
        ("[-x]", "x", False),
        ("\\", "a", False), ("[a-b-c]", "a", False), ("[", "a", False), ("[^", "a", False),
        ("[^bc", "a", False), ("a[", "a", False), ("a[", "ab", False), ("*x", "xxx", True),
        ("[[]br]", "[br]", True), ("", "", True), ("", "a", False),
    ],
)  # fmt: skip
def test_a_pattern_means_what_it_means_in_go(
    pattern: str, path: str, is_match: bool
) -> None:
    assert matches(pattern, path) is is_match


@given(st.text("ab/*?", max_size=9), st.text("ab/", max_size=9))
def test_stars_and_marks_agree_with_a_regular_expression(pattern: str, path: str) -> None:
    words = {"*": "[^/]*", "?": "[^/]"}
    expression = "".join(words.get(c, re.escape(c)) for c in pattern)
    assert matches(pattern, path) is bool(re.fullmatch(expression, path))


def test_many_stars_cost_no_more_than_their_number_times_the_path() -> None:
    began = time.process_time()
    assert not matches("*a" * 200 + "b", "a" * 4000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(("text", "has"), [("a", False), ("a?", True), (r"\*", False),
                                           (r"\\*", True), ("a[b]", True)])  # fmt: skip
def test_what_is_a_pattern(text: str, has: bool) -> None:
    assert has_wildcards(text) is has
