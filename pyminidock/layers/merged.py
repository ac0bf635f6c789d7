"""The one tree that stacked layers show, read without mounting anything.

To look at a file of an image one could stack its layers with the kernel, which needs
privileges, a mount and somebody to undo it.  Reading needs none of that: the rules are
short, and this module applies them to directories on disk.

    layers/top/diff    etc/ { hosts, motd: whiteout }         shown:  etc/hosts   from top
    layers/base/diff   etc/ { motd, passwd }, bin -> usr/bin          etc/passwd  from base

A directory of the view is a list of handles, one for each layer that takes part.  Asking
for a name asks the handles from the top down, as `unionfs.lookup` explains.  Links of the
image are followed by us, one name at a time, with the view's own root as their root; the
kernel is never asked to follow one, so none leads out.

Answers are as from `os`: bytes for names, OSError with the errno a mounted tree would give.

Source: Linux, fs/overlayfs/namei.c, ovl_lookup(); man 7 path_resolution.
"""

import errno
import os
import stat
from collections import OrderedDict
from collections.abc import Container, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pyminidock.layers.ondisk import FILE, is_whiteout
from pyminidock.unionfs.whiteout import TRUSTED, Spelling

MOST_LINKS = 40  # as the kernel: MAXSYMLINKS
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_HANDLES = 512  # kept open between questions

Handles = tuple[tuple[int, int], ...]
"""The layers of one directory, topmost first: (number of the layer, open directory)."""

Found = tuple[bytes, int, os.stat_result]
"""One name of a directory of the view: (name, open directory that has it, what it is)."""


