"""A map as boxes and lines: what is drawn, and where each thing goes.

    graph(map) ──► dot_of(graph) ──► Graphviz, behind a door ──► read_plain(…)
          └──────► columns(graph), where there is no Graphviz

Graphviz is told sizes and numbers only, never a name: what comes from inside a container
stays here.  Lengths are pixels, from the upper left corner; Graphviz counts inches from the
lower left one.

Source: graphviz.org, Output Formats, plain.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pyminidock.viz.networkmap import Map
from pyminidock.viz.painters.harmless import harmless
from pyminidock.viz.painters.lettering import Lettering
from pyminidock.viz.scene import State

LINE = 17.0  # pixels, from one line of a box to the next
LETTERS = Lettering(13)
_NAME = Lettering(13, is_bold=True)  # of the first line
_PAD = 11.0
_WIDEST = 230.0  # of a box
_BESIDE, _ABOVE = 90.0, 22.0  # between columns, between boxes of one
_DPI = 72.0
_MOST = 120  # boxes
_INMOST = 2  # the column of the containers
_HEAD = (
    "digraph { rankdir=LR; ranksep=0.9; edge [arrowhead=none];\n"
    'node [shape=box fixedsize=true label=""];'
)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """One thing; `column` is how far from the outside it lies."""

    id: str
    lines: tuple[str, ...]
    state: State
    column: int
    width: float
    height: float
    at: Point = (0.0, 0.0)  # its middle


@dataclass(frozen=True, slots=True)
class Wire:
    """A line between two boxes; `path` are the ends and bends of its curves."""

    tail: str
    head: str
    state: State
    path: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Boxes and lines, and how much room they take together."""

    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    width: float = 0.0
    height: float = 0.0


# ── What is drawn ────────────────────────────────────────────────────────────────────────


def graph(told: Map) -> Chart:
    """Choose boxes and lines: the host, its ports and bridges, and the containers."""
    boxes = {"host": _box("host", ("the host",), "", 0)}
    wires = []
    lines = dict[str, list[str]]()
    for net in told.nets:
        about = [net.name, *net.gateways[:1]]
        about += ["no way out"] * net.is_internal + ["kept apart"] * net.is_closed
        boxes[f"net {net.name}"] = _box(f"net {net.name}", tuple(about), "net", 1)
        wires.append(Wire("host", f"net {net.name}", "net"))
        for end in net.ends:
            place = f"{end.inside} {', '.join(end.addresses)}".strip()
            lines.setdefault(end.container, [end.container]).append(place)
            wires.append(Wire(f"net {net.name}", f"box {end.container}", "hit"))
    for lone in told.lone:
        lines.setdefault(lone.container, [lone.container]).append(f"network {lone.mode}")
    for name, said in lines.items():
        state: State = "hit" if len(said) > 1 and "network " not in said[1] else "idle"
        boxes[f"box {name}"] = _box(f"box {name}", tuple(said), state, _INMOST)
    for port in told.ports:
        id_ = f"port {port.protocol} {port.address} {port.port}"
        lines_ = (f"port {port.port}/{port.protocol}", f"of {port.address}")
        boxes[id_] = _box(id_, lines_, "net", 1)
        wires += [Wire("host", id_, "net"), Wire(id_, f"box {port.container}", "net")]
    some = tuple(boxes.values())[:_MOST]
    known = {box.id for box in some}
    return Chart(some, tuple(each for each in wires if {each.tail, each.head} <= known))


def _box(id: str, lines: tuple[str, ...], state: State, column: int) -> Box:
    room = _WIDEST - 2 * _PAD
    name, *more = (harmless(line) for line in lines)
    said = (_NAME.middle(name, room), *(LETTERS.middle(line, room) for line in more))
    width = max(_NAME.width(said[0]), *map(LETTERS.width, said)) + 2 * _PAD
    return Box(id, said, state, column, width, LINE * len(said) + 2 * _PAD - 4)


# ── Where it goes ────────────────────────────────────────────────────────────────────────


