"""The painter for terminals, logs and screen readers: a scene becomes lines of text.

    group   ── title ───────     tree   shim 4700          table   at       what
    row     a  b  c              └─ ● PID 1 4711                  Δ /proc    proc
    code    ► 117 emit(…)        badge  [REAL]                   folded  usr (3 inside)

Whatever a state means is in its glyph; colour comes on top where it is asked for.  Text
from inside containers may hold anything: control characters and bidi marks are spelt out,
wide characters count as two columns, and no line is ever longer than it was allowed to be.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import assert_never

from pyminidock.viz.painters.harmless import shallow
from pyminidock.viz.scene import CHANGED, GLYPHS, Node, Scene, inside
from pyminidock.viz.sentences import visible

_MOST = 4096  # characters of one node that are looked at: more fits into no line
_GAP = 2  # columns between the cells of a table
_HEAD_WIDTH = 50  # a narrower table stands in a pane, where each line counts
_ANSI = {
    "title": "1", "dim": "2", "changed": "1;7", "marked": "1;7", "badge": "7", "hit": "34",
    "miss": "33", "write": "35", "hide": "36", "net": "32", "err": "1;31", "idle": "2",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line in one style: a state, or title, dim, changed, marked, badge."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def paint(scene: Scene, width: int = 80, *, colour: bool = False) -> str:
    """Draw `scene` in at most `width` columns.

    >>> from pyminidock.viz.scene import tree
    >>> print(paint(tree("a", "a", "shim", tree("b", "b", "PID 1", state="hit")), 12))
    shim
    └─ ● PID 1
    """
    return "\n".join(
        "".join(_coloured(span) if colour else span.text for span in line).rstrip()
        for line in paint_lines(scene, width)
    )


def paint_lines(scene: Scene, width: int) -> list[Line]:
    """Draw `scene` as lines of spans, none wider than `width` columns (at least 8)."""
    width = max(width, 8)
    return [tuple(_fitted(line, width)) for line in _lines(shallow(scene), width)]


@lru_cache(maxsize=4096)
def columns(text: str) -> int:
    """Count the columns that `text` takes: wide letters two, combining marks none.

    >>> columns("abc"), columns("容器")
    (3, 4)
    """
    return sum(map(_column, text))


def cut(text: str, width: int) -> str:
    """Shorten `text` to at most `width` columns, in its middle, and say so with `…`."""
    if columns(text) <= width:
        return text
    if width < 2:
        return "…"[:width]
    head = _taken(text, (width - 1) // 2)
    tail = _taken(text[::-1], width - 1 - columns(head))[::-1]
    return f"{head}…{tail}"


def beginning(text: str, width: int) -> str:
    """Shorten `text` to at most `width` columns, at its end, and say so with `…`."""
    return text if columns(text) <= width else _taken(text, max(width - 1, 0)) + "…"[:width]


def wrap(text: str, width: int) -> list[str]:
    """Break `text` between words, inside a word that is longer than a line."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if columns(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while columns(line) > width:
            head = _taken(line, width)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line]


def _taken(text: str, width: int) -> str:
    """Take as many characters from the front as fit into `width` columns."""
    used = 0
    for index, character in enumerate(text):
        used += _column(character)
        if used > width:
            return text[:index]
    return text


