"""Draw the same thing once: pictures of one moment share most of the one before.

Worlds are frozen and share what did not change, so a row that was drawn of the same
objects is the same row.  Whoever compares two pictures sees that at a glance, too.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Drawn = TypeVar("Drawn")
Asked = ParamSpec("Asked")

MOST = 8192  # rows of one kind: beyond, begin anew
_VALUES = frozenset({str, int, bool})


def remembered(draw: Callable[Asked, Drawn]) -> Callable[Asked, Drawn]:
    """Let a pure function give what it gave before, for the very same arguments.

    Words and numbers are the same if they are equal, anything else if it is one object.
    Arguments are given by their places, each place always of one type.

    >>> @remembered
    ... def pair(one, other): return [one, other]
    >>> here = object()
    >>> pair("a", here) is pair("a", here), pair("a", here) is pair("a", object())
    (True, False)
    """
    known: dict[tuple[object, ...], tuple[tuple[Any, ...], Drawn]] = {}

    @wraps(draw)
    def drawn(*args: Asked.args, **named: Asked.kwargs) -> Drawn:
        key = tuple([each if type(each) in _VALUES else id(each) for each in args])
        found = known.get(key)
        if found is not None:
            return found[1]
        if len(known) >= MOST:
            known.clear()
        made = draw(*args, **named)
        known[key] = (args, made)  # held, so that no id is given to another one
        return made

    return drawn
