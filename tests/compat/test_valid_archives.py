"""Every archive that we take, beside those who unpacked archives before us.

GNU tar and Python's `tarfile` (trusting all, in a root of its own) know no whiteouts; a
real engine does.  The trees must be the same: kinds, modes, owners, times, links, names of
one file, attributes, content.  Archives come from the hostile table and from a seed.
"""

import io
import os
import random
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

from pyminidock.image.chain import extend
from pyminidock.layers.apply import apply
from pyminidock.layers.archive import read_entries
from pyminidock.layers.snapshots import remove_tree
from tests.engine.archives import config, digest, old_docker, tar
from tests.layers.hostile.cases import CASES, Case
from tests.layers.hostile.damage import DAMAGED, ODD
from tests.layers.hostile.trial import outside
from tests.reference import Reference

__all__ = ["outside"]

pytestmark = [pytest.mark.compat, pytest.mark.usefixtures("outside")]

VALID = tuple(case for case in (*CASES, *DAMAGED, *ODD) if not case.refused)
STARTED_NS = time.time_ns()


class Fact(NamedTuple):
    """What there is to know of one name."""

    kind: int
    mode: int
    owner: tuple[int, int]
    time_ns: int  # 0 where it is only when the tree was made
    content: object
    xattrs: dict[str, bytes]
    first: str  # of the names of one file


Facts = dict[str, Fact]


def facts(tree: Path) -> Facts:
    """Write a tree down, its root left out: an archive need not describe it."""
    found: Facts = {}
    first: dict[int, str] = {}
    waiting = sorted(tree.iterdir(), reverse=True)
    while waiting:
        path = waiting.pop()
        status = path.lstat()
        name = str(path.relative_to(tree))
        kind = stat.S_IFMT(status.st_mode)
        content: object = ""
        if kind == stat.S_IFLNK:
            content = path.readlink()
        elif kind == stat.S_IFREG:
            content = sha256(path.read_bytes()).hexdigest()
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            content = status.st_rdev
        elif kind == stat.S_IFDIR:
            waiting += sorted(path.iterdir(), reverse=True)
        words = os.listxattr(path, follow_symlinks=False)
        xattrs = {word: os.getxattr(path, word, follow_symlinks=False) for word in words}
        is_whiteout = kind == stat.S_IFCHR and not status.st_rdev
        is_now = STARTED_NS <= status.st_mtime_ns < STARTED_NS + 3600 * 10**9
        if is_whiteout and "trusted.overlay.opaque" in os.listxattr(path.parent):
            continue  # there is nothing to delete
        found[name] = Fact(
            kind, 0 if kind == stat.S_IFLNK else stat.S_IMODE(status.st_mode),
            (0, 0) if is_whiteout else (status.st_uid, status.st_gid),
            0 if is_now or is_whiteout else status.st_mtime_ns, content, xattrs,
            name if is_whiteout or kind == stat.S_IFDIR
            else first.setdefault(status.st_ino, name),
        )  # fmt: skip
    return found


def plainer(found: Facts, *, has_xattrs: bool) -> Facts:
    """Leave out what others leave open: times of directories and links, fractions."""
    return {
        name: each._replace(
            time_ns=0 if each.kind in (stat.S_IFDIR, stat.S_IFLNK)
            else each.time_ns if has_xattrs else each.time_ns // 10**9,
            xattrs=each.xattrs if has_xattrs else {},
        )
        for name, each in found.items()
    }  # fmt: skip


def ours(archive: bytes, place: Path) -> Path:
    place.mkdir()
    apply(read_entries(io.BytesIO(archive)), place)
    return place