def dot_of(chart: Chart) -> str:
    """Describe a graph to Graphviz: sizes and numbers.

    >>> print(dot_of(Chart((Box("a", ("a",), "", 0, 72.0, 36.0),), ())))
    digraph { rankdir=LR; ranksep=0.9; edge [arrowhead=none];
    node [shape=box fixedsize=true label=""];
    n0 [width=1.000 height=0.500];
    }
    """
    numbers = {box.id: n for n, box in enumerate(chart.boxes)}
    nodes = (
        f"n{n} [width={box.width / _DPI:.3f} height={box.height / _DPI:.3f}];"
        for n, box in enumerate(chart.boxes)
    )
    edges = (f"n{numbers[w.tail]} -> n{numbers[w.head]};" for w in chart.wires)
    inmost = [f"n{n};" for n, box in enumerate(chart.boxes) if box.column == _INMOST]
    rank = [f"{{ rank=same; {' '.join(inmost)} }}"] if inmost else []
    return "\n".join([_HEAD, *nodes, *rank, *edges, "}"])


def read_plain(chart: Chart, plain: str) -> Chart:
    """Put a graph where Graphviz said; in columns, where that cannot be read."""
    try:
        return _placed(chart, plain)
    except (ValueError, IndexError):
        return columns(chart)


def _placed(chart: Chart, plain: str) -> Chart:
    rows = [line.split() for line in plain.splitlines() if line]
    [(width, height)] = [(float(r[2]), float(r[3])) for r in rows if r[0] == "graph"]
    spots = {int(r[1][1:]): (float(r[2]), float(r[3])) for r in rows if r[0] == "node"}
    paths = [tuple(_points(r)) for r in rows if r[0] == "edge"]
    if len(spots) != len(chart.boxes) or len(paths) != len(chart.wires):
        raise ValueError("not every box and line has a place")

    def turned(point: Point) -> Point:
        return (point[0] * _DPI, (height - point[1]) * _DPI)

    boxes = tuple(replace(box, at=turned(spots[n])) for n, box in enumerate(chart.boxes))
    ends = {(r[1], r[2]): path for r, path in zip(
        (r for r in rows if r[0] == "edge"), paths, strict=True)}  # fmt: skip
    numbers = {box.id: f"n{n}" for n, box in enumerate(chart.boxes)}
    wires = tuple(
        replace(w, path=tuple(map(turned, ends[numbers[w.tail], numbers[w.head]])))
        for w in chart.wires if (numbers[w.tail], numbers[w.head]) in ends
    )  # fmt: skip
    return Chart(boxes, wires, width * _DPI, height * _DPI)


def _points(row: list[str]) -> Iterator[Point]:
    """Read the points of one line of Graphviz: how many, then x and y of each."""
    for n in range(int(row[3])):
        yield float(row[4 + 2 * n]), float(row[5 + 2 * n])


def columns(chart: Chart) -> Chart:
    """Put a graph into columns, from the outside to the inside, with straight lines."""
    placed, x, tallest = dict[str, Box](), 0.0, 0.0
    for column in sorted({box.column for box in chart.boxes}):
        inside = [box for box in chart.boxes if box.column == column]
        width, y = max(box.width for box in inside), 0.0
        for box in inside:
            spot = (x + width / 2, y + box.height / 2)
            placed[box.id] = replace(box, at=spot)
            y += box.height + _ABOVE
        x, tallest = x + width + _BESIDE, max(tallest, y - _ABOVE)
    wires = tuple(replace(w, path=_straight(placed[w.tail], placed[w.head]))
                  for w in chart.wires)  # fmt: skip
    boxes = tuple(placed[box.id] for box in chart.boxes)
    return Chart(boxes, wires, max(x - _BESIDE, 0.0), tallest)


def _straight(tail: Box, head: Box) -> tuple[Point, ...]:
    start = (tail.at[0] + tail.width / 2, tail.at[1])
    end = (head.at[0] - head.width / 2, head.at[1])
    middle = (start[0] + end[0]) / 2
    return (start, (middle, start[1]), (middle, end[1]), end)
