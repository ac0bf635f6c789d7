"""One layer as it lies on a disk, asked one name at a time.

A lower layer never changes while it is mounted, so what was seen once is remembered: the
names of each directory, and what each of them is.  The upper directory is looked at anew,
every time; of its directories only the marks are remembered, until their ctime moves.

Paths go down from a handle on the layer.  A layer is asked about a name only where it has a
plain directory above it, so no symbolic link can lead out.

Source: Linux, fs/overlayfs/util.c, ovl_is_whiteout(), ovl_path_check_dir_xattr().
"""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from pyminidock.kernel.glass import deep
from pyminidock.unionfs.branches import Seen
from pyminidock.unionfs.lookup import Kind
from pyminidock.unionfs.whiteout import Spelling


class Disk:
    """A directory of the host that is one branch of a union."""

    def __init__(self, path: str, name: str, spelling: Spelling, *, is_upper: bool) -> None:
        self.name, self.spelling, self.is_upper = name, spelling, is_upper
        self.base = os.path.realpath(path)
        self.root = os.open(self.base, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.has_metacopies = False
        self._names: dict[str, frozenset[str]] = {}
        self._seen: dict[str, Seen] = {}
        self._marked: dict[tuple[int, int], Seen] = {}

    def look(self, path: str) -> Seen | None:
        """Say what lies there; None if nothing does.  Symbolic links are not followed."""
        if self.is_upper:
            try:
                return self._see(path, self.status(path))
            except (FileNotFoundError, NotADirectoryError):
                return None
        parent, _, name = path.rpartition("/")
        if name:
            names = self._names.get(parent)
            if names is None:
                names = self._remember(parent)
            if name not in names:
                return None
        seen = self._seen.get(path)
        if seen is None:
            seen = self._seen[path] = self._see(path, self.status(path))
        return seen

    def names(self, path: str) -> Iterable[str]:
        """List a directory's own names, whiteouts too."""
        descriptor = self._open_to_list(path)
        try:
            return os.listdir(descriptor)
        finally:
            os.close(descriptor)

    def kinds(self, path: str) -> dict[str, tuple[int, int]]:
        """Give inode and type of each of a directory's names, without a stat."""
        descriptor = self._open_to_list(path)
        try:
            with os.scandir(descriptor) as entries:
                return {each.name: (each.inode(), _type(each)) for each in entries}
        finally:
            os.close(descriptor)

    def _open_to_list(self, path: str) -> int:
        """Open a directory; that it was looked at changes nothing in a lower layer."""
        flags = os.O_RDONLY | os.O_DIRECTORY
        if not self.is_upper:
            with suppress(PermissionError):  # O_NOATIME is for an owner
                return self.open(path, flags | os.O_NOATIME)
        return self.open(path, flags)

    def status(self, path: str) -> os.stat_result:
        """Read what the disk says of a name.  Raises OSError."""
        if len(path) > deep.LONG:
            return os.lstat(deep.place(self.root, path))
        return os.stat(path[1:] or ".", dir_fd=self.root, follow_symlinks=False)

    def open(self, path: str, flags: int, mode: int = 0) -> int:
        """Open what has this name; a symbolic link is not followed.  Raises OSError."""
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC
        if len(path) > deep.LONG:
            return os.open(deep.place(self.root, path), flags, mode)
        return os.open(path[1:] or ".", flags, mode, dir_fd=self.root)

    def place(self, path: str) -> str:
        """Give a name for calls that know no handles, good for the next few of them."""
        if len(path) > deep.LONG:
            return deep.place(self.root, path)
        return self.base + path if path != "/" else self.base

    def mark(self, path: str, mark: str) -> str:
        """Read one of overlayfs's marks; empty if it is not there."""
        with suppress(OSError):
            name = self.spelling.prefix + mark
            value = os.getxattr(self.place(path), name, follow_symlinks=False)
            return os.fsdecode(value)
        return ""

    def _remember(self, directory: str) -> frozenset[str]:
        names = self._names[directory] = frozenset(self.names(directory or "/"))
        return names

    def _see(self, path: str, found: os.stat_result) -> Seen:
        mode = found.st_mode
        if stat.S_ISDIR(mode):
            key = found.st_ino, found.st_ctime_ns
            seen = self._marked.get(key)
            if seen is None:
                kind = Kind.OPAQUE if self.mark(path, "opaque") == "y" else Kind.DIRECTORY
                seen = self._marked[key] = Seen(kind, self.mark(path, "redirect"))
            return seen
        if stat.S_ISCHR(mode) and not found.st_rdev:
            return Seen(Kind.WHITEOUT)
        is_regular = stat.S_ISREG(mode)
        if is_regular and not found.st_size and self._is_marked_whiteout(path):
            return Seen(Kind.WHITEOUT)
        return Seen(
            Kind.FILE,
            is_metacopy=is_regular and self.has_metacopies and self._is_metacopy(path),
            redirect=self.mark(path, "redirect") if self.has_metacopies else "",
            is_regular=is_regular,
            links=found.st_nlink,
            size_bytes=found.st_size,
            identity=(found.st_dev, found.st_ino),
        )

    def _is_metacopy(self, path: str) -> bool:
        with suppress(OSError):
            name = f"{self.spelling.prefix}metacopy"
            os.getxattr(self.place(path), name, follow_symlinks=False)
            return True
        return False

    def _is_marked_whiteout(self, path: str) -> bool:
        """Find a whiteout that was written where no device could be made."""
        if self.is_upper:
            return False
        with suppress(OSError):
            os.getxattr(self.place(path), self.spelling.whiteout, follow_symlinks=False)
            return True
        return False


def _type(entry: os.DirEntry[str]) -> int:
    """Give what a directory says of a name's type; 0 where it takes a stat to know."""
    if entry.is_symlink():
        return stat.S_IFLNK
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFREG if entry.is_file(follow_symlinks=False) else 0
