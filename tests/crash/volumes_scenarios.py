"""What the engine does with volumes, as one process would do it."""

import os
from pathlib import Path

from pyminidock.engine import filling, volumemounts, volumes
from pyminidock.engine.house import House
from pyminidock.volume.points import MountPoint
from tests.crash.images_scenarios import house

FILES = {"one": 50_000, "two": 20, "d/three": 5_000}


def prepare(root: Path) -> None:
    """Have a volume that is to stay, one that is to go, and a tree as an image has it."""
    with house(root) as made:
        for name in ("keep", "old"):
            volumes.create(made, name, labels={"of": name})
            (made.store.volumes.data(name) / "data").write_bytes(b"d" * 1000)
    for name, size in FILES.items():
        path = root / "quarantine/image" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"f" * size)


def work(root: Path) -> None:
    """Make a volume, fill it as its first use does, and remove another one."""
    with house(root) as made:
        volumes.create(made, "data")
        _fill(made, root)
        _use(made)
        if made.store.volumes.get("old"):
            volumes.remove(made, "old")


def _fill(made: House, root: Path) -> None:
    place = made.store.volumes.data("data")
    if not any(place.iterdir()):
        source = os.open(root / "quarantine/image", os.O_RDONLY | os.O_DIRECTORY)
        filling.fill_from(made, source, place.parent)
        os.close(source)


def _use(made: House) -> None:
    """Have a volume that is mounted while it is used, and make it go again."""
    volumes.create(made, "memory", options={"type": "tmpfs", "device": "tmpfs"})
    with volumemounts.held(made, [MountPoint("volume", "/m", name="memory")], "look"):
        pass
    volumes.remove(made, "memory")


def check(root: Path) -> None:
    """Each volume is there with all of it, or not at all; what was not named stays."""
    with house(root) as made:
        known = {row.name for row in made.store.volumes.all()}
        assert known == {path.name for path in (root / "volumes").iterdir()}
        assert dict(made.store.volumes.get("keep").labels or ()) == {"of": "keep"}  # type: ignore[union-attr]
        for name in known & {"keep", "old"}:
            data = made.store.volumes.data(name) / "data"
            assert data.read_bytes() == b"d" * 1000
        if "data" in known:
            place = made.store.volumes.data("data")
            there = {
                path.relative_to(place).as_posix(): path.stat().st_size
                for path in place.rglob("*") if path.is_file()
            }  # fmt: skip
            assert there in ({}, FILES)
            assert {path.name for path in place.parent.iterdir()} == {
                "_data",
                "volume.json",
            }
