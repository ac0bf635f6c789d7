"""Variables are filled in as dockerd fills them in, to the letter, faults included.

STOPSIGNAL shows it for little: whatever it is given becomes one word, and a word that is
no signal comes back in the error message, before anything is built.
"""

import http.client
import random
from collections.abc import Callable

import pytest

from pyminidock.dockerfile.expand import SubstitutionFailed, expand
from tests.compat.asking import build, context, message
from tests.reference import Reference

pytestmark = pytest.mark.compat

VALUES = {
    "V": "foobarbar", "E": "", "P": "p/q", "S": "a b  c", "A_1": "x*y?z\\w", "B": "$V",
}  # fmt: skip
CUT_OFF = "no answer"
INVALID = "invalid signal: "


def ours(word: str) -> str:
    try:
        return INVALID + expand(word, VALUES)
    except SubstitutionFailed as failed:
        return failed.what


def theirs(reference: Reference, word: str) -> str:
    lines = ["FROM scratch"]
    for name, value in VALUES.items():
        escaped = value.replace("\\", "\\\\").replace("$", "\\$")
        lines.append(f'ENV {name}="{escaped}"')
    lines.append(f"STOPSIGNAL {word}")
    try:
        return message(build(reference, context(Dockerfile="\n".join(lines)))[1])
    except http.client.IncompleteRead:
        return CUT_OFF


@pytest.mark.parametrize(
    "word",
    [
        "$V", "${V}", "$V2", "a$V.b", "${V}b", r"\$V", r"\\$V", "'$V'", '"$V"', r'"\$V"',
        "a'b'c", "${E:-d}", "${E-d}", "${U:-d}", "${U-d}", "${V:-d}", "${V:+d}", "${E:+d}",
        "${E+d}", "${U+d}", "${V:?x}", "${U:-${V}}", '${U:-"q r"}', '"${U:-"x"}"',
        "${V#f*o}", "${V##f*o}", "${V#*b}", "${V##*b}", "${V%b*}", "${V%bar}", "${V%%b*}",
        "${V/bar/X}", "${V//bar/X}", "${V/ba?/X}", "${V//[ab]/X}", r"${V//o/\/}",
        "${V:-a}b}", "$", "a$", "$$", "$1", "$@", "$1a", "$(ls)", r"a\ b", r"a\nb",
        r'"a\nb"', "~", "*", "${V///X}", "${V//*/X}", "${V//?/$P}", "${V//'o'/'$0$0'}",
        "${A_1#x\\*}", "${A_1%\\\\w}", "${A_1/\\?/!}", "${S}", "'${S}'", "$B", "${B}",
        "${P/\\//_}", "${P//q/'}'}", "${}", "${:x}", "${{x}", "${", "${V", "${V:-x",
        "${V:=x}", "${V:0:2}", "${V@U}", "${V^^}", "${#V}", "${V//r}", "${V/r", "${V/r/x",
        "${F?}", "${F?msg}", "${E:?}", "${E?}", '"', "'", 'a"b', "${V#\\c}", "${V%\\c}",
        "${V/\\c/d}", "${V:}", "${V:",
    ],
)  # fmt: skip
def test_a_word_is_expanded_as_by_docker(reference: Reference, word: str) -> None:
    # The x keeps the result from being a signal, or nothing.
    assert ours(f"x{word}") == theirs(reference, f"x{word}")


WORDS = (
    "V", "E", "U", "P", "S", "A_1", "B", "$V", "${V}", "$", "${", "}", "{", ":-", "-",
    ":+", "+", ":?", "?", "#", "##", "%", "%%", "/", "//", "*", "\\*", "\\?", "\\/", "\\}",
    "'", '"', "a", "b", "o", "bar", "f", "[ab]", "]", "(", ")", "|", ".", "^", "!", "@",
    "_", "1", "0", "$1", "$$", "é", "${U:-", "${V#", "${V%%", "${V%", "${V//", "${V/",
    "${E:-", "${U-", "${V:+", "$0", "\\$", "~", "\\n", "<<", "\\\\", "\\", " ", "  ",
)  # fmt: skip


def any_word(dice: random.Random) -> str:
    word = "".join(dice.choice(WORDS) for _ in range(dice.randint(1, 7)))
    return f"x${{{word}}}y" if dice.random() < 0.3 else f"x{word}y"


def test_random_words_are_expanded_as_by_docker(
    reference: Reference, at_length: Callable[[int], int]
) -> None:
    for seed in range(at_length(10_000)):
        word = any_word(random.Random(seed))
        said = theirs(reference, word)
        # Trimming by an empty pattern kills Docker's handler: there is nothing to compare.
        if said == CUT_OFF and ("#" in word or "%" in word):
            continue
        assert ours(word) == said, word
