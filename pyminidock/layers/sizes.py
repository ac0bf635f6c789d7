"""How much a container wrote: the sum of its files, whatever it does meanwhile.

The tree belongs to a stranger who may be writing, moving and removing in it, may have made
it deeper than any path is long, and may put a link wherever a directory was.  So it is
walked by handles, down by name and never through a link, up by ".." and only if that is
the directory we came from; where it is not any more, the count ends with what is known.

Source: moby, daemon/graphdriver and pkg/directory, Size(): files and links by their length,
each inode once, directories not at all.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def size_of_tree(path: Path) -> int:
    """Give the bytes of all files below the host path; 0 if it is not there."""
    try:
        here = os.open(path, _DIRECTORY)
    except OSError:
        return 0
    return _Walk(here).total


class _Walk:
    """One walk: the directory where it stands, and what is left to see in those above."""

    def __init__(self, here: int) -> None:
        self.total, self._here = 0, here
        self._seen: set[tuple[int, int]] = set()
        self._above: list[tuple[tuple[int, int], list[str]]] = []
        try:
            self._walk()
        finally:
            os.close(self._here)

    def _walk(self) -> None:
        left = self._look()
        while True:
            if left:
                place = _place(os.fstat(self._here))
                if self._move(left.pop()):
                    self._above.append((place, left))
                    left = self._look()
                continue
            if not self._above:
                return
            place, left = self._above.pop()
            if not self._move("..") or _place(os.fstat(self._here)) != place:
                return  # somebody moved it

    def _move(self, name: str) -> bool:
        """Stand in another directory; False if it is none any more."""
        try:
            there = os.open(name, _DIRECTORY, dir_fd=self._here)
        except OSError:
            return False
        os.close(self._here)
        self._here = there
        return True

    def _look(self) -> list[str]:
        """Count the files of this directory, and name its directories."""
        directories = []
        with os.scandir(self._here) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            with suppress(OSError):  # it has gone meanwhile
                status = os.stat(name, dir_fd=self._here, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    directories.append(name)
                elif _place(status) not in self._seen:
                    self._seen.add(_place(status))
                    self.total += status.st_size
        return directories


def _place(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
