"""The tree that is shown: a node for each file and directory that the kernel remembers.

    node 5   "motd" in node 3 ("etc")   lies in branch 2 at /etc/motd   seen 4 times

The kernel names nodes by number, and says FORGET when it needs one no more; until then
a node stays, even if its last name is gone: then it holds a descriptor instead.

A name is never kept by the kernel, so every component of every path comes here, and every
branch is asked (unionfs.search.find).  Where a node lies (its *spot*) is what was found
then; a change that moves it looks again.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from pyminidock.events import Event
from pyminidock.kernel.glass import wire
from pyminidock.kernel.glass.disk import Disk
from pyminidock.kernel.glass.wire import ROOT
from pyminidock.unionfs import search
from pyminidock.unionfs.branches import Spot, Stack, inside

_REMEMBERED = 4096  # names of one directory


class Answers:
    """What the branches answered when a name was looked up; the last event sums up.

    `line` is what whoever tells them has made of them, to be told again.
    """

    __slots__ = ("events", "exists", "line")

    def __init__(self, events: list[Event], *, exists: bool) -> None:
        self.events, self.exists, self.line = events, exists, ""


class Listener(Protocol):
    """Hears what happens."""

    def looked_up(self, answers: Answers, *, is_anew: bool) -> None:
        """Hear what a name led to; else than anew nobody was asked, it was remembered."""

    def done(self, event: Event) -> None:
        """Hear what was done to the upper branch."""


class Handle:
    """An open file or directory: its descriptor, and what it shows."""

    __slots__ = ("entries", "fd", "is_upper", "node", "number")

    def __init__(self, number: int, node: "Node", fd: int, *, is_upper: bool) -> None:
        self.number, self.node, self.fd, self.is_upper = number, node, fd, is_upper
        self.entries: list[tuple[bytes, int, int]] | None = None  # name, inode, mode


class Node:
    """What the kernel knows by a number."""

    __slots__ = (
        "called", "children", "fd", "fd_is_upper", "handles", "identity", "ino", "lookups",
        "mode", "name", "nodeid", "packed", "parent", "path", "places", "spot", "told",
    )  # fmt: skip

    def __init__(self, nodeid: int, parent: "Node | None", name: str, spot: Spot) -> None:
        self.nodeid, self.parent, self.name, self.spot = nodeid, parent, name, spot
        self.path = self.called = spot.path  # called: by who asked last
        self.fd, self.fd_is_upper = -1, False  # of one whose names are all gone
        self.ino = self.mode = self.lookups = 0
        self.told: dict[str, Answers] = {}  # what the branches answered for its names
        self.packed: tuple[int, bytes] = (-1, b"")  # attributes, and since which change
        self.identity: tuple[int, int] | None = None  # of a file with several names
        self.children: dict[str, Node] = {}
        self.handles: list[Handle] = []
        self.places: list[tuple[Node, str]] = []  # its other names, of a hard link

    @property
    def is_directory(self) -> bool:
        """Whether it can have children."""
        return stat.S_ISDIR(self.mode)


class Tree:
    """All nodes and handles, over a stack of branches."""

    def __init__(self, stack: Stack, disks: Sequence[Disk]) -> None:
        self.stack, self.disks = stack, disks
        self.listener: Listener | None = None
        self.changes = 0  # how often anything changed: attributes are good until then
        self.root = Node(ROOT, None, "", stack.root())
        self.nodes = {ROOT: self.root}
        self.handles: dict[int, Handle] = {}
        self._linked: dict[tuple[int, int], Node] = {}
        self._last = self._last_handle = ROOT
        found = self.status(self.root)
        self.root.ino, self.root.mode, self.root.lookups = found.st_ino, found.st_mode, 1
        self._devices = {disk.status("/").st_dev: at for at, disk in enumerate(disks)}

    def node(self, nodeid: int) -> Node:
        """Give a node by its number.  Raises OSError (ESTALE)."""
        try:
            return self.nodes[nodeid]
        except KeyError:
            raise OSError(errno.ESTALE, "no such node") from None

    # ── What a name leads to ─────────────────────────────────────────────────────────────

    def look_up(self, parent: Node, name: str, *, is_silent: bool = False) -> Node | None:
        """Ask all branches for a name; give its node, which the kernel now knows once more.

        None: it is absent.  What was asked and answered is remembered until something
        happens to the name: every change comes through here.
        """
        known, node = parent.told.get(name), parent.children.get(name)
        is_anew = known is None or (known.exists and node is None)
        if known is None or is_anew:
            if parent.fd >= 0:  # a directory that was removed
                return None
            known, node = self._ask(parent, name, node)
        if self.listener is not None and not is_silent:
            self.listener.looked_up(known, is_anew=is_anew)
        if not known.exists or node is None:
            return None
        node.lookups += 1
        node.called = inside(parent.path, name) if node.places else node.path
        return node

    def _ask(
        self, parent: Node, name: str, node: Node | None
    ) -> tuple[Answers, Node | None]:
        told: list[Event] = []
        spot = search.find(self.stack, parent.spot, name, emit=told.append)
        if len(parent.told) > _REMEMBERED:
            parent.told.clear()
        known = parent.told[name] = Answers(told, exists=spot.exists)
        if not spot.exists:
            return known, None
        found = self.status_of(spot)
        if node is None or stat.S_IFMT(node.mode) != stat.S_IFMT(found.st_mode):
            node = self._meet(parent, name, spot, found)
        elif not node.places:
            node.spot = spot
        return known, node

    def outdated(self, path: str) -> None:
        """Forget what was told of a name."""
        directory, _, name = path.rpartition("/")
        parent = self.live(directory or "/")
        if parent is not None:
            parent.told.pop(name, None)

    def _meet(self, parent: Node, name: str, spot: Spot, found: os.stat_result) -> Node:
        """Make a node for a name, or find that it is another name of one we have."""
        key = found.st_dev, found.st_ino
        if spot.upper and found.st_nlink > 1 and not spot.is_directory:
            linked = self._linked.get(key)
            if linked is not None:
                linked.places.append((parent, name))
                parent.children[name] = linked
                return linked
        node = self.adopt(Node(0, parent, name, spot), found)
        parent.children[name] = node
        if spot.upper and found.st_nlink > 1 and not spot.is_directory:
            self.note_links(node, found)
        return node

    def adopt(self, node: Node, found: os.stat_result) -> Node:
        """Give a new node its number."""
        self._last += 1
        node.nodeid, node.mode = self._last, found.st_mode
        node.ino = self.inode(found)
        self.nodes[node.nodeid] = node
        return node

    def inode(self, found: os.stat_result) -> int:
        """Give the inode number that is shown: layers on other disks begin elsewhere."""
        at = self._devices.get(found.st_dev, 0) if len(self._devices) > 1 else 0
        return found.st_ino | at << 56

    def shown_ino(self, branch: int, ino: int) -> int:
        """The same, of a name in a listing."""
        if len(self._devices) == 1:
            return ino
        return ino | self._devices[self.disks[branch].status("/").st_dev] << 56

    def note_links(self, node: Node, found: os.stat_result) -> None:
        """Note that a node has, or will have, several names in the upper directory."""
        node.identity = found.st_dev, found.st_ino
        self._linked[node.identity] = node

    # ── Where it lies ────────────────────────────────────────────────────────────────────

    def status_of(self, spot: Spot) -> os.stat_result:
        """Read what the disk says of what was found."""
        part = spot.parts[0]
        return self.disks[part.branch].status(part.path)

    def status(self, node: Node) -> os.stat_result:
        """Read what the disk says of a node.  Raises OSError."""
        return os.fstat(node.fd) if node.fd >= 0 else self.status_of(node.spot)

    def attributes(self, node: Node) -> bytes:
        """Give the attributes of a node as the kernel takes them.  Raises OSError."""
        since, packed = node.packed
        if since != self.changes:
            found = self.status(node)
            packed = wire.attr(
                node.ino, found, self.links(node, found), self.blocks(node, found)
            )
            node.packed = (self.changes, packed)
        return packed

    @staticmethod
    def links(node: Node, found: os.stat_result) -> int:
        """Give the number of names: of a directory that merges, 1, as overlayfs does."""
        if node.fd < 0 and node.is_directory and len(node.spot.parts) > 1:
            return 1
        return found.st_nlink

    def blocks(self, node: Node, found: os.stat_result) -> int:
        """Give the room that a file takes: of attributes alone, that of the content below.

        Who sees none for a file with a size takes it for one hole, as `tar --sparse` does.
        """
        if self.stack.metacopy and node.fd < 0 and node.spot.top.is_metacopy:
            content = node.spot.content
            return self.disks[content.branch].status(content.path).st_blocks
        return found.st_blocks

    def place(self, node: Node) -> str:
        """Give a name for calls that know no handles; never a symbolic link to follow."""
        if node.fd >= 0:
            return f"/proc/self/fd/{node.fd}"
        part = node.spot.parts[0]
        return self.disks[part.branch].place(part.path)

    def open(self, node: Node, flags: int) -> int:
        """Open what lies there.  Raises OSError."""
        if node.fd >= 0:
            return os.open(f"/proc/self/fd/{node.fd}", flags | os.O_CLOEXEC)
        part = node.spot.content if not node.is_directory else node.spot.parts[0]
        return self.disks[part.branch].open(part.path, flags)

    # ── What has changed ─────────────────────────────────────────────────────────────────

    def live(self, path: str) -> Node | None:
        """Find the node that the kernel knows at a path; None: it knows none."""
        node: Node | None = self.root
        for name in path.split("/")[1:] if path != "/" else ():
            node = node.children.get(name) if node is not None else None
        return node

    def look_again(self, node: Node) -> None:
        """Find out where a node lies now, and all that the kernel knows below it."""
        outdated = [node]
        while outdated:  # deeper than Python calls itself
            node = outdated.pop()
            node.told.clear()
            if node.parent is not None:
                node.spot = search.find(self.stack, node.parent.spot, node.name)
                node.path = node.spot.path
            outdated += [each for each in node.children.values() if each.parent is node]

    def touched(self, path: str) -> None:
        """Look again where one node lies, which has been copied up."""
        node = self.live(path)
        if node is None or node.fd >= 0:
            return
        was = node.spot
        node.told.clear()  # one layer more is asked for its names
        if node.parent is not None:
            node.spot = search.find(self.stack, node.parent.spot, node.name)
        else:
            node.spot = self.stack.root()
        if not node.is_directory:
            if was.upper is None and was.top.links > 1:  # its other names stay below
                node.ino = self.inode(self.status(node))
            self.reopen(node)

    def reopen(self, node: Node) -> None:
        """Let handles on a lower file read the copy from now on."""
        for handle in node.handles:
            if not handle.is_upper and handle.fd >= 0:
                with suppress(OSError):
                    fresh = self.open(node, os.O_RDONLY)
                    os.dup2(fresh, handle.fd, inheritable=False)
                    os.close(fresh)
                    handle.is_upper = True

    @contextmanager
    def losing(self, parent: Node, name: str) -> Iterator[None]:
        """Let a name go in here; who has no other lives on by a descriptor."""
        node = parent.children.get(name)
        kept = -1
        if node is not None and not node.places and node.fd < 0:
            part = node.spot.parts[0]
            kept = self.disks[part.branch].open(part.path, os.O_PATH)
        try:
            yield
        except BaseException:
            if kept >= 0:
                os.close(kept)
            raise
        if node is None:
            return
        del parent.children[name]
        if kept >= 0:
            node.fd, node.fd_is_upper = kept, node.spot.upper is not None
        elif (parent, name) in node.places:
            node.places.remove((parent, name))
        elif node.places:
            node.parent, node.name = node.places.pop()
            self.look_again(node)

    def move_name(self, old: tuple[Node, str], new: tuple[Node, str]) -> None:
        """Let a name be another one; whatever had that is lost before."""
        node = old[0].children.pop(old[1], None)
        if node is not None:
            self._name(node, old, new)

    def swap_names(self, one: tuple[Node, str], other: tuple[Node, str]) -> None:
        """Let two names change places."""
        first = one[0].children.pop(one[1], None)
        second = other[0].children.pop(other[1], None)
        for node, old, new in ((first, one, other), (second, other, one)):
            if node is not None:
                self._name(node, old, new)

    def _name(self, node: Node, old: tuple[Node, str], new: tuple[Node, str]) -> None:
        new[0].children[new[1]] = node
        if old in node.places:
            node.places[node.places.index(old)] = new
        else:
            node.parent, node.name = new
            self.look_again(node)

    def add_name(self, node: Node, parent: Node, name: str) -> None:
        """Let a node have one more name, or its first; the kernel knows it once more."""
        parent.children[name] = node
        if node.fd >= 0:
            os.close(node.fd)
            node.fd, node.parent, node.name = -1, parent, name
            self.look_again(node)
        else:
            node.places.append((parent, name))
        node.lookups += 1
        self.note_links(node, self.status(node))

    # ── Forgetting, handles ──────────────────────────────────────────────────────────────

    def forget(self, nodeid: int, times: int) -> None:
        """Let the kernel know a node so many times less; at none it is gone."""
        node = self.nodes.get(nodeid)
        if node is None or node is self.root:
            return
        node.lookups -= times
        if node.lookups > 0:
            return
        del self.nodes[nodeid]
        for parent, name in [(node.parent, node.name), *node.places]:
            if parent is not None and parent.children.get(name) is node:
                del parent.children[name]
        if node.fd >= 0:
            os.close(node.fd)
        if node.identity is not None and self._linked.get(node.identity) is node:
            del self._linked[node.identity]

    def hold(self, node: Node, fd: int, *, is_upper: bool) -> Handle:
        """Give a number to something that is open."""
        self._last_handle += 1
        handle = Handle(self._last_handle, node, fd, is_upper=is_upper)
        self.handles[handle.number] = handle
        node.handles.append(handle)
        return handle

    def release(self, number: int) -> None:
        """Close a handle."""
        handle = self.handles.pop(number)
        handle.node.handles.remove(handle)
        if handle.fd >= 0:
            os.close(handle.fd)
