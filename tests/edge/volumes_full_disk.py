"""Fill volumes from an image, and write into them, on a disk that is nearly full.

Run in namespaces of its own (`tests.edge.private`).  Arguments: how many points.  Standard
output is JSON: how much was free, what the creation said ("" for done), how many files the
volume held afterwards, and what two writers left in one file of a volume that met the end.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyminidock.container.asked import Places
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import images, run, volumes
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.layers.snapshots import remove_tree
from pyminidock.store import opening
from tests.edge.full_disk import _fill, _house, _mount

ENOUGH = 4 << 20
_WRITE = "i=0; while [ $i -lt 200 ]; do echo $0 $i >> /d/log || exit 1; i=$((i+1)); done"


def main(points: int) -> None:
    """Create, look, remove, once for each point; then let two write at once."""
    opening.RESERVE_BYTES = opening.RESERVE_SHARE = 0  # else all is refused beforehand
    disk = Path("/run/disk")
    kind = _mount(disk)
    root = disk / "root"
    told: dict[str, Any] = {"disk": kind, "points": []}
    with _house(root) as house:
        images.make(house, "busybox")
        (source,) = (path for path in root.glob("layers/*/diff/bin") if path.is_dir())
        told["whole"] = len(list(source.iterdir()))
        for number in range(points):
            free = ENOUGH * number // max(1, points - 1)
            told["points"].append((free, *_one_point(house, root, free)))
        told["lines"] = _two_writers(house)
    json.dump(told, sys.stdout)


def _one_point(house: House, root: Path, free: int) -> tuple[str, int]:
    """Create a container whose volume gets the image's /bin; give what was said."""
    volumes.create(house, "stays")
    (house.store.volumes.data("stays") / "data").write_bytes(b"d" * 1000)
    filler = _fill(root, "filler", free)
    said = ""
    try:
        run.create(house, wish("filled:/bin", "true"))
    except MinidockError as refusal:
        said = refusal.what
    data = house.store.volumes.data("filled")
    found = len(list(data.iterdir())) if data.exists() else 0
    left = [path.name for path in data.parent.iterdir()] if data.exists() else []
    assert set(left) <= {"_data", "volume.json"}, left
    assert (house.store.volumes.data("stays") / "data").read_bytes() == b"d" * 1000
    for life in house.lives():
        run.remove(house, life.id)
    for name in ("filled", "stays"):
        with suppress(volumes.NoSuchVolume):
            volumes.remove(house, name)  # also while the disk is full
    remove_tree(filler)
    assert list((root / "volumes").iterdir()) == []
    return said, found


def _two_writers(house: House) -> list[int]:
    """Let two containers append to one file; give how many whole lines each left."""
    made = []
    for name in ("one", "two"):
        request = wish("shared:/d", "sh", "-c", _WRITE, name)
        made.append(run.create(house, request))
        run.start(house, made[-1])
    for each in made:
        run.wait(house, each)
    lines = (house.store.volumes.data("shared") / "log").read_text().splitlines()
    for each in made:
        run.remove(house, each)
    volumes.remove(house, "shared")
    return [
        len([line for line in lines if line in {f"{name} {n}" for n in range(200)}])
        for name in ("one", "two")
    ] + [len(lines)]


def wish(bind: str, *command: str) -> CreateRequest:
    """Ask for a container with one volume."""
    return CreateRequest(
        "busybox", command=command, network_mode="none", places=Places(binds=(bind,))
    )


if __name__ == "__main__":
    os.umask(0o022)
    main(int(sys.argv[1]))
