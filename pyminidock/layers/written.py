"""What a container wrote: the names in its writable layer, each beside what was below.

    upper                      below              told
    motd       12 bytes        motd  5 bytes      changed /motd
    new        3 bytes         –                  added   /new
    issue      whiteout        issue              deleted /issue
    etc        directory       etc                same, or changed in its rights

The writable layer is a directory of the host like any other and holds nothing else.  A file
in it was made or copied up; whether its bytes are others than before is not asked: that
would mean to read it.

Source: Documentation/filesystems/overlayfs.rst, "Non-directories".
"""

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pyminidock.layers.contents import contents, item_of
from pyminidock.layers.merged import Merged
from pyminidock.unionfs.weighing import Entry, Item
from pyminidock.unionfs.whiteout import TRUSTED, Spelling


def written(upper: Path, below: Merged, spelling: Spelling = TRUSTED) -> Iterator[Entry]:
    """Give each name of an upper directory (host path), a directory before what it holds.

    What an opaque directory hides comes right behind it.  Costs one look below for each
    name, and is as lazy as its reader.  Raises OSError as the disk does.
    """
    new = b""  # a directory that has nothing below it, with a slash
    with Merged([upper], spelling) as own:
        for item in contents(upper, spelling):
            is_within = bool(new) and item.path.startswith(new)
            old = None if is_within else _below(below, item.path)
            if item.kind == "directory" and not is_within:
                is_new = old is None or old.kind != "directory"
                new = item.path + b"/" if is_new else b""
            if item.kind == "whiteout":
                if old is not None:
                    yield Entry("deleted", item.path, old, "whiteout")
            elif old is None:
                yield Entry("added", item.path, item)
            elif item.kind == old.kind == "directory":
                yield _directory(item, old)
                if item.is_opaque:
                    yield from _hidden(item.path, below, own)
            else:
                yield Entry("changed", item.path, item, "", old)


def _directory(item: Item, old: Item) -> Entry:
    rights = (item.mode, item.uid, item.gid), (old.mode, old.uid, old.gid)
    if item.is_opaque:
        return Entry("changed", item.path, item, "opaque", old)
    if rights[0] != rights[1]:
        return Entry("changed", item.path, item, "metadata", old)
    return Entry("same", item.path, item, "", old)


def _hidden(path: bytes, below: Merged, own: Merged) -> Iterator[Entry]:
    """Name what a directory that was made anew shows no more."""
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in below.list(path):
            inner = path + b"/" + name
            old = _below(below, inner)
            if old is not None and _below(own, inner) is None:
                yield Entry("deleted", inner, old, "opaque")


def _below(tree: Merged, path: bytes) -> Item | None:
    """Say what a tree shows at a path that is no link to anywhere."""
    with suppress(FileNotFoundError, NotADirectoryError):
        status = tree.lstat(path)
        if status is not None:
            link = tree.readlink(path) if stat.S_ISLNK(status.st_mode) else b""
            return item_of(path, status, link)
    return None
