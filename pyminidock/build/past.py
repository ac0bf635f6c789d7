"""The last build of the same name, laid beside this one: what became of each instruction.

    then                     now
    WORKDIR /app      ────   WORKDIR /app
    COPY a .          ────   COPY --chown=7 a .    changed: they are compared
    RUN make          ──x                          removed
                             USER nobody           added
    CMD ["app"]       ────   CMD ["app"]

A miss is explained by comparing a step with what it was.  Steps are laid side by side by
their words, as `diff` does with lines; what then stands alone is new, gone, or moved.

Nothing here decides whether a step is taken from the cache: only why it was not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from pyminidock.store.cache import DoneStep

_MOST_COMPARED = 40_000  # pairs of instructions
_NEAR = 64  # as far away a rewritten instruction is looked for


@dataclass(frozen=True, slots=True)
class Counterpart:
    """What one instruction was in the last build.

    `step` is None for an instruction that was not there, or not here: then `is_moved`.
    `lost` are those that stood just before it then, and whether they come later now.
    """

    step: DoneStep | None = None
    is_moved: bool = False
    lost: tuple[tuple[DoneStep, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """The steps of one stage in the last build; empty if there was none."""

    steps: tuple[DoneStep, ...] = ()
    counterparts: tuple[Counterpart, ...] = field(default=())

    def of(self, number: int) -> Counterpart:
        """Tell what the instruction with this number of the stage, from 0, was."""
        known = self.counterparts
        return known[number] if number < len(known) else Counterpart()


def beside(steps: Sequence[DoneStep], texts: Sequence[str]) -> Past:
    """Lay the steps of the last build beside the instructions of this one.

    >>> then = [DoneStep("", str(n), "", text) for n, text in enumerate(("ENV A", "RUN b"))]
    >>> past = beside(then, ["ENV A", "USER c", "RUN b"])
    >>> [each.step and each.step.text for each in past.counterparts]
    ['ENV A', None, 'RUN b']
    """
    old, new = [_plain(step.text) for step in steps], [_plain(text) for text in texts]
    pairs: dict[int, int] = {}
    for kind, i, i_end, j, j_end in _runs(old, new):
        if kind == "equal":
            pairs |= zip(range(j, j_end), range(i, i_end), strict=True)
        elif kind == "replace":
            pairs |= _paired(old, range(i, i_end), new, range(j, j_end))
    return Past(tuple(steps), tuple(_counterparts(steps, old, new, pairs)))


def _runs(
    old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[str, int, int, int, int]]:
    """Give runs that are equal or not, as SequenceMatcher does.

    It takes the square of what it looks at, and more; so what is the same at both ends is
    taken off first, and where too much is left, the middle is one run of rewritten lines.
    """
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    i_end, j_end = len(old) - tail, len(new) - tail
    middle = (old[head:i_end], new[head:j_end])
    yield "equal", 0, head, 0, head
    if len(middle[0]) * len(middle[1]) > _MOST_COMPARED:
        yield "replace", head, i_end, head, j_end
    else:
        for kind, *ends in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
            i, i_last, j, j_last = (end + head for end in ends)
            yield kind, i, i_last, j, j_last
    yield "equal", i_end, len(old), j_end, len(new)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Count how many are the same from the start on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _plain(text: str) -> str:
    """Give a text without what never matters: blanks, and the case of its first word."""
    keyword, *words = text.split() or [""]
    return " ".join((keyword.upper(), *words))


def _paired(
    old: Sequence[str], olds: Sequence[int], new: Sequence[str], news: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Pair what was rewritten: by kind, in order; a lone pair always."""
    if len(olds) == len(news) == 1:
        yield news[0], olds[0]
        return
    at = 0
    for j in news:
        kind = new[j].partition(" ")[0]
        near = olds[at : at + _NEAR]
        found = next((i for i in near if old[i].partition(" ")[0] == kind), None)
        if found is not None:
            yield j, found
            at = found - olds[0] + 1


def _counterparts(
    steps: Sequence[DoneStep], old: Sequence[str], new: Sequence[str],
    pairs: dict[int, int],
) -> Iterator[Counterpart]:  # fmt: skip
    paired = set(pairs.values())
    gone = {i: old[i] for i in range(len(old)) if i not in paired}
    left = set(gone.values())
    came = {new[j] for j in range(len(new)) if j not in pairs}
    before = -1  # the last step of then that has been laid beside one of now
    for j in range(len(new)):
        if j not in pairs:
            yield Counterpart(is_moved=new[j] in left)
            continue
        i = pairs[j]
        lost = tuple((steps[k], old[k] in came) for k in range(before + 1, i) if k in gone)
        yield Counterpart(steps[i], lost=lost)
        before = i
