"""The letters of `docker diff`, one sentence at a time, then against whole trees."""

import random
from collections.abc import Mapping

import pytest

from pyminidock.unionfs.changes import changes
from pyminidock.unionfs.lookup import Kind, Layer, lookup

FILE, DIR, OPAQUE, WHITEOUT = Kind.FILE, Kind.DIRECTORY, Kind.OPAQUE, Kind.WHITEOUT
BASE = Layer("base", {"/lib": DIR, "/lib/old": FILE, "/lib/sub": DIR, "/lib/sub/x": FILE})
PATHS = ("/a", "/a/b", "/a/b/c", "/a/d", "/e")


@pytest.mark.parametrize(
    ("upper", "said"),
    [
        pytest.param({}, "", id="nothing written, nothing changed"),
        pytest.param({"/new": FILE}, "A /new", id="a new name is added"),
        pytest.param(
            {"/lib": DIR, "/lib/old": FILE}, "C /lib|C /lib/old",
            id="a file that was there is changed, and so is its directory",
        ),
        pytest.param({"/lib": WHITEOUT}, "D /lib", id="a deleted tree is one change"),
        pytest.param({"/gone": WHITEOUT}, "", id="nothing was there to be deleted"),
        pytest.param(
            {"/lib": OPAQUE, "/lib/old": FILE}, "C /lib|C /lib/old|D /lib/sub",
            id="what an opaque directory hides is deleted, except what is there again",
        ),
        pytest.param(
            {"/lib": FILE}, "C /lib|D /lib/old|D /lib/sub",
            id="a file in place of a directory deletes what was in it",
        ),
    ],
)  # fmt: skip
def test_what_a_container_changed(upper: Mapping[str, Kind], said: str) -> None:
    assert "|".join(map(str, changes(Layer("upper", upper), [BASE]))) == said


def scribble(rng: random.Random, name: str) -> Layer:
    """A random well-formed layer: only directories have children."""
    entries: dict[str, Kind] = {}
    for path in PATHS:
        parent = path.rpartition("/")[0]
        if not parent or entries.get(parent) in (DIR, OPAQUE):
            kind = rng.choice([None, FILE, DIR, DIR, OPAQUE, WHITEOUT])
            entries |= {path: kind} if kind else {}
    return Layer(name, entries)


@pytest.mark.parametrize("seed", range(200))
def test_the_letters_agree_with_comparing_both_trees(seed: int) -> None:
    """The oracle looks at every path before and after, as moby does."""
    rng = random.Random(seed)
    below = [scribble(rng, f"layer{n}") for n in range(rng.randint(1, 3))]
    upper = scribble(rng, "upper")
    before = {path for path in PATHS if lookup(below, path).kind is not None}
    after = {path for path in PATHS if lookup([upper, *below], path).kind is not None}
    deleted = {
        path for path in before - after if path.rpartition("/")[0] not in before - after
    }
    said = changes(upper, below)
    assert {one.path for one in said if one.letter == "A"} == after - before
    assert {one.path for one in said if one.letter == "D"} == deleted
    assert {one.path for one in said if one.letter == "C"} == (
        before & after & set(upper.entries)
    )
