"""What the program of a RUN did to files, told name by name.

    below, the image before it      /app  /app/old
    upper, what it wrote            /app  /app/new  /app/old (a whiteout)
    told                            changed /app, added /app/new, deleted /app/old

A directory counts as changed where it holds something else now, as with `docker diff`.  The
program has ended, so nobody changes anything while we look; no link is followed.

Source: moby, pkg/archive/changes.go; Documentation/filesystems/overlayfs.rst.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from pyminidock.build.placing import KINDS, MOST_EVENTS
from pyminidock.events import Emit, FileChanged
from pyminidock.layers.merged import Merged
from pyminidock.unionfs.whiteout import TRUSTED


def tell_changes(upper: Path, below: Merged, emit: Emit) -> None:
    """Tell the first MOST_EVENTS names that `upper` (host, ours) has otherwise."""
    for change in islice(changes(upper, below), MOST_EVENTS):
        emit(change)


def changes(upper: Path, below: Merged) -> Iterator[FileChanged]:
    """Give each difference, a directory before what it holds, in the order of names."""
    waiting = [b"/"]
    root = os.fsencode(upper)
    while waiting:
        here = waiting.pop()
        inner: list[bytes] = []
        with os.scandir(root + here) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = os.path.join(here, entry.name)  # noqa: PTH118  (bytes)
            status = entry.stat(follow_symlinks=False)
            before = _before(below, path)
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                if before is not None:
                    yield _change("deleted", path, before)
                continue
            yield _change("added" if before is None else "changed", path, status)
            if stat.S_ISDIR(status.st_mode):
                inner.append(path)
        if here != b"/" and _is_opaque(root + here):
            yield from _hidden(here, {entry.name for entry in entries}, below)
        waiting += reversed(inner)


def _hidden(path: bytes, kept: set[bytes], below: Merged) -> Iterator[FileChanged]:
    """Name what a directory showed before it was removed and made again."""
    names: tuple[bytes, ...] = ()
    with suppress(OSError):  # it was no directory before
        names = below.list(path)
    for name in names:
        gone = os.path.join(path, name)  # noqa: PTH118  (bytes)
        before = _before(below, gone)
        if name not in kept and before is not None:
            yield _change("deleted", gone, before)


def _before(below: Merged, path: bytes) -> os.stat_result | None:
    with suppress(OSError):  # what is a directory now was a file
        return below.lstat(path)
    return None


def _is_opaque(path: bytes) -> bool:
    with suppress(OSError):
        return os.getxattr(path, TRUSTED.opaque, follow_symlinks=False) == b"y"
    return False


def _change(change: str, path: bytes, status: os.stat_result) -> FileChanged:
    return FileChanged(
        os.fsdecode(path), change, KINDS.get(stat.S_IFMT(status.st_mode), "file"),
        stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid,
        status.st_size if stat.S_ISREG(status.st_mode) else 0,
    )  # fmt: skip
