"""The union filesystem, one sentence at a time, then against an oracle."""

import random
from collections.abc import Mapping

import pytest

from pyminidock.events import Event, LayerProbed, PathResolved
from pyminidock.unionfs.lookup import Kind, Layer, PathNotCanonical, lookup

FILE, DIR, OPAQUE, WHITEOUT = Kind.FILE, Kind.DIRECTORY, Kind.OPAQUE, Kind.WHITEOUT
BASE = Layer("base", {"/lib": DIR, "/lib/old": FILE, "/motd": FILE})
PATHS = ("/a", "/a/b", "/a/b/c", "/a/d", "/e")


@pytest.mark.parametrize(
    ("top", "path", "origin"),
    [
        pytest.param({"/motd": FILE}, "/motd", "top", id="a file hides the one below"),
        pytest.param({"/lib": DIR}, "/lib", "top base", id="directories merge"),
        pytest.param({"/lib": DIR}, "/lib/old", "base", id="a merged child shines through"),
        pytest.param({"/lib": OPAQUE}, "/lib", "top", id="opaque stands alone"),
        pytest.param({"/lib": OPAQUE}, "/lib/old", "", id="opaque hides children"),
        pytest.param({"/lib": WHITEOUT}, "/lib/old", "", id="a whiteout takes all"),
        pytest.param({"/motd": WHITEOUT}, "/", "top base", id="the root is every layer's"),
    ],
)
def test_where_a_path_comes_from(top: Mapping[str, Kind], path: str, origin: str) -> None:
    found = lookup([Layer("top", top), BASE], path)
    assert " ".join(layer.name for layer in found.layers) == origin


def test_below_a_whiteout_no_layer_is_asked_again() -> None:
    heard: list[Event] = []
    top = Layer("top", {"/lib": WHITEOUT})
    assert lookup([top, BASE], "/lib/old", emit=heard.append).deleted_by is top
    assert heard == [LayerProbed("/lib", "top", "whiteout"), PathResolved("/lib/old", ())]


def test_a_file_is_not_asked_for_children() -> None:
    heard: list[Event] = []
    lookup([Layer("top", {}), BASE], "/motd/today", emit=heard.append)
    assert heard == [
        LayerProbed("/motd", "top", "absent"),
        LayerProbed("/motd", "base", "file"),
        PathResolved("/motd/today", ()),
    ]


@pytest.mark.parametrize("path", ["", "etc", "etc/motd", "/etc/", "//etc", "/etc/../bin"])
def test_a_path_that_is_not_canonical_is_refused_before_any_event(path: str) -> None:
    heard: list[Event] = []
    with pytest.raises(PathNotCanonical) as refusal:
        lookup([BASE], path, emit=heard.append)
    assert "one name at a time" in refusal.value.why
    assert heard == []


def flatten(stack: list[Layer]) -> set[str]:
    """The oracle: unpack the layers over each other, bottom up, as `tar` would."""
    tree: dict[str, Kind] = {}
    for layer in reversed(stack):
        for path, kind in sorted(layer.entries.items()):
            if kind is not DIR or tree.get(path) is FILE:
                tree = {p: k for p, k in tree.items() if not f"{p}/".startswith(f"{path}/")}
            if kind is not WHITEOUT:
                tree[path] = FILE if kind is FILE else DIR
    return set(tree)


def scribble(rng: random.Random, name: str) -> Layer:
    """A random well-formed layer: only directories have children."""
    entries: dict[str, Kind] = {}
    for path in PATHS:
        parent = path.rpartition("/")[0]
        if not parent or entries.get(parent) in (DIR, OPAQUE):
            kind = rng.choice([None, FILE, DIR, DIR, OPAQUE, WHITEOUT])
            entries |= {path: kind} if kind else {}
    return Layer(name, entries)


@pytest.mark.parametrize("seed", range(500))
def test_lookup_agrees_with_unpacking_the_layers(seed: int) -> None:
    rng = random.Random(seed)
    stack = [scribble(rng, f"layer{n}") for n in range(rng.randint(1, 4))]
    visible = {path for path in PATHS if lookup(stack, path).kind is not None}
    assert visible == flatten(stack)
