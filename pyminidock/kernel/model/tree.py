"""The files of one filesystem, and how a path is found among several of them.

A tree maps relative paths to nodes: "" is its root, "etc/passwd" a file.  Nodes are what
a birth cares about; contents matter only for the few files that somebody reads.

A path is walked one name at a time, over mounts and symbolic links, and never above the
root it started from: `RESOLVE_IN_ROOT` of openat2(2).
"""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

MOST_LINKS = 40  # Source: man 7 path_resolution
EXECUTABLE = (b"\x7fELF", b"#!")  # how files begin that execve(2) understands


@dataclass(frozen=True, slots=True)
class Node:
    """One file: `kind` is file, directory, link, char or block."""

    kind: str
    mode: int = 0o644
    content: bytes = b""
    points_to: str = ""
    device: tuple[int, int] = (0, 0)
    uid: int = 0
    gid: int = 0


Tree = Mapping[str, Node]
DIRECTORY = Node("directory", 0o755)


def link(points_to: str) -> Node:
    """Make a symbolic link."""
    return Node("link", 0o777, points_to=points_to)


def tree_of(files: Mapping[str, bytes | Node]) -> Tree:
    """Grow a tree: parents are made, and a name that ends in "/" is a directory.

    Bytes become a file, executable if it begins as a program does.

    >>> sorted(tree_of({"bin/sh": bytes([127]) + b"ELF", "tmp/": b""}))
    ['', 'bin', 'bin/sh', 'tmp']
    """
    grown: dict[str, Node] = {"": DIRECTORY}
    for name, content in files.items():
        path = name.strip("/")
        names = path.split("/")
        for depth in range(1, len(names)):
            grown.setdefault("/".join(names[:depth]), DIRECTORY)
        if isinstance(content, Node):
            grown[path] = content
        elif name.endswith("/"):
            grown[path] = DIRECTORY
        else:
            mode = 0o755 if content.startswith(EXECUTABLE) else 0o644
            grown[path] = Node("file", mode, content)
    return grown


class Row(Protocol):
    """What a walk has to know of a mount."""

    @property
    def target(self) -> str:
        """Where it hangs."""

    @property
    def root(self) -> str:
        """Which directory of its tree it shows."""

    @property
    def tree(self) -> str:
        """The name of its tree."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path led: the row number of a mount, a name in its tree, what is there."""

    path: str  # absolute in the mount namespace, without symbolic links
    row: int
    inside: str
    node: Node | None


def holder(rows: Sequence[Row], path: str) -> int:
    """Give the number of the row that shows `path`: the deepest, of equals the newest.

    Raises ENOENT where nothing is mounted at all.
    """
    covering = [
        (len(row.target.rstrip("/")), index)
        for index, row in enumerate(rows)
        if f"{path}/".startswith(f"{row.target.rstrip('/')}/")
    ]
    if not covering:
        raise OSError(errno.ENOENT, f"nothing is mounted above {path}")
    return max(covering)[1]


def place(rows: Sequence[Row], trees: Mapping[str, Tree], path: str) -> Place:
    """Look at one path as it stands, with no link followed."""
    row = holder(rows, path)
    below = path[len(rows[row].target.rstrip("/")) :]
    inside = f"{rows[row].root.rstrip('/')}{below}".strip("/")
    return Place(path, row, inside, trees[rows[row].tree].get(inside))


def walk(
    rows: Sequence[Row], trees: Mapping[str, Tree], root: str, path: str,
    *, follow_last: bool = True,
) -> Place:  # fmt: skip
    """Find `path` below `root`; the last name may be absent, its parents may not.

    Raises ENOENT, ENOTDIR, ELOOP.
    """
    pending = [name for name in reversed(path.split("/")) if name]
    here, links = place(rows, trees, root), 0
    while pending:
        name = pending.pop()
        if here.node is None:
            raise OSError(errno.ENOENT, f"{here.path} does not exist")
        if here.node.kind != "directory":
            raise OSError(errno.ENOTDIR, f"{here.path} is no directory")
        if name == ".":
            continue
        if name == "..":
            up = here.path if here.path == root else here.path.rpartition("/")[0] or "/"
            here = place(rows, trees, up)
            continue
        found = place(rows, trees, f"{here.path.rstrip('/')}/{name}")
        if found.node and found.node.kind == "link" and (pending or follow_last):
            links += 1
            if links > MOST_LINKS:
                raise OSError(errno.ELOOP, f"too many symbolic links below {path}")
            pending += [n for n in reversed(found.node.points_to.split("/")) if n]
            if found.node.points_to.startswith("/"):
                here = place(rows, trees, root)
            continue
        here = found
    return here


def seen(found: Place, root: str) -> str:
    """Name a place as somebody sees it whose root is `root`."""
    return found.path[len(root.rstrip("/")) :] or "/"
