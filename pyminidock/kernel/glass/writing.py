"""The requests that change something: decided by unionfs, performed in the upper directory.

    UNLINK motd ──► unionfs.naming.unlink(…) ──► CopyUp(/etc), Whiteout(/etc/motd)
                                                    │
                    the tree forgets the name ◄─────┴──► upper: mkdir, mknod, rename

The kernel has checked permissions before it asks.  New objects belong to who asked, in a
directory with the set-group-ID bit to the directory's group.

Source: Linux, fs/fuse/dir.c; man 7 inode, "S_ISGID"; fs/overlayfs/dir.c.
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from pyminidock.kernel.glass import privatenames, wire
from pyminidock.kernel.glass.ahead import CopiesAhead
from pyminidock.kernel.glass.loop import Loop, Perform, Reply
from pyminidock.kernel.glass.reading import NOT_OURS, Reading
from pyminidock.kernel.glass.tree import Node, Tree
from pyminidock.kernel.glass.upper import Upper
from pyminidock.kernel.glass.wire import Op, Request
from pyminidock.kernel.linux import syscalls
from pyminidock.unionfs import copyup, naming
from pyminidock.unionfs.branches import inside
from pyminidock.unionfs.effects import (
    Clear,
    CopyUp,
    Effect,
    Effects,
    Extent,
    FillUp,
    Link,
    MakeUnnamed,
    Newborn,
    Rename,
    SetOpaque,
    SetRedirect,
    told,
)
from pyminidock.unionfs.renaming import Flags, rename

_NR_FALLOCATE = 47 if os.uname().machine == "aarch64" else 285
_CLOCK_REALTIME_COARSE = 5  # by which filesystems write times; a finer one would be ahead
_OPENED = wire.FOPEN_KEEP_CACHE | wire.FOPEN_NOFLUSH


class Writing:
    """What changes the tree."""

    def __init__(self, tree: Tree, reading: Reading, upper: Upper, loop: Loop) -> None:
        self.tree, self.reading, self.upper = tree, reading, upper
        self.ahead = CopiesAhead(upper, loop)
        self.loop = loop
        self._layers = tuple(disk.name for disk in tree.disks)

    def performs(self) -> dict[int, Perform]:
        """Tell which request is performed by whom; some may wait for a copy."""
        slow: dict[int, Perform] = {
            Op.OPEN: self.open, Op.SETATTR: self.setattr, Op.LINK: self.link,
            Op.RENAME: self.rename, Op.RENAME2: self.rename2,
            Op.SETXATTR: self.setxattr, Op.REMOVEXATTR: self.removexattr,
        }  # fmt: skip
        quick: dict[int, Perform] = {
            Op.CREATE: self.create, Op.TMPFILE: self.tmpfile, Op.MKNOD: self.mknod,
            Op.MKDIR: self.mkdir, Op.SYMLINK: self.symlink, Op.UNLINK: self.unlink,
            Op.RMDIR: self.rmdir, Op.WRITE: self.write, Op.FALLOCATE: self.fallocate,
            Op.COPY_FILE_RANGE: self.copy_range, Op.FSYNC: self.fsync,
            Op.FSYNCDIR: self.fsync, Op.SYNCFS: self.syncfs,
        }  # fmt: skip
        changing = {op: self._changing(perform) for op, perform in (slow | quick).items()}
        changing[Op.OPEN] = self.open  # most only want to read: it sees to it itself
        return changing | {op: self.ahead.patient(changing[op]) for op in slow}

    def _changing(self, perform: Perform) -> Perform:
        """Let what was remembered of attributes be out of date afterwards."""

        def changing(asked: Request) -> Reply | None:
            try:
                return perform(asked)
            finally:
                self.tree.changes += 1

        return changing

    # ── Carrying out ─────────────────────────────────────────────────────────────────────

    def perform(self, effects: Effects) -> None:
        """Carry out what was decided, and tell of it.  Raises OSError."""
        for effect in effects:
            for path in _paths(effect):
                self.tree.outdated(path)
            if isinstance(effect, MakeUnnamed) or (
                isinstance(effect, Link) and effect.old is None
            ):
                continue  # needs the file in hand: its caller's
            self.upper.perform(effect)
            if isinstance(effect, CopyUp | FillUp | SetOpaque | SetRedirect | Clear):
                self.tree.changes += 1
                self.tree.touched(effect.path)
            if self.tree.listener is not None and (event := told(effect, self._layers)):
                self.tree.listener.done(event)

    def copied_up(self, node: Node, extent: Extent = Extent.METADATA) -> None:
        """See to it that a node may be changed.  Raises OSError."""
        if node.fd < 0:
            effects = copyup.copy_up(self.tree.stack, node.path, extent)
            self.ahead.need(effects)
            self.perform(effects)
        elif not node.fd_is_upper:
            self._raise_nameless(node)

    def _raise_nameless(self, node: Node) -> None:
        """Copy a deleted file of a lower layer, so that it can be changed all the same."""
        if not stat.S_ISREG(node.mode):
            raise OSError(errno.ENOENT, "deleted, and in a lower layer")
        found = self.tree.status(node)
        newborn = Newborn(found.st_mode, found.st_uid, found.st_gid)
        fresh = self.upper.make_unnamed("/", newborn)
        at = 0
        reading = self.tree.open(node, os.O_RDONLY)
        while copied := os.copy_file_range(reading, fresh, 8 << 20, at, at):
            at += copied
        os.close(reading)
        os.utime(fresh, ns=(found.st_atime_ns, found.st_mtime_ns))
        os.close(node.fd)
        node.fd, node.fd_is_upper = fresh, True
        self.tree.reopen(node)

    def _newborn(self, asked: Request, parent: Node, mode: int, umask: int = 0) -> Newborn:
        """Say whose a new object is, and what it inherits in place of the umask."""
        above = self.tree.status(parent)
        heritage = b""
        if self.reading.has_lists and not stat.S_ISLNK(mode):
            with suppress(OSError):  # no list
                heritage = self.reading.value(parent, privatenames.DEFAULT)
            mode = mode if heritage else mode & ~umask
        gid = asked.gid
        if above.st_mode & stat.S_ISGID:
            gid = above.st_gid
            mode |= stat.S_ISGID if stat.S_ISDIR(mode) else 0
        return Newborn(mode, asked.uid, gid, heritage=heritage)

    def _parent(self, nodeid: int) -> Node:
        node = self.tree.node(nodeid)
        if node.fd >= 0:
            raise OSError(errno.ENOENT, "the directory was removed")
        return node

    # ── Making ───────────────────────────────────────────────────────────────────────────

    def _make(self, asked: Request, name: bytes, newborn: Newborn) -> Reply:
        parent = self._parent(asked.nodeid)
        return self.reading.entry(asked.unique, self._make_node(parent, name, newborn))

    def _make_node(self, parent: Node, name: bytes, newborn: Newborn) -> Node:
        word = os.fsdecode(name)
        path = inside(parent.path, word)
        self.perform(naming.create(self.tree.stack, path, newborn))
        self.tree.changes += 1
        found = self.tree.look_up(parent, word, is_silent=True)
        if found is None:
            raise OSError(errno.EIO, "made, and not there")
        return found

    def mkdir(self, asked: Request) -> Reply:
        """Make a directory."""
        mode, umask = wire.MKDIR_IN.unpack_from(asked.body)
        parent = self._parent(asked.nodeid)
        newborn = self._newborn(asked, parent, stat.S_IFDIR | mode, umask)
        return self._make(asked, wire.names(asked.body, 8)[0], newborn)

    def mknod(self, asked: Request) -> Reply:
        """Make a device, a pipe, a socket or a plain file."""
        mode, device, umask, _ = wire.MKNOD_IN.unpack_from(asked.body)
        if stat.S_ISCHR(mode) and device == 0:  # it would delete its own name
            raise OSError(errno.EPERM, "a device 0:0 is a whiteout")
        newborn = self._newborn(asked, self._parent(asked.nodeid), mode, umask)
        newborn = replace(newborn, device=wire.big_device(device))
        return self._make(asked, wire.names(asked.body, 16)[0], newborn)

    def symlink(self, asked: Request) -> Reply:
        """Make a symbolic link."""
        name, target = wire.names(asked.body)
        own = self._newborn(asked, self._parent(asked.nodeid), stat.S_IFLNK | 0o777)
        newborn = Newborn(own.mode, own.uid, own.gid, target=os.fsdecode(target))
        return self._make(asked, name, newborn)

    def create(self, asked: Request) -> Reply:
        """Make a file and open it."""
        flags, mode, umask, _ = wire.CREATE_IN.unpack_from(asked.body)
        parent = self._parent(asked.nodeid)
        newborn = self._newborn(asked, parent, stat.S_IFREG | stat.S_IMODE(mode), umask)
        node = self._make_node(parent, wire.names(asked.body, 16)[0], newborn)
        return self._created(asked.unique, node, self.tree.open(node, _access(flags)))

    def _created(self, unique: int, node: Node, descriptor: int) -> Reply:
        handle = self.tree.hold(node, descriptor, is_upper=True)
        attributes = self.tree.attributes(node)
        return wire.created(unique, node.nodeid, attributes, handle.number, _OPENED)

    def tmpfile(self, asked: Request) -> Reply:
        """Make a file without a name and open it."""
        _, mode, umask, _ = wire.CREATE_IN.unpack_from(asked.body)
        parent = self._parent(asked.nodeid)
        newborn = self._newborn(asked, parent, stat.S_IFREG | stat.S_IMODE(mode), umask)
        self.perform(naming.make_unnamed(self.tree.stack, parent.path, newborn))
        descriptor = self.upper.make_unnamed(parent.path, newborn)
        found = os.fstat(descriptor)
        node = self.tree.adopt(Node(0, None, "", parent.spot), found)
        node.fd, node.fd_is_upper = os.dup(descriptor), True
        node.lookups = 1
        return self._created(asked.unique, node, descriptor)

    def link(self, asked: Request) -> Reply:
        """Give a file one more name; one of O_TMPFILE its first."""
        (old,) = wire.LINK_IN.unpack_from(asked.body)
        node, parent = self.tree.node(old), self._parent(asked.nodeid)
        word = os.fsdecode(wire.names(asked.body, 8)[0])
        path = inside(parent.path, word)
        if node.fd >= 0:
            if node.parent is not None:
                raise OSError(errno.ENOENT, "its last name is gone")
            effects = naming.link_unnamed(self.tree.stack, path)
            self.perform(effects)
            last = effects[-1]
            assert isinstance(last, Link), "what else"  # noqa: S101
            self.upper.link_unnamed(node.fd, last)
        else:
            effects = naming.link(self.tree.stack, node.path, path)
            self.ahead.need(effects)
            self.perform(effects)
        self.tree.add_name(node, parent, word)
        self.tree.changes += 1
        return self.reading.entry(asked.unique, node)

    # ── Taking away, moving ──────────────────────────────────────────────────────────────

    def unlink(self, asked: Request) -> Reply:
        """Take a name of a file away."""
        return self._remove(asked, naming.unlink)

    def rmdir(self, asked: Request) -> Reply:
        """Remove an empty directory."""
        return self._remove(asked, naming.rmdir)

    def _remove(self, asked: Request, decide: Callable[..., Effects]) -> Reply:
        parent = self._parent(asked.nodeid)
        word = os.fsdecode(wire.names(asked.body)[0])
        effects = decide(self.tree.stack, inside(parent.path, word))
        with self.tree.losing(parent, word):
            self.perform(effects)
        return wire.done(asked.unique)

    def rename(self, asked: Request) -> Reply:
        """Move a name, over what is there."""
        (target,) = wire.RENAME_IN.unpack_from(asked.body)
        return self._rename(asked, target, wire.names(asked.body, 8), 0)

    def rename2(self, asked: Request) -> Reply:
        """Move a name, with flags."""
        target, flags, _ = wire.RENAME2_IN.unpack_from(asked.body)
        return self._rename(asked, target, wire.names(asked.body, 16), flags)

    def _rename(self, asked: Request, target: int, names: list[bytes], flags: int) -> Reply:
        old = self._parent(asked.nodeid), os.fsdecode(names[0])
        new = self._parent(target), os.fsdecode(names[1])
        effects = rename(
            self.tree.stack, inside(old[0].path, old[1]), inside(new[0].path, new[1]),
            Flags(flags),
        )  # fmt: skip
        self.ahead.need(effects)
        if not effects:  # two names of one file
            return wire.done(asked.unique)
        if flags & Flags.EXCHANGE:
            self.perform(effects)
            self.tree.swap_names(old, new)
        else:
            with self.tree.losing(*new):
                self.perform(effects)
            self.tree.move_name(old, new)
        return wire.done(asked.unique)

    # ── Attributes ───────────────────────────────────────────────────────────────────────

    def setattr(self, asked: Request) -> Reply:
        """Change owner, mode, size or times."""
        wanted = wire.Wanted(*wire.SETATTR_IN.unpack_from(asked.body))
        node = self.tree.node(asked.nodeid)
        valid = wanted.valid
        extent = Extent.METADATA
        if valid & wire.FATTR_SIZE:
            extent = Extent.CONTENT if wanted.size else Extent.EMPTY
            if not wanted.size and self.tree.status(node).st_size:
                now = wire.FATTR_MTIME | wire.FATTR_MTIME_NOW
                valid |= 0 if valid & wire.FATTR_MTIME else now  # its copy is empty already
        self.copied_up(node, extent)
        place, follow = self.tree.place(node), node.fd >= 0
        if valid & (wire.FATTR_UID | wire.FATTR_GID) or not valid:  # chown(-1, -1): now
            uid = wanted.uid if valid & wire.FATTR_UID else -1
            gid = wanted.gid if valid & wire.FATTR_GID else -1
            os.chown(place, uid, gid, follow_symlinks=follow)
        if valid & wire.FATTR_MODE:
            os.chmod(place, stat.S_IMODE(wanted.mode))
        if valid & wire.FATTR_SIZE:
            os.truncate(place, wanted.size)
        if valid & (wire.FATTR_ATIME | wire.FATTR_MTIME):
            times = _times(wanted._replace(valid=valid), self.tree.status(node))
            os.utime(place, ns=times, follow_symlinks=follow)
        return self.reading.attributes(asked.unique, node)

    def setxattr(self, asked: Request) -> Reply:
        """Set an extended attribute."""
        size, flags = wire.SETXATTR_IN.unpack_from(asked.body)
        word, _, rest = bytes(asked.body[8:]).partition(b"\0")
        name = self.reading.real(word)
        node = self.tree.node(asked.nodeid)
        self.copied_up(node)
        place, follow = self.tree.place(node), node.fd >= 0
        os.setxattr(place, name, rest[:size], flags, follow_symlinks=follow)
        return wire.done(asked.unique)

    def removexattr(self, asked: Request) -> Reply:
        """Remove an extended attribute; one that is absent copies nothing up."""
        name = self.reading.real(wire.names(asked.body)[0])
        node = self.tree.node(asked.nodeid)
        self.reading.value(node, name)
        self.copied_up(node)
        place, follow = self.tree.place(node), node.fd >= 0
        os.removexattr(place, name, follow_symlinks=follow)
        return wire.done(asked.unique)

    # ── Open files ───────────────────────────────────────────────────────────────────────

    def open(self, asked: Request) -> Reply:
        """Open a file; to write it, it is copied up first."""
        flags, _ = wire.OPEN_IN.unpack_from(asked.body)
        node = self.tree.node(asked.nodeid)
        writes = flags & os.O_ACCMODE != os.O_RDONLY
        if not writes and not flags & os.O_TRUNC:
            return self.reading.open_to_read(asked.unique, node, flags)
        self.tree.changes += 1
        extent = Extent.EMPTY if flags & os.O_TRUNC else Extent.CONTENT
        self.copied_up(node, extent)
        descriptor = self.tree.open(node, _access(flags) | flags & os.O_TRUNC)
        handle = self.tree.hold(node, descriptor, is_upper=True)
        return wire.opened(asked.unique, handle.number, _OPENED)

    def write(self, asked: Request) -> Reply:
        """Write a stretch of a file."""
        number, offset, size, *_ = wire.WRITE_IN.unpack_from(asked.body)
        content = asked.body[40 : 40 + size]
        written = os.pwrite(self.tree.handles[number].fd, content, offset)
        return wire.count(asked.unique, written)

    def fallocate(self, asked: Request) -> Reply:
        """Reserve or punch out a stretch of a file."""
        number, offset, length, mode, _ = wire.FALLOCATE_IN.unpack_from(asked.body)
        descriptor = self.tree.handles[number].fd
        syscalls.enter(_NR_FALLOCATE, descriptor, mode, offset, length)
        return wire.done(asked.unique)

    def copy_range(self, asked: Request) -> Reply:
        """Copy a stretch from file to file, without a way through the program."""
        source, start, _, target, end, size, _ = wire.COPY_IN.unpack_from(asked.body)
        reading, writing = self.tree.handles[source].fd, self.tree.handles[target].fd
        copied = os.copy_file_range(reading, writing, size, start, end)
        return wire.count(asked.unique, copied)

    def fsync(self, asked: Request) -> Reply | None:
        """Wait for the disk, in a worker."""
        number, flags, _ = wire.FSYNC_IN.unpack_from(asked.body)
        handle = self.tree.handles[number]
        if handle.fd >= 0:
            descriptor = os.dup(handle.fd)
        elif handle.node.spot.upper and handle.node.fd < 0:
            descriptor = self.tree.open(handle.node, os.O_RDONLY | os.O_DIRECTORY)
        else:
            return wire.done(asked.unique)
        sync = os.fdatasync if flags & 1 else os.fsync

        def wait() -> None:
            try:
                sync(descriptor)
            finally:
                os.close(descriptor)

        self.ahead.later(asked.unique, wait)
        return None

    def syncfs(self, asked: Request) -> Reply | None:
        """Wait until the disk has all of the upper directory."""
        root = self.tree.disks[0].open("/", os.O_RDONLY | os.O_DIRECTORY)

        def wait() -> None:
            try:
                syscalls.syncfs(root)
            finally:
                os.close(root)

        self.ahead.later(asked.unique, wait)
        return None


def _paths(effect: Effect) -> Iterator[str]:
    """Name the paths whose answers an effect changes."""
    match effect:
        case Rename(old, new):
            yield old
            yield new
        case Link(_, new):
            yield new
        case MakeUnnamed():
            return
        case _:
            yield effect.path


def _access(flags: int) -> int:
    """Give the flags for our own open(2): who writes may read, for pages half written."""
    kept = flags & ~(os.O_ACCMODE | os.O_TRUNC | NOT_OURS)
    writes = flags & os.O_ACCMODE != os.O_RDONLY
    return kept | (os.O_RDWR if writes else os.O_RDONLY)


def _times(wanted: wire.Wanted, found: os.stat_result) -> tuple[int, int]:
    """Give both times in nanoseconds: what was asked for, now, or what is there."""
    now = time.clock_gettime_ns(_CLOCK_REALTIME_COARSE)
    times = []
    for flag, current, asked, is_now in (
        (wire.FATTR_ATIME, found.st_atime_ns, wanted.atime_ns, wire.FATTR_ATIME_NOW),
        (wire.FATTR_MTIME, found.st_mtime_ns, wanted.mtime_ns, wire.FATTR_MTIME_NOW),
    ):
        given = now if wanted.valid & is_now else asked
        times.append(given if wanted.valid & flag else current)
    return times[0], times[1]