def _column(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _coloured(span: Span) -> str:
    code = _ANSI.get(span.style)
    return f"\x1b[{code}m{span.text}\x1b[0m" if code and span.text else span.text


def _fitted(line: Line, width: int) -> Iterator[Span]:
    """The last word on width: whatever a primitive did, a line does not grow longer."""
    for span in line:
        text = cut(span.text, width)
        width -= columns(text)
        if text:
            yield Span(text, span.style)


def _clean(text: str) -> str:
    """Make a text one printable line; zero-width marks do not pile up."""
    short = text if len(text) <= _MOST else text[: _MOST - 1] + "…"
    said = visible(short.replace("\t", "    "))
    kept, marks = [], 0
    for character in said:
        marks = marks + 1 if _column(character) == 0 else 0
        if marks <= 2:
            kept.append(character)
    return "".join(kept)


def _lines(node: Node, width: int) -> Iterator[Line]:  # noqa: PLR0912  (a table)
    """Draw one node; each primitive has its own few lines below."""
    if node.is_folded and node.children:
        yield from _lines(_closed(node), width)
        return
    match node.primitive:
        case "group":
            yield (Span(f"── {_clean(node.text)} ".ljust(width, "─"), "title"),)
            yield from _below(node.children, width)
        case "stack":
            yield from _below(node.children, width)
        case "box":
            yield from _box(node, width)
        case "table":
            yield from _table(node, width)
        case "tree":
            yield from _tree(node, width)
        case "row":
            yield from _row(node)
        case "code":
            yield from _code(node, width)
        case "log":
            for said in node.text.splitlines():
                for piece in wrap(_clean(said), width):
                    yield (Span(piece),)
        case "edge":
            ends = [_clean(link) for link in (*node.links, "?", "?")[:2]]
            yield (Span(f"{ends[0]} ── {_clean(node.text)} ──▸ {ends[1]}", node.state),)
        case "badge":
            yield (Span(f"[{_clean(node.text)}]", "badge"),)
        case "text" | "cell":
            for said in wrap(_clean(_with_glyph(node)), width - 2):
                yield (*_mark(node.is_changed), Span(said, node.state))
        case _:
            assert_never(node.primitive)


def _closed(node: Node) -> Node:
    """Give what a folded node looks like from outside: a line that counts what is in it."""
    bare = node.primitive if node.primitive in ("group", "tree") else "text"
    said = f"{cut(node.text or node.name, _MOST // 2)} {inside(node)}"
    return replace(node, primitive=bare, text=said, children=(), is_folded=False)


def _below(children: Iterable[Node], width: int) -> Iterator[Line]:
    for child in children:
        yield from _lines(child, width)


def _with_glyph(node: Node) -> str:
    glyph = GLYPHS[node.state]
    return f"{glyph} {node.text}".rstrip() if glyph else node.text


def _mark(is_changed: bool) -> Line:
    """Open a line: the place where the eye looks for what this step did."""
    return (Span(f"{CHANGED} ", "changed"),) if is_changed else (Span("  "),)


def _box(node: Node, width: int) -> Iterator[Line]:
    inner = max(width - 4, 4)
    title = cut(_clean(_with_glyph(node)), inner)
    yield (Span(f"┌ {title} {'─' * (inner - columns(title))}┐", node.state),)
    for line in _below(node.children, inner):
        fitted = tuple(_fitted(line, inner))
        used = sum(columns(span.text) for span in fitted)
        yield (Span("│ "), *fitted, Span(" " * (inner - used) + " │"))
    yield (Span(f"└{'─' * (inner + 2)}┘", node.state),)


def _row(node: Node) -> Iterator[Line]:
    spans: list[Span] = []
    for child in node.children:
        text = _clean(_with_glyph(child))
        said = f"[{text}]" if child.primitive == "badge" else text
        spans += [Span("  " if spans else ""), Span(said, child.state)]
    yield tuple(spans)


def _tree(node: Node, width: int, lead: str = "", below: str = "") -> Iterator[Line]:
    """Draw a thing, then its children under a line that shows whose they are."""
    if node.is_folded and node.children:
        node = _closed(node)
    room = max(width - columns(lead) - 2, 4)
    said = cut(_clean(_with_glyph(node)), room)
    marker = (Span(" "), Span(CHANGED, "changed")) if node.is_changed else ()
    yield (Span(lead, "dim"), Span(said, node.state), *marker)
    for child in node.children:
        is_last = child is node.children[-1]
        branch, rest = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        if child.primitive == "tree":
            yield from _tree(child, width, below + branch, below + rest)
        else:
            for line in _lines(child, max(width - columns(below + rest), 8)):
                yield (Span(below + rest, "dim"), *line)


def _table(node: Node, width: int) -> Iterator[Line]:
    """Draw rows under a head; the widest column gives way when room is short."""
    if not node.children:
        return
    head, *rows = node.children
    has_head = width >= _HEAD_WIDTH and any(cell.text for cell in head.children)
    widths = _widths(node.children if has_head else rows or [head], width - 2)
    if has_head:
        yield (Span("  "), *_cells(head, widths, "dim"))
    for each in rows:
        is_changed = any(cell.is_changed for cell in each.children)
        mark = (Span("► ", "changed"),) if each.is_marked else _mark(is_changed)
        yield (*mark, *_cells(each, widths, "marked" if each.is_marked else ""))


def _widths(rows: Sequence[Node], width: int) -> list[int]:
    """Share `width` among the columns: each what it needs, the greedy ones what is left."""
    count = max(len(each.children) for each in rows)
    needed = [
        max((columns(_clean(_with_glyph(each.children[n]))) for each in rows
             if n < len(each.children)), default=0)
        for n in range(count)
    ]  # fmt: skip
    room = width - _GAP * (count - 1)
    while sum(needed) > room and max(needed) > 1:
        needed[needed.index(max(needed))] -= 1
    return needed


def _cells(node: Node, widths: Sequence[int], style: str) -> Iterator[Span]:
    for n, (each, width) in enumerate(zip(node.children, widths, strict=False)):
        said = _clean(_with_glyph(each))
        said = beginning(said, width) if each.role == "code" else cut(said, width)
        gap = "" if n == len(widths) - 1 else " " * (width - columns(said) + _GAP)
        yield Span(said, each.state or style)
        yield Span(gap)


def _code(node: Node, width: int) -> Iterator[Line]:
    """Draw source: numbers, the marked line pointed at, long lines cut at their end."""
    lines = node.text.split("\n")  # an empty last line is a line
    digits = len(str(node.number + len(lines)))
    room = max(width - digits - 4, 4)
    for number, source in enumerate(lines, node.number):
        is_marked = number == node.marked
        said = _clean(source)
        short = beginning(said, room)
        pointer, style = ("►", "marked") if is_marked else (" ", "")
        yield (
            Span(f"{pointer} {number:>{digits}} ", "changed" if is_marked else "dim"),
            Span(short, style),
        )
