r"""What comes from inside a container is made harmless before it is painted, here and once.

A name, a path or a line of output may try to redraw the screen, to turn the text around,
to close the element that it stands in, or simply to be a megabyte long.  Against the
element each painter quotes; against the rest they all do the same:

    harmless("a\x1b[2Jb")     a\x1b[2Jb, spelt out; at most 2000 characters
    shown(node)               at most 500 children, and how many more there are
    latest(text), lines(text) at most 400 lines, and how many more there are
    shallow(scene)            at most 32 nodes inside each other

`widgets/static/dom.js` does the same in the browser, with the same numbers.
"""

import unicodedata
from dataclasses import replace

from pyminidock.viz.scene import Node
from pyminidock.viz.sentences import visible

MOST_TEXT = 2000  # characters of one text or line
MOST_LINES = 400  # of one code or log
MOST_CHILDREN = 500  # of one node
MOST_DEPTH = 32  # of nodes inside nodes

TOO_DEEP = "what is deeper is not shown"
_MOST_MARKS = 2  # on one character


def harmless(text: str) -> str:
    r"""Make a text one printable line: what does not print is spelt out.

    >>> print(harmless("a\x1b[2Jb\u202ec"))
    a\x1b[2Jb\u202ec
    """
    if len(text) <= MOST_TEXT and text.isascii() and text.isprintable():
        return text
    said = _marked_little(visible(text[: MOST_TEXT + 1].replace("\t", "    ")))
    if len(text) <= MOST_TEXT and len(said) <= MOST_TEXT:
        return said
    return said[: MOST_TEXT - 1] + "…"


def _marked_little(text: str) -> str:
    """Keep marks from piling up on one character, over the lines above it."""
    kept, marks = [], 0
    for character in text:
        is_mark = unicodedata.category(character) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def shown(node: Node) -> tuple[tuple[Node, ...], str]:
    """Give the children that are painted, and what to say about the others, if any."""
    rest = len(node.children) - MOST_CHILDREN
    if rest <= 0:
        return node.children, ""
    return node.children[:MOST_CHILDREN], f"… and {rest} more"


def lines(text: str) -> tuple[list[str], str]:
    """Give the lines of source that are painted, and what to say about the others."""
    known = text.split("\n")
    rest = len(known) - MOST_LINES
    return known[:MOST_LINES], f"… and {rest} more" if rest > 0 else ""


def latest(text: str) -> tuple[list[str], str]:
    """Give the newest lines of a log, and what to say about the older ones."""
    known = text.removesuffix("\n").split("\n")
    rest = len(known) - MOST_LINES
    return known[max(rest, 0) :], f"… {rest} older lines" if rest > 0 else ""


def shallow(scene: Node, room: int = MOST_DEPTH) -> Node:
    """Give a scene in which no more than `room` nodes are inside each other."""
    if room == 0:
        return Node("text", scene.id, "paragraph", TOO_DEEP, "", TOO_DEEP)
    children = tuple(shallow(child, room - 1) for child in scene.children)
    same = all(one is other for one, other in zip(children, scene.children, strict=True))
    return scene if same else replace(scene, children=children)
