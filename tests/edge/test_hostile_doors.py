"""The whole table of hostile archives again, at every door of an engine.

As a layer of an image that is loaded, as a build context, and as an archive that ADD
unpacks.  What is refused at the applier is refused there too, and nothing of it stays; what
is taken in is the same tree, but that only a layer has whiteouts.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyminidock.engine import images, loading, removing
from pyminidock.errors import MinidockError
from pyminidock.layers.apply import ROOT
from pyminidock.store import gc
from tests.builder import Kitchen, kitchen
from tests.engine.archives import config, old_docker, tar
from tests.layers.hostile.blocks import END
from tests.layers.hostile.cases import CASES, Case, f, shown
from tests.layers.hostile.damage import DAMAGED, ODD
from tests.layers.hostile.trial import outside
from tests.store.invariants import check_invariants

__all__ = ["outside"]

pytestmark = [pytest.mark.edge, pytest.mark.usefixtures("outside")]

ALL = (*CASES, *DAMAGED, *ODD)
PLAIN = tuple(case for case in ALL if b".wh." not in case.archive)
PLAINLY = replace(ROOT, has_whiteouts=False)
COPY = b"FROM scratch\nCOPY . /\n"
ADD = "FROM scratch\nADD a.tar /\n"
LAX = "T-44 padding"  # Docker's client leaves it out, so a context may


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    root = tmp_path_factory.mktemp("doors") / "root"
    with kitchen(root, "busybox") as cook:
        yield cook
        assert cook.remains() == []
        for row in cook.house.store.images.all()[1:]:
            removing.remove(cook.house, row.id, force=True)
        gc.sweep(cook.house.store, cook.house.layers_in_use)
        assert len(list((root / "layers").iterdir())) == 1
        check_invariants(root)


def said(case: Case, refusal: str) -> bool:
    """Whether a refusal is the one that the case asks for."""
    return re.search(case.refused.lower(), refusal.lower()) is not None


def top(cook: Kitchen, image: str) -> Path:
    """Give the tree of an image's topmost layer."""
    return images.find(cook.house, image).trees[0]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_an_image_of_it_is_loaded_as_it_is_applied_or_not_at_all(
    cook: Kitchen, case: Case
) -> None:
    house = cook.house
    archive = tar(old_docker([case.whole], config(case.whole), "hostile:1"))
    before = sorted((house.root / "layers").iterdir())
    if case.refused:
        with pytest.raises(MinidockError) as refusal:
            loading.load(house, io.BytesIO(archive), lambda _: None)
        assert said(case, refusal.value.what)
        assert refusal.value.status == 400
    else:
        loading.load(house, io.BytesIO(archive), lambda _: None)
        assert shown(top(cook, "hostile:1"), ROOT) == case.tree
        removing.remove(house, "hostile:1")
    assert sorted((house.root / "layers").iterdir()) == before


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.id)
def test_a_context_of_it_is_unpacked_as_it_is_applied_or_not_at_all(
    cook: Kitchen, case: Case
) -> None:
    """T-64: its links and devices are copied as what they are."""
    context = f(b"Dockerfile", COPY) + f(b".dockerignore", b"Dockerfile\n.dockerignore")
    if case.refused and case.id != LAX:
        with pytest.raises(MinidockError) as refusal:
            cook.build(context + case.whole)
        assert said(case, refusal.value.what)
        return
    built = cook.build(context + case.whole, tags=("context:1",))
    assert built.failure is None
    if case.id != LAX:
        assert (shown(top(cook, "context:1"), PLAINLY) if case.tree else {}) == case.tree
    removing.remove(cook.house, "context:1")


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.id)
def test_an_archive_of_it_is_added_as_it_is_applied_or_the_step_fails(
    cook: Kitchen, case: Case
) -> None:
    """T-65: what does not begin like an archive is copied as the file that it is."""
    first = f(b"first", b"x") if case.refused else b""
    archive = first + case.whole
    built = cook.build({"Dockerfile": ADD, "a.tar": archive}, tags=("added:1",))
    if case.refused:
        assert built.failure
        assert said(case, built.failure.message)
        return
    assert built.failure is None
    assert (shown(top(cook, "added:1"), PLAINLY) if case.tree else {}) == case.tree
    removing.remove(cook.house, "added:1")


@pytest.mark.parametrize(
    "archive", [b"no archive", f(b"a", checksum=b"000000\0 ") + END, f(b"a")[:300], b""]
)
def test_what_is_no_archive_is_added_as_a_file(cook: Kitchen, archive: bytes) -> None:
    """T-65."""
    built = cook.build({"Dockerfile": ADD, "a.tar": archive}, tags=("added:1",))
    assert built.failure is None
    assert (top(cook, "added:1") / "a.tar").read_bytes() == archive
    removing.remove(cook.house, "added:1")
