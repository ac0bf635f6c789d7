"""Trees of a real engine: what it packs of a container, and what it unpacks of a layer."""

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyminidock.layers.apply import apply
from pyminidock.layers.archive import Entry, read_entries
from pyminidock.layers.diff import diff
from tests.compat.test_layer_archives import SCRIPT, layers_of, packed_again
from tests.reference import Reference

pytestmark = pytest.mark.compat

MORE = """
set -e
mkdir -p /w/deep/er /w/z; touch /w/-dash /w/a.b /w/a /w/a-b "/w/new
line" /w/sp\\ ace
mkdir /w/a.d /w/a_d; touch /w/a.d/x /w/a_d/x
rm -r /bin/[a-c]*; rm -rf /tmp; mkdir -m 1777 /tmp; touch /tmp/again
chmod 700 /root; ln -s /nowhere /w/dangling; ln -s ../../../../etc /w/up
ln /w/dangling /w/dangling2; mkfifo /w/p; ln /w/p /w/p2; mkdir /w/sgid; chmod 2755 /w/sgid
touch -d "2030-05-05 05:05:05" /w/later; mv /etc/passwd /etc/passwd.moved
"""


@dataclass(frozen=True, slots=True)
class Committed:
    """A container's changes, seen from outside: its upper tree, the archive, the layer."""

    upper: Path
    archive: bytes
    layer: Path  # where the engine unpacked the archive again


def packed(tree: Path) -> bytes:
    """Write a tree down as an archive."""
    out = io.BytesIO()
    diff(tree, out.write)
    return out.getvalue()


def entries(archive: bytes) -> list[Entry]:
    return list(read_entries(io.BytesIO(archive)))


@pytest.fixture(params=[SCRIPT, MORE], ids=["kinds", "names and deletions"])
def committed(
    reference: Reference, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Committed]:
    """Run a script in a container of the real engine and commit what it did."""

    def where(kind: str, name: str) -> Path:
        form = "{{.GraphDriver.Data.UpperDir}}"
        said = reference.docker(kind, "inspect", "--format", form, name)
        return Path(f"/proc/{reference.pid}/root{said.stdout.strip()}")

    run = ("run", "--name", "changer", "--network", "none", reference.image)
    ran = reference.docker(*run, "sh", "-c", request.param)
    assert (ran.returncode, ran.stderr) == (0, "")
    try:
        assert reference.docker("commit", "changer", "layers/changed").returncode == 0
        *_, archive = layers_of(reference, "layers/changed", tmp_path)
        yield Committed(
            where("container", "changer"), archive, where("image", "layers/changed")
        )
    finally:
        reference.docker("rm", "changer")
        reference.docker("rmi", "layers/changed")


def test_a_container_s_changes_are_packed_as_docker_packs_them(
    committed: Committed,
) -> None:
    """The same archive, byte for byte, but for a stray link name.

    All whiteouts of an overlay are one inode, so Docker takes the second for a hard link,
    and leaves the name of the first in its header although it says that it is a file.
    """
    ours = packed(committed.upper)
    assert entries(ours) == entries(committed.archive)
    assert ours == packed_again(committed.archive)


def test_a_layer_is_unpacked_as_docker_unpacks_it(
    committed: Committed, tmp_path: Path
) -> None:
    """The same tree: kinds, modes, owners, times, links, attributes, content.

    A whiteout is a new device to both, with the time at which it was made: a second may
    have passed between the one and the other.
    """
    ours = tmp_path / "ours"
    ours.mkdir()
    apply(read_entries(io.BytesIO(committed.archive)), ours)
    for whiteout in whiteouts(committed.layer):
        made = (committed.layer / whiteout).lstat().st_mtime_ns
        os.utime(ours / whiteout, ns=(made, made), follow_symlinks=False)
    assert entries(packed(ours)) == entries(packed(committed.layer))
    assert packed(ours) == packed(committed.layer)


def whiteouts(tree: Path) -> list[Path]:
    found = [each for each in tree.rglob("*") if stat.S_ISCHR(each.lstat().st_mode)]
    return [each.relative_to(tree) for each in found if each.lstat().st_rdev == 0]