def by_gnu_tar(archive: bytes, place: Path) -> Path:
    place.mkdir()
    words = ["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--same-owner",
             "-pxf", "-", "-C", str(place)]  # fmt: skip
    done = subprocess.run(words, input=archive, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return place


TRUSTING = """
import io, os, sys, tarfile
data = io.BytesIO(sys.stdin.buffer.read())
archive = tarfile.open(fileobj=data, errors="surrogateescape")
os.chroot(sys.argv[1])
os.chdir("/")
more = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
archive.extractall("/", numeric_owner=True, **more)
"""


def by_tarfile(archive: bytes, place: Path) -> Path:
    place.mkdir()
    words = [sys.executable, "-c", TRUSTING, str(place)]
    done = subprocess.run(words, input=archive, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return place


@dataclass(slots=True)
class Loading:
    """A real engine that unpacks layers."""

    reference: Reference
    place: Path
    said: str = ""
    count: int = 0

    def tree(self, archive: bytes) -> Path | None:
        """Load an image of one layer; give where the layer lies, or None if refused."""
        name = f"valid-{self.count}:1"
        self.count += 1
        image = self.place / "image.tar"
        image.write_bytes(tar(old_docker([archive], config(archive), name)))
        done = self.reference.docker("load", "-i", str(image))
        self.said = done.stdout + done.stderr
        if "Loaded image" not in done.stdout:
            return None
        form = "{{.GraphDriver.Data.UpperDir}}"
        found = self.reference.docker("image", "inspect", "--format", form, name)
        return Path(f"/proc/{self.reference.pid}/root{found.stdout.strip()}")

    def forget(self) -> None:
        """Remove the images."""
        for number in range(self.count):
            self.reference.docker("rmi", "-f", f"valid-{number}:1")


@pytest.fixture(scope="module")
def docker(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Loading:
    return Loading(reference, tmp_path_factory.mktemp("loading"))


# ── Archives from a seed ─────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Growing:
    """An archive that nobody argues about: every parent named, no name twice."""

    chance: random.Random
    has_whiteouts: bool
    out: io.BytesIO = field(default_factory=io.BytesIO)
    directories: list[str] = field(default_factory=lambda: [""])
    files: list[tarfile.TarInfo] = field(default_factory=list)
    opaque: set[str] = field(default_factory=set)

    def archive(self) -> bytes:
        form = self.chance.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))
        with tarfile.open(fileobj=self.out, mode="w", format=form) as archive:
            for number in range(self.chance.randint(1, 40)):
                self._add(archive, number, has_pax=form == tarfile.PAX_FORMAT)
        return self.out.getvalue()

    def _add(self, archive: tarfile.TarFile, number: int, *, has_pax: bool) -> None:
        chance = self.chance
        word = chance.choice(
            ("a", "b b", "é", "x" * 120, "-dash", "new\nline", "a.b", "c\\d")
        )
        name = f"{chance.choice(self.directories)}{word}{number}"
        entry = tarfile.TarInfo(name)
        entry.mode = chance.choice((0o644, 0o4755, 0o2711, 0o600, 0o1777, 0o444, 0))
        entry.uid, entry.gid = (
            chance.choice((0, 1, 65534, 3_000_000)),
            chance.choice((0, 7)),
        )
        entry.mtime = chance.choice((0, 1, 1_700_000_000, 2**31 + 5))
        content = b""
        match chance.randrange(9 if self.has_whiteouts else 7):
            case 0 | 1:
                entry.type = tarfile.DIRTYPE
                if not self.has_whiteouts:
                    entry.mode &= 0o1777  # below a set-gid one GNU tar leaves the bit
                self.directories.append(name + "/")
            case 2:
                entry.type = tarfile.SYMTYPE
                entry.linkname = chance.choice(("a", "/etc/passwd", "../../..", "l" * 300))
            case 3 if self.files:
                first = chance.choice(self.files)
                if not self.has_whiteouts:  # GNU tar does not look at these
                    for field_ in ("mode", "uid", "gid", "mtime", "pax_headers"):
                        setattr(entry, field_, getattr(first, field_))
                entry.type, entry.linkname = tarfile.LNKTYPE, first.name
            case 4:
                entry.type = chance.choice(
                    (tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE)
                )
                entry.devmajor, entry.devminor = chance.choice(
                    ((1, 3), (8, 0), (259, 70_000))
                )
            case 7:
                entry.name = f"{chance.choice(self.directories)}.wh.gone{number}"
            case 8:
                entry.name = f"{self.directories[-1]}.wh..wh..opq"
                if entry.name in self.opaque or len(self.directories) == 1:
                    return
                self.opaque.add(entry.name)
            case _:
                content = chance.randbytes(chance.choice((0, 1, 511, 512, 513, 5000)))
                self.files.append(entry)
                if has_pax and chance.random() < 0.5:
                    entry.pax_headers = {"SCHILY.xattr.user.a": "v=1\n",
                                         "mtime": f"{entry.mtime}.250000000"}  # fmt: skip
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


def grown(seed: int, *, has_whiteouts: bool = False) -> bytes:
    return Growing(random.Random(seed), has_whiteouts).archive()


def differing(one: Facts, other: Facts) -> list[str]:
    """Name what differs: "NAME: there" has only the other, "NAME: FIELD" is not equal."""
    found = []
    for name in sorted(one.keys() | other.keys()):
        if name not in one or name not in other:
            found.append(f"{name}: {'here' if name in one else 'there'}")
        else:
            fields = zip(Fact._fields, one[name], other[name], strict=True)
            found += [f"{name}: {field}" for field, mine, its in fields if mine != its]
    return found


@pytest.mark.soak
def test_gnu_tar_and_tarfile_unpack_the_same_trees(
    tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    """`tarfile` sets no attributes, and no parts of a second."""
    for seed in range(at_length(400)):
        archive = grown(seed)
        trees = [
            make(archive, tmp_path / f"{make.__name__}-{seed}")
            for make in (ours, by_gnu_tar, by_tarfile)
        ]
        mine, gnu, trusting = map(facts, trees)
        for other, has_xattrs in ((gnu, True), (trusting, False)):
            expected = plainer(mine, has_xattrs=has_xattrs)
            assert differing(expected, plainer(other, has_xattrs=has_xattrs)) == [], seed
        for tree in trees:
            remove_tree(tree)


@pytest.mark.soak
def test_docker_unpacks_the_same_layers(
    docker: Loading, tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    """Whiteouts and opaque directories included."""
    try:
        for seed in range(at_length(200)):
            archive = grown(seed, has_whiteouts=True)
            theirs = docker.tree(archive)
            assert theirs is not None, (seed, docker.said)
            mine = ours(archive, tmp_path / f"{seed}")
            assert differing(facts(mine), facts(theirs)) == [], seed
    finally:
        docker.forget()


def test_layers_above_each_other_have_the_names_that_docker_gives_them(
    docker: Loading,
) -> None:
    """The chain ids, and the diff ids in them; its database of layers lies beside them."""
    layers = [grown(seed, has_whiteouts=True) for seed in (1, 2, 3)]
    image = docker.place / "image.tar"
    image.write_bytes(tar(old_docker(layers, config(*layers), "valid-0:1")))
    docker.count = 1
    try:
        docker.reference.docker("load", "-i", str(image))
        form = "{{.GraphDriver.Data.UpperDir}}"
        found = docker.reference.docker("image", "inspect", "--format", form, "valid-0:1")
        upper = Path(f"/proc/{docker.reference.pid}/root{found.stdout.strip()}")
        database = upper.parents[2] / "image" / "overlay2" / "layerdb" / "sha256"
        chain = ""
        for layer in layers:
            chain = extend(chain, digest(layer))
            assert (database / chain.removeprefix("sha256:") / "diff").read_text() == (
                digest(layer)
            )
    finally:
        docker.forget()
        docker.count = 0


# ── The table ────────────────────────────────────────────────────────────────────────────

TWICE = "refused: duplicates of file paths not supported"
MISSING = "no such file or directory"
NOT_IN = "not a directory"
MADE = 'refused: failed to mknod("/{}", S_IFCHR, 0): {}'
ELSEWISE = {  # Docker's part: it refuses, or something is there or otherwise
    # Two entries of one name: the last wins here, Docker's `load` takes none.
    **dict.fromkeys(
        (
            "T-09",
            "T-09 directory",
            "T-09 device",
            "T-13",
            "T-27 replaced",
            "T-27 by a file",
            "T-34",
            "T-35",
        ),
        TWICE,
    ),
    # What is missing behind a link on the way is made here, as anywhere else.
    "T-05": f"refused: open /l/f: {MISSING}",
    "T-05 deep": f"refused: open /d/l/f: {MISSING}",
    "T-07": f"refused: open /l0/f: {MISSING}",
    "T-30 through": MADE.format("a/x", MISSING),
    "T-31": f'refused: setxattr("/l", trusted.overlay.opaque=y): {MISSING}',
    # A file on the way gives place to a directory here.
    "T-34 deep": f"refused: open /n/e: {NOT_IN}",
    "T-37 a file": f"refused: open /p/q: {NOT_IN}",
    "T-33": f"refused: open /p/f: {NOT_IN}",
    # A name that is both deleted and there speaks of the layers below, in any order.
    "T-28 after": MADE.format("f", "file exists"),
    "T-28 link": MADE.format("f", "file exists"),
    "T-32 its own parent": MADE.format("a", "file exists"),
    "T-33 after": MADE.format("p", "file exists"),
    "T-33 directory": "p: xattrs",
    # Docker sets the owner anew, and the kernel takes the capability for that.
    "T-23 second name": "p: xattrs, q: xattrs",
    # Attributes that cannot be set are dropped and told here.
    "T-23 malformed": "refused: lsetxattr security.capability /p: invalid argument",
    "T-25": "refused: lsetxattr system.posix_acl_access /r: invalid argument",
    # Files of aufs; a time beyond what disks can say.
    "T-30 aufs": ".wh..wh.plnk: there, .wh..wh.plnk/1: there, .wh.aufs: there",
    "T-40": "b: time_ns",
}


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.id)
def test_what_we_take_docker_takes_as_we_do(
    docker: Loading, tmp_path: Path, case: Case
) -> None:
    theirs = docker.tree(case.whole)
    mine = ours(case.whole, tmp_path / "ours")
    try:
        if theirs is None:
            found = f"refused: {docker.said.strip()}"
        else:
            found = ", ".join(differing(facts(mine), facts(theirs)))
    finally:
        docker.forget()
        docker.count = 0
        remove_tree(mine)
    assert found == ELSEWISE.get(case.id, "")
