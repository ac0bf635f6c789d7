"""A stack of 127 layers: stacked by the kernel, read by us, and long names in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyminidock.layers.merged import Merged

LAYERS = 127


@pytest.mark.edge
@pytest.mark.parametrize("length", [10, 200], ids=["short", "long"])
def test_the_kernel_and_we_see_the_same_in_127_layers(tmp_path: Path, length: int) -> None:
    """Names of directories do not count: each goes to the kernel by itself."""
    trees = [
        tmp_path / ("x" * length) / f"{number:064x}" / "diff" for number in range(LAYERS)
    ]
    for number, tree in enumerate(trees):
        (tree / "shared").mkdir(parents=True)
        (tree / "shared" / f"from-{number}").touch()
        (tree / "who").write_text(str(number), encoding="ascii")
    os.mknod(trees[0] / "shared" / "from-126", 0o020000, os.makedev(0, 0))
    for part in ("upper", "work"):
        (tmp_path / part).mkdir()
    program = """
import os, sys
from pyminidock.kernel.linux import overlay
lower, upper, work = sys.argv[1].split("\\n"), *sys.argv[2:]
tree = overlay.prepare(lower, upper, work)
shared = os.open("shared", os.O_RDONLY, dir_fd=tree)
print(*sorted(os.listdir(shared)))
print(os.read(os.open("who", os.O_RDONLY, dir_fd=tree), 9).decode())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, "\n".join(map(str, trees)),
         str(tmp_path / "upper"), str(tmp_path / "work")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names, who = done.stdout.splitlines()
    assert names.split() == sorted(f"from-{number}" for number in range(LAYERS - 1))
    with Merged(trees) as view, view.open("who") as file:
        assert file.read().decode() == who == "0"
        assert view.list("shared") == tuple(os.fsencode(name) for name in names.split())
