"""The ground on which both engines stand: one small filesystem, made for one run.

Ratios are worth something only if both data roots lie on the same kind of ground.  A
filesystem without a journal is up to thirty times slower just after mass deletes, which
poisons every ratio, so there are two choices:

    tmpfs   no disk at all, so nothing that the machine does meanwhile disturbs
    ext4    with a journal, in a file on a loop device: who syncs has to wait

Either is mounted in a mount namespace of the benchmark's own, and the file of the loop
device has lost its name by then: whatever becomes of the benchmark, nothing stays.

Source: loop(4); mke2fs(8); mount_namespaces(7); architecture.md, 9.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KINDS = ("tmpfs", "ext4")
SIZE_BYTES = 8 << 30  # of a file with holes: it takes what is written
_OWN = "BENCH_HAS_ITS_MOUNTS"


def enter_own_mounts() -> None:
    """Start this program again in a mount namespace of its own, unless it is in one."""
    if _OWN not in os.environ:
        words = ["unshare", "--mount", "--propagation", "slave", sys.executable]
        os.execvpe(words[0], [*words, *sys.orig_argv[1:]], os.environ | {_OWN: "1"})  # noqa: S606


@contextmanager
def ground(kind: str) -> Iterator[Path]:
    """Give an empty directory on a filesystem of its own, of one of KINDS."""
    place = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        _mount(kind, place)
        try:
            yield place
        finally:
            _run("umount", "--lazy", str(place))
    finally:
        place.rmdir()


def _mount(kind: str, place: Path) -> None:
    if kind == "tmpfs":
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "bench", str(place))
        return
    with tempfile.NamedTemporaryFile(prefix="bench-", dir="/dev/shm") as image:
        os.truncate(image.name, SIZE_BYTES)
        at_once = "lazy_itable_init=0,lazy_journal_init=0"  # no thread that goes on later
        inodes = ("-i", "8192")  # one for so many bytes: files here are small
        _run("mkfs.ext4", "-q", "-O", "has_journal", "-E", at_once, *inodes, image.name)
        _run("mount", "-o", "loop", image.name, str(place))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
