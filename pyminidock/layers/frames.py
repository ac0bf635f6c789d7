"""What a container's own layer held at each moment at which the container was held.

    containers/<id>/upper        goes on changing
    containers/<id>/frames/
      340/                       a copy of upper, as it was at event 340
      352 ─► 340                 nothing had changed since: the same copy

A copy is made by the packer and the unpacker of layers, so it is as faithful as a layer
that is committed, and as careful: no link of the container leads anybody astray.  Nothing
is written to what is copied.  Copies are bounded, in number and in bytes; what does not fit
is not kept, and whoever asks for it is told so.

Other processes of the container may go on while one is held.  Then a copy has what they
leave, as with a copy of any kind.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock

from pyminidock.errors import MinidockError
from pyminidock.layers.apply import ROOT, Applying, Policy
from pyminidock.layers.diff import pack
from pyminidock.layers.snapshots import remove_tree

PLACE = "frames"
MOST_COPIES = 64  # of one container; the oldest goes first
MOST_BYTES = 256 << 20  # of one copy
MOST_NAMES = 20_000  # that are looked at to see whether anything changed
_MOST_FRAMES = 4096


class Frames:
    """The copies of one container; `directory` is ROOT/containers/<id>."""

    def __init__(self, directory: Path, policy: Policy = ROOT) -> None:
        self._upper, self._place = directory / "upper", directory / PLACE
        self._policy, self._lock = policy, Lock()
        self._seen, self._newest = "", 0

    def keep(self, seq: int) -> bool:
        """Keep the layer as it is at event `seq`; give whether it is kept now."""
        with self._lock, suppress(OSError, MinidockError):
            self._place.mkdir(mode=0o700, exist_ok=True)
            seen = _signature(self._upper)
            if not seen:
                return False
            if seen == self._seen and (self._place / str(self._newest)).is_dir():
                (self._place / str(seq)).symlink_to(str(self._newest))
            else:
                making = self._place / "making"
                remove_tree(making)
                making.mkdir(mode=0o700)
                fill(making, self._upper, self._policy)
                making.rename(self._place / str(seq))
                self._seen, self._newest = seen, seq
            self._make_room()
            return True
        return False

    def _make_room(self) -> None:
        numbers = known(self._place.parent)
        copies = [n for n in numbers if not (self._place / str(n)).is_symlink()]
        for number in copies[:-MOST_COPIES]:
            remove_tree(self._place / str(number))
        for number in numbers:
            path = self._place / str(number)
            if path.is_symlink() and (not path.exists() or number < numbers[-1] - _LONG):
                path.unlink()


_LONG = 100_000  # events after which a frame that is the same as an older one goes


def known(directory: Path) -> list[int]:
    """Give the numbers of the events at which a container's layer was kept."""
    with suppress(OSError):
        names = [path.name for path in (directory / PLACE).iterdir()]
        return sorted(int(name) for name in names if name.isdigit())[-_MOST_FRAMES:]
    return []


def find(directory: Path, seq: int) -> Path | None:
    """Give the tree that was kept at event `seq`, or None."""
    path = directory / PLACE / str(seq)
    return path.resolve() if path.is_dir() else None


def fill(empty: Path, tree: Path, policy: Policy = ROOT) -> None:
    """Copy the upper directory `tree` into the directory `empty`.

    Raises what `pack` raises, and OSError.
    """
    with Applying(empty, policy=policy) as twin:
        pack(tree, _nowhere, spelling=policy.spelling, twin=twin)
        twin.finish()


def _nowhere(_piece: bytes) -> None:
    """Throw an archive away: its entries are what is wanted."""


def _signature(upper: Path) -> str:
    """Give a word that is another one as soon as anything changes; "" for too much."""
    told, names, size = sha256(), 0, 0
    for name, found in _walk(upper):
        names, size = names + 1, size + found.st_size
        if names > MOST_NAMES or size > MOST_BYTES:
            return ""
        facts = (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns,
                 found.st_ctime_ns)  # fmt: skip
        told.update(f"{name!r}{facts}".encode())
    return told.hexdigest()


def _walk(upper: Path) -> Iterator[tuple[str, os.stat_result]]:
    yield "", upper.lstat()
    for above, directories, files, handle in os.fwalk(upper):
        for name in sorted((*directories, *files)):
            found = os.stat(name, dir_fd=handle, follow_symlinks=False)
            yield f"{above}/{name}", found
