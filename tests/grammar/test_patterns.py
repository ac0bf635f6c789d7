"""Patterns find what Python's `re` finds, in a time that grows with the text only."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.grammar.patterns import PatternRefused, matcher

ATOM = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\.", r"\d", "^", "$"])


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeated = st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}"]))
    return (
        st.lists(inner, max_size=3).map("".join)
        | st.lists(inner, min_size=1, max_size=3).map("|".join).map("({})".format)
        | repeated.map(lambda pair: f"(?:{pair[0]}){pair[1]}")
    )


@settings(deadline=None)
@given(st.recursive(ATOM, _combined, max_leaves=6), st.text("ab.1\n", max_size=8))
def test_what_is_found_is_what_re_finds(pattern: str, text: str) -> None:
    if "$" in pattern:  # Python's also holds before a line feed at the end
        text = text.replace("\n", "")
    assert matcher(pattern)(text) == bool(re.search(pattern, text, re.ASCII))


def test_no_pattern_takes_for_ever() -> None:
    """`re` would need 2**200 steps for this."""
    assert not matcher("^(a*)*b$")("a" * 200)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("(", "missing closing ): `(`"),
        (")", "unexpected ): `)`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("[a", "missing closing ]: `[a`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("\\", "trailing backslash at end of expression"),
        ("(?i)a", "invalid or unsupported Perl syntax: `(?i`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("[b-a]", "invalid character class range: `[b-a]`"),
        ("a" * 501, f"expression too large: `{'a' * 40}`"),
        ("((((((a{9}){9}){9}){9}){9}){9})", "expression too large"),
        ("(" * 60 + ")" * 60, f"expression nests too deeply: `{'(' * 40}`"),
        (r"\bword", r"invalid escape sequence: `\b`"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str, fault: str) -> None:
    """The words are Go's; measured with dockerd 26.1.5 where it refuses the same."""
    with pytest.raises(PatternRefused) as refusal:
        matcher(pattern)
    assert refusal.value.what == f"error parsing regexp: {fault}"
