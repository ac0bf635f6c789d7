"""The pure lookup against the kernel's own overlayfs: the same stacks, the same answers."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyminidock.unionfs.lookup import Kind, Layer, lookup

FILE, DIR, OPAQUE, WHITEOUT = Kind.FILE, Kind.DIRECTORY, Kind.OPAQUE, Kind.WHITEOUT
PATHS = ("/", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/e", "/f", "/f/g")
MOUNTER = Path(__file__).with_name("overlay_stacks.py")

Shown = dict[str, tuple[str, list[int]]]


def scribble(rng: random.Random, name: str) -> Layer:
    """A random well-formed layer: only directories have children."""
    entries: dict[str, Kind] = {"/": DIR}
    for path in PATHS[1:]:
        parent = path.rpartition("/")[0] or "/"
        if entries.get(parent) in (DIR, OPAQUE):
            kind = rng.choice([None, FILE, DIR, DIR, DIR, OPAQUE, WHITEOUT])
            entries |= {path: kind} if kind else {}
    del entries["/"]
    return Layer(name, entries)


def by_the_kernel(stacks: list[list[Layer]]) -> list[Shown]:
    """Ask overlayfs, in a mount namespace that ends with the asking process."""
    spelled = [
        [[(path, kind.value) for path, kind in layer.entries.items()] for layer in stack]
        for stack in stacks
    ]
    asked = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-I", MOUNTER],
        input=json.dumps(spelled),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    answers: list[dict[str, tuple[str, list[int]]]] = json.loads(asked.stdout)
    return [
        {path: (kind, made_of) for path, (kind, made_of) in one.items()} for one in answers
    ]


def by_us(stack: list[Layer]) -> Shown:
    """Ask `lookup` for every path there can be."""
    answer: Shown = {}
    for path in PATHS:
        found = lookup(stack, path)
        if found.kind is not None:
            kind = "file" if found.kind is FILE else "directory"
            answer[path] = (kind, sorted(stack.index(layer) for layer in found.layers))
    return answer


@pytest.mark.edge
def test_lookup_agrees_with_overlayfs(at_length: Callable[[int], int]) -> None:
    rng = random.Random(2)
    stacks = [
        [scribble(rng, f"layer{n}") for n in range(rng.randint(1, 4))]
        for _ in range(max(300, at_length(5000)))
    ]
    for stack, shown in zip(stacks, by_the_kernel(stacks), strict=True):
        assert by_us(stack) == shown, [layer.entries for layer in stack]


@pytest.mark.edge
@pytest.mark.parametrize(
    ("stack", "path", "expected"),
    [
        pytest.param(
            [{"/a": DIR}, {"/a": FILE}, {"/a": DIR}], "/a", ("directory", [0]),
            id="a file below a directory ends the merge",
        ),
        pytest.param(
            [{"/a": DIR}, {"/a": WHITEOUT}, {"/a": DIR}], "/a", ("directory", [0]),
            id="a whiteout below a directory ends the merge",
        ),
        pytest.param(
            [{"/a": OPAQUE}, {"/a": DIR, "/a/b": FILE}], "/a/b", None,
            id="nothing below an opaque directory shines through",
        ),
        pytest.param(
            [{"/a": DIR}, {}, {"/a": DIR}], "/a", ("directory", [0, 2]),
            id="a layer without an opinion is passed over",
        ),
    ],
)  # fmt: skip
def test_the_four_ways_a_merge_ends(
    stack: list[dict[str, Kind]], path: str, expected: tuple[str, list[int]] | None
) -> None:
    layers = [Layer(str(number), entries) for number, entries in enumerate(stack)]
    (shown,) = by_the_kernel([layers])
    assert shown.get(path) == expected
    assert by_us(layers).get(path) == expected
