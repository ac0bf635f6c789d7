"""The calls that programs make, on a union filesystem in memory.

Each call decides (`copyup`, `naming`, `renaming`), carries the effects out, and then does
what remains, to the upper inode.  Errors are OSError with the number that Linux gives.
Paths are absolute; symlinks are followed as the VFS does.

    system = Model([upper, base])
    with_handle = system.open("/etc/motd", writes=True)
    system.write(with_handle, 0, b"hello")

Source: the man page of each call, section 2; fs/namei.c for the order of refusals.
"""

import errno
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from pyminidock.events import Emit, ignore
from pyminidock.unionfs import copyup, naming, renaming
from pyminidock.unionfs.branches import UPPER, Spot, Stack
from pyminidock.unionfs.effects import Effects, Extent, Newborn, told
from pyminidock.unionfs.model.carrying import carry_out
from pyminidock.unionfs.model.handles import Handle, follow
from pyminidock.unionfs.model.tree import Inode, Tree, born
from pyminidock.unionfs.search import listing, walk

LINKS_FOLLOWED = 40  # MAXSYMLINKS, include/linux/namei.h


@dataclass(frozen=True, slots=True)
class Status:
    """What stat(2) says; sizes in bytes."""

    mode: int
    uid: int
    gid: int
    size_bytes: int
    links: int
    device: int


