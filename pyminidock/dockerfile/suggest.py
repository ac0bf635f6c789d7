"""Did you mean …?  The nearest known word, if it is at most two slips away.

A slip is one letter too many, too few, or wrong (the distance of Levenshtein).

Source: buildkit, util/suggest.
"""

from collections.abc import Sequence

_TOO_FAR = 3
_LONGEST = 32  # characters; a longer word is near to none of ours


def nearest(word: str, known: Sequence[str]) -> str:
    """Name the nearest of `known` (upper case), or nothing.

    The answer is in capitals if `word` is.  Of two that are equally near, the first in the
    alphabet; Docker takes any.

    >>> [nearest(word, ["RUN", "ENV"]) for word in ("RUNN", "runn", "XYZZYQ")]
    ['RUN', 'run', '']
    """
    if len(word) > _LONGEST:
        return ""
    slips, best = min((_distance(word.upper(), other), other) for other in known)
    if not 0 < slips < _TOO_FAR:
        return ""
    return best if word == word.upper() else best.lower()


def _distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for place, character in enumerate(left, start=1):
        above, row = row, [place]
        for column, other in enumerate(right, start=1):
            wrong = above[column - 1] + (character != other)
            row.append(min(wrong, above[column] + 1, row[-1] + 1))
    return row[-1]
