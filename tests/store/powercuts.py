"""A disk that keeps only what was synced, and of the rest what it likes: a power cut.

What a program writes is in memory first.  fsync(file) pins the file's content, fsync
(directory) the names in it; everything else the disk may have written, or not, when the
power goes.  This disk notes every deed, and gives for any moment the trees that a machine
could find afterwards:

    pinned                 only what was synced
    + the first k others   in the order in which they were done, for every k
    + names before bytes   all names, and files whose content never came

What SQLite commits it has synced (`synchronous=FULL`); its files are taken as they are.

Source: "All File Systems Are Not Created Equal" (OSDI 2014); hardening.md G.3, power cut.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyminidock.store.files import Files

TOP = 0  # the number of the root directory
Name = tuple[int, str]  # the number of a directory, and a name in it


@dataclass(frozen=True, slots=True)
class _Deed:
    """One change: an entry that comes, one that goes, or both; or a content."""

    number: int  # of the file or directory
    comes: Name | None = None
    goes: Name | None = None
    content: bytes | None = None  # of the whole file; b"" and an entry: a new file
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """What lies on the disk: entries, the content of each file, and what is a directory."""

    entries: dict[Name, int] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    directories: frozenset[int] = frozenset({TOP})

    def after(self, *deeds: _Deed) -> "Tree":
        """Give the tree after more deeds."""
        entries, contents = dict(self.entries), dict(self.contents)
        directories = set(self.directories)
        for deed in deeds:
            if deed.goes and entries.get(deed.goes) == deed.number:
                del entries[deed.goes]
            if deed.comes:
                entries[deed.comes] = deed.number
            if deed.content is not None:
                contents[deed.number] = deed.content
            if deed.is_directory:
                directories.add(deed.number)
        return Tree(entries, contents, frozenset(directories))

    def put(self, place: Path, number: int = TOP) -> None:
        """Make what is in a directory, below `place`."""
        for (above, name), inner in self.entries.items():
            if above != number:
                continue
            if inner in self.directories:
                (place / name).mkdir(0o700)
                self.put(place / name, inner)
            else:
                (place / name).write_bytes(self.contents.get(inner, b""))
                (place / name).chmod(0o600)


@dataclass(frozen=True, slots=True)
class Moment:
    """What is certain at one moment, what is not, and the files of the database."""

    pinned: Tree
    loose: tuple[_Deed, ...]
    database: tuple[tuple[str, bytes], ...]

    def trees(self) -> Iterator[Tree]:
        """Yield each tree that a machine could find if the power went now."""
        for count in range(len(self.loose) + 1):
            yield self.pinned.after(*self.loose[:count])
        yield self.pinned.after(*(each for each in self.loose if each.content is None))

    def put(self, tree: Tree, root: Path) -> None:
        """Make a root directory as the machine finds it when the power is back."""
        root.mkdir(mode=0o700)
        tree.put(root)
        for name, content in self.database:
            (root / name).write_bytes(content)
            (root / name).chmod(0o600)


class ForgetfulFiles(Files):
    """A disk that notes what was done and what was synced; `moments` are all of them."""

    def __init__(self, root: Path) -> None:
        self.root, self.moments = root, list[Moment]()
        self._pinned = self._now = Tree()
        self._loose: list[_Deed] = []
        self._open: dict[int, int] = {}  # descriptor to number
        self._numbers = itertools.count(1)

    def create(self, path: Path) -> int:
        """Create, and note it."""
        descriptor = super().create(path)
        self._open[descriptor] = number = next(self._numbers)
        self._note(_Deed(number, comes=self._name(path)))
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        """Write, and note it."""
        super().write(descriptor, data)
        number = self._open[descriptor]
        content = self._now.contents.get(number, b"") + bytes(data)
        self._note(_Deed(number, content=content))

    def sync(self, descriptor: int) -> None:
        """Pin the content of a file."""
        number = self._open[descriptor]
        self._pin(lambda deed: deed.content is not None and deed.number == number)

    def close(self, descriptor: int) -> None:
        """Close."""
        del self._open[descriptor]
        super().close(descriptor)

    def make_directory(self, path: Path) -> None:
        """Make, and note it."""
        missing = [each for each in (path, *path.parents) if not each.exists()]
        super().make_directory(path)
        for each in reversed(missing):
            if each != self.root:
                number = next(self._numbers)
                self._note(_Deed(number, comes=self._name(each), is_directory=True))

    def link(self, path: Path, name: Path) -> None:
        """Link, and note it."""
        super().link(path, name)
        self._note(_Deed(self._number(path), comes=self._name(name)))

    def rename(self, path: Path, target: Path) -> None:
        """Rename, and note it."""
        super().rename(path, target)
        number = self._number(path)
        self._note(_Deed(number, comes=self._name(target), goes=self._name(path)))

    def remove(self, path: Path) -> None:
        """Remove, and note it."""
        super().remove(path)
        if self._name(path) in self._now.entries:
            self._note(_Deed(self._number(path), goes=self._name(path)))

    def sync_directory(self, path: Path) -> None:
        """Pin the names in a directory; a move that leads into it, or out of it, too."""
        if path in self.root.parents:
            return
        here = self._number(path)
        self._pin(lambda deed: here in {
            name[0] for name in (deed.comes, deed.goes) if name
        })  # fmt: skip

    def sync_all(self, directory: Path) -> None:
        """Pin everything, as syncfs(2) does; be a Sync.

        What lies in `directory` may have come by other hands than ours.
        """
        for path in sorted(directory.rglob("*")):
            if self._name(path) not in self._now.entries:
                content = None if path.is_dir() else path.read_bytes()
                self._loose.append(_Deed(
                    next(self._numbers), self._name(path), content=content,
                    is_directory=path.is_dir(),
                ))  # fmt: skip
                self._now = self._now.after(self._loose[-1])
        self._pin(lambda _: True)

    # ── Notes ────────────────────────────────────────────────────────────────────────────

    def _note(self, deed: _Deed) -> None:
        self._loose.append(deed)
        self._now = self._now.after(deed)
        self._moment()

    def _pin(self, is_pinned: Callable[[_Deed], bool]) -> None:
        self._pinned = self._pinned.after(*filter(is_pinned, self._loose))
        self._loose = [deed for deed in self._loose if not is_pinned(deed)]
        self._moment()

    def _moment(self) -> None:
        names = ("state.db", "state.db-wal")
        database = tuple(
            (name, (self.root / name).read_bytes())
            for name in names if (self.root / name).exists()
        )  # fmt: skip
        self.moments.append(Moment(self._pinned, tuple(self._loose), database))

    def _number(self, path: Path) -> int:
        return TOP if path == self.root else self._now.entries[self._name(path)]

    def _name(self, path: Path) -> Name:
        return self._number(path.parent), os.fspath(path.name)
