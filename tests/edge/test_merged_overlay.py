"""Three views of the same stacks: the kernel's overlayfs, ours on disk, the pure one."""

import ctypes
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.layers.merged import Merged
from pyminidock.unionfs.lookup import Kind, Layer, lookup
from tests.edge.overlay_stacks import build, mount, shown
from tests.edge.test_overlay_lookup import PATHS, scribble

MNT_DETACH = 2


def by_merged(trees: list[Path]) -> dict[str, tuple[str, list[int]]]:
    """Walk the view as `shown` walks a mounted tree."""
    found: dict[str, tuple[str, list[int]]] = {}
    with Merged(trees) as view:
        waiting = [""]
        while waiting:
            above = waiting.pop()
            names = [os.fsdecode(name) for name in view.list(above or "/")]
            marks = [name for name in names if name.startswith(".from-layer-")]
            made_of = sorted(int(mark.removeprefix(".from-layer-")) for mark in marks)
            found[above or "/"] = ("directory", made_of)
            for name in set(names) - set(marks):
                status = view.lstat(f"{above}/{name}")
                assert status is not None
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(f"{above}/{name}")
                else:
                    with view.open(f"{above}/{name}") as file:
                        found[f"{above}/{name}"] = ("file", [int(file.read())])
    return found


def by_lookup(stack: list[Layer]) -> dict[str, tuple[str, list[int]]]:
    answer = {}
    for path in PATHS:
        found = lookup(stack, path)
        if found.kind is not None:
            kind = "file" if found.kind is Kind.FILE else "directory"
            answer[path] = (kind, sorted(stack.index(layer) for layer in found.layers))
    return answer


def compare(stacks: int, place: Path) -> None:
    """Build random stacks below `place`, mount each, and ask all three."""
    libc = ctypes.CDLL(None, use_errno=True)
    for seed in range(stacks):
        rng = random.Random(seed)
        stack = [scribble(rng, f"layer{n}") for n in range(rng.randint(2, 5))]
        here = place / str(seed)
        here.mkdir()
        trees = [here / str(number) for number in range(len(stack))]
        for number, (tree, layer) in enumerate(zip(trees, stack, strict=True)):
            build(
                tree, number, [(path, kind.value) for path, kind in layer.entries.items()]
            )
        if seed % 3 == 0:  # overlayfs takes no notice of it
            os.setxattr(trees[0], "trusted.overlay.opaque", b"y")
        (here / "merged").mkdir()
        mount(
            "overlay", here / "merged", "overlay", f"lowerdir={':'.join(map(str, trees))}"
        )
        try:
            assert by_merged(trees) == shown(here / "merged"), f"seed {seed}"
        finally:
            libc.umount2(str(here / "merged").encode(), MNT_DETACH)
        assert by_merged(trees) == by_lookup(stack), f"seed {seed}"


@pytest.mark.edge
def test_three_views_of_a_stack_agree(
    tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    """Mounts are made in a namespace of their own, which takes them away."""
    program = (
        "import sys, pathlib; from tests.edge.test_merged_overlay import compare; "
        "compare(int(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", program,
         str(at_length(1000)), str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
