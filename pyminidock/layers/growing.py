"""A tree that nobody but us can touch yet, and names in it that stay inside.

An archive is unpacked into an empty directory that is ours alone.  So we know every
directory in it: we made it.  They are kept as nodes, and walking to `usr/lib/x` asks the
kernel nothing as long as the way leads through directories:

    root ── usr ── lib            a node has a name, a parent, and at times a handle
      └──── bin

Where it does not, one name at a time is looked at, never followed by the kernel: a link is
expanded by us, with this root as its root, a file in the way gives place to a directory,
and what is missing is made.  Every call takes a handle and one name, and no call follows a
link, so nothing an archive says can reach beyond the root.

Until `finish`, directories are 0700 and ours, so that read-only ones can be filled, and
nothing is inherited from a parent's group bit.

Source: man 2 openat (O_NOFOLLOW), man 7 path_resolution; runc, libpathrs.
"""

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pyminidock.layers.merged import MOST_LINKS
from pyminidock.unionfs.whiteout import Spelling

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_HANDLES = 128
_MOST_WALKS = 1024  # remembered ways to a directory
MOST_DEPTH = 1024  # names, links expanded; an archive's own paths have a lower limit


class Directory:
    """A directory of the tree; `said` is what the archive wants of it in the end."""

    __slots__ = ("depth", "handle", "inner", "is_opaque", "name", "parent", "said")

    def __init__(self, name: bytes, parent: "Directory | None") -> None:
        self.name = name
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent else 0
        self.inner: dict[bytes, Directory] = {}
        self.handle = -1
        self.is_opaque = False
        self.said: tuple[int, int, int, int] | None = None  # mode, uid, gid, nanoseconds