class Model:
    """A mount of trees in memory, the first one writable; root's view of it."""

    def __init__(
        self,
        trees: Sequence[Tree],
        *,
        redirects: bool = False,
        metacopy: bool = False,
        emit: Emit = ignore,
    ) -> None:
        self.trees = tuple(trees)
        self.stack = Stack(self.trees, redirects=redirects, metacopy=metacopy)
        self._handles: list[Handle] = []
        self._emit = emit

    # ── Names ────────────────────────────────────────────────────────────────────────────

    def create(self, path: str, newborn: Newborn) -> None:
        """Do mkdir, mknod or symlink: they never follow the last name."""
        self._do(naming.create(self.stack, self._at(path), newborn))

    def link(self, old: str, new: str) -> None:
        """Give a file one more name; a symlink gets it itself."""
        place = self._existing(old, follows=False).path
        self._do(naming.link(self.stack, place, self._at(new)))

    def link_handle(self, handle: Handle, new: str) -> None:
        """Give an unnamed file its first name, or an open one another."""
        place = self._at(new)
        if handle.path is not None:
            self._do(naming.link(self.stack, handle.path, place))
            return
        effects = naming.link_unnamed(self.stack, place)
        if not handle.is_unnamed and self._lost_all(handle.inode):
            raise OSError(errno.ENOENT, new)
        self._do(effects, handle.inode)
        handle.path, handle.is_unnamed = place, False

    def unlink(self, path: str) -> None:
        """Take a name away."""
        self._do(naming.unlink(self.stack, self._at(path)))

    def rmdir(self, path: str) -> None:
        """Take an empty directory away."""
        self._do(naming.rmdir(self.stack, self._at(path)))

    def rename(self, old: str, new: str, flags: int = 0) -> None:
        """Do renameat2: give another name, or let two names change places."""
        olds, news = self._at(old), self._at(new)
        self._do(renaming.rename(self.stack, olds, news, renaming.Flags(flags)))

    def names(self, path: str) -> list[str]:
        """List a directory, in order."""
        spot = self._existing(path)
        if not spot.is_directory:
            raise OSError(errno.ENOTDIR, path)
        return sorted(listed.name for listed in listing(self.stack, spot))

    def readlink(self, path: str) -> str:
        """Give where a symlink leads."""
        inode = self._inode(self._existing(path, follows=False))
        if not stat.S_ISLNK(inode.mode):
            raise OSError(errno.EINVAL, path)
        return inode.target

    # ── Open files ───────────────────────────────────────────────────────────────────────

    def open(  # noqa: PLR0913  (open(2) has that many flags)
        self,
        path: str,
        *,
        writes: bool = False,
        reads: bool = True,
        appends: bool = False,
        truncates: bool = False,
        creates: Newborn | None = None,
        exclusive: bool = False,
    ) -> Handle:
        """Open a file, after making it if asked."""
        place = self._at(path, follows=not exclusive)
        spot = walk(self.stack, place)
        if spot.exists and creates and exclusive:
            raise OSError(errno.EEXIST, path)
        if not spot.exists and creates:
            self._do(naming.create(self.stack, place, creates))
        elif spot.is_directory and creates:
            raise OSError(errno.EISDIR, path)
        elif spot.exists and stat.S_ISLNK(self._inode(spot).mode):
            raise OSError(errno.ELOOP, path)
        self._do(copyup.open_file(self.stack, place, writes=writes, truncates=truncates))
        spot = walk(self.stack, place)
        inode, source = self._inode(spot), self._source(spot)
        if writes and not reads:
            self._require_reader(inode)
        if truncates and stat.S_ISREG(inode.mode):
            del inode.content[:]
        handle = Handle(place, inode, source, reads, writes, appends)
        self._handles.append(handle)
        return handle

    def open_unnamed(self, directory: str, newborn: Newborn) -> Handle:
        """Do O_TMPFILE: a file that is in no directory."""
        place = self._at(directory, follows=True)
        self._do(naming.make_unnamed(self.stack, place, newborn))
        inode = born(newborn)
        handle = Handle(None, inode, inode, reads=True, writes=True, is_unnamed=True)
        self._handles.append(handle)
        return handle

    def close(self, handle: Handle) -> None:
        """Let go."""
        self._handles.remove(handle)

    def read(self, handle: Handle, at: int, size: int) -> bytes:
        """Do pread."""
        _require_places(handle.inode)
        if not handle.reads:
            raise OSError(errno.EBADF, "not open for reading")
        if handle.inode.is_directory:
            raise OSError(errno.EISDIR, "a directory")
        return bytes(handle.content[at : at + size])

    def write(self, handle: Handle, at: int, data: bytes) -> int:
        """Do pwrite; O_APPEND writes at the end, wherever `at` is."""
        _require_places(handle.inode)
        if not handle.writes:
            raise OSError(errno.EBADF, "not open for writing")
        content = handle.content
        start = len(content) if handle.appends else at
        content.extend(bytes(max(0, start - len(content))))
        content[start : start + len(data)] = data
        return len(data)

    def resize(self, handle: Handle, size: int) -> None:
        """Do ftruncate."""
        if not handle.writes or not stat.S_ISREG(handle.inode.mode):
            raise OSError(errno.EINVAL, "not a file open for writing")
        _resize(handle.content, size)

    def status_of(self, handle: Handle) -> Status:
        """Do fstat."""
        return _status(handle.inode, len(handle.content))

    # ── Attributes ───────────────────────────────────────────────────────────────────────

    def status(self, path: str) -> Status:
        """Do lstat."""
        spot = self._existing(path, follows=False)
        return _status(self._inode(spot), len(self._source(spot).content))

    def truncate(self, path: str, size: int) -> None:
        """Do truncate: all is copied up, even what is cut off."""
        spot = self._existing(path)
        if spot.is_directory:
            raise OSError(errno.EISDIR, path)
        if not spot.top.is_regular:
            raise OSError(errno.EINVAL, path)
        _resize(self._changed(spot.path, Extent.CONTENT).content, size)

    def chmod(self, path: str, mode: int) -> None:
        """Change the permissions of what a path leads to."""
        inode = self._changed(self._existing(path).path)
        inode.mode = stat.S_IFMT(inode.mode) | mode

    def chown(self, path: str, uid: int, gid: int) -> None:
        """Do lchown."""
        inode = self._changed(self._existing(path, follows=False).path)
        inode.uid, inode.gid = uid, gid

    def setxattr(self, path: str, name: str, value: bytes) -> None:
        """Set an attribute `user.…`: only files and directories have those."""
        spot = self._existing(path)
        self._require_attributes(spot)
        self._changed(spot.path).xattrs[name] = value

    def removexattr(self, path: str, name: str) -> None:
        """Remove an attribute; one that is not there copies nothing up."""
        spot = self._existing(path)
        self._require_attributes(spot)
        if name not in self._inode(spot).xattrs:
            raise OSError(errno.ENODATA, path)
        del self._changed(spot.path).xattrs[name]

    def xattrs(self, path: str) -> dict[str, bytes]:
        """Give all attributes."""
        return dict(self._inode(self._existing(path)).xattrs)

    # ── Inside ───────────────────────────────────────────────────────────────────────────

    def _do(self, effects: Effects, unnamed: Inode | None = None) -> None:
        layers = tuple(tree.name for tree in self.trees)
        for effect in effects:
            carry_out(self.trees, effect, unnamed)
            follow(self._handles, self.trees, effect)
            if fact := told(effect, layers):
                self._emit(fact)

    def _changed(self, path: str, extent: Extent = Extent.METADATA) -> Inode:
        """Give the upper inode of a path that is about to change."""
        self._do(copyup.copy_up(self.stack, path, extent))
        return self.trees[UPPER].at(path)

    def _existing(self, path: str, *, follows: bool = True) -> Spot:
        spot = walk(self.stack, self._at(path, follows=follows))
        copyup.require(spot)
        return spot

    def _inode(self, spot: Spot) -> Inode:
        part = spot.parts[0]
        return self.trees[part.branch].at(part.path)

    def _source(self, spot: Spot) -> Inode:
        return self.trees[spot.content.branch].at(spot.content.path)

    def _lost_all(self, inode: Inode) -> bool:
        """Tell whether a file without this name has no other one that the mount knows.

        Two names of one lower file are two files here, each with a copy of its own.
        """
        lower = (each for tree in self.trees[1:] for _, each in tree.walk())
        return not inode.links or any(each is inode for each in lower)

    def _require_reader(self, inode: Inode) -> None:
        """Refuse to write into a pipe that nobody reads; who waits for one is no model."""
        readers = [each for each in self._handles if each.inode is inode and each.reads]
        if stat.S_ISFIFO(inode.mode) and not readers:
            raise OSError(errno.ENXIO, "a pipe without a reader")

    def _require_attributes(self, spot: Spot) -> None:
        if not spot.is_directory and not spot.top.is_regular:
            raise OSError(errno.EPERM, spot.path)

    def _at(self, path: str, *, follows: bool = False) -> str:
        """Resolve the symlinks on the way, and the last one if asked: the VFS's part."""
        done, waiting, followed = "/", [w for w in path.split("/") if w], 0
        while waiting:
            name = waiting.pop(0)
            if name in (".", ".."):
                done = done.rpartition("/")[0] or "/" if name == ".." else done
                continue
            done = f"{done.rstrip('/')}/{name}"
            spot = walk(self.stack, done)
            if not waiting and not follows:
                break
            if spot.exists and stat.S_ISLNK(self._inode(spot).mode):
                followed += 1
                if followed > LINKS_FOLLOWED:
                    raise OSError(errno.ELOOP, path)
                target = self._inode(spot).target
                waiting[:0] = [word for word in target.split("/") if word]
                done = "/" if target.startswith("/") else done.rpartition("/")[0] or "/"
        return done


def _require_places(inode: Inode) -> None:
    if stat.S_ISFIFO(inode.mode):
        raise OSError(errno.ESPIPE, "a pipe has no places")


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))


def _status(inode: Inode, size: int) -> Status:
    """Directories count no names here: every filesystem has its own rule for that."""
    if stat.S_ISLNK(inode.mode):
        size = len(inode.target)
    if inode.is_directory:
        return Status(inode.mode, inode.uid, inode.gid, 0, 1, 0)
    return Status(inode.mode, inode.uid, inode.gid, size, inode.links, inode.device)
