"""The model behind the same words as `union_judge.py`: the other party before the judge."""

# ruff: noqa: D102  (a call is named after the system call that it makes)

import stat
from collections.abc import Callable, Iterator
from dataclasses import astuple
from typing import Any

from pyminidock.unionfs.branches import Spot
from pyminidock.unionfs.effects import Newborn
from pyminidock.unionfs.model.handles import Handle
from pyminidock.unionfs.model.system import Model, Status
from pyminidock.unionfs.model.tree import Inode, Tree
from pyminidock.unionfs.search import find, listing

HOW: dict[str, dict[str, Any]] = {
    "write": {"writes": True, "reads": False},
    "read": {},
    "both": {"writes": True},
    "append": {"writes": True, "reads": False, "appends": True},
    "truncate": {"writes": True, "reads": False, "truncates": True},
    "create": {"writes": True, "creates": Newborn(stat.S_IFREG | 0o644)},
    "exclusive": {
        "writes": True, "creates": Newborn(stat.S_IFREG | 0o644), "exclusive": True,
    },
    "over": {"writes": True, "truncates": True, "creates": Newborn(stat.S_IFREG | 0o644)},
}  # fmt: skip


def build(name: str, entries: list[list[Any]]) -> Tree:
    """Write one layer as a tree in memory."""
    tree = Tree(name)
    for path, what, argument in entries:
        match what:
            case "directory" | "opaque":
                inode = Inode(stat.S_IFDIR | 0o755, is_opaque=what == "opaque")
            case "file":
                data = argument.encode("latin-1")
                inode = Inode(stat.S_IFREG | 0o644, content=bytearray(data))
                inode.xattrs["user.from"] = data
            case "hard link":
                inode = tree.at(argument)
            case "symlink":
                inode = Inode(stat.S_IFLNK | 0o777, target=argument)
            case "fifo":
                inode = Inode(stat.S_IFIFO | 0o666)
            case _:
                inode = Inode(stat.S_IFCHR)
        tree.put(path, inode)
    return tree


class Calls:
    """The calls of the judge, on the model."""

    def __init__(self, layers: list[list[list[Any]]], options: str) -> None:
        lower = [build(f"layer{number}", each) for number, each in enumerate(layers)]
        self.model = Model(
            [Tree("upper"), *lower],
            redirects="redirect_dir=on" in options,
            metacopy="metacopy=on" in options,
        )
        self.held: dict[int, Handle] = {}

    def call(self, name: str, *arguments: Any) -> dict[str, Any]:
        """Answer as the judge does."""
        try:
            call: Callable[..., Any] = getattr(self, name, None) or getattr(
                self.model, name
            )
            return {"gives": call(*arguments)}
        except KeyError:
            return {"gives": "nothing open"}
        except OSError as refusal:
            return {"errno": refusal.errno or refusal.args[0]}

    def mkdir(self, path: str, mode: int) -> None:
        self.model.create(path, Newborn(stat.S_IFDIR | mode))

    def mkfifo(self, path: str, mode: int) -> None:
        self.model.create(path, Newborn(stat.S_IFIFO | mode))

    def symlink(self, path: str, target: str) -> None:
        self.model.create(path, Newborn(stat.S_IFLNK | 0o777, target=target))

    def open(self, number: int, path: str, how: str) -> None:
        handle = self.model.open(path, **HOW[how])
        self.close(number)
        self.held[number] = handle

    def tmpfile(self, number: int, path: str) -> None:
        handle = self.model.open_unnamed(path, Newborn(stat.S_IFREG | 0o600))
        self.close(number)
        self.held[number] = handle

    def close(self, number: int) -> None:
        if number in self.held:
            self.model.close(self.held.pop(number))

    def link_handle(self, number: int, path: str) -> None:
        self.model.link_handle(self.held[number], path)

    def read(self, number: int, at: int, size: int) -> str:
        return self.model.read(self.held[number], at, size).decode("latin-1")

    def write(self, number: int, at: int, data: str) -> int:
        return self.model.write(self.held[number], at, data.encode("latin-1"))

    def resize(self, number: int, size: int) -> None:
        self.model.resize(self.held[number], size)

    def status_of(self, number: int) -> list[int]:
        return spelled(self.model.status_of(self.held[number]))

    def status(self, path: str) -> list[int]:
        return spelled(self.model.status(path))

    def setxattr(self, path: str, name: str, value: str) -> None:
        self.model.setxattr(path, name, value.encode("latin-1"))

    def xattrs(self, path: str) -> dict[str, str]:
        return words(self.model.xattrs(path))

    def judge(self) -> dict[str, Any]:
        """Give the merged tree and the upper one, as the judge does."""
        merged = {path: self._told(path) for path, _ in self.shown()}
        upper = {}
        for path, inode in self.model.trees[0].walk():
            if path != "/":
                marks = [inode.is_opaque, inode.redirect, inode.is_metacopy]
                upper[path] = [told(inode), marks]
        return {"merged": merged, "upper": upper}

    def shown(self, spot: Spot | None = None) -> Iterator[tuple[str, bool]]:
        """Give every path that is shown, and whether it is a directory."""
        spot = spot or self.model.stack.root()
        for name in sorted(each.name for each in listing(self.model.stack, spot)):
            inner = find(self.model.stack, spot, name)
            yield inner.path, inner.is_directory
            if inner.is_directory:
                yield from self.shown(inner)

    def _told(self, path: str) -> list[Any]:
        status, held, xattrs = self.model.status(path), "", {}
        if stat.S_ISREG(status.mode):
            handle = self.model.open(path)
            held = self.model.read(handle, 0, 1 << 20).decode("latin-1")
            self.model.close(handle)
        if stat.S_ISLNK(status.mode):
            held = self.model.readlink(path)
        if stat.S_ISREG(status.mode) or stat.S_ISDIR(status.mode):
            xattrs = words(self.model.xattrs(path))
        return [*spelled(status), held, xattrs]


def spelled(status: Status) -> list[int]:
    return list(astuple(status))


def words(xattrs: dict[str, bytes]) -> dict[str, str]:
    return {name: value.decode("latin-1") for name, value in sorted(xattrs.items())}


def told(inode: Inode) -> list[Any]:
    """Say everything about one inode of the upper tree."""
    size = len(inode.target) if stat.S_ISLNK(inode.mode) else len(inode.content)
    numbers = [inode.mode, inode.uid, inode.gid, size, inode.links, inode.device]
    if inode.is_directory:
        numbers[3:] = [0, 1, 0]
    held = inode.target or inode.content.decode("latin-1")
    return [*numbers, held, words(inode.xattrs)]