class Merged:
    """A read-only view of stacked trees; a context manager, because it keeps handles.

    `trees` are host directories, topmost first, that nobody changes meanwhile.  Paths are
    `/`-separated, from the view's root, with or without a leading slash; `str` is encoded
    as `os.fsencode` does.  Not for use by two threads at once.
    """

    def __init__(self, trees: Sequence[Path], spelling: Spelling = TRUSTED) -> None:
        self.trees = tuple(trees)
        self._spelling = spelling
        self._known: OrderedDict[bytes, Handles] = OrderedDict()
        self._open = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Give back all handles; the next question opens what it needs again."""
        while self._known:
            self._forget()

    # ── Questions about one path ─────────────────────────────────────────────────────────

    def lstat(self, path: str | bytes) -> os.stat_result | None:
        """Say what `path` is, a last link not followed; None if there is nothing."""
        return self._look(self.resolve(path, follow_last=False))[1]

    def stat(self, path: str | bytes) -> os.stat_result | None:
        """Say what `path` leads to, links followed inside; None if there is nothing."""
        return self._look(self.resolve(path))[1]

    def layer_of(self, path: str | bytes) -> int | None:
        """Number the topmost layer that shows `path`, 0 is the top; None: nothing does."""
        return self._look(self.resolve(path, follow_last=False))[0]

    def list(self, path: str | bytes = b"/") -> tuple[bytes, ...]:
        """Name what a directory holds, sorted by bytes.

        Raises FileNotFoundError, NotADirectoryError.
        """
        decided: dict[bytes, bool] = {}  # the first layer that has a name decides
        for _, handle in self._directory(self.resolve(path), path):
            with os.scandir(handle) as entries:
                for entry in entries:
                    name = os.fsencode(entry.name)
                    if name not in decided:
                        decided[name] = not self._may_hide(entry, handle)
        return tuple(sorted(name for name, is_shown in decided.items() if is_shown))

    def scan(self, path: str | bytes = b"/") -> tuple[Found, ...]:
        """Tell what a directory holds, sorted by bytes: (name, open directory, what it is).

        A name lies in the open directory beside it, which is ours and stays open until the
        next question only.  Raises FileNotFoundError, NotADirectoryError.
        """
        found: dict[bytes, Found | None] = {}
        for _, handle in self._directory(self.resolve(path), path):
            with os.scandir(handle) as entries:
                names = [os.fsencode(entry.name) for entry in entries]
            for name in names:
                if name not in found:
                    status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                    hides = is_whiteout(self._spelling, status, name, handle)
                    found[name] = None if hides else (name, handle, status)
        return tuple(each for _, each in sorted(found.items()) if each is not None)

    def readlink(self, path: str | bytes) -> bytes:
        """Give the text of a link.  Raises FileNotFoundError, OSError EINVAL: no link."""
        return self._follow(self.resolve(path, follow_last=False))

    def open(self, path: str | bytes) -> BinaryIO:
        """Open a regular file to read, links followed inside; FIFOs and devices never.

        Raises FileNotFoundError, IsADirectoryError, OSError EINVAL for other kinds.
        """
        handle, status, name = self._holder(self.resolve(path), path)
        if stat.S_ISDIR(status.st_mode):
            raise _failure(errno.EISDIR, path)
        if not stat.S_ISREG(status.st_mode):
            raise _failure(errno.EINVAL, path)
        return os.fdopen(os.open(name, FILE, dir_fd=handle), "rb")

    def xattrs(self, path: str | bytes) -> dict[str, bytes]:
        """Give the attributes of a file or directory, overlayfs's own left out.

        A last link is followed.  Other kinds of file have none that images carry.
        Raises FileNotFoundError.
        """
        handle, status, name = self._holder(self.resolve(path), path)
        flags = _DIRECTORY if stat.S_ISDIR(status.st_mode) else FILE
        if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
            return {}
        opened = os.open(name, flags, dir_fd=handle)
        try:
            names = [word for word in os.listxattr(opened) if not self._is_ours(word)]
            return {word: os.getxattr(opened, word) for word in sorted(names)}
        finally:
            os.close(opened)

    def resolve(self, path: str | bytes, *, follow_last: bool = True) -> bytes:
        """Give the canonical path that `path` leads to: no link, no `.`, no `..` in it.

        What does not exist is kept as it is written, so that a place to be made can be
        asked for; `..` stops at the root.  Raises OSError ELOOP after 40 links, and
        NotADirectoryError where a name follows a file.

        With bin -> usr/bin in a layer, "/bin/../sh" is "/usr/sh".
        """
        waiting = os.fsencode(path).split(b"/")[::-1]  # the next name is the last
        done = _open_part(waiting, self._known)
        links, absent = 0, -1  # how many names lead to one that is not there; -1: none
        while waiting:
            name = waiting.pop()
            if name == b"..":
                del done[-1:]
                absent = absent if absent < len(done) else -1
                continue
            if name in (b"", b"."):
                continue
            here = b"/" + b"/".join([*done, name])
            status = self._look(here)[1] if absent < 0 else None
            if status is None and absent < 0:
                absent = len(done)  # nothing below it needs a look
            is_last = not any(word not in (b"", b".") for word in waiting)
            is_link = status is not None and stat.S_ISLNK(status.st_mode)
            # A slash at the end asks for what the link leads to, as in any path.
            if is_link and (not is_last or follow_last or waiting):
                links += 1
                if links > MOST_LINKS:
                    raise _failure(errno.ELOOP, path)
                target = self._follow(here)
                if target.startswith(b"/"):
                    done.clear()
                waiting.extend(target.split(b"/")[::-1])
                continue
            if waiting and status is not None and not stat.S_ISDIR(status.st_mode):
                raise _failure(errno.ENOTDIR, path)
            done.append(name)
        return b"/" + b"/".join(done)

    # ── The walk ─────────────────────────────────────────────────────────────────────────

    def _look(self, path: bytes) -> tuple[int | None, os.stat_result | None]:
        """Ask the layers for a canonical path: (number of the topmost one, what it is)."""
        if path == b"/":
            if not self.trees:
                return None, None
            number, handle = self._directory(b"/", path)[0]
            return number, os.fstat(handle)
        parent, _, name = path.rpartition(b"/")
        parent = parent or b"/"
        self._directory(b"/", path)  # a tree that is gone is no absent file
        try:
            for number, handle in self._directory(parent, path):
                try:
                    status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if is_whiteout(self._spelling, status, name, handle):
                    return None, None
                return number, status
        except (FileNotFoundError, NotADirectoryError):
            pass
        return None, None

    def _holder(self, path: bytes, asked: str | bytes) -> tuple[int, os.stat_result, bytes]:
        """Give the open directory that holds `path`, what it is, and its name there."""
        parent, name = os.path.split(path)
        number, status = self._look(path)
        if number is None or status is None:
            raise _failure(errno.ENOENT, asked)
        return dict(self._directory(parent, path))[number], status, name or b"."

    def _follow(self, path: bytes) -> bytes:
        handle, _, name = self._holder(path, path)
        return os.readlink(name, dir_fd=handle)

    def _directory(self, path: bytes, asked: str | bytes) -> Handles:
        """Open the layers of a canonical directory, or find them still open.

        Raises FileNotFoundError, NotADirectoryError.
        """
        if still := self._known.get(path):
            self._known.move_to_end(path)
            return still
        names = [name for name in path.split(b"/") if name]
        known = len(names)
        while known and b"/" + b"/".join(names[:known]) not in self._known:
            known -= 1
        here = b"/" + b"/".join(names[:known])
        handles = self._known.get(here) or self._keep(here, self._open_roots())
        self._known.move_to_end(here)
        for depth in range(known, len(names)):
            here = b"/" + b"/".join(names[: depth + 1])
            handles = self._keep(here, self._step(handles, names[depth], asked))
        return handles

    def _step(self, handles: Handles, name: bytes, asked: str | bytes) -> Handles:
        """Open the directory `name` in each layer that shares in it, from the top down."""
        found: list[tuple[int, int]] = []
        try:
            for number, handle in handles:
                try:
                    inner = os.open(name, _DIRECTORY, dir_fd=handle)
                except FileNotFoundError:
                    continue
                except NotADirectoryError:  # a file, a link or a whiteout: the end
                    if found:
                        break
                    status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                    hides = is_whiteout(self._spelling, status, name, handle)
                    number_of_it = errno.ENOENT if hides else errno.ENOTDIR
                    raise _failure(number_of_it, asked) from None
                found.append((number, inner))
                if self._is_opaque(inner):
                    break
        except OSError:
            for _, inner in found:
                os.close(inner)
            raise
        if not found:
            raise _failure(errno.ENOENT, asked)
        return tuple(found)

    def _open_roots(self) -> Handles:
        found: list[tuple[int, int]] = []
        try:
            for number, tree in enumerate(self.trees):
                found.append((number, os.open(tree, _DIRECTORY)))  # all: no root is opaque
        except OSError:
            for _, handle in found:
                os.close(handle)
            raise
        return tuple(found)

    def _keep(self, path: bytes, handles: Handles) -> Handles:
        self._known[path] = handles
        self._open += len(handles)
        while self._open > _MOST_HANDLES and len(self._known) > 1:
            self._forget()
        return handles

    def _forget(self) -> None:
        """Close the directory that was asked longest ago."""
        _, handles = self._known.popitem(last=False)
        for _, handle in handles:
            os.close(handle)
        self._open -= len(handles)

    # ── Overlayfs's spelling ─────────────────────────────────────────────────────────────

    def _may_hide(self, entry: os.DirEntry[str], handle: int) -> bool:
        if entry.is_dir(follow_symlinks=False) or entry.is_symlink():
            return False
        if entry.is_file(follow_symlinks=False) and self._spelling.has_devices:
            return False
        status = os.stat(entry.name, dir_fd=handle, follow_symlinks=False)
        return is_whiteout(self._spelling, status, os.fsencode(entry.name), handle)

    def _is_opaque(self, handle: int) -> bool:
        try:
            return os.getxattr(handle, self._spelling.opaque) == b"y"
        except OSError as absence:
            if absence.errno in (errno.ENODATA, errno.ENOTSUP):
                return False
            raise

    def _is_ours(self, attribute: str) -> bool:
        return attribute.startswith(self._spelling.prefix)


def _open_part(waiting: list[bytes], known: Container[bytes]) -> list[bytes]:
    """Take off the names that lead to a directory that is open: no link is among them."""
    while waiting and not waiting[-1]:
        waiting.pop()
    for count in range(len(waiting) - 1, 0, -1):
        names = waiting[: -count - 1 : -1]
        if b"/" + b"/".join(names) in known:
            del waiting[-count:]
            return names
    return []


def _failure(number: int, path: str | bytes) -> OSError:
    return OSError(number, os.strerror(number), os.fsdecode(path))
