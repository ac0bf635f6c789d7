"""The k-th deed on the disk fails, for every k: an error, and a store that holds."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.store.files import Files, StoreFull
from pyminidock.store.gc import sweep
from pyminidock.store.opening import Store, open_store
from tests.store.invariants import check_invariants, check_swept
from tests.store.stores import name, put_image, unsynced

Deed = Callable[[Store], object]


class FailingFiles(Files):
    """A disk whose deed number `fails_at` fails with `code`; it counts from 0."""

    def __init__(self) -> None:
        self.count, self.fails_at, self.code = 0, -1, 0

    def _meet(self) -> None:
        self.count += 1
        if self.count - 1 == self.fails_at:
            raise OSError(self.code, os.strerror(self.code))

    def create(self, path: Path) -> int:
        """Create, or fail."""
        self._meet()
        return super().create(path)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        """Write, or half of it and fail."""
        try:
            self._meet()
        except OSError:
            super().write(descriptor, data[: len(data) // 2])
            raise
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Fail, or not: nobody cuts the power here."""
        self._meet()

    def make_directory(self, path: Path) -> None:
        """Make, or fail."""
        self._meet()
        super().make_directory(path)

    def link(self, path: Path, name: Path) -> None:
        """Link, or fail."""
        self._meet()
        super().link(path, name)

    def rename(self, path: Path, target: Path) -> None:
        """Rename, or fail."""
        self._meet()
        super().rename(path, target)

    def sync_directory(self, path: Path) -> None:
        """Fail, or not."""
        self._meet()


def load(store: Store) -> None:
    put_image(store, "top", "below", "above", "top")


def tag(store: Store) -> None:
    (image,) = store.images.all()
    store.images.tag(name("alias"), image.id)


def remove(store: Store) -> None:
    for image in store.images.all():
        store.images.remove(image.id)
    sweep(store)


@pytest.mark.parametrize("deed", [load, tag, remove])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_whichever_deed_on_the_disk_fails_the_store_holds(
    deed: Deed, code: int, tmp_path: Path
) -> None:
    fails_at, was_done = 0, False
    while not was_done:
        root, files = tmp_path / f"{fails_at}", FailingFiles()
        store = open_store(root, mounts="", files=files)
        unsynced(store)
        put_image(store, "web", "below", "above")
        files.count, files.fails_at, files.code = 0, fails_at, code
        raised = _raised(deed, store)
        match raised:
            case StoreFull(what=what):
                assert "no space left on device" in what
            case OSError(errno=number):
                assert number == code
            case _:
                assert raised is None
        was_done = files.count <= fails_at
        files.fails_at = -1
        sweep(store)  # as the engine does after a failure
        store.close()
        again = open_store(root, mounts="")
        assert {each.deed for each in again.repairs} <= {"removed", "rebuilt"}
        assert deed is remove or name("web") in again.images.names()
        deed(again)  # it can be done now
        sweep(again)
        again.close()
        check_invariants(root)
        check_swept(root)
        fails_at += 1
    assert fails_at > 3 or deed is not load


def _raised(deed: Deed, store: Store) -> Exception | None:
    try:
        deed(store)
    except (StoreFull, OSError) as refusal:
        return refusal
    return None


def test_a_removal_takes_the_ballast_back_once_it_has_made_room(store: Store) -> None:
    put_image(store, "web", "below")
    store.db.drop_ballast()
    store.images.untag(name("web"))
    assert store.db.ballast.stat().st_size == 8 << 20
