"""The painter for pages that run nothing: a scene becomes elements with a meaning.

    group   <section> with a heading       tree    lists in lists
    table   <table>, <caption>, <th>       folded  <details>, its children counted
    code    <pre>, numbers and a ►         log     <pre role="log">, the newest last

There is no script, no style and no address in it, so a notebook that nobody trusts yet
still shows it; `widgets/static/look.css` makes it pretty where it may.  The browser's own
painter, `widgets/static/dom.js`, makes the same elements, and a test compares the two.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape

from pyminidock.viz.painters.harmless import harmless, latest, lines, shallow, shown
from pyminidock.viz.scene import (
    CHANGED,
    CHANGED_WORD,
    GLYPHS,
    WORDS,
    Node,
    Primitive,
    Scene,
    inside,
)

_POINTER = "►"
_LOWEST = 6  # there is no <h7>
_SHORT = 16  # characters of a cell that stay on one line
_BAR = set("▏█░")  # and those of a bar


@dataclass(frozen=True, slots=True)
class Where:
    """Where a node stands: inside a "tree", a table's "head" or "table", or neither."""

    inside: str = ""
    level: int = 3  # of the next heading
    width: int = 1  # columns of the table


def paint(scene: Scene) -> str:
    """Draw `scene` as HTML that is well-formed XML as well.

    >>> from pyminidock.viz.scene import text
    >>> print(paint(text("a", "<b>")))
    <div class="md-picture"><p class="md-text">&lt;b&gt;</p></div>
    """
    return _tag("div", {"class": "md-picture"}, _node(shallow(scene), Where()))


def _tag(name: str, attributes: dict[str, str], *parts: str) -> str:
    """Write one element; its parts are markup already."""
    said = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{said}>{''.join(parts)}</{name}>"


def _class(name: str, node: Node) -> str:
    state = f" md-s-{node.state}" if node.state else ""
    changed = " md-changed" if node.is_changed else ""
    return f"{name}{state}{changed}{' md-marked' if node.is_marked else ''}"


def _here(node: Node) -> dict[str, str]:
    """Give the attribute that says: the story stands here."""
    return {"aria-current": "step"} if node.is_marked else {}


def _said(text: str) -> str:
    return escape(harmless(text))


def _content(node: Node, said: str | None = None) -> str:
    """Write sign, words and the sign of a change: how every thing says what it is."""
    said = _said(node.text) if said is None else said
    glyph = _sign("md-glyph", GLYPHS[node.state], WORDS[node.state]) if node.state else ""
    delta = " " + _sign("md-delta", CHANGED, CHANGED_WORD) if node.is_changed else ""
    return f"{glyph}{' ' if glyph and said else ''}{said}{delta}"


def _sign(name: str, sign: str, word: str) -> str:
    """Write a sign that is read aloud as a word."""
    at = {"class": name, "role": "img", "aria-label": word, "title": word}
    return _tag("span", at, escape(sign))


def _more(said: str) -> str:
    return _tag("p", {"class": "md-more"}, said) if said else ""


def _below(node: Node, where: Where) -> str:
    children, more = shown(node)
    here = Where(level=where.level)
    return "".join(_node(child, here) for child in children) + _more(more)


def _fold(name: str, label: str, content: str, node: Node, body: str) -> str:
    """Write something that is closed at first, its children counted on it."""
    count = _tag("span", {"class": "md-count"}, inside(node))
    summary = _tag("summary", {"class": label}, content, " ", count)
    return _tag("details", {"class": name}, summary, body)


def _is_folded(node: Node) -> bool:
    return node.is_folded and bool(node.children)


def _node(node: Node, where: Where) -> str:
    """Write one node; each primitive has its own few lines below."""
    return _WRITERS[node.primitive](node, where)


def _perhaps_folded(node: Node, body: str) -> str:
    """Put a primitive that has no label of its own behind one, if it is folded."""
    if not _is_folded(node):
        return body
    return _fold("md-fold", "md-label", _said(node.name), node, body)


