"""Random sequences of entries against a model of nested dictionaries.

The model knows no disk, no handle and no cache: the last entry of a name wins, links are
followed from the model's own root.  The applier has to come to the same tree, or to a
refusal where the model has one, and what lies beside the tree stays as it is.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pyminidock.layers.apply import UNPRIVILEGED, apply
from pyminidock.layers.archive import ArchiveRefused, Entry, Kind
from tests.layers.hostile.cases import shown
from tests.layers.hostile.trial import facts


class Refused(Exception):
    """The model finds no meaning in an entry."""


@dataclass(slots=True)
class Node:
    """What a name of the model holds; `inner` is None unless it is a directory."""

    what: str
    inner: "dict[bytes, Node] | None" = None
    is_opaque: bool = False
    target: bytes = b""


def directory() -> Node:
    return Node("dir", {})


@dataclass(slots=True)
class Model:
    """A layer as nested dictionaries."""

    root: Node = field(default_factory=directory)

    def walk(self, path: bytes, *, makes: bool = True) -> Node:
        """Go to a directory, making what is missing."""
        way, waiting, links = [self.root], path.split(b"/")[::-1], 0
        while waiting:
            name = waiting.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                way = way[:-1] or way
                continue
            inner = way[-1].inner
            assert inner is not None
            found = inner.get(name)
            if found is not None and found.what == "link":
                links += 1
                if links > 40:
                    raise Refused
                way = [self.root] if found.target.startswith(b"/") else way
                waiting.extend(found.target.split(b"/")[::-1])
                continue
            if found is None or found.inner is None:
                if not makes:
                    raise Refused
                made = directory()
                made.is_opaque = found is not None and found.what == "gone"
                inner[name] = found = made
            way.append(found)
        return way[-1]

    def put(self, entry: Entry) -> None:
        """Carry out an entry.  Raises Refused."""
        above, _, name = entry.name.rpartition(b"/")
        parent = self.walk(above)
        assert parent.inner is not None
        if name == b".wh..wh..opq":
            parent.is_opaque = True
            for gone in [key for key, node in parent.inner.items() if node.what == "gone"]:
                del parent.inner[gone]
        elif name.startswith(b".wh."):
            hidden = parent.inner.get(name[4:])
            if parent.is_opaque:
                return
            if hidden is None:
                parent.inner[name[4:]] = Node("gone")
            elif hidden.inner is not None:
                hidden.is_opaque = True
                for key in [k for k, node in hidden.inner.items() if node.what == "gone"]:
                    del hidden.inner[key]
        else:
            self.plain(entry, parent, parent.inner, name)

    def plain(
        self, entry: Entry, parent: Node, inner: dict[bytes, Node], name: bytes
    ) -> None:
        """Carry out an entry that is no whiteout."""
        old = inner.get(name)
        match entry.kind:
            case Kind.DIRECTORY if old is None or old.inner is None:
                inner[name] = directory()
                inner[name].is_opaque = old is not None and old.what == "gone"
            case Kind.DIRECTORY:
                pass
            case Kind.HARD_LINK:
                inner[name] = self.origin(entry, parent, name)
            case Kind.SYMLINK:
                inner[name] = Node("link", target=entry.link)
            case Kind.FIFO:
                inner[name] = Node("fifo")
            case _:
                inner[name] = Node(f"file {entry.body.read(9).decode()}")

    def origin(self, entry: Entry, parent: Node, name: bytes) -> Node:
        """Find what a hard link names.  Raises Refused."""
        above, _, target = entry.link.rpartition(b"/")
        holder = self.walk(above, makes=False)
        assert holder.inner is not None
        found = holder.inner.get(target)
        if found is None or found.inner is not None or found.what == "gone":
            raise Refused
        if holder is parent and target == name:
            raise Refused
        if (old := (parent.inner or {}).get(name)) and holds(old, holder):
            raise Refused
        return found

    def listing(self) -> dict[str, str]:
        """Write the tree down as `shown` does."""
        found: dict[str, str] = {}
        waiting = [("", self.root)]
        while waiting:
            above, node = waiting.pop()
            for name, inner in (node.inner or {}).items():
                path = f"{above}{name.decode()}"
                what = inner.what
                if inner.what == "link":
                    what = f"link {inner.target.decode()}"
                found[path] = "opaque" if inner.is_opaque else what
                if inner.inner is not None:
                    waiting.append((path + "/", inner))
        return found


def holds(above: Node, wanted: Node) -> bool:
    return above is wanted or any(
        holds(inner, wanted) for inner in (above.inner or {}).values()
    )


NAMES = st.sampled_from([b"a", b"b", b"c"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(b"/".join)
TARGETS = st.sampled_from([
    b"a", b"b", b"..", b"../..", b"/", b"/a", b"/b/c", b"../b", b"a/../c", b"./c", b"/etc",
    b"../../../../../../../../etc",
])  # fmt: skip
LAST = st.sampled_from([b".wh.a", b".wh.b", b".wh.c", b".wh..wh..opq"])
Maker = Callable[[], Entry]


def file(path: bytes, size: int) -> Entry:
    text = str(size).encode()
    return Entry(path, Kind.FILE, size=len(text), body=BytesIO(text))


ENTRIES = st.one_of(
    st.builds(lambda path, size: lambda: file(path, size), PATHS, st.integers(1, 9)),
    st.builds(lambda path: lambda: Entry(path, Kind.DIRECTORY, mode=0o755), PATHS),
    st.builds(lambda path, to: lambda: Entry(path, Kind.SYMLINK, link=to), PATHS, TARGETS),
    st.builds(lambda path, to: lambda: Entry(path, Kind.HARD_LINK, link=to), PATHS, PATHS),
    st.builds(lambda path: lambda: Entry(path, Kind.FIFO), PATHS),
    st.builds(
        lambda above, last: lambda: Entry(above + b"/" + last, Kind.FILE), PATHS, LAST
    ),
    st.builds(lambda last: lambda: Entry(last, Kind.FILE), LAST),
)


def by_the_model(entries: list[Entry]) -> dict[str, str] | None:
    model = Model()
    try:
        for entry in entries:
            model.put(entry)
    except Refused:
        return None
    return model.listing()


@given(st.lists(ENTRIES, max_size=25))
@settings(max_examples=300, deadline=None)
def test_any_entries_come_to_what_the_model_says(made: list[Maker]) -> None:
    wanted = by_the_model([one() for one in made])
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "root").mkdir()
        (place / "a").write_text("beside", encoding="ascii")
        beside = facts(place / "a"), place.lstat().st_mtime_ns
        try:
            apply((one() for one in made), place / "root", policy=UNPRIVILEGED)
        except ArchiveRefused:
            found = None
        else:
            found = shown(place / "root", UNPRIVILEGED)
        assert found == wanted
        assert (facts(place / "a"), place.lstat().st_mtime_ns) == beside
