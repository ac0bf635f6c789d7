"""Let the disk be full at many points of a build, a load and a tag, and say how it went.

Run in namespaces of its own (`tests.edge.private`).  Arguments: how many points.  Standard
output is JSON: for each verb, how much was free and what the verb said, "" for done.
Whatever else is wrong is an AssertionError.

At each point the disk is filled up to so many free bytes, or files, and the verb done.
Then the rest is filled too: rm, rmi and prune work all the same.
Then the verb is done with room, and must come to its end.
"""

import io
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyminidock.build.options import Options
from pyminidock.build.output import Failed, Message, Text
from pyminidock.container.spec import CreateRequest
from pyminidock.engine import build, images, kernels, loading, removing, run
from pyminidock.engine.house import House
from pyminidock.errors import MinidockError
from pyminidock.grammar.refs import parse
from pyminidock.layers.snapshots import remove_tree
from pyminidock.store import opening
from pyminidock.store.images import NoSuchImage
from pyminidock.store.opening import open_store
from tests.builder import packed
from tests.engine.archives import config, layer, old_docker, tar
from tests.store.invariants import check_invariants

DISK_BYTES, FILES = 96 << 20, 2000
Fill = Callable[[Path, str, int], Path]
"""Fills the disk but for so much; gives what it made."""

BIG = random.Random(7).randbytes(2 << 20)
LAYERS = [layer(f"part-{n}", bytes([n]) + BIG) for n in range(3)]
ARCHIVE = tar(old_docker(LAYERS, config(*LAYERS), "made:1"))
DOCKERFILE = (
    "FROM busybox\nWORKDIR /srv\nCOPY big /srv/big\nRUN cp big copy\nENV DONE=yes\n"
)
CONTEXT = packed({"Dockerfile": DOCKERFILE, "big": BIG})


def do_build(house: House) -> str:
    """Build `made:1`, each step anew.  If a program met the full disk, it has said so."""
    options = Options(tags=("made:1",), uses_cache=False, removes_always=True)
    building = build.start(house, options)
    building.begin(io.BytesIO(CONTEXT))
    said: list[Message] = []
    building.run(said.append)
    printed = "".join(each.text for each in said if isinstance(each, Text))
    failed = [each for each in said if isinstance(each, Failed)]
    if failed and failed[0].code and "No space left on device" in printed:
        return f"{failed[0].message}: no space left on device"
    return failed[0].message if failed else ""


def do_load(house: House) -> str:
    """Load `made:1`."""
    loading.load(house, io.BytesIO(ARCHIVE), lambda _: None)
    return ""


def do_tag(house: House) -> str:
    """Give busybox another name."""
    images.tag(house, "busybox", "made:1")
    return ""


def main(points: int) -> None:
    """Fill, do, look, once for each point of each verb."""
    opening.RESERVE_BYTES = opening.RESERVE_SHARE = 0  # else all is refused beforehand
    disk = Path("/run/disk")
    kind = _mount(disk)
    root = disk / "root"
    with _house(root) as house:
        images.make(house, "busybox")
    told = {}
    for verb, deed, fill, enough in VERBS:
        told[verb] = [
            (free, _one_point(root, deed, fill, free))
            for free in (enough * n // max(1, points - 1) for n in range(points))
        ]
    json.dump({"disk": kind, "told": told}, sys.stdout)


def _mount(disk: Path) -> str:
    """Mount an ext4 in a file, or else a small tmpfs; say which."""
    disk.mkdir()
    image = disk.with_name("disk.image")
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-N", str(FILES), image], check=True)
    with suppress(subprocess.CalledProcessError):
        subprocess.run(["mount", "-o", "loop", image, disk], check=True)
        return "ext4"
    size = f"size={DISK_BYTES},nr_inodes={FILES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk], check=True)
    return "tmpfs"


@contextmanager
def _house(root: Path) -> Iterator[House]:
    house = House(root, kernels.choose("linux-root", root))
    try:
        yield house
    finally:
        house.close()


def _one_point(root: Path, deed: Callable[[House], str], fill: Fill, free: int) -> str:
    """Do `deed` with so much room; give what it said, "" if it was done."""
    with _house(root) as house:
        assert house.store.repairs == (), house.store.repairs
        for name in ("old:1", ""):
            loading.import_tree(
                house, io.BytesIO(layer(f"old-{name}")), name=parse(name) if name else None
            )
        container = run.create(house, CreateRequest("busybox", command=("true",)))
        before = house.store.images.tags()
        fillers = [fill(root, "filler-1", free)]
        said = _told(lambda: deed(house))
        _nothing_is_half_there(house, before, container, is_done=not said)
        fillers.append(fill(root, "filler-2", 0))
        run.remove(house, container)
        removing.remove(house, "old:1")
        removing.prune(house)
        assert list((root / "containers").iterdir()) == []
        assert "docker.io/library/old:1" not in house.store.images.tags()
        for filler in fillers:
            remove_tree(filler)
        assert _told(lambda: deed(house)) == ""
        assert all(tree.is_dir() for tree in images.find(house, "made:1").trees)
        removing.remove(house, "made:1")
        removing.prune(house)
    store = open_store(root)
    assert store.repairs == ()
    store.close()
    check_invariants(root)
    return said


def _fill(root: Path, name: str, free: int) -> Path:
    """Leave so many bytes free on the disk; give what takes the others."""
    filler = root.with_name(name)
    with filler.open("wb") as file:
        piece = 1 << 20
        while piece >= 4096:
            try:
                os.write(file.fileno(), b"x" * piece)
            except OSError:
                piece //= 2
        os.fsync(file.fileno())
        os.ftruncate(file.fileno(), max(0, os.fstat(file.fileno()).st_size - free))
        os.fsync(file.fileno())
    return filler


def _fill_up(root: Path, name: str, free: int) -> Path:
    """Leave room for so many more files; give the directory of those that are too many."""
    filler = root.with_name(name)
    with suppress(OSError):
        filler.mkdir()
        for number in itertools.count():
            (filler / f"{number}").touch()
    for number in range(free):
        (filler / f"{number}").unlink(missing_ok=True)
    return filler


def _told(deed: Callable[[], str]) -> str:
    try:
        return deed()
    except MinidockError as refusal:
        return refusal.what


def _nothing_is_half_there(
    house: House, before: dict[str, str], container: str, *, is_done: bool
) -> None:
    """What was there is there, and the new one is whole or has no name."""
    root, tags = house.root, house.store.images.tags()
    assert {name: tags[name] for name in before} == before
    with suppress(NoSuchImage):
        assert all(tree.is_dir() for tree in images.find(house, "made:1").trees)
    assert ("docker.io/library/made:1" in tags) == is_done
    assert [path.name for path in (root / "containers").iterdir()] == [container]
    assert list(root.glob("layers/tmp-*")) == []
    assert list(root.glob("oci/blobs/sha256/tmp-*")) == []
    assert list((root / "trash").iterdir()) == []
    assert house.store.leases.held() == ()
    assert str(root) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")


VERBS = (  # with the bytes, or the files, that are surely enough
    ("build", do_build, _fill, 12 << 20),
    ("build, files", do_build, _fill_up, 72),
    ("load", do_load, _fill, 19 << 20),
    ("load, files", do_load, _fill_up, 30),
    ("tag", do_tag, _fill, 40 << 10),
)


if __name__ == "__main__":
    main(int(sys.argv[1]))