def _stack(node: Node, where: Where) -> str:
    parts = [child.primitive for child in node.children]
    columns = " md-columns" if len(parts) > 1 and set(parts) == {"group"} else ""
    body = _tag("div", {"class": f"md-stack{columns}"}, _below(node, where))
    return _perhaps_folded(node, body)


def _group(node: Node, where: Where) -> str:
    children = _below(node, Where(level=min(where.level + 1, _LOWEST)))
    name = _class("md-group", node)
    if _is_folded(node):
        return _fold(name, "md-heading", _content(node), node, children)
    heading = _tag(f"h{where.level}", {"class": "md-heading"}, _content(node))
    return _tag("section", {"class": name}, heading, children)


def _box(node: Node, where: Where) -> str:
    name = _class("md-box", node)
    if _is_folded(node):
        return _fold(name, "md-label", _content(node), node, _below(node, where))
    title = _tag("p", {"class": "md-label"}, _content(node))
    at = {"class": name, "role": "group", "aria-label": harmless(node.name)}
    return _tag("div", at, title, _below(node, where))


def _row(node: Node, where: Where) -> str:
    if where.inside:
        return _table_row(node, where)
    at = {"class": _class("md-row", node), **_here(node)}
    return _perhaps_folded(node, _tag("div", at, _below(node, where)))


def _cell(node: Node, where: Where) -> str:
    return _tag("span", {"class": _class(_cell_name(node), node)}, _content(node))


def _text(node: Node, where: Where) -> str:
    return _tag("p", {"class": _class("md-text", node)}, _content(node))


def _edge(node: Node, where: Where) -> str:
    start, end = [_said(link) for link in (*node.links, "?", "?")][:2]
    said = " ".join(filter(None, (f"{start} ──", _said(node.text), f"──▸ {end}")))
    return _tag("p", {"class": _class("md-edge", node)}, _content(node, said))


def _badge(node: Node, where: Where) -> str:
    name = harmless(node.name)
    title = {"title": name} if name and name != harmless(node.text) else {}
    return _tag("span", {"class": _class("md-badge", node), **title}, _content(node))


# ── Tables ───────────────────────────────────────────────────────────────────────────────


def _table(node: Node, where: Where) -> str:
    caption = _tag("caption", {"class": "md-caption"}, _said(node.name))
    parts = _rows(node, where) if node.children else ()
    body = _tag("table", {"class": "md-table"}, caption, *parts)
    return _perhaps_folded(node, body)


def _rows(node: Node, where: Where) -> tuple[str, str]:
    """Write head and body of a table that has some."""
    children, more = shown(node)
    width = max([1, *(len(shown(each)[0]) for each in children if each.primitive == "row")])
    head, *rows = children
    first = _table_child(head, Where("head", where.level, width))
    here = Where("table", where.level, width)
    body = [_table_child(each, here) for each in rows]
    if more:
        body.append(_spanning(width, _more(more)))
    return _tag("thead", {}, first), _tag("tbody", {}, *body)


def _table_child(node: Node, where: Where) -> str:
    """Write a child of a table: a row, or anything else across all columns."""
    if node.primitive == "row":
        return _table_row(node, where)
    return _spanning(where.width, _node(node, Where(level=where.level)))


def _spanning(width: int, inner: str) -> str:
    return _tag("tr", {}, _tag("td", {"colspan": str(width)}, inner))


def _table_row(node: Node, where: Where) -> str:
    cells = []
    for place, cell in enumerate(shown(node)[0]):
        here = Where(level=where.level)
        scope = "col" if where.inside == "head" else "" if place else "row"
        is_pointed_at = node.is_marked and place == 0
        pointer = {"class": "md-pointer", "aria-hidden": "true"}
        lead = _tag("span", pointer, _POINTER) if is_pointed_at else ""
        cells.append(_table_cell(cell, scope, lead, here))
    return _tag("tr", {"class": _class("md-line", node), **_here(node)}, *cells)


