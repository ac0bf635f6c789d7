"""How files come into a new layer without a container and without a mount.

A layer is a directory tree that holds what is new.  So COPY makes that tree directly:

    the image's layers, read only      /app  /app/old           (below)
    COPY f /app/                   →   /app  /app/f             (the new layer)

`/app` is there twice: a directory that something is put into is copied up first, with its
owner and mode, as the kernel would do on a write.  What is put over a file or a link hides
it.  Nothing is ever deleted by a COPY, so no whiteout is needed.

A file of the build context gets a second name instead of a copy, where its owner and mode
are those wanted: it costs nothing, however large it is.  That is done at most once for each
file.  Two names of one file in one stack of layers could be taken for a hard link.

Every call takes the handle of a directory and one name, and none follows a link.

Source: Documentation/filesystems/overlayfs.rst; moby, builder/dockerfile/copy.go.
"""

import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pyminidock.events import Emit, FileCopied, FilesOmitted, ignore
from pyminidock.layers.merged import Found, Merged
from pyminidock.layers.snapshots import remove_tree

MOST_EVENTS = 200  # names told one by one, for each step
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_HANDLES = 64
_PIECE = 1 << 24
KINDS = {
    stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink",
    stat.S_IFCHR: "character", stat.S_IFBLK: "block", stat.S_IFIFO: "fifo",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class How:
    """How names come in: owner and mode to give, None keeps the source's own."""

    owner: tuple[int, int] | None = (0, 0)
    mode: int | None = None
    links: bool = False  # a second name will do: nobody changes the source any more
    explicit: frozenset[bytes] | None = None
    """Directories that the source itself names; others only lead to a name, and there a
    link of the image is followed.  None: all of them are meant."""


class NewTree:
    """The tree of a new layer at `place` (host, empty, ours), over what is `below`."""

    def __init__(self, place: Path, below: Merged, *, emit: Emit = ignore) -> None:
        self._below, self._emit = below, emit
        self._root = os.open(place, _DIRECTORY)
        self._place = place
        self._open: OrderedDict[bytes, int] = OrderedDict()
        self._names: dict[tuple[int, int], bytes] = {}  # inode of a source: where it went
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Give the handles back, and tell how many names were not told one by one."""
        for handle in self._open.values():
            os.close(handle)
        self._open.clear()
        if self._root >= 0:
            os.close(self._root)
            self._root = -1
            if self.count > MOST_EVENTS:
                self._emit(FilesOmitted(self.count - MOST_EVENTS))

    # ── What can be asked for ────────────────────────────────────────────────────────────

    def directory(self, path: bytes, owner: tuple[int, int] = (0, 0), *,
                  parents: tuple[int, int] = (0, 0)) -> bool:  # fmt: skip
        """Let a directory exist; 0755 and `owner` if it is new.  Say whether it was.

        `path` is canonical.  What is missing above it is made, too, and owned by `parents`.
        Raises NotADirectoryError.
        """
        if self._is_directory(path):
            return False
        above, _ = _split(path)
        self._enter(above, parents)
        handle = self._enter(path, owner)
        self._tell("", path, os.fstat(handle))
        return True

    def touch(self, path: bytes) -> None:
        """Let a directory be in this layer, as it is, whether something comes in or not."""
        self._enter(path)

    def put(self, source: Merged, real: str, target: bytes, how: How) -> None:
        """Put one file, link or device under the name `target`."""
        self._names.clear()
        parent, name = _split(os.fsencode("/" + real))
        found = next(each for each in source.scan(parent) if each[0] == name)
        self._name(found, real, target, how)

    def pour(self, source: Merged, real: str, target: bytes, how: How) -> None:
        """Put all that a directory holds into the directory `target`.

        Names of one file stay so, within what is poured at once.
        """
        self._names.clear()
        waiting = [(os.fsencode("/" + real), target)]
        while waiting:
            here, there = waiting.pop()
            inner: list[tuple[bytes, bytes]] = []
            for name, handle, status in source.scan(here):
                path = _join(here, name)
                if stat.S_ISDIR(status.st_mode):
                    into = self._subdirectory(path, _join(there, name), status, how)
                    inner.append((path, into))
                else:
                    shown = os.fsdecode(path.lstrip(b"/"))
                    self._name((name, handle, status), shown, _join(there, name), how)
            waiting += reversed(inner)

    def write(self, target: bytes, content: bytes, mode: int, owner: tuple[int, int],
              nanoseconds: int | None = None) -> None:  # fmt: skip
        """Put a file with this content."""
        parent, name = _split(target)
        handle = self._enter(parent)

        def make() -> None:
            made = os.open(name, _NEW, 0o600, dir_fd=handle)
            try:
                with os.fdopen(os.dup(made), "wb") as file:
                    file.write(content)
                os.fchown(made, *owner)
                os.fchmod(made, mode)
                if nanoseconds is not None:
                    os.utime(made, ns=(nanoseconds, nanoseconds))
            finally:
                os.close(made)

        self._making(make, handle, name, target)
        self._tell("", target, os.stat(name, dir_fd=handle, follow_symlinks=False))

    # ── Directories ──────────────────────────────────────────────────────────────────────

    def _is_directory(self, path: bytes) -> bool:
        """Say whether the image shows a directory there, this layer included."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._find(path)
            return True
        status = self._shown(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def _shown(self, path: bytes) -> os.stat_result | None:
        """Say what the image has there; below a file it has nothing."""
        with suppress(NotADirectoryError):
            return self._below.lstat(path)
        return None

    def _find(self, path: bytes) -> int:
        """Open a directory of this layer.  Raises FileNotFoundError, NotADirectoryError."""
        if path == b"/":
            return self._root
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        parent, name = _split(path)
        handle = os.open(name, _DIRECTORY, dir_fd=self._find(parent))
        self._open[path] = handle
        if len(self._open) > _MOST_HANDLES:
            os.close(self._open.popitem(last=False)[1])
        return handle

    def _enter(self, path: bytes, owner: tuple[int, int] = (0, 0)) -> int:
        """Open a directory of this layer; make it, or copy it up, if it is not in it.

        `owner` is for what the image does not have.
        """
        with suppress(FileNotFoundError):
            return self._find(path)
        parent, name = _split(path)
        above = self._enter(parent, owner)
        os.mkdir(name, 0o700, dir_fd=above)
        handle = self._find(path)
        status = self._shown(path)
        if status is None or not stat.S_ISDIR(status.st_mode):
            os.fchown(handle, *owner)
            os.fchmod(handle, 0o755)
            return handle
        os.fchown(handle, status.st_uid, status.st_gid)
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
        for attribute, value in self._below.xattrs(path).items():
            os.setxattr(handle, attribute, value)
        return handle

    def _subdirectory(
        self, path: bytes, target: bytes, status: os.stat_result, how: How
    ) -> bytes:
        """Make a directory of the source in the layer; give where it is."""
        if how.explicit is not None and path.lstrip(b"/") not in how.explicit:
            with suppress(OSError):
                led = self._below.resolve(target)
                if self._is_directory(led):
                    return led
        parent, name = _split(target)
        above = self._enter(parent)
        with suppress(NotADirectoryError, FileNotFoundError):
            os.unlink(name, dir_fd=above) if not self._is_dir_at(name, above) else None
        handle = self._enter(target)
        os.fchown(handle, *(how.owner or (status.st_uid, status.st_gid)))
        os.fchmod(handle, stat.S_IMODE(status.st_mode) if how.mode is None else how.mode)
        self._tell(os.fsdecode(path.lstrip(b"/")), target, os.fstat(handle))
        return target

    @staticmethod
    def _is_dir_at(name: bytes, handle: int) -> bool:
        status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        return stat.S_ISDIR(status.st_mode)

    # ── Names ────────────────────────────────────────────────────────────────────────────

    def _name(self, found: Found, shown: str, target: bytes, how: How) -> None:
        """Put one name of a source, which is no directory, under the name `target`."""
        source, origin, status = found
        parent, name = _split(target)
        handle = self._enter(parent)
        owner = how.owner or (status.st_uid, status.st_gid)
        mode = stat.S_IMODE(status.st_mode)
        if how.mode is not None and not stat.S_ISLNK(status.st_mode):
            mode = how.mode
        is_same = (*owner, mode) == (
            status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)
        )  # fmt: skip
        twin = self._names.get((status.st_dev, status.st_ino))

        def make() -> None:
            if twin is not None:
                above, first = _split(twin)
                os.link(first, name, src_dir_fd=self._find(above), dst_dir_fd=handle,
                        follow_symlinks=False)  # fmt: skip
            elif how.links and is_same and status.st_nlink == 1:
                os.link(source, name, src_dir_fd=origin, dst_dir_fd=handle,
                        follow_symlinks=False)  # fmt: skip
            else:
                _copy(found, _Target(name, handle, owner, mode))

        if stat.S_ISSOCK(status.st_mode):  # nobody listens any more, and no tar has it
            return
        self._making(make, handle, name, target)
        if status.st_nlink > 1 and twin is None:
            self._names[status.st_dev, status.st_ino] = target
        self._tell(shown, target, os.stat(name, dir_fd=handle, follow_symlinks=False))

    def _making(
        self, make: Callable[[], None], handle: int, name: bytes, target: bytes
    ) -> None:
        """Make a name; what this layer has under it already gives way."""
        try:
            make()
        except FileExistsError:
            self._forget(target)
            if self._is_dir_at(name, handle):
                remove_tree(Path(f"/proc/self/fd/{handle}") / os.fsdecode(name))
            else:
                os.unlink(name, dir_fd=handle)
            make()

    def _forget(self, path: bytes) -> None:
        gone = [each for each in self._open if each == path or each.startswith(path + b"/")]
        for each in gone:
            os.close(self._open.pop(each))

    def _tell(self, source: str, target: bytes, status: os.stat_result) -> None:
        self.count += 1
        if self.count > MOST_EVENTS:
            return
        kind = KINDS.get(stat.S_IFMT(status.st_mode), "file")
        self._emit(FileCopied(
            source, os.fsdecode(target), kind, stat.S_IMODE(status.st_mode),
            status.st_uid, status.st_gid,
            status.st_size if stat.S_ISREG(status.st_mode) else 0,
            "added" if self._shown(target) is None else "changed",
        ))  # fmt: skip


def _split(path: bytes) -> tuple[bytes, bytes]:
    """Cut the last name off.  Raises ValueError where it is no name, but a way: . and ..

    Whoever calls has a canonical path; a bug there must not lead out of the new tree.
    """
    parent, name = os.path.split(path)
    if name in (b"", b".", b"..") or b"\0" in name:
        raise ValueError(f"{path!r} does not end in a name")
    return parent, name


def _join(directory: bytes, name: bytes) -> bytes:
    return directory.rstrip(b"/") + b"/" + name


@dataclass(frozen=True, slots=True)
class _Target:
    """A name to be made in an open directory, and what it shall be like."""

    name: bytes
    handle: int
    owner: tuple[int, int]
    mode: int


def _copy(found: Found, to: _Target) -> None:
    """Make a second file, link or device like one that was found."""
    source, origin, status = found
    if stat.S_ISREG(status.st_mode):
        _copy_file(found, to)
        return
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source, dir_fd=origin), to.name, dir_fd=to.handle)
    else:
        kind = stat.S_IFMT(status.st_mode)
        os.mknod(to.name, kind | 0o600, status.st_rdev, dir_fd=to.handle)
    os.chown(to.name, *to.owner, dir_fd=to.handle, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(to.name, to.mode, dir_fd=to.handle)
    times = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(to.name, ns=times, dir_fd=to.handle, follow_symlinks=False)


def _copy_file(found: Found, to: _Target) -> None:
    source, origin, status = found
    old = os.open(source, _READ, dir_fd=origin)
    try:
        new = os.open(to.name, _NEW, 0o600, dir_fd=to.handle)
        try:
            _copy_content(old, new)
            os.fchown(new, *to.owner)  # before the mode: it takes the set-uid bit away
            os.fchmod(new, to.mode)
            for attribute in os.listxattr(old):
                if attribute.startswith("user.") or attribute == "security.capability":
                    os.setxattr(new, attribute, os.getxattr(old, attribute))
            os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(new)
    finally:
        os.close(old)


def _copy_content(old: int, new: int) -> None:
    """Let the kernel copy; where it cannot between these two, pass the bytes through."""
    try:
        while os.copy_file_range(old, new, _PIECE):
            pass
    except OSError as refusal:
        if refusal.errno not in (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        while data := os.read(old, 1 << 20):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(new, rest) :]
