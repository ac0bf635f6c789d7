"""The table of substitutions, as measured on dockerd; tests/compat asks it again."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyminidock.dockerfile.expand import (
    SubstitutionFailed,
    expand,
    expand_content,
    expand_words,
    variables,
)

VALUES = {"V": "foobarbar", "E": "", "P": "p/q"}


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("$V", "foobarbar"), ("${V}", "foobarbar"), ("$V2", ""), ("a$V.b", "afoobarbar.b"),
        ("${V}b", "foobarbarb"), (r"\$V", "$V"), (r"\\$V", r"\foobarbar"), ("'$V'", "$V"),
        ('"$V"', "foobarbar"), (r'"\$V"', "$V"), ("a'b'c", "abc"), ("${E:-d}", "d"),
        ("${E-d}", ""), ("${U:-d}", "d"), ("${U-d}", "d"), ("${V:-d}", "foobarbar"),
        ("${V:+d}", "d"), ("${E:+d}", ""), ("${E+d}", "d"), ("${U+d}", ""),
        ("${V:?x}", "foobarbar"), ("${U:-${V}}", "foobarbar"), ('${U:-"q r"}', "q r"),
        ('"${U:-"x"}"', "x"), ("${V#f*o}", "obarbar"), ("${V##f*o}", "barbar"),
        ("${V#*b}", "arbar"), ("${V##*b}", "ar"), ("${V%b*}", "foobar"),
        ("${V%bar}", "foobar"), ("${V%%b*}", "foo"), ("${V/bar/X}", "fooXbar"),
        ("${V//bar/X}", "fooXX"), ("${V/ba?/X}", "fooXbar"), ("${V//[ab]/X}", "foobarbar"),
        (r"${V//o/\/}", r"f\/\/barbar"), ("${V:-a}b}", "foobarbarb}"), ("$", "$"),
        ("a$", "a$"), ("$$", ""), ("$1", ""), ("$@", ""), ("$1a", "a"), ("$(ls)", "$(ls)"),
        (r"a\ b", "a b"), (r"a\nb", "anb"), (r'"a\nb"', r"a\nb"), ("~", "~"), ("*", "*"),
        ("${V///-}", "-f-o-o-b-a-r-b-a-r-"), ("${V//*/X}", "X"), ("${V#}", "foobarbar"),
        ("${P/\\//_}", "p_q"), ("${V//'o'/'[$0]'}", "f[o][o]barbar"), ("${E/x/y}", ""),
    ],
)  # fmt: skip
def test_a_word_is_filled_in(word: str, result: str) -> None:
    assert expand(word, VALUES) == result


@pytest.mark.parametrize(
    ("word", "message"),
    [
        *((word, "syntax error: bad substitution") for word in ("${}", "${:x}", "${{x}")),
        *((word, "syntax error: missing '}'") for word in ("${", "${V:-x", "${V/a/b")),
        ("${A", "unsupported modifier (\ufffd) in substitution"),
        ("${V:=x}", "unsupported modifier (:=) in substitution"),
        ("${V:0:2}", "unsupported modifier (:0) in substitution"),
        ("${V@U}", "unsupported modifier (@) in substitution"),
        ("${V^^}", "unsupported modifier (^) in substitution"),
        ("${#V}", "unsupported modifier (V) in substitution"),
        ("${V//r}", "syntax error: missing '/' in ${}"),
        ("${F?}", "F: is not allowed to be unset"),
        ("${F?msg}", "F: msg"),
        ("${E:?}", "E: is not allowed to be empty"),
        ('"', "unexpected end of statement while looking for matching double-quote"),
        ("'", "unexpected end of statement while looking for matching single-quote"),
        (r"${V#\c}", r"invalid pattern (\c) in substitution: invalid escape '\c'"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_the_word_around_it(word: str, message: str) -> None:
    with pytest.raises(SubstitutionFailed) as failed:
        expand(word, VALUES)
    quoted = word.replace("\\", "\\\\").replace('"', '\\"')
    assert failed.value.what == f'failed to process "{quoted}": {message}'
    assert failed.value.status == 400


def test_another_escape_takes_the_place_of_the_backslash() -> None:
    assert expand(r"C:\$V`$V", VALUES, "`") == r"C:\foobarbar$V"


@pytest.mark.parametrize(
    ("word", "words"),
    [("$W 90", ["80", "81/udp", "90"]), ('"$W"', [" 80  81/udp"]), (r"a\ b", ["a b"]),
     ("", []), ("''", []), (" $E ", [])],
)  # fmt: skip
def test_blanks_in_a_value_separate_words(word: str, words: list[str]) -> None:
    assert expand_words(word, {"W": " 80  81/udp", "E": ""}) == words


def test_the_content_of_a_heredoc_keeps_its_quotes() -> None:
    assert expand_content('it\'s "$V" \\$V', VALUES) == 'it\'s "foobarbar" $V'


def test_the_variables_of_a_word_can_be_asked_for() -> None:
    assert variables("$A-${B:-$C}'$D'${E#$F") == {"A", "B", "C", "F"}


def test_nesting_has_an_end() -> None:
    deep = "${A:-" * 50_000
    with pytest.raises(SubstitutionFailed):
        expand(deep, {})


PIECES = st.sampled_from(
    ["$", "{", "}", "V", "E", "U", ":", "-", "+", "?", "#", "%", "/", "*", "\\", "'", '"',
     " ", "a", "${V", "${U:-", "\ufeff", "\x00", "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=40))
def test_any_word_is_filled_in_or_refused(word: str) -> None:
    for read in (expand, expand_words):
        with suppress(SubstitutionFailed):
            read(word, VALUES)


@given(st.text(alphabet=st.characters(exclude_characters="$'\"\\")))
def test_a_word_without_signs_stays_as_it_is(word: str) -> None:
    assert expand(word, VALUES) == word
