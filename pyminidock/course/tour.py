"""The course of reading: the engine's source in order, each part with what fires it.

    chapter ─► stop ─► passage          a title    why, and which events    lines of a file

What there is to read is data (`tour.toml`); a stop names its lines by what they are called,
never by number, so an edit of the engine cannot make the tour point at the wrong place.  It
can make it long: what is shown in all stays below `MOST_LINES`, and a test holds it there.
"""

import ast
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pyminidock.errors import MinidockError

MOST_LINES = 900  # that are not blank: what one reads in an afternoon
STORIES = ("run", "build", "again")

Read = Callable[[str], str]


class NoSuchPassage(MinidockError):
    """The tour names lines that are not there."""

    status = 404


@dataclass(frozen=True, slots=True)
class Stop:
    """One place to look at; reached at the first of `kinds` in `story`."""

    chapter: str
    title: str
    story: str
    file: str  # from the package
    symbols: tuple[str, ...]
    kinds: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Some lines of a file that belong together; `first` is the number of the first one."""

    symbol: str
    first: int
    lines: tuple[str, ...]

    @property
    def last(self) -> int:
        """The number of its last line."""
        return self.first + len(self.lines) - 1


def tour() -> tuple[Stop, ...]:
    """Give all stops, in order."""
    told = tomllib.loads(_beside("tour.toml"))
    return tuple(
        _stop(chapter, stop) for chapter in told["chapters"] for stop in chapter["stops"]
    )


def _stop(chapter: Mapping[str, Any], stop: Mapping[str, Any]) -> Stop:
    return Stop(
        chapter["title"], stop["title"], chapter["story"], stop["file"],
        tuple(stop["symbols"]), tuple(stop["kinds"]), " ".join(stop["why"].split()),
    )  # fmt: skip


def read_package(path: str) -> str:
    """Read a file of the package, as it is installed."""
    return resources.files("pyminidock").joinpath(path).read_text(encoding="utf-8")


def _beside(name: str) -> str:
    return resources.files("pyminidock.course").joinpath(name).read_text(encoding="utf-8")


def passages(stop: Stop, read: Read = read_package) -> tuple[Passage, ...]:
    """Find the lines of a stop.  Raises NoSuchPassage."""
    text = read(stop.file)
    lines, module = text.splitlines(), ast.parse(text)
    return tuple(_passage(stop, symbol, lines, module) for symbol in stop.symbols)


def _passage(stop: Stop, symbol: str, lines: Sequence[str], module: ast.Module) -> Passage:
    first, last = _span(module, symbol)
    if not last:
        raise NoSuchPassage(
            f"{stop.file} has nothing called {symbol or 'an opening'}",
            why=f"the stop {stop.title!r} of the tour shows it",
            try_next="write its new name into pyminidock/course/tour.toml",
        )
    return Passage(symbol, first, tuple(lines[first - 1 : last]))


def _span(module: ast.Module, symbol: str) -> tuple[int, int]:
    r"""Give the first and last line of a definition, (0, 0) where there is none.

    >>> _span(ast.parse("class A:\n    @x\n    def b(self): ...\n"), "A.b")
    (2, 3)
    >>> _span(ast.parse('"Idea."\nx = 1\n'), ""), _span(ast.parse("x = 1"), "y")
    ((1, 1), (0, 0))
    """
    if not symbol:
        opening = module.body[0] if ast.get_docstring(module) else None
        return (opening.lineno, opening.end_lineno or 0) if opening else (0, 0)
    found: ast.stmt | None = None
    inside: Sequence[ast.stmt] = module.body
    for name in symbol.split("."):
        found = next((each for each in inside if name in _names(each)), None)
        inside = found.body if isinstance(found, ast.ClassDef) else ()
    if found is None:
        return 0, 0
    first = min([found.lineno, *(each.lineno for each in _decorators(found))])
    return first, found.end_lineno or 0


def _names(statement: ast.stmt) -> Iterator[str]:
    """Name what a statement defines."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        yield from (each.id for each in statement.targets if isinstance(each, ast.Name))
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id


def _decorators(statement: ast.stmt) -> Sequence[ast.expr]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.decorator_list
    return ()


def lines_in_all(stops: Iterable[Stop], read: Read = read_package) -> dict[str, int]:
    """Count the lines to be read, by "file:symbol"; what is shown twice counts once."""
    return {
        f"{stop.file}:{passage.symbol}": sum(1 for line in passage.lines if line.strip())
        for stop in stops
        for passage in passages(stop, read)
    }
