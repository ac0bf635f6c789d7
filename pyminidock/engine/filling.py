"""The first use of a volume that is empty: it gets what the image has at its place.

    image's directory ──copied──► volumes/<name>/tmp-fill ──► fill ──► _data
    image's directory ──copied──► what is mounted at _data, which no name can be moved into

Source: moby, daemon/create_unix.go, populateVolume(); volume.populate for the copy itself.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pyminidock.engine import volumemounts
from pyminidock.engine.house import House
from pyminidock.engine.volumemounts import unusable
from pyminidock.errors import MinidockError
from pyminidock.events import Emit, VolumePopulated
from pyminidock.kernel.port import NotHere, Tree, View
from pyminidock.layers.snapshots import Snapshot
from pyminidock.store.failpoints import reach
from pyminidock.store.files import StoreFull, telling_full
from pyminidock.store.volumes import DATA, FILL
from pyminidock.volume.points import MountPoint
from pyminidock.volume.populate import Copied, copy_tree, move_in

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_STAGED = "tmp-fill"


class PlaceIsFile(MinidockError):
    """A volume shall hang where the image has a file."""

    status = 500


class ImageView:
    """The container's tree as its image has it; opened when somebody asks."""

    def __init__(self, house: House, snapshot: Snapshot) -> None:
        self._house, self._snapshot = house, snapshot
        self._view: View | None = None
        self._is_blind = False

    def open(self, path: str) -> int:
        """Open a directory; -1 where there is none.  Raises NotADirectoryError."""
        with suppress(FileNotFoundError):
            view = self._opened()
            if view is not None:
                return view.open(os.fsencode(path), os.O_RDONLY | os.O_DIRECTORY)
        return -1

    def refuse_file(self, path: str, *, is_named: bool) -> None:
        """Refuse a place at which the image has a file.  Raises PlaceIsFile."""
        try:
            handle = self.open(path)
        except NotADirectoryError as fault:
            place = f"{self._snapshot.target}{path}"
            raise PlaceIsFile(
                f"source {place} is not directory"
                if is_named
                else f"cannot mount volume over existing file, file exists {place}",
                why="a volume is a directory, and a directory cannot cover a file",
                try_next="docker run --volume NAME:/another/place",
                lesson="volumes",
            ) from fault
        if handle >= 0:
            os.close(handle)

    def _opened(self) -> View | None:
        if self._view is None and not self._is_blind:
            one = self._snapshot
            try:
                self._view = self._house.kernel.view(
                    Tree(one.lower, one.upper, one.work, one.target, ())
                )
            except NotHere:
                self._is_blind = True
        return self._view

    def close(self) -> None:
        """Give it back, if it was opened."""
        if self._view is not None:
            self._view.close()


def fill(house: House, view: ImageView, point: MountPoint, voice: Emit) -> None:
    """Copy what the image has at a place into the volume, if that is empty."""
    place = house.store.volumes.data(point.name).parent
    with house.volumes.filling, telling_full(house.root):
        try:
            source = view.open(point.target)
        except NotADirectoryError:
            return
        if source < 0:
            return
        try:
            with _mounted_to_fill(house, point):
                if any((place / DATA).iterdir()):
                    return
                with _telling_how_far(place / DATA):
                    if volumemounts.options_of(house, point.name).is_mounted:
                        copied = _fill_mounted(house, source, place / DATA)
                    else:
                        copied = fill_from(house, source, place)
        finally:
            os.close(source)
    if copied.files:
        told = VolumePopulated(point.name, point.target, copied.files, copied.size_bytes)
        voice(told)


@contextmanager
def _mounted_to_fill(house: House, point: MountPoint) -> Iterator[None]:
    """Have a volume mounted, if it is one that is.  Raises VolumeUnusable."""
    with ExitStack() as mounts:
        try:
            mounts.enter_context(volumemounts.held(house, (point,), "fill"))
        except volumemounts.VolumeUnusable as fault:
            raise unusable(
                f"failed to populate volume: {fault.what}", fault.why, fault.try_next
            ) from fault
        yield


@contextmanager
def _telling_how_far(place: Path) -> Iterator[None]:
    """Say in Docker's words that there was no room for a copy.  Raises StoreFull."""
    try:
        with telling_full(place):
            yield
    except StoreFull as refusal:
        raise StoreFull(
            f"failed to copy files: userspace copy failed: {refusal.what}",
            why=refusal.why, try_next=refusal.try_next, lesson="volumes",
        ) from refusal  # fmt: skip


def _fill_mounted(house: House, source: int, place: Path) -> Copied:
    """Copy an open directory into an empty filesystem, name by name.

    What was copied before a failure goes again.  Raises OSError.
    """
    target = os.open(place, _DIRECTORY)
    try:
        return copy_tree(source, target)
    except OSError:
        for name in os.listdir(source):
            house.store.remove_tree(place / name)
        raise
    finally:
        os.close(target)


def fill_from(house: House, source: int, place: Path) -> Copied:
    """Copy an open directory into the empty volume whose directory is `place`.

    Whatever interrupts it: the volume is empty, or all is in it.  Raises OSError.
    """
    staged = place / _STAGED
    house.store.remove_tree(staged)
    try:
        staged.mkdir(0o700)
        target = os.open(staged, _DIRECTORY)
        try:
            copied = copy_tree(source, target)
        finally:
            os.close(target)
        reach("volume.copied")
        house.kernel.sync(place)
        staged.rename(place / FILL)
        house.store.files.sync_directory(place)
        reach("volume.filling")
    except OSError:
        house.store.remove_tree(staged)
        raise
    finish_fill(house, place)
    reach("volume.filled")
    return copied


def finish_fill(house: House, place: Path) -> bool:
    """Move a complete copy into its volume; False: there is none."""
    house.store.remove_tree(place / _STAGED)
    try:
        staged = os.open(place / FILL, _DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        target = os.open(place / DATA, _DIRECTORY)
        try:
            move_in(staged, target)
        finally:
            os.close(target)
    finally:
        os.close(staged)
    house.store.remove_tree(place / FILL)
    return True


def finish_fills(house: House) -> Iterator[str]:
    """Move what an earlier engine had copied into its volume; name those volumes."""
    for row in house.store.volumes.all():
        if finish_fill(house, house.store.volumes.data(row.name).parent):
            yield row.name
