"""A picture before it is painted: a tree of a dozen primitives.

    box    a thing with a border and a name        edge    a line from one id to another
    stack  things above each other                 badge   a short word in a frame
    row    things beside each other                text    a sentence
    cell   one field of a table row                log     lines, the newest last
    table  a head and rows of cells                code    lines of source, one marked
    tree   a thing and the things below it         group   things under one heading

Every node has an id that stays the same while the thing stays the same, a role and a name
for whoever cannot see it, and a state from one visual language.  A state is never a
colour: it is a glyph and a word first, and a painter may add a colour.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, get_args

Primitive = Literal[
    "box", "stack", "row", "cell", "table", "tree", "edge", "badge", "text", "log", "code",
    "group",
]  # fmt: skip
PRIMITIVES: tuple[str, ...] = get_args(Primitive)

State = Literal["", "hit", "miss", "write", "hide", "net", "err", "idle"]
GLYPHS: dict[str, str] = {
    "": "", "hit": "●", "miss": "○", "write": "✎", "hide": "⊘", "net": "▸", "err": "✕",
    "idle": "·",
}  # fmt: skip
WORDS: dict[str, str] = {
    "": "", "hit": "there", "miss": "not there", "write": "new", "hide": "hidden",
    "net": "shared", "err": "failed", "idle": "at rest",
}  # fmt: skip
"""What a state is called where its glyph cannot be seen, and in a legend."""
CHANGED = "Δ"  # the current step touched this
CHANGED_WORD = "changed in this step"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a scene; `children` of a table are its rows, the first one the head."""

    primitive: Primitive
    id: str
    role: str
    name: str
    state: State = ""
    text: str = ""
    is_changed: bool = False
    is_marked: bool = False  # of a row: the one where the story stands
    children: tuple["Node", ...] = ()
    number: int = 0  # of a code's or log's first line
    marked: int = 0  # of a code: the line number that is meant
    links: tuple[str, ...] = field(default=())  # of an edge: from, to
    is_folded: bool = False  # closed at first: its children are counted, not shown


Scene = Node


def inside(node: Node) -> str:
    """Say how many things a folded node keeps to itself; a table's head is none.

    >>> inside(tree("usr", "usr", "usr", text("a", "a"), text("b", "b")))
    '(2 inside)'
    """
    return f"({len(node.children) - (node.primitive == 'table')} inside)"


def text(id: str, said: str, state: State = "", *, is_changed: bool = False) -> Node:
    """A sentence."""
    return Node("text", id, "paragraph", said, state, said, is_changed)


def badge(id: str, word: str, state: State = "", *, name: str = "") -> Node:
    """A short word in a frame, such as a backend label."""
    return Node("badge", id, "status", name or word, state, word)


def cell(id: str, said: str, state: State = "", *, is_changed: bool = False) -> Node:
    """One field of a table row."""
    return Node("cell", id, "cell", said, state, said, is_changed)


def line(id: str, said: str, state: State = "") -> Node:
    """One field of a table row that holds a line of source: its beginning counts most."""
    return Node("cell", id, "code", said, state, said)


def row(id: str, *children: Node, name: str = "", is_marked: bool = False) -> Node:
    """Things beside each other; in a table, its fields."""
    said = name or ", ".join(child.name for child in children if child.name)
    return Node("row", id, "row", said, is_marked=is_marked, children=children)


def table(id: str, name: str, head: tuple[str, ...], *rows: Node) -> Node:
    """A table; `head` has one word per column."""
    return Node("table", id, "table", name, children=(_head(id, head), *rows))


@lru_cache(maxsize=256)
def _head(id: str, head: tuple[str, ...]) -> Node:
    titles = (
        Node("cell", f"{id}.head.{n}", "columnheader", t, "", t) for n, t in enumerate(head)
    )
    return row(f"{id}.head", *titles)


def tree(  # noqa: PLR0913  (the fields of a node)
    id: str,
    name: str,
    said: str,
    *children: Node,
    state: State = "",
    is_changed: bool = False,
    is_folded: bool = False,
) -> Node:
    """A thing and, below it, what belongs to it."""
    return Node("tree", id, "treeitem", name, state, said, is_changed, children=children,
                is_folded=is_folded)  # fmt: skip


def group(id: str, title: str, *children: Node, is_folded: bool = False) -> Node:
    """Things under one heading."""
    return Node("group", id, "group", title, "", title, children=children,
                is_folded=is_folded)  # fmt: skip


def stack(id: str, name: str, *children: Node) -> Node:
    """Things above each other."""
    return Node("stack", id, "list", name, children=children)


def code(id: str, name: str, lines: str, number: int, marked: int) -> Node:
    """Lines of source, the first one numbered `number`, one of them marked."""
    return Node("code", id, "code", name, "", lines, number=number, marked=marked)


def log(id: str, name: str, lines: str) -> Node:
    """Lines that came in over time, the newest last."""
    return Node("log", id, "log", name, "", lines)
