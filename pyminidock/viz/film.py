"""A story as a film: what a player needs to show each step, and nothing else.

    record ─► world ─► scene of each view ─► what is different ─► frame

A player knows nothing of events and worlds.  It holds, for each view, the nodes of a
picture by their ids, and each *frame* says which of them are new, other or gone:

    ["n", view, id, node]      set a node            ["d", view, id]      forget a node

The id "" of a view stands for its picture: {"k": [id of the root]}.  A node names its
children by their ids, so one that did not change is not told again, and who holds the
values that an operation replaces can go back.  A view is drawn when something that it
reads is another object than before; marks of the step before fade without drawing.

All of this is plain JSON and small; whatever came from inside a container is printable.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zlib import crc32

from pyminidock.events.journal import Header, Record, event_of
from pyminidock.viz import english, keys
from pyminidock.viz.captions import caption
from pyminidock.viz.english.controls import CONTROLS
from pyminidock.viz.excerpts import excerpts as excerpts  # noqa: PLC0414  (part of it)
from pyminidock.viz.groups import joins
from pyminidock.viz.scene import CHANGED, GLYPHS, WORDS, Node
from pyminidock.viz.sentences import short_ids, visible
from pyminidock.viz.things import EMPTY, Step, World
from pyminidock.viz.views import VIEWS, View
from pyminidock.viz.views.steps import heading_of, label
from pyminidock.viz.world import fold

FORMAT = "minidock-film"
VERSION = 1
GATES = ("gate.held", "gate.released")  # they tell about whoever watches
MOST_CHARACTERS = 4096  # of one node's text: more fits into no picture
MOST_DATA = 2048  # characters of what an event tells, as JSON: more stays in the file
MOST_ID = 160  # characters of one node's id
MOST_NODES = 4096  # of one picture: beyond, children are left out
MOST_FRAMES = 100_000  # of one film: beyond, the last step alone is shown

FilmNode = dict[str, Any]  # of JSON
Op = list[Any]  # ["n", view, id, node] or ["d", view, id]
Nodes = dict[str, FilmNode]
Rows = dict[str, tuple[Node, Nodes, bool]]  # what it was drawn as, its nodes, any mark
State = dict[str, Nodes]
Frame = dict[str, Any]


def header(
    told: Header, views: Sequence[View] = VIEWS, *, is_live: bool = False
) -> dict[str, Any]:
    """Give what a player has to know before the first frame.

    "start" makes the pictures before the first step; the first frame does not need it.
    """
    return {
        "format": FORMAT, "version": VERSION, "story": visible(told.story),
        "title": _plain(told.title), "backend": visible(told.backend),
        "label": visible(label(told.backend)), "created": visible(told.created),
        "live": is_live,
        "views": [{"name": view.name, "title": view.title} for view in views],
        "keys": keys.as_data(), "glyphs": GLYPHS, "states": WORDS, "changed": CHANGED,
        "evidence": {name: list(said) for name, said in english.EVIDENCE.items()},
        "words": CONTROLS,
        "start": [["n", view.name, id_, node] for view in views
                  for id_, node in flat(view.draw(EMPTY)).items()],
    }  # fmt: skip


class Reel:
    """Turns records into frames, one after the other, as they come."""

    def __init__(self, views: Sequence[View] = VIEWS) -> None:
        self.world = EMPTY
        self.length = 0  # frames so far
        self.left_out = 0  # steps that have no frame, since the last frame
        self._views = views
        self._began: float | None = None
        self._newest = -1
        self._is_behind = False  # a damaged story: its marks have to be drawn again
        self._before: Step | None = None
        self._shown: dict[str, Laid] = {}
        self._read: dict[str, tuple[object, ...]] = {}

    def add(self, record: Record) -> Frame | None:
        """Take one record in; give its frame, None for a record that is no step."""
        self.world = world = fold(self.world, record)
        self._is_behind = record.seq <= self._newest
        self._newest = max(record.seq, self._newest)
        if record.kind in GATES:
            return None
        self.length += 1
        if self._began is None:
            self._began = record.t
        step = world.steps.items[-1]
        event = event_of(record) or record
        frame: Frame = {
            "i": self.length, "seq": record.seq, "t": round(record.t - self._began, 6),
            "k": visible(record.kind), "ev": visible(record.evidence),
            "src": visible(record.src), "lv": step.level, "part": visible(step.part),
            "say": [caption(world, event, depth) for depth in (1, 2, 3)],
        }  # fmt: skip
        before, self._before = self._before, step
        if self.left_out:
            frame["left"], self.left_out = self.left_out, 0
            frame["head"] = CONTROLS["left-out"].format(n=f"{frame['left']:,}")
        elif before is None or step.part != before.part:
            frame["head"] = visible(heading_of(world, step.part))
        elif joins(before, step):
            frame["g"] = 1
        told = json.dumps(record.data, separators=(",", ":"), default=str)
        if len(told) <= MOST_DATA:
            frame["d"] = told
        if record.linux:
            frame["linux"] = visible(record.linux)
        frame["ops"] = [op for view in self._views for op in self._moved(view, world)]
        return frame

    def pass_over(self, record: Record) -> None:
        """Take one record in without a frame: the next frame leads past it, and says so."""
        self.world = fold(self.world, record)
        self._newest = max(record.seq, self._newest)
        self.left_out += record.kind not in GATES

    def frames(self, records: Iterable[Record]) -> Iterator[Frame]:
        """Take many records in; give the frames of those that are steps.

        A story that is too long is shown from its beginning, and then its end.
        """
        ending: Record | None = None
        for record in records:
            if self.length < MOST_FRAMES - 1:
                frame = self.add(record)
                if frame is not None:
                    yield frame
            elif record.kind not in GATES:
                if ending is not None:
                    self.pass_over(ending)
                ending = record
        if ending is not None and (frame := self.add(ending)) is not None:
            yield frame

    def _moved(self, view: View, world: World) -> Iterator[Op]:
        """Say what is different in one view."""
        read = view.reads(world)
        before = self._shown.get(view.name)
        if before is None:  # the pictures before the first step may be on show
            before, now = Laid({}, {}, [], []), laid(view.draw(world))
            start = flat(view.draw(EMPTY))
            yield from (["d", view.name, id_] for id_ in start if id_ not in now.nodes)
        elif all(map(_same, read, self._read[view.name])) and not self._is_behind:
            now = faded(before)
        else:
            now = laid(view.draw(world), before)
        self._read[view.name] = read
        self._shown[view.name] = now
        if now is not before:
            yield from _difference(view.name, before.nodes, now)


def _same(one: object, other: object) -> bool:
    """Whether a view would read the same: one object, or one word or number."""
    return one is other or (isinstance(one, str | int) and one == other)


def flat(scene: Node) -> Nodes:
    """Lay a picture out flat: its nodes by their ids, and its root under ""."""
    return laid(scene).nodes


@dataclass(frozen=True, slots=True)
class Laid:
    """A picture laid out flat, with what it takes to lay out the next one quickly."""

    nodes: Nodes
    rows: Rows  # by id
    fresh: list[str]  # ids of nodes that may be other than before
    marked: list[str]  # ids of nodes that carry a mark of change


def laid(scene: Node, before: Laid | None = None) -> Laid:
    """Lay a picture out flat; a row that is the very same as before is taken over whole."""
    root = _id(scene.id)
    picture = Laid({"": {"k": [root]}}, {}, [""], [])
    _lay(scene, root, picture, before.rows if before else {})
    return picture


def _lay(node: Node, id_: str, picture: Laid, before: Rows) -> None:
    """Put a node and all below it down; what has no room, and an id again, stays out."""
    nodes = picture.nodes
    nodes[id_] = told = _told(node)
    picture.fresh.append(id_)
    if node.is_changed:
        picture.marked.append(id_)
    below = []
    for child in node.children:
        inner = _id(child.id)
        if inner in nodes or len(nodes) >= MOST_NODES:
            continue
        below.append(inner)
        known = before.get(inner)
        if known and known[0] is child and _has_room(nodes, known[1]):
            nodes.update(known[1])
            picture.rows[inner] = known
            if known[2]:
                picture.marked.extend(e for e, told in known[1].items() if "c" in told)
        else:
            _lay(child, inner, picture, before)
    if below:
        told["k"] = below
        if len(below) == len(node.children) and not any(c.children for c in node.children):
            has_marks = node.is_changed or any(c.is_changed for c in node.children)
            whole = {each: nodes[each] for each in (id_, *below)}
            picture.rows[id_] = (node, whole, has_marks)


def _has_room(nodes: Nodes, more: Nodes) -> bool:
    return len(nodes) + len(more) <= MOST_NODES and nodes.keys().isdisjoint(more)


@lru_cache(maxsize=1 << 14)
def _id(id_: str) -> str:
    """Give an id as players see it: ids hold names, and names hold anything."""
    id_ = short_ids(id_)
    if id_.isprintable() and len(id_) <= MOST_ID:
        return id_
    return f"{visible(id_)[: MOST_ID // 2]}…{crc32(id_.encode('utf-8', 'replace')):08x}"


def _told(node: Node) -> FilmNode:
    """Tell of one node what is not empty."""
    told: FilmNode = {"p": node.primitive, "r": node.role}
    text = _plain(node.text)
    name = text if node.name == node.text else _plain(node.name)
    if name != text:
        told["n"] = name
    if node.state:
        told["s"] = node.state
    if text:
        told["t"] = text
    for key, is_so in (
        ("c", node.is_changed),
        ("m", node.is_marked),
        ("f", node.is_folded),
    ):
        if is_so:
            told[key] = 1
    if node.number:
        told["no"] = node.number
    if node.marked:
        told["mk"] = node.marked
    if node.links:
        told["l"] = [_id(link) for link in node.links]
    return told


def _plain(text: str) -> str:
    """Make a text printable, line by line, and no longer than a picture can use."""
    if text.isprintable() and len(text) <= MOST_CHARACTERS:
        return text
    short = text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
    return "\n".join(visible(line.replace("\t", "    ")) for line in short.split("\n"))


def faded(picture: Laid) -> Laid:
    """Give a picture whose marks of change are gone; itself if there were none."""
    if not picture.marked:
        return picture
    nodes = dict(picture.nodes)
    for id_ in picture.marked:
        nodes[id_] = {key: value for key, value in nodes[id_].items() if key != "c"}
    rows = {id_: row for id_, row in picture.rows.items() if not row[2]}
    return Laid(nodes, rows, picture.marked, [])


def _difference(view: str, old: Nodes, new: Laid) -> Iterator[Op]:
    """Say what is gone and what is new or other; what is not fresh was taken over."""
    if old.keys() != new.nodes.keys():
        yield from (["d", view, id_] for id_ in old if id_ not in new.nodes)
    for id_ in new.fresh:
        if old.get(id_) != new.nodes[id_]:
            yield ["n", view, id_, new.nodes[id_]]


def apply(ops: Iterable[Op], state: State) -> list[Op]:
    """Carry operations out on `state`; give those that take them back, in their order."""
    back: list[Op] = []
    for word, view, id_, *rest in ops:
        nodes = state.setdefault(view, {})
        old = nodes.get(id_)
        if word == "n":
            nodes[id_] = rest[0]
        else:
            nodes.pop(id_, None)
        back.append(["d", view, id_] if old is None else ["n", view, id_, old])
    return back[::-1]


def state_after(frames: Iterable[Mapping[str, Any]]) -> State:
    """Give what is shown after these frames, played from the first one."""
    state: State = {}
    for frame in frames:
        apply(frame["ops"], state)
    return state
