"""Where a path leads inside a container, told as Docker tells it.

Docker looks from within: it stands in the container's root and asks Go where the links
lead.  We ask from without, by the handles of a view; the kernel keeps every step inside,
and what is found here is only for messages and for the next question.

Source: Go, path/filepath/symlink.go, walkSymlinks(); moby, internal/containerfs (Stat) and
github.com/moby/sys/symlink, FollowSymlinkInScope().
"""

import errno
import os
import stat
from dataclasses import dataclass

from pyminidock.errors import MinidockError
from pyminidock.grammar.gopaths import base
from pyminidock.kernel.port import View

_MOST_LINKS = 255
_LOOK = os.O_PATH | os.O_NOFOLLOW


class PathUnusable(MinidockError):
    """A path inside a container cannot be what it would have to be."""

    status = 500  # as Docker has it, whoever is to blame


@dataclass(frozen=True, slots=True)
class PathStat:
    """What one path is: `mode` has its type bits, `link_target` is where a link ends."""

    name: str
    size_bytes: int
    mode: int
    modified_ns: int
    link_target: str = ""


def lstat(view: View, path: str) -> PathStat:
    """Tell what `path` is, a link at its end not followed.

    Raises FileNotFoundError, PathUnusable.
    """
    status = status_of(view, path, f"lstat {path}")
    target = ""
    if stat.S_ISLNK(status.st_mode):
        target = follow(view, path, is_lenient=True)
    return PathStat(base(path), status.st_size, status.st_mode, status.st_mtime_ns, target)


def status_of(view: View, path: str, doing: str) -> os.stat_result:
    """Look at `path`; a refusal is told as of `doing`.  Raises as `lstat`."""
    try:
        handle = view.open(os.fsencode(path), _LOOK)
    except FileNotFoundError:
        raise
    except OSError as refusal:
        raise unusable(f"{doing}: {words(refusal)}") from refusal
    try:
        return os.fstat(handle)
    finally:
        os.close(handle)


def follow(view: View, path: str, *, is_lenient: bool = False) -> str:
    """Give the path without links to which `path` leads.

    What is missing stays as it is written if `is_lenient`.
    Raises FileNotFoundError, PathUnusable.
    """
    waiting, done, links = path.split("/")[::-1], list[str](), 0
    while waiting:
        name = waiting.pop()
        if name == "..":
            del done[-1:]
        if name in ("", ".", ".."):
            continue
        target = _link_at(view, "/".join(["", *done, name]), waiting, is_lenient=is_lenient)
        if target is None:
            done.append(name)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise unusable(
                f"evalSymlinksInScope: too many links in {path}"
                if is_lenient
                else "EvalSymlinks: too many links"
            )
        if target.startswith("/"):
            done.clear()
        waiting.extend(target.split("/")[::-1])
    return "/" + "/".join(done)


def _link_at(view: View, path: str, waiting: list[str], *, is_lenient: bool) -> str | None:
    """Read the link at `path`; None if it is none."""
    try:
        handle = view.open(os.fsencode(path), _LOOK)
    except OSError as refusal:
        if is_lenient:
            return None
        if refusal.errno == errno.ENOENT:
            raise
        raise unusable(f"lstat {path}: {words(refusal)}") from refusal
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISLNK(mode):
            return os.fsdecode(os.readlink(b"", dir_fd=handle))
    finally:
        os.close(handle)
    if not is_lenient and not stat.S_ISDIR(mode) and any(waiting):
        raise unusable("not a directory")
    return None


def words(refusal: OSError) -> str:
    """Give an errno in the words of Go: those of C, in lower case.

    >>> words(OSError(20, "Not a directory"))
    'not a directory'
    """
    return os.strerror(refusal.errno or errno.EIO).lower()


def unusable(what: str, why: str = "", try_next: str = "") -> PathUnusable:
    """Make the refusal."""
    return PathUnusable(
        what,
        why=why or "paths are resolved inside the container, with its root as the root",
        try_next=try_next or "minidock exec CONTAINER ls -l, along the path",
        lesson="union-filesystem",
    )
