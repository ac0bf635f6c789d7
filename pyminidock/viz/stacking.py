"""The layers of a union in their order, and why one of them did not answer for a path.

    upper   the container's own: the only one that changes
    init    empty files to mount on
    C       RUN rm /srv/data/b            a letter for each layer of the image, A lowest
    B       RUN mkdir -p /srv/data
    A       base

A reason is the first one on the way down the path: who has no /srv is not asked for what is
in it, and below an answer that ends a search nobody is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from pyminidock.viz.buildwords import opening
from pyminidock.viz.seeking import UPPER, Asked, Union, called, way
from pyminidock.viz.things import Container

INIT = "init"
ABSENT, FILE, WHITEOUT, OPAQUE = "absent", "file", "whiteout", "opaque directory"
DIRECTORIES = ("directory", OPAQUE)
_ENDS = {
    FILE: "a file in {name} answers first, and hides what is below",
    WHITEOUT: "a whiteout in {name} says deleted, so nobody below is asked",
    OPAQUE: "the directory in {name} is opaque, so nobody below is asked",
}
_OWN = {UPPER: "the container's own layer", INIT: "places to mount on"}


@dataclass(frozen=True, slots=True)
class Tree:
    """One layer; `name` is what events call it, `sign` what people do."""

    name: str
    sign: str
    made_by: str

    @property
    def said(self) -> str:
        """Name it in a sentence, with what made it."""
        return f"{self.sign} ({self.made_by})" if self.made_by else self.sign


def letter(number: int) -> str:
    """Name a layer by its place, the bottom one A.

    >>> letter(0), letter(25), letter(26)
    ('A', 'Z', 'A2')
    """
    rounds, place = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(rounds + 1) if rounds else "")


def trees(union: Union, container: Container | None) -> tuple[Tree, ...]:
    """Give the layers, topmost first: as they were stacked, or else as they were asked."""
    told = [layer for path in way(union.path) for layer, _ in _answers(union, path)]
    known = [UPPER, *map(called, container.root.lower)] if container else []
    names = known if set(told) <= set(known) else list(dict.fromkeys(told))
    images = [name for name in names if name not in _OWN]
    signs = {name: letter(len(images) - n - 1) for n, name in enumerate(images)}
    return tuple(
        Tree(name, signs.get(name, name), _OWN.get(name) or _made_by(union, name))
        for name in names
    )


def _made_by(union: Union, name: str) -> str:
    return opening(union.made_by.get(name, "")) or name


def _answers(union: Union, path: str) -> Sequence[tuple[str, str]]:
    asked = union.asked.get(path)
    return asked.answers if asked else ()


def why_not(  # noqa: PLR0911  (one line per reason)
    union: Union, path: str, tree: Tree, known: Sequence[Tree]
) -> str:
    """Say why a layer has no part in what a path is; nothing, if it has one.

    What was not told is not guessed: then it says so.
    """
    for step in way(path):
        asked = union.asked.get(step)
        if asked is None:
            return f"it was not told who has {step}"
        answer = dict(asked.answers).get(tree.name)
        if answer is None:
            return _unasked(asked, known)
        if answer == ABSENT:
            return f"has no {step}" if step == path else f"has no {step} to look in"
        if answer == WHITEOUT:
            return f"says that {step} is deleted: a whiteout"
        if asked.is_over and tree.name not in asked.layers:
            return f"its {step} is hidden by what is above"
        if step != path and answer not in DIRECTORIES:
            return f"its {step} is a file: nothing lies in it"
    return ""


def _unasked(asked: Asked, known: Sequence[Tree]) -> str:
    """Say why the search for one name did not come to a layer."""
    last, answer = asked.answers[-1] if asked.answers else ("", "")
    if answer in _ENDS and (answer != FILE or len(asked.layers) <= 1):
        name = next((tree.sign for tree in known if tree.name == last), last)
        return _ENDS[answer].format(name=name)
    return "not asked" if asked.is_over else "not asked yet"
