"""What each layer of an image brings, changes and hides, and whose bytes nobody sees.

Layers only add: what an upper one rewrites or deletes stays in the lower one, and travels
with the image for ever.

    C  chmod 600 /big       /big  10 MB    shown
    B  echo hi > /note      /note  3 B     shown
    A  dd … of=/big         /big  10 MB    hidden by C: 10 MB that need not be there

So the layers are laid on each other, bottom up, as a union filesystem shows them.  A file
is an inode with one name or several.  When an upper layer takes its last name away, its
bytes are hidden: once, in the layer that holds them, by the layer that took the name.
Nothing else is hidden: what a layer holds is either shown in the end, or hidden once.

Source: Documentation/filesystems/overlayfs.rst; OCI image-spec, layer.md.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Item:
    """One name that a layer holds, as an archive would list it.

    `path` is from the root, without a slash in front.  `kind` is file, directory, symlink,
    hard link, device, fifo or whiteout.  `link` is where a symlink leads, the first name of
    a hard link, or a device's numbers; only a file has a size.
    """

    path: bytes
    kind: str
    mode: int = 0
    uid: int = 0
    gid: int = 0
    size_bytes: int = 0
    link: bytes = b""
    is_opaque: bool = False  # a directory that shows nothing of the layers below


class Likeness(Enum):
    """How two files of one size compare."""

    OTHER = "other"
    CONTENT = "content"  # the same bytes, other extended attributes
    SAME = "same"
    UNREAD = "unread"  # nobody looked: they are too big to read for an answer


Compare = Callable[[int, int, bytes], Likeness]
"""Compares one path of two layers, given by their numbers, the lower one first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one name in one layer.

    `change` is added, changed, deleted, or same (a directory on the way to something).
    `detail` says of a change what differs: content, metadata, identical (nothing: it is
    there twice), unread, link, kind or opaque; of a deletion how it is written down:
    whiteout or opaque.  Of what was deleted, `item` is what was there; a whiteout that
    hides nothing has none.  `hides_bytes` counts all files that went with it.
    """

    change: str
    path: bytes
    item: Item | None
    detail: str = ""
    before: Item | None = None
    hides_names: int = 0
    hides_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Hidden:
    """A file of layer number `layer` that layer `by` took the last name of."""

    path: bytes
    size_bytes: int
    layer: int
    by: int
    reason: str  # rewritten, metadata only, identical, unread, replaced or deleted


@dataclass(frozen=True, slots=True)
class Weighed:
    """One layer: what became of each name, by path; and the bytes of its files."""

    entries: tuple[Entry, ...]
    items: int  # as many entries as its archive has, opaque marks too
    file_bytes: int


_CONTENTS = {Likeness.OTHER: "content", Likeness.UNREAD: "unread"}
_REASONS = {
    "content": "rewritten", "metadata": "metadata only", "identical": "identical",
    "unread": "unread", "link": "replaced", "kind": "replaced",
}  # fmt: skip


@dataclass(slots=True)
class _File:
    """The content behind one name, or several names of one layer."""

    layer: int
    size_bytes: int
    names: int = 0


@dataclass(slots=True)
class _Node:
    """A name that is shown: what it is, and whose."""

    item: Item
    layer: int
    file: _File | None = None
    inner: "dict[bytes, _Node]" = field(default_factory=dict)

    @property
    def is_directory(self) -> bool:
        return self.item.kind == "directory"


class Pile:
    """Layers laid on each other, bottom up.  Holds what is shown: one value per name.

    >>> pile = Pile()
    >>> _ = pile.add([Item(b"big", "file", size_bytes=10)])
    >>> pile.add([Item(b"big", "whiteout")]).entries[0].change
    'deleted'
    >>> pile.hidden[0].size_bytes, pile.shown_bytes
    (10, 0)
    """

    def __init__(
        self, compare: Compare = lambda lower, upper, path: Likeness.UNREAD
    ) -> None:
        self.hidden: list[Hidden] = []
        self.layers = self.shown_bytes = self.shown_names = 0
        self._compare = compare
        self._root = _Node(Item(b"", "directory"), -1)
        self._near: tuple[bytes, _Node] = (b"", self._root)

    def add(self, items: Sequence[Item]) -> Weighed:
        """Lay one layer on top; `items` come a directory before what it holds.

        Costs a look at each item, and at each name that it hides.
        """
        number, self.layers = self.layers, self.layers + 1
        files = _files(items, number)
        own = {item.path: item for item in items if item.kind != "whiteout"}
        entries = [entry for item in items for entry in self._became(item, own, files)]
        if any(entry.detail == "opaque" for entry in entries):
            entries.sort(key=lambda entry: entry.path.split(b"/"))
        verdicts = {e.path: _REASONS[e.detail] for e in entries if e.detail in _REASONS}
        self._near = (b"", self._root)
        for item in items:
            self._lay(item, files.get(item.path), number, verdicts)
        self._near = (b"", self._root)
        total = sum(item.size_bytes for item in items)
        self.shown_bytes += total
        marks = sum(item.is_opaque for item in items)
        return Weighed(tuple(entries), len(items) + marks, total)

    # ── What became of each name, seen from the layers below ─────────────────────────────

    def _became(
        self, item: Item, own: dict[bytes, Item], files: dict[bytes, _File]
    ) -> Iterator[Entry]:
        before = self._find(item.path)
        if item.kind == "whiteout":
            if before is None:
                yield Entry("deleted", item.path, None, "whiteout")
            else:
                yield _deletion(before, item.path, "whiteout")
            return
        if before is None:
            yield Entry("added", item.path, item)
            return
        detail = self._detail(before, item, files)
        names, size = (
            (0, 0) if item.kind == before.item.kind == "directory" else _tally(before)
        )
        change = "changed" if detail else "same"
        yield Entry(change, item.path, item, detail, before.item, names, size)
        if item.is_opaque and before.is_directory:
            yield from _gone(before, item.path, own)

    def _detail(self, before: _Node, item: Item, files: dict[bytes, _File]) -> str:
        """Say what differs; nothing, for a directory that is on the way only."""
        old, is_same = before.item, _rights(before.item) == _rights(item)
        if item.kind == "directory" and before.is_directory:
            return "opaque" if item.is_opaque else "" if is_same else "metadata"
        file = files.get(item.path)
        if file is not None and before.file is not None:
            likeness = self._likeness(before, before.file, file, item.path)
            if likeness in _CONTENTS:
                return _CONTENTS[likeness]
            is_same &= likeness is Likeness.SAME
        elif file is not None or before.file is not None or old.kind != item.kind:
            return "kind"
        elif old.link != item.link:
            return "link"
        return "identical" if is_same else "metadata"

    def _likeness(self, before: _Node, old: _File, new: _File, path: bytes) -> Likeness:
        if old.size_bytes != new.size_bytes:
            return Likeness.OTHER
        if not new.size_bytes:
            return Likeness.SAME
        return self._compare(before.layer, new.layer, path)

    # ── Laying it on ─────────────────────────────────────────────────────────────────────

    def _lay(
        self, item: Item, file: _File | None, number: int, verdicts: dict[bytes, str]
    ) -> None:
        above = self._directory(item.path)
        name = item.path.rpartition(b"/")[2]
        old = above.inner.get(name)
        if item.kind == "directory" and old is not None and old.is_directory:
            if item.is_opaque:
                for inner, node in old.inner.items():
                    self._hide(node, item.path + b"/" + inner, number, verdicts)
                old.inner = {}
            old.item, old.layer = item, number
            return
        if old is not None:
            del above.inner[name]
            self._hide(old, item.path, number, verdicts)
        if item.kind != "whiteout":
            above.inner[name] = _Node(item, number, file)
            self.shown_names += 1
            if file is not None:
                file.names += 1

    def _hide(self, node: _Node, path: bytes, by: int, verdicts: dict[bytes, str]) -> None:
        """Take a name away, and all below it; a file whose last name went is hidden."""
        waiting = [(node, path)]
        while waiting:
            each, where = waiting.pop()
            self.shown_names -= 1
            waiting += ((inner, where + b"/" + name) for name, inner in each.inner.items())
            if (file := each.file) is None:
                continue
            file.names -= 1
            if not file.names:
                self.shown_bytes -= file.size_bytes
                reason = verdicts.get(where, "deleted")
                if file.size_bytes:
                    hidden = Hidden(where, file.size_bytes, file.layer, by, reason)
                    self.hidden.append(hidden)

    # ── Finding ──────────────────────────────────────────────────────────────────────────

    def _find(self, path: bytes) -> _Node | None:
        above, _, name = path.rpartition(b"/")
        here: _Node | None = self._root
        if self._near[0] == above:
            here = self._near[1]
        elif above:
            here = self._find(above)
            if here is not None:
                self._near = (above, here)
        return here.inner.get(name) if here is not None else None

    def _directory(self, path: bytes) -> _Node:
        """Give the directory that holds `path`; one that no item named is made."""
        above = path.rpartition(b"/")[0]
        if self._near[0] == above:
            return self._near[1]
        here = self._root
        for name in above.split(b"/") if above else ():
            if name not in here.inner:
                here.inner[name] = _Node(Item(above, "directory"), self.layers - 1)
                self.shown_names += 1
            here = here.inner[name]
        self._near = (above, here)
        return here


def _files(items: Sequence[Item], number: int) -> dict[bytes, _File]:
    """Give the content behind each name that has one; hard links share theirs."""
    found: dict[bytes, _File] = {}
    for item in items:
        if item.kind == "file":
            found[item.path] = _File(number, item.size_bytes)
        elif item.kind == "hard link" and item.link in found:
            found[item.path] = found[item.link]
    return found


def _rights(item: Item) -> tuple[int, int, int]:
    return item.mode, item.uid, item.gid


def _deletion(node: _Node, path: bytes, how: str) -> Entry:
    return Entry("deleted", path, node.item, how, None, *_tally(node))


def _gone(node: _Node, path: bytes, own: dict[bytes, Item]) -> Iterator[Entry]:
    """Name what a directory showed and shows no more; what is there anew is not gone."""
    waiting = [(node, path)]
    while waiting:
        each, where = waiting.pop()
        for name, inner in each.inner.items():
            place = where + b"/" + name
            if place not in own:
                yield _deletion(inner, place, "opaque")
            elif inner.is_directory and own[place].kind == "directory":
                waiting.append((inner, place))


def _tally(node: _Node) -> tuple[int, int]:
    """Count the names of a tree, itself too, and the bytes that no other name shows."""
    names, waiting = 0, [node]
    files: dict[int, tuple[_File, int]] = {}  # by identity: the file, its names in here
    while waiting:
        each = waiting.pop()
        names += 1
        waiting += each.inner.values()
        if each.file is not None:
            seen = files.get(id(each.file), (each.file, 0))[1]
            files[id(each.file)] = (each.file, seen + 1)
    return names, sum(f.size_bytes for f, seen in files.values() if seen == f.names)
