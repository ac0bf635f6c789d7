"""Which words of a Dockerfile a failure is about, where only its sentence is known.

    Step 3/5 failed:  COPY failed: … stat nope: file does not exist
                                          ────
       3 | COPY nope /
         |      ^^^^

A sentence of Docker's names what it is about, so the longest word of the instruction that
stands in it is marked.  Where there is none, the whole line is.
"""

import re

from pyminidock.dockerfile.instructions import Instruction
from pyminidock.dockerfile.malformed import Place
from pyminidock.dockerfile.parse import Dockerfile

# What a word is, and what it may stand between in a sentence; then parts of paths.
_PASSES = (
    (re.compile(r"""[^\s=:,"'\[\]]{2,}"""), r"[^\w.*/-]"),
    (re.compile(r"""[^\s=:,"'\[\]/]{2,}"""), r"[^\w]"),
)


def place_of_word(dockerfile: Dockerfile, step: Instruction, word: str) -> Place:
    """Find `word`, in any case, in the lines of `step`: its last place, or the first line.

    A file that ends early, or a step of no line (--label), is nowhere.
    """
    lines = _lines(dockerfile, step)
    for number, source in lines.items():
        column = source.lower().rfind(word.lower()) if word else -1
        if column >= 0:
            return Place(number, column + 1, len(word), source)
    for number, source in lines.items():
        start = len(source) - len(source.lstrip())
        return Place(number, start + 1, len(source.strip()), source)
    return Place()


def place_of_failure(dockerfile: Dockerfile, step: Instruction, sentence: str) -> Place:
    """Find what `sentence` is about in the lines of the step that failed."""
    _, _, rest = step.text.partition(" ")
    if rest.strip() and _stands_in(rest.strip(), sentence, _PASSES[0][1]):
        return place_of_word(dockerfile, step, rest.strip())
    lines = _lines(dockerfile, step).values()
    for pattern, border in _PASSES:
        words = {word for source in lines for word in pattern.findall(source)}
        words = {word for word in words if _stands_in(word, sentence, border)}
        if said := sorted(words - {step.keyword}):
            return place_of_word(dockerfile, step, max(said, key=len))
    return place_of_word(dockerfile, step, "")


def _stands_in(word: str, sentence: str, border: str) -> bool:
    return bool(re.search(rf"(^|{border}){re.escape(word)}(?={border}|$)", sentence))


def _lines(dockerfile: Dockerfile, step: Instruction) -> dict[int, str]:
    """Give the physical lines of a step, each by its number from 1."""
    lines = dockerfile.text.removeprefix("\ufeff").split("\n")
    span = step.span
    numbers = range(span.first, min(span.last, len(lines)) + 1) if span.first else ()
    return {number: lines[number - 1].rstrip("\r") for number in numbers}