def _table_cell(node: Node, scope: str, lead: str, where: Where) -> str:
    if node.primitive != "cell":
        return _tag("td", {}, lead, _node(node, where))
    at = {"class": _class(_cell_name(node), node)}
    if scope and (node.text or node.state):  # an empty cell heads nothing
        return _tag("th", {**at, "scope": scope}, lead, _content(node))
    return _tag("td", at, lead, _content(node))


def _cell_name(node: Node) -> str:
    """Give the classes of a cell; one with few words, or a bar, is never broken."""
    is_short = len(node.text) <= _SHORT or not set(node.text) - _BAR
    short = " md-short" if is_short else ""
    return f"md-cell{short}{' md-source' if node.role == 'code' else ''}"


# ── Trees ────────────────────────────────────────────────────────────────────────────────


def _tree(node: Node, where: Where) -> str:
    items = list(_branches(node, where))
    branch = _tag("ul", {"class": "md-branch"}, *items) if items else ""
    if _is_folded(node):
        body = _fold("md-fold", "md-label", _content(node), node, branch)
    else:
        body = _tag("span", {"class": "md-label"}, _content(node)) + branch
    item = _tag("li", {"class": _class("md-item", node)}, body)
    return item if where.inside == "tree" else _tag("ul", {"class": "md-tree"}, item)


def _branches(node: Node, where: Where) -> Iterator[str]:
    """Write what is below a tree's node: items, anything else inside an item."""
    children, more = shown(node)
    for child in children:
        if child.primitive == "tree":
            yield _tree(child, Where("tree", where.level))
        else:
            yield _leaf(_node(child, Where(level=where.level)))
    if more:
        yield _leaf(_more(more))


def _leaf(inner: str) -> str:
    return _tag("li", {"class": "md-leaf"}, inner)


# ── Lines ────────────────────────────────────────────────────────────────────────────────


def _log(node: Node, where: Where) -> str:
    known, older = latest(node.text)
    said = "\n".join(([older] if older else []) + [_said(each) for each in known])
    at = {
        "class": "md-log", "role": "log", "aria-live": "off",
        "aria-label": harmless(node.name), "tabindex": "0",
    }  # fmt: skip
    return _tag("div", at, _lines([said]))


def _code(node: Node, where: Where) -> str:
    known, more = lines(node.text)
    digits = len(str(node.number + len(known)))
    said = [
        _code_line(node, number, digits, line)
        for number, line in enumerate(known, node.number)
    ]
    if more:
        said.append(_tag("span", {"class": "md-more"}, more))
    at = {
        "class": "md-code", "role": "group", "aria-label": harmless(node.name),
        "tabindex": "0",
    }  # fmt: skip
    return _tag("div", at, _lines(said))


def _code_line(node: Node, number: int, digits: int, line: str) -> str:
    is_here = number == node.marked and number > 0
    said = f"{_POINTER if is_here else ' '} {number:>{digits}} "
    at = {"class": "md-line md-here" if is_here else "md-line"}
    here = {"aria-current": "step"} if is_here else {}
    label = _tag("span", {"class": "md-number"}, said)
    return _tag("span", {**at, **here}, label, f"{_said(line)}\n")


def _lines(said: Iterable[str]) -> str:
    """Write preformatted lines; a browser forgets a line end right after <pre>."""
    return _tag("pre", {"class": "md-lines"}, "\n", *said)


_WRITERS: dict[Primitive, Callable[[Node, Where], str]] = {
    "box": _box, "stack": _stack, "row": _row, "cell": _cell, "table": _table,
    "tree": _tree, "edge": _edge, "badge": _badge, "text": _text, "log": _log,
    "code": _code, "group": _group,
}  # fmt: skip
