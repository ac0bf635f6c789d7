"""Directories that outlive builds: what `RUN --mount=type=cache` shows.

    caches/<digest of the name>     what programs of many builds have put there
    caches/tmp-…                    one that is being filled for the first time

Nothing of them is ever part of an image, and nothing relies on them: they go with a prune.
Who shares one with whom is the wish of each command:

    shared    with everybody
    locked    one command at a time, the next one waits
    private   a directory of its own: the first one that nobody uses now

Source: buildkit, cache/util.go and solver/llbsolver/mounts/mount.go, sharedCacheRefs.
"""

import hashlib
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition

from pyminidock.store.files import PREFIX, temporary

Fill = Callable[[Path], object]
"""Puts into a new directory what it begins with."""


class Caches:
    """The cache directories of one root.  Any thread may ask."""

    def __init__(self, root: Path, remove_tree: Callable[[Path], None]) -> None:
        self._directory, self._remove_tree = root / "caches", remove_tree
        self._users, self._locked = Counter[str](), set[str]()
        self._state = Condition()  # guards the two above

    @contextmanager
    def lent(self, name: str, sharing: str, fill: Fill) -> Iterator[Path]:
        """Lend the directory that is called `name`; it is made and filled if missing."""
        key = self._enter(name, sharing)
        try:
            yield self._made(key, fill)
        finally:
            with self._state:
                self._users[key] -= 1
                if sharing == "locked":
                    self._locked.discard(key)
                self._state.notify_all()

    def _enter(self, name: str, sharing: str) -> str:
        with self._state:
            key = _key(name)
            if sharing == "private":
                keys = (_key(f"{name} {n}") if n else key for n in itertools.count())
                key = next(each for each in keys if not self._users[each])
            if sharing == "locked":
                self._state.wait_for(lambda: key not in self._locked)
                self._locked.add(key)
            self._users[key] += 1
            return key

    def _made(self, key: str, fill: Fill) -> Path:
        path = self._directory / key
        with self._state:  # one fills it; that is rare, and short
            if not path.is_dir():
                self._directory.mkdir(mode=0o700, exist_ok=True)
                making = temporary(self._directory)
                making.mkdir(mode=0o755)
                try:
                    fill(making)
                    making.rename(path)
                except BaseException:
                    self._remove_tree(making)
                    raise
        return path

    def clear(self) -> int:
        """Remove what nobody uses; give how many bytes that was."""
        gone_bytes = 0
        with self._state, suppress(FileNotFoundError):
            for path in sorted(self._directory.iterdir()):
                if not self._users[path.name] or path.name.startswith(PREFIX):
                    gone_bytes += _size_bytes(path)
                    self._remove_tree(path)
        return gone_bytes


def _key(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def _size_bytes(path: Path) -> int:
    """Count the bytes of the files below `path`; no link is followed."""
    total = 0
    for above, _, names, handle in os.fwalk(path, follow_symlinks=False):
        del above
        total += sum(
            os.stat(name, dir_fd=handle, follow_symlinks=False).st_size for name in names
        )
    return total
