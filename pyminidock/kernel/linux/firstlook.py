"""What the kernel's overlay takes for the first look at a name, and for the second.

A first look asks the layers.  The kernel keeps the answer, also that there is nothing: this
memory is the *dcache*, and a second look ends there.  So for each depth there is a fresh
overlay, which remembers nothing, and each of its names is looked at twice:

    top       is in the topmost layer                  first look: the layers answer
    bottom    is in the lowest layer only              second look: the kernel remembers
    none      is nowhere

The layers lie in memory, so that no disk is measured, and in a mount namespace that ends
with this process.  Given is the median of many names, because one look may meet anything.

    python -m pyminidock.kernel.linux.firstlook [DEPTH …]

Source: Documentation/filesystems/path-lookup.rst, "the dcache"; overlayfs.rst.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from pyminidock.kernel.linux import overlay, syscalls, userns
from pyminidock.kernel.linux.filesystems import new_filesystem

NAMES = 100  # of each kind
KINDS = ("top", "bottom", "none")


class Looks(NamedTuple):
    """The medians for one kind of name in a stack of `depth` layers, in nanoseconds."""

    depth: int
    kind: str
    first_ns: int
    second_ns: int


def measure(depth: int, place: Path, names: int = NAMES) -> list[Looks]:
    """Stack `depth` layers, which are made below `place`, and look.  Raises OSError."""
    layers = [place / str(depth) / str(number) for number in range(depth)]
    for layer in layers:
        (layer / "etc").mkdir(parents=True)
    for number in range(names):
        (layers[0] / "etc" / f"top{number}").touch()
        (layers[-1] / "etc" / f"bottom{number}").touch()
    tree = overlay.prepare(list(map(str, layers)), "", "")
    try:
        os.stat("etc", dir_fd=tree)
        return [_looked(tree, depth, kind, names) for kind in KINDS]
    finally:
        os.close(tree)


def _looked(tree: int, depth: int, kind: str, names: int) -> Looks:
    paths = [f"etc/{kind}{number}" for number in range(names)]
    first, second = (
        statistics.median(_timed(tree, path) for path in paths) for _ in range(2)
    )
    return Looks(depth, kind, round(first), round(second))


def _timed(tree: int, path: str) -> int:
    began = time.perf_counter_ns()
    try:  # noqa: SIM105  (suppress would be timed as well)
        os.stat(path, dir_fd=tree)
    except FileNotFoundError:
        pass
    return time.perf_counter_ns() - began


def enter() -> Path:
    """Go where mounts are nobody else's, and give an empty directory in memory there.

    Raises OSError where the machine forbids it.
    """
    if os.geteuid():
        userns.enter()
    else:
        syscalls.unshare(syscalls.CLONE_FLAGS["mount"])
        syscalls.mount_setattr(
            syscalls.AT_FDCWD, b"/", recursive=True, propagation=syscalls.MS_PRIVATE
        )
    place = tempfile.gettempdir()
    memory = new_filesystem(
        b"tmpfs", b"firstlook", ((b"mode", b"755"),), 0, is_readonly=False
    )
    syscalls.move_mount(memory, syscalls.AT_FDCWD, os.fsencode(place))
    return Path(place)


def main(words: list[str]) -> int:
    """Print what was measured, as JSON; and what the kernel refused, on standard error."""
    try:
        place = enter()
        for word in words:
            for looks in measure(int(word), place):
                sys.stdout.write(json.dumps(looks._asdict()) + "\n")
    except OSError as refusal:
        sys.stderr.write(f"{refusal.strerror or refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