class Growing:
    """An empty directory (host path) and all that is put below it.

    `owner` is to whom belongs what is made here: ours, or None where that depends on the
    place, for a new file can have its directory's group (mount(8), "grpid").

    `close` gives the handles back.  Raises OSError as the kernel does, with ELOOP after
    40 links and ENAMETOOLONG below 1024 names.
    """

    def __init__(self, place: Path, spelling: Spelling) -> None:
        self.spelling = spelling
        self.root = Directory(b"", None)
        self.root.handle = os.open(place, _OPEN)
        self.implied = 0  # directories made because something below them was
        self._opened: deque[Directory] = deque()
        self._walks: dict[bytes, Directory] = {}
        ours = os.geteuid(), os.getegid()
        try:
            os.fchmod(self.root.handle, 0o700)
            status = os.fstat(self.root.handle)
            self.owner = ours if (status.st_uid, status.st_gid) == ours else None
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close all handles."""
        for directory in (*self._opened, self.root):
            _shut(directory)

    # ── Walking ──────────────────────────────────────────────────────────────────────────

    def walk(self, path: bytes, *, makes: bool = True) -> Directory:
        """Go to a directory, links followed inside; what is missing is made.

        Without `makes` raises FileNotFoundError, NotADirectoryError.
        """
        if (known := self._walks.get(path)) is not None:
            return known
        here, links = self.root, 0
        waiting = path.split(b"/")[::-1]  # the next name is the last
        while waiting:
            name = waiting.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                here = here.parent or here
                continue
            if (inner := here.inner.get(name)) is not None:
                here = inner
                continue
            status = self.look(here, name)
            if status is not None and stat.S_ISLNK(status.st_mode):
                links += 1
                if links > MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fsdecode(path))
                target = os.readlink(name, dir_fd=self.handle(here))
                here = self.root if target.startswith(b"/") else here
                waiting.extend(target.split(b"/")[::-1])
                continue
            if not makes:
                number = errno.ENOENT if status is None else errno.ENOTDIR
                raise OSError(number, os.strerror(number), os.fsdecode(path))
            here = self.make_directory(here, name, status)
            self.implied += 1
        if len(self._walks) >= _MOST_WALKS:
            self._walks.clear()
        self._walks[path] = here
        return here

    def look(self, here: Directory, name: bytes) -> os.stat_result | None:
        """Say what is under a name, a link not followed; None if nothing is."""
        try:
            return os.stat(name, dir_fd=self.handle(here), follow_symlinks=False)
        except FileNotFoundError:
            return None

    def handle(self, directory: Directory) -> int:
        """Open a directory, or find it open; good until the next call of this method."""
        if directory.handle >= 0:
            return directory.handle
        way = [directory]
        while way[-1].parent is not None and way[-1].parent.handle < 0:
            way.append(way[-1].parent)
        while way:
            inner = way.pop()
            assert inner.parent is not None  # noqa: S101  (the root is always open)
            inner.handle = os.open(inner.name, _OPEN, dir_fd=inner.parent.handle)
            self._opened.append(inner)
            if len(self._opened) > _MOST_HANDLES:
                _shut(self._opened.popleft())
        return directory.handle

    # ── Making and removing ──────────────────────────────────────────────────────────────

    def make_directory(
        self, here: Directory, name: bytes, status: os.stat_result | None
    ) -> Directory:
        """Make a directory where there is none; `status` is what `look` found there.

        A file or link gives place; a whiteout leaves its meaning: what lies below in other
        layers stays hidden, so the directory is opaque.
        """
        if here.depth >= MOST_DEPTH:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        was_whiteout = False
        if status is not None:
            was_whiteout = self.is_whiteout(here, name, status)
            self.clear(here, name)
        os.mkdir(name, 0o700, dir_fd=self.handle(here))
        made = here.inner[name] = Directory(name, here)
        if was_whiteout:
            self.make_opaque(made)
        return made

    def clear(self, here: Directory, name: bytes) -> None:
        """Remove whatever is under a name, with all that is below it."""
        self._walks.clear()  # ways may lead through it, a link as well as a directory
        node = here.inner.pop(name, None)
        if node is None:
            os.unlink(name, dir_fd=self.handle(here))
            return
        for inner in _deepest_first(node):
            handle = self.handle(inner)
            with os.scandir(handle) as entries:
                names = [entry.name for entry in entries]
            for file in names:
                os.unlink(file, dir_fd=handle)
            _shut(inner)
            assert inner.parent is not None  # noqa: S101
            os.rmdir(inner.name, dir_fd=self.handle(inner.parent))
        gone = set(map(id, _deepest_first(node)))
        self._opened = deque(one for one in self._opened if id(one) not in gone)

    # ── Whiteouts, in overlayfs's spelling ───────────────────────────────────────────────

    def is_whiteout(self, here: Directory, name: bytes, status: os.stat_result) -> bool:
        """Say whether a name that is there means "deleted"."""
        if self.spelling.has_devices:
            return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
        if not stat.S_ISREG(status.st_mode) or status.st_size:
            return False
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            opened = os.open(name, flags, dir_fd=self.handle(here))
        except PermissionError:  # whiteouts are made readable
            return False
        try:
            return self.spelling.whiteout in os.listxattr(opened)
        finally:
            os.close(opened)

    def make_whiteout(self, here: Directory, name: bytes, time_ns: int = 0) -> None:
        """Say that `name` is deleted.  Raises FileExistsError if the layer has it."""
        handle = self.handle(here)
        if self.spelling.has_devices:
            os.mknod(name, stat.S_IFCHR, os.makedev(0, 0), dir_fd=handle)
            os.utime(name, ns=(time_ns, time_ns), dir_fd=handle, follow_symlinks=False)
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        opened = os.open(name, flags, 0o600, dir_fd=handle)
        try:
            os.setxattr(opened, self.spelling.whiteout, b"")
            # The kernel looks for such files only where their directory tells it to.
            if not here.is_opaque:
                os.setxattr(handle, self.spelling.opaque, b"x")
            os.utime(opened, ns=(time_ns, time_ns))
        finally:
            os.close(opened)

    def make_opaque(self, here: Directory) -> None:
        """Say that a directory is this layer's alone; whiteouts in it have no more use."""
        if here.is_opaque:
            return
        here.is_opaque = True
        handle = self.handle(here)
        os.setxattr(handle, self.spelling.opaque, b"y")
        with os.scandir(handle) as entries:
            names = [os.fsencode(entry.name) for entry in entries]
        for name in names:
            status = self.look(here, name)
            if status is not None and self.is_whiteout(here, name, status):
                os.unlink(name, dir_fd=self.handle(here))

    # ── The end ──────────────────────────────────────────────────────────────────────────

    def finish(self, *, has_owners: bool) -> None:
        """Give every directory its owner, mode and time, the deepest first."""
        for directory in _deepest_first(self.root):
            mode, uid, gid, time_ns = directory.said or (0o755, 0, 0, 0)
            handle = self.handle(directory)
            if has_owners:
                os.chown(handle, uid, gid)
            os.fchmod(handle, mode)
            os.utime(handle, ns=(time_ns, time_ns))


def _shut(directory: Directory) -> None:
    if directory.handle >= 0:
        os.close(directory.handle)
        directory.handle = -1


def _deepest_first(top: Directory) -> Iterator[Directory]:
    """Walk without recursion: an archive may be deeper than Python's stack."""
    waiting = [(top, iter(tuple(top.inner.values())))]
    while waiting:
        directory, rest = waiting[-1]
        for inner in rest:
            waiting.append((inner, iter(tuple(inner.inner.values()))))
            break
        else:
            waiting.pop()
            yield directory
