"""The tree of a context that nobody unpacked, told from its archive alone.

Most builds find every step in the cache, and need of their context names and sums, never
a file.  So the archive is kept as it came, in a file without a name, and unpacked when a
file is first taken out of it.  Until then this is the tree:

    app/            a directory      header in the archive, or implied by what is in it
    app/main.py     a file           its bytes begin 512 behind its header

Only a plain archive can be read so: files and directories, each file once, no attributes.
Any link can make one name mean another, and what replaces what is the applier's business:
such an archive is unpacked at once.

Answers are as from `os`, and as `layers.merged.Merged` gives them.
"""

import errno
import os
import stat
from collections.abc import Mapping
from typing import BinaryIO

from pyminidock.build.cachekey import Seen
from pyminidock.layers.archive import Entry, Kind

_HEADER_BYTES = 512


class Listing:
    """The names of an archive that lies in `spool`; `seen` are the sums of what it has."""

    def __init__(self, seen: Mapping[str, Seen], spool: BinaryIO) -> None:
        self.is_plain = True
        self._seen, self._spool = seen, spool
        self._folders = {""}
        self._offsets: dict[str, int] = {}  # of the headers of files
        self._inner: dict[str, set[bytes]] = {}

    def again(self, spool: BinaryIO) -> "Listing":
        """Give the same, with another place for the bytes; neither notes any more then."""
        return self._with(self._seen, self._offsets, spool)

    def without(self, name: str, seen: Mapping[str, Seen]) -> "Listing":
        """Give the same without a file, with the sums of what is left."""
        offsets = {each: at for each, at in self._offsets.items() if each != name}
        return self._with(seen, offsets, self._spool)

    def _with(
        self, seen: Mapping[str, Seen], offsets: dict[str, int], spool: BinaryIO
    ) -> "Listing":
        same = Listing(seen, spool)
        same.is_plain, same._folders, same._offsets = self.is_plain, self._folders, offsets
        return same

    def note(self, name: str, entry: Entry) -> None:
        """Take in the next entry, before its sum is noted; "." is the root."""
        if name == ".":
            name = ""
        above = name.rpartition("/")[0]
        if above not in self._folders:
            self._note_folder(above)
        if entry.kind is Kind.DIRECTORY:
            self._note_folder(name)
        elif entry.kind is not Kind.FILE or name in self._offsets or name in self._folders:
            self.is_plain = False
        else:
            self._offsets[name] = entry.offset
        if entry.xattrs:
            self.is_plain = False

    def _note_folder(self, name: str) -> None:
        while name not in self._folders:
            if name in self._offsets:
                self.is_plain = False
            self._folders.add(name)
            name = name.rpartition("/")[0]

    def has_folder(self, name: str) -> bool:
        """Whether a name is, or was, a directory; implied ones count."""
        return name in self._folders

    # ── As a tree ────────────────────────────────────────────────────────────────────────

    def lstat(self, path: str | bytes) -> os.stat_result | None:
        """Say what `path` is; None if there is nothing."""
        name = _name(self.resolve(path))
        if name in self._folders:
            mode = stat.S_IFDIR | (self._seen[name].mode if name in self._seen else 0o755)
        elif name in self._offsets:
            mode = stat.S_IFREG | self._seen[name].mode
        else:
            return None
        return os.stat_result((mode, 0, 0, 1, 0, 0, 0, 0, 0, 0))

    def list(self, path: str | bytes = b"/") -> tuple[bytes, ...]:
        """Name what a directory holds, sorted by bytes.

        Raises FileNotFoundError, NotADirectoryError.
        """
        name = _name(self.resolve(path))
        if name not in self._folders:
            raise _failure(errno.ENOTDIR if name in self._offsets else errno.ENOENT, path)
        if not self._inner:
            for each in (*self._folders, *self._offsets):
                above, _, last = each.rpartition("/")
                if last:
                    self._inner.setdefault(above, set()).add(os.fsencode(last))
        return tuple(sorted(self._inner.get(name, ())))

    def resolve(self, path: str | bytes, *, follow_last: bool = True) -> bytes:
        """Give the canonical path: no `.`, no `..` in it; there are no links here.

        Raises NotADirectoryError where a name follows a file.
        """
        names = os.fsdecode(path).split("/")
        done: list[str] = []
        for number, name in enumerate(names, 1):
            if name == "..":
                del done[-1:]
            elif name not in ("", "."):
                done.append(name)
                if number < len(names) and "/".join(done) in self._offsets:
                    raise _failure(errno.ENOTDIR, path)
        return os.fsencode("/" + "/".join(done))

    def read(self, path: str | bytes, limit: int) -> bytes:
        """Give up to `limit` bytes of a file.

        Raises FileNotFoundError, IsADirectoryError, NotADirectoryError.
        """
        name = _name(self.resolve(path))
        if name in self._folders:
            raise _failure(errno.EISDIR, path)
        if name not in self._offsets:
            raise _failure(errno.ENOENT, path)
        self._spool.seek(self._offsets[name] + _HEADER_BYTES)
        return self._spool.read(min(limit, self._seen[name].size))


def _name(path: bytes) -> str:
    return os.fsdecode(path).lstrip("/")


def _failure(number: int, path: str | bytes) -> OSError:
    return OSError(number, os.strerror(number), os.fsdecode(path))
