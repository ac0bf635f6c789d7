"""What can be asked of a branch, and what the answers add up to.

A union filesystem is a stack of trees.  Here the tree is anything that answers two
questions, so the same rules serve real directories, archives and trees in memory:

    branch.look("/etc/motd")   what do you hold under this name?   (one probe)
    branch.names("/etc")       which names do you hold in there?   (whiteouts too)

What the stack shows under one name is a `Spot`: one part for each branch that takes part,
topmost first.  A file has one part, a directory as many as merge, nothing has none.

    /etc/motd                      parts: lower 2            a file shines through
    /etc                           parts: upper, lower 0, 2  three directories look like one
    /gone     whiteout in upper    parts: none               deleted

Source: Linux, fs/overlayfs/ovl_entry.h: struct ovl_entry is our Spot, ovl_path our Part.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Protocol

from pyminidock.unionfs.lookup import Kind

UPPER = 0  # the number of the branch that may change; below it nothing ever does


@dataclass(frozen=True, slots=True)
class Seen:
    """What one branch holds under one name.

    `redirect` is where the layers below have to be asked instead, a name or a path from the
    root; with `is_metacopy` the attributes are here and the content is below.  `links`
    counts the names of a file in its own branch, `identity` says which are names of one.
    """

    kind: Kind
    redirect: str = ""
    is_metacopy: bool = False
    is_regular: bool = False
    links: int = 1
    size_bytes: int = 0
    identity: Hashable = None

    @property
    def is_directory(self) -> bool:
        """Tell directories, opaque or not, from what cannot merge."""
        return self.kind in (Kind.DIRECTORY, Kind.OPAQUE)


class Branch(Protocol):
    """One tree of the stack.  Paths are canonical, and from the root of the branch."""

    @property
    def name(self) -> str:
        """Name it in events."""
        ...

    def look(self, path: str) -> Seen | None:
        """Say what is there; None: nothing, or no directory on the way."""
        ...

    def names(self, path: str) -> Iterable[str]:
        """List a directory, whiteouts too."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """What one branch contributes, and where in that branch it lies."""

    branch: int
    path: str
    seen: Seen


@dataclass(frozen=True, slots=True)
class Spot:
    """One name of the merged tree.

    In the upper branch everything lies at its merged path, in a lower one it may lie
    elsewhere (a redirect).  `is_covered`: the upper branch has a whiteout here.
    """

    path: str
    upper: Part | None = None
    lower: tuple[Part, ...] = ()
    is_covered: bool = False
    hidden_by: int | None = None  # the branch whose whiteout ended the search

    @property
    def parts(self) -> tuple[Part, ...]:
        """Give what contributes, topmost first."""
        return (self.upper, *self.lower) if self.upper else self.lower

    @property
    def top(self) -> Seen:
        """Give what is shown.  Only of what exists."""
        return self.parts[0].seen

    @property
    def content(self) -> Part:
        """Give the part that holds a file's bytes: attributes may lie above them."""
        return next((p for p in self.parts if not p.seen.is_metacopy), self.parts[-1])

    @property
    def exists(self) -> bool:
        """Tell whether the merged tree shows anything here."""
        return bool(self.parts)

    @property
    def is_directory(self) -> bool:
        """Tell whether a directory is shown."""
        return self.exists and self.top.is_directory

    @property
    def name(self) -> str:
        """Give the last name of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Stack:
    """Branches, topmost first, and the rules they are mounted with.

    `redirects` and `metacopy` are overlayfs's redirect_dir=on and metacopy=on.
    """

    branches: tuple[Branch, ...]
    has_upper: bool = True
    redirects: bool = False
    metacopy: bool = False

    @property
    def allows_offline_changes(self) -> bool:
        """Tell whether the layers may be changed by hand while nothing is mounted.

        Source: ovl_allow_offline_changes().
        """
        return not self.redirects and not self.metacopy

    def root(self) -> Spot:
        """Give the root, which is every branch's."""
        parts = [
            Part(number, "/", branch.look("/") or Seen(Kind.DIRECTORY))
            for number, branch in enumerate(self.branches)
        ]
        if self.has_upper:
            return Spot("/", parts[UPPER], tuple(parts[UPPER + 1 :]))
        return Spot("/", None, tuple(parts))


def inside(directory: str, name: str) -> str:
    """Give the path of a directory's child.

    >>> inside("/", "etc"), inside("/etc", "motd")
    ('/etc', '/etc/motd')
    """
    return f"{directory.rstrip('/')}/{name}"


def above(path: str) -> str:
    """Give the path of the directory that holds it.

    >>> above("/etc/motd"), above("/etc")
    ('/etc', '/')
    """
    return path.rpartition("/")[0] or "/"
