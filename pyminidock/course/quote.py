"""The engine's own source, by the name of what is quoted.

A lesson says `pyminidock.unionfs.lookup:look_up` and shows what stands there today.  A name
that is gone is a mistake that a test finds; a number of a line would lie silently.
"""

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path

from pyminidock.errors import MinidockError

_ROOT = Path(__file__).parents[1]


class NoSuchSource(MinidockError):
    """Nothing in the engine is called so."""

    status = 404


@dataclass(frozen=True, slots=True)
class Quote:
    """Some lines of the engine; `path` from the package, the number of the `first`."""

    name: str
    path: str
    first: int
    text: str

    def __str__(self) -> str:
        lines = self.text.rstrip("\n").split("\n")
        width = len(str(self.first + len(lines)))
        numbered = [
            f"{number:>{width}}  {line}".rstrip()
            for number, line in enumerate(lines, start=self.first)
        ]
        return "\n".join([f"{self.path}:{self.first}", *numbered])

    __repr__ = __str__


def quote(name: str) -> Quote:
    """Give the source of "package.module:function"; of a class, "…:Class.method".

    Raises NoSuchSource.

    >>> print(quote("pyminidock.course.quote:_none").text.splitlines()[0])
    def _none(name: str, why: str) -> NoSuchSource:
    """
    module, colon, symbol = name.partition(":")
    if not colon or not module.startswith("pyminidock."):
        raise _none(name, "a quote is pyminidock.ROOM.MODULE:NAME")
    try:
        found = importlib.import_module(module)
        for part in symbol.split("."):
            found = getattr(found, part)
        lines, first = inspect.getsourcelines(found)
        path = Path(str(inspect.getsourcefile(found))).relative_to(_ROOT)
    except (ImportError, AttributeError, TypeError, OSError, ValueError) as mistake:
        raise _none(name, f"{mistake}") from mistake
    return Quote(name, path.as_posix(), first, "".join(lines))


def _none(name: str, why: str) -> NoSuchSource:
    return NoSuchSource(
        f"no source is called {name}",
        why=why,
        try_next="grep -rn 'def ' pyminidock/unionfs",
    )
