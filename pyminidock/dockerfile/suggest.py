"""Did you mean …?  The nearest known word, if it is at most two slips away.

A slip is one letter too many, too few, or wrong (the distance of Levenshtein).

Source: buildkit, util/suggest.
"""

from collections.abc import Sequence

_TOO_FAR = 3
_LONGEST = 32  # characters; a longer word is near to none of ours


def guess(word: str, known: Sequence[str]) -> str:
    """Give the words that are put behind a message: the nearest of `known`, or nothing.

    Of two that are equally near, the first in the alphabet; Docker takes any.

    >>> guess("form", ["chown", "from"]), guess("zz", ["from"]), guess("x", [])
    (' (did you mean from?)', '', '')
    """
    if len(word) > _LONGEST or not known:
        return ""
    slips, best = min((_distance(word, other), other) for other in known)
    return f" (did you mean {best}?)" if 0 < slips < _TOO_FAR else ""


def guess_keyword(word: str, known: Sequence[str]) -> str:
    """Do the same for `known` in capitals; the answer is in capitals if `word` is.

    >>> [guess_keyword(word, ["RUN", "ENV"]) for word in ("RUNN", "runn", "XYZZYQ")]
    [' (did you mean RUN?)', ' (did you mean run?)', '']
    """
    if word == word.upper():
        return guess(word, known)
    return guess(word.lower(), [each.lower() for each in known])


def _distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for place, character in enumerate(left, start=1):
        above, row = row, [place]
        for column, other in enumerate(right, start=1):
            wrong = above[column - 1] + (character != other)
            row.append(min(wrong, above[column] + 1, row[-1] + 1))
    return row[-1]
