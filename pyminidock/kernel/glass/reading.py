"""The requests that change nothing: one function for each.

    open("/etc/motd")    LOOKUP etc, LOOKUP motd, OPEN        the kernel keeps no name
    read()               READ                                 but what was read, it keeps
    close()              RELEASE

What is kept of a file is dropped by the kernel itself when the file changes, because every
change comes through it; so attributes and pages may stay for ever.

Source: Linux, fs/fuse/dir.c and file.c; Documentation/filesystems/overlayfs.rst.
"""

import errno
import os
import stat

from pyminidock.kernel.glass import privatenames, wire
from pyminidock.kernel.glass.loop import Loop, Perform, Reply
from pyminidock.kernel.glass.tree import Node, Tree
from pyminidock.kernel.glass.wire import Op, Request
from pyminidock.kernel.linux import syscalls
from pyminidock.unionfs.search import listing

_OPENED = wire.FOPEN_KEEP_CACHE | wire.FOPEN_NOFLUSH
# Of the flags of open(2): what the kernel does itself, before or after it asks us.
NOT_OURS = os.O_CREAT | os.O_EXCL | os.O_NOCTTY | os.O_APPEND | os.O_DIRECT | os.O_NOFOLLOW
_ENTRY_ROOM = 24  # bytes of a fuse_dirent without its name


