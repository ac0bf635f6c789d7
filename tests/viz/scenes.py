"""Scenes for whoever tests a painter: any of them, and one with everything in it.

A scene from `any_scene` has all primitives inside each other in ways no view would use, all
states, empty and endless texts, and what a container may say to redraw somebody's screen.
Two of them share ids, so one can be patched into the other.
"""

from dataclasses import replace
from typing import Literal, get_args

from hypothesis import strategies as st

from pyminidock.viz import scene
from pyminidock.viz.scene import Node, Primitive, State

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "]]></title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "\x1b]52;c;eA==\x07\x1b]8;;http://x\x07\x1b[2J\x1b[31m",
    "\u202eevil\u2066\u2069",
    "\ud800 \udcff\udbff",
    "a\x00b\x07\x7f\x9b\ufffe\uffff\u2028\u2029\xa0\t|",
    "e" + "\u0301" * 300,
    "&amp;&#0;'\"`${x}",
    "line\nline\r\n\nlast",
    "🐳" * 1500,
    "w" * 5000,
)
STATES: tuple[State, ...] = get_args(State)
_UNNAMED: Literal["Cn"] = "Cn"  # what Unicode named after our oldest Python is not compared
_TEXTS = st.one_of(
    st.sampled_from(("", "ready", "pid     own", "  a → b", "/usr/lib/python3.11/os.py")),
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=(_UNNAMED,)), max_size=20),
)
_LEAVES = st.builds(
    Node,
    st.sampled_from(get_args(Primitive)),
    st.just(""),
    st.sampled_from(("thing", "code")),
    _TEXTS,
    st.sampled_from(STATES),
    _TEXTS,
    st.booleans(),
    st.booleans(),
    number=st.integers(0, 3),
    marked=st.integers(0, 3),
    links=st.lists(_TEXTS, max_size=3).map(tuple),
    is_folded=st.booleans(),
)


def _with_children(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.builds(
        lambda node, children: replace(node, children=tuple(children)),
        _LEAVES, st.lists(below, max_size=5),
    )  # fmt: skip


def numbered(node: Node, id_: str = "0") -> Node:
    """Name every node by its place."""
    children = (numbered(each, f"{id_}.{n}") for n, each in enumerate(node.children))
    return replace(node, id=id_, children=tuple(children))


any_scene: st.SearchStrategy[Node] = st.recursive(
    _LEAVES, _with_children, max_leaves=25
).map(numbered)


def deep(depth: int, primitive: Primitive = "tree") -> Node:
    """A thing in a thing in a thing."""
    node = scene.text("t", "at the bottom")
    for n in range(depth):
        node = Node(
            primitive, f"d{n}", "x", f"level {n}", "", f"level {n}", children=(node,)
        )
    return node


def everything() -> Node:
    """Every primitive with every state, as a designer would lay them out."""
    states = [state for state in STATES if state]
    rows = [
        scene.row(
            f"row.{state}",
            scene.cell(
                f"row.{state}.a", f"/path/of/{state}", state, is_changed=state == "hit"
            ),
            scene.cell(f"row.{state}.b", scene.WORDS[state]),
            scene.line(f"row.{state}.c", f"RUN make {state} && echo 'done'"),
            is_marked=state == "write",
        )
        for state in states
    ]
    walls = [
        scene.tree(f"tree.{state}", state, f"{state:<8}is {scene.WORDS[state]}",
                   state=state, is_changed=state == "net")
        for state in states
    ]  # fmt: skip
    files = scene.tree(
        "tree.files", "etc", "etc",
        *(scene.tree(f"f{n}", "f", f"file{n}") for n in range(9)),
        is_folded=True,
    )  # fmt: skip
    source = "def emit(event):\n    told = record_of(event)\n\n    self.journal.add(told)"
    return scene.stack(
        "all", "Everything",
        scene.group(
            "g.tree", "Trees",
            scene.tree("tree", "shim", "shim (host 4700)", *walls, files, state="write"),
        ),
        scene.group("g.table", "Tables", scene.table(
            "table", "states", ("at", "what", "step"), *rows,
        )),
        scene.group(
            "g.words", "Words", scene.text("plain", "Nothing is said about this one."),
            *(scene.text(f"text.{state}", f"this one is {scene.WORDS[state]}", state,
                         is_changed=state == "err") for state in states),
            scene.row("badges", *(scene.badge(f"b.{state}", state.upper(), state)
                                  for state in states), scene.badge("b", "REAL")),
            Node("edge", "edge", "link", "edge", "net", "port 80",
                 links=("client", "web")),
        ),
        scene.group(
            "g.boxes", "Boxes",
            *(Node("box", f"box.{state}", "region", state, state, f"a box, {state}",
                   children=(scene.text(f"box.{state}.t", "what is in it"),))
              for state in states),
        ),
        scene.group(
            "g.lines", "Lines", scene.code("code", "recorder.py", source, 8, 9),
            scene.log("log", "output", "Hello from Docker!\n\nThis message shows that …\n"),
        ),
        scene.group("g.folded", "Folded", scene.text("hidden", "not seen"), is_folded=True),
    )  # fmt: skip
