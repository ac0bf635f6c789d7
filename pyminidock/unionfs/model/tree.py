"""A branch in memory: inodes, and the names that lead to them.

A name is an entry of a directory; the inode behind it has everything else.  Two names may
lead to one inode, and an inode without names lives as long as somebody has it open.  What
overlayfs writes into extended attributes (opaque, redirect, metacopy) are fields here.

Source: man 7 inode; Documentation/filesystems/overlayfs.rst.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyminidock.unionfs.branches import Seen, above
from pyminidock.unionfs.effects import Newborn
from pyminidock.unionfs.lookup import Kind


@dataclass(slots=True, eq=False)
class Inode:
    """Everything about a file but its names; `mode` has the type in it."""

    mode: int
    uid: int = 0
    gid: int = 0
    device: int = 0
    target: str = ""
    links: int = 0
    content: bytearray = field(default_factory=bytearray)
    xattrs: dict[str, bytes] = field(default_factory=dict)
    entries: "dict[str, Inode]" = field(default_factory=dict)
    is_opaque: bool = False
    redirect: str = ""
    is_metacopy: bool = False

    @property
    def is_directory(self) -> bool:
        """Tell directories from the rest."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_whiteout(self) -> bool:
        """Tell whether it only says "deleted": a character device 0:0."""
        return stat.S_ISCHR(self.mode) and self.device == 0


def born(newborn: Newborn) -> Inode:
    """Give a new inode that nothing leads to yet."""
    return Inode(newborn.mode, newborn.uid, newborn.gid, newborn.device, newborn.target)


class Tree:
    """A branch that lives in memory.

    >>> tree = Tree("base")
    >>> tree.put("/etc", Inode(stat.S_IFDIR | 0o755))
    >>> tree.put("/etc/motd", Inode(stat.S_IFREG | 0o644, content=bytearray(b"hi")))
    >>> tree.look("/etc/motd").kind, list(tree.names("/etc"))
    (<Kind.FILE: 'file'>, ['motd'])
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.root = Inode(stat.S_IFDIR | 0o755, links=1)

    @property
    def name(self) -> str:
        """Name it in events."""
        return self._name

    def get(self, path: str) -> Inode | None:
        """Give what lies at `path`, or nothing."""
        here: Inode | None = self.root
        for name in path.strip("/").split("/") if path != "/" else ():
            here = here.entries.get(name) if here is not None else None
        return here

    def at(self, path: str) -> Inode:
        """Give what is known to lie there.  Raises KeyError."""
        found = self.get(path)
        if found is None:
            raise KeyError(path)
        return found

    def put(self, path: str, inode: Inode) -> None:
        """Let a name lead to an inode; what it led to loses a name."""
        self.take(path)
        self.at(above(path)).entries[path.rpartition("/")[2]] = inode
        inode.links += 1

    def take(self, path: str) -> Inode | None:
        """Take a name away and give what it led to."""
        taken = self.at(above(path)).entries.pop(path.rpartition("/")[2], None)
        if taken is not None:
            taken.links -= 1
        return taken

    def look(self, path: str) -> Seen | None:
        """Answer as a branch does."""
        inode = self.get(path)
        if inode is None:
            return None
        return Seen(
            _kind(inode),
            inode.redirect,
            inode.is_metacopy,
            stat.S_ISREG(inode.mode),
            inode.links,
            len(inode.content),
            id(inode),
        )

    def names(self, path: str) -> Iterator[str]:
        """List a directory, in the order in which names came; whiteouts too."""
        return iter(tuple(self.at(path).entries))

    def walk(self) -> Iterator[tuple[str, Inode]]:
        """Give every path and its inode, the root first, names in order."""
        waiting = [("/", self.root)]
        while waiting:
            path, inode = waiting.pop()
            yield path, inode
            for name in sorted(inode.entries, reverse=True):
                waiting.append((f"{path.rstrip('/')}/{name}", inode.entries[name]))


def _kind(inode: Inode) -> Kind:
    if inode.is_whiteout:
        return Kind.WHITEOUT
    if inode.is_directory:
        return Kind.OPAQUE if inode.is_opaque else Kind.DIRECTORY
    return Kind.FILE