class Reading:
    """What can be asked without changing anything."""

    def __init__(self, tree: Tree, loop: Loop, *, has_lists: bool = False) -> None:
        self.tree, self.loop, self.has_lists = tree, loop, has_lists
        self.private = tree.disks[0].spelling.prefix
        self._room = memoryview(bytearray(wire.MAX_WRITE))  # a new one costs as a copy does

    def performs(self) -> dict[int, Perform]:
        """Tell which request is performed by whom."""
        return {
            Op.INIT: self.greet,
            Op.LOOKUP: self.lookup, Op.FORGET: self.forget,
            Op.BATCH_FORGET: self.forget_many, Op.GETATTR: self.getattr,
            Op.READLINK: self.readlink, Op.READ: self.read, Op.RELEASE: self.release,
            Op.OPENDIR: self.opendir, Op.READDIR: self.readdir,
            Op.RELEASEDIR: self.release, Op.STATFS: self.statfs,
            Op.GETXATTR: self.getxattr, Op.LISTXATTR: self.listxattr,
            Op.LSEEK: self.lseek, Op.FLUSH: lambda asked: wire.done(asked.unique),
            Op.STATX: self.statx, Op.DESTROY: lambda asked: wire.done(asked.unique),
        }  # fmt: skip

    def greet(self, asked: Request) -> Reply:
        """Answer the first question of all: what we understand."""
        lists = wire.FUSE_POSIX_ACL | wire.FUSE_DONT_MASK if self.has_lists else 0
        return wire.greeting(asked.unique, asked.body, wire.WISHES | lists)

    def real(self, name: bytes) -> str:
        """Give the name that an extended attribute has on the disk.  Raises OSError."""
        word = os.fsdecode(name)
        return privatenames.real(word, self.private, has_lists=self.has_lists)

    def lookup(self, asked: Request) -> Reply:
        """Say what a name in a directory leads to."""
        name = str(asked.body[:-1], "utf-8", "surrogateescape")
        if len(asked.body) > wire.NAME_MAX + 1:
            raise OSError(errno.ENAMETOOLONG, name)
        node = self.tree.look_up(self.tree.node(asked.nodeid), name)
        if node is None:
            return wire.refusal(asked.unique, errno.ENOENT)
        return self.entry(asked.unique, node)

    def entry(self, unique: int, node: Node) -> Reply:
        """Give a node to the kernel, which will name it by its number."""
        return wire.entry(unique, node.nodeid, self.tree.attributes(node))

    def forget(self, asked: Request) -> None:
        """Let the kernel know a node no more; there is no reply to this."""
        self.tree.forget(asked.nodeid, *wire.FORGET_IN.unpack_from(asked.body))

    def forget_many(self, asked: Request) -> None:
        """The same for many nodes."""
        count, _ = wire.BATCH_FORGET_IN.unpack_from(asked.body)
        for number in range(count):
            self.tree.forget(*wire.FORGET_ONE.unpack_from(asked.body, 8 + 16 * number))

    def getattr(self, asked: Request) -> Reply:
        """Give the attributes of a node, as the disk has them now."""
        return self.attributes(asked.unique, self.tree.node(asked.nodeid))

    def attributes(self, unique: int, node: Node) -> Reply:
        """Give the attributes of a node."""
        node.packed = (-1, b"")
        return wire.attributes(unique, self.tree.attributes(node))

    def statx(self, asked: Request) -> Reply:
        """Give the attributes of a node and the time of its birth."""
        node = self.tree.node(asked.nodeid)
        found = self.tree.status(node)
        if node.fd >= 0:
            told = syscalls.statx(node.fd, b"")
        else:
            told = syscalls.statx(syscalls.AT_FDCWD, os.fsencode(self.tree.place(node)))
        links, blocks = self.tree.links(node, found), self.tree.blocks(node, found)
        return wire.statx(asked.unique, told, node.ino, links, blocks)

    def readlink(self, asked: Request) -> Reply:
        """Give where a symbolic link leads."""
        node = self.tree.node(asked.nodeid)
        node.packed = (-1, b"")
        if node.fd >= 0:
            target: str | bytes = os.readlink(b"", dir_fd=node.fd)
        else:
            target = os.readlink(self.tree.place(node))
        return wire.data(asked.unique, os.fsencode(target))

    # ── Open files ───────────────────────────────────────────────────────────────────────

    def open_to_read(self, unique: int, node: Node, flags: int) -> Reply:
        """Open a file where it lies; nothing is copied."""
        is_upper = node.fd_is_upper if node.fd >= 0 else bool(node.spot.upper)
        flags &= ~(NOT_OURS | os.O_TRUNC)
        quiet = flags if is_upper else flags | os.O_NOATIME
        try:
            descriptor = self.tree.open(node, quiet)
        except PermissionError:  # O_NOATIME is for a file's owner
            descriptor = self.tree.open(node, flags & ~os.O_NOATIME)
        handle = self.tree.hold(node, descriptor, is_upper=is_upper)
        return wire.opened(unique, handle.number, _OPENED)

    def read(self, asked: Request) -> Reply:
        """Read a stretch of a file."""
        number, offset, size, *_ = wire.READ_IN.unpack_from(asked.body)
        handle = self.tree.handles[number]
        handle.node.packed = (-1, b"")  # its time of access
        length = os.preadv(handle.fd, [self._room[:size]], offset)
        return wire.OUT_HEADER.pack(16 + length, 0, asked.unique), self._room[:length]

    def lseek(self, asked: Request) -> Reply:
        """Find data, or a hole."""
        number, offset, whence, _ = wire.LSEEK_IN.unpack_from(asked.body)
        found = os.lseek(self.tree.handles[number].fd, offset, whence)
        return wire.position(asked.unique, found)

    def release(self, asked: Request) -> Reply:
        """Close a handle."""
        number, *_ = wire.RELEASE_IN.unpack_from(asked.body)
        self.tree.release(number)
        return wire.done(asked.unique)

    # ── Directories ──────────────────────────────────────────────────────────────────────

    def opendir(self, asked: Request) -> Reply:
        """Open a directory; what it holds is read when it is asked for."""
        node = self.tree.node(asked.nodeid)
        handle = self.tree.hold(node, -1, is_upper=bool(node.spot.upper))
        return wire.opened(asked.unique, handle.number, 0)

    def readdir(self, asked: Request) -> Reply:
        """Give the next names of a directory, as it was when it was read from the start."""
        number, offset, size, *_ = wire.READ_IN.unpack_from(asked.body)
        handle = self.tree.handles[number]
        if offset == 0 or handle.entries is None:
            handle.entries = self._entries(handle.node)
            handle.node.packed = (-1, b"")
        parts: list[bytes] = []
        for at in range(offset, len(handle.entries)):
            name, ino, mode = handle.entries[at]
            entry = wire.dirent(ino, at + 1, name, mode)
            size -= len(entry)
            if size < 0:
                break
            parts.append(entry)
        return wire.data(asked.unique, b"".join(parts))

    def _entries(self, node: Node) -> list[tuple[bytes, int, int]]:
        parent = node.parent or node
        found = [(b".", node.ino, stat.S_IFDIR), (b"..", parent.ino, stat.S_IFDIR)]
        if node.fd >= 0:
            return found
        kinds = {
            part.branch: self.tree.disks[part.branch].kinds(part.path)
            for part in node.spot.parts
        }
        for listed in listing(self.tree.stack, node.spot):
            ino, mode = kinds[listed.branch].get(listed.name, (0, 0))
            known = node.children.get(listed.name)
            ino = known.ino if known else self.tree.shown_ino(listed.branch, ino)
            found.append((os.fsencode(listed.name), ino, mode))
        return found

    # ── The filesystem, extended attributes ──────────────────────────────────────────────

    def statfs(self, asked: Request) -> Reply:
        """Tell how full the disk is on which changes go."""
        return wire.space(asked.unique, os.statvfs(self.tree.disks[0].base))

    def getxattr(self, asked: Request) -> Reply:
        """Give the value of an extended attribute, or its size."""
        size, _ = wire.GETXATTR_IN.unpack_from(asked.body)
        name = self.real(wire.names(asked.body, 8)[0])
        value = self.value(self.tree.node(asked.nodeid), name)
        return _sized(asked.unique, size, value)

    def value(self, node: Node, name: str) -> bytes:
        """Read an extended attribute where the node lies.  Raises OSError."""
        return os.getxattr(self.tree.place(node), name, follow_symlinks=node.fd >= 0)

    def listxattr(self, asked: Request) -> Reply:
        """List extended attributes; `trusted` ones are for root, overlayfs's for nobody."""
        size, _ = wire.GETXATTR_IN.unpack_from(asked.body)
        node = self.tree.node(asked.nodeid)
        shown = privatenames.shown(
            os.listxattr(self.tree.place(node), follow_symlinks=node.fd >= 0),
            self.private,
            has_lists=self.has_lists,
        )
        listed = b"".join(
            os.fsencode(name) + b"\0"
            for name in shown
            if asked.uid == 0 or not name.startswith("trusted.")
        )
        return _sized(asked.unique, size, listed)


def _sized(unique: int, room: int, value: bytes) -> Reply:
    """Give a value, if there is room for it; without any, its size."""
    if not room:
        return wire.count(unique, len(value))
    if len(value) > room:
        raise OSError(errno.ERANGE, "no room for the value")
    return wire.data(unique, value)
