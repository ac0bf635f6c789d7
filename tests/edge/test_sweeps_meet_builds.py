"""H-55: a sweep while images come, are built, copied and go, on real threads and a disk."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyminidock.engine import images, loading, removing
from pyminidock.errors import MinidockError
from pyminidock.layers.publish import commit_copy
from pyminidock.store import gc
from pyminidock.store.images import NoSuchImage
from tests.builder import Kitchen, kitchen
from tests.engine.archives import config, layer, old_docker, tar
from tests.store.invariants import check_invariants

pytestmark = [pytest.mark.edge, pytest.mark.soak]

ROUND_S = 60.0
ONE, TWO = layer("one", b"1" * 5000), layer("two", b"2" * 5000)
ARCHIVE = tar(old_docker([ONE, TWO], config(ONE, TWO), "came:1"))
TEXT = "FROM busybox\nCOPY a /a\nCOPY b /b\n"


@pytest.fixture
def cook(tmp_path: Path) -> Iterator[Kitchen]:
    with kitchen(tmp_path / "root", "busybox") as cook:
        yield cook
        assert cook.remains() == []


def meet(*deeds: Callable[[], object]) -> None:
    """Let all begin at once and come to their ends; raise what one of them raised."""
    raised: list[Exception] = []
    gate = threading.Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> None:
        gate.wait(ROUND_S)
        try:
            deed()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ROUND_S)
        assert not thread.is_alive()
    if raised:
        raise raised[0]


def test_a_sweep_takes_nothing_that_is_needed_and_all_that_is_not(
    cook: Kitchen, tmp_path: Path, at_length: Callable[[int], int]
) -> None:
    """H-55: during a load, a build, a commit and a removal; then once more, alone."""
    house, upper = cook.house, tmp_path / "root" / "upper"
    upper.mkdir()
    (upper / "file").write_text("committed")
    base = images.row_of(house, "busybox").layers[-1]

    def sweeping() -> None:
        for _ in range(5):
            gc.sweep(house.store, house.layers_in_use)

    def committing() -> None:
        with house.store.leases.lease("commit"):
            row = commit_copy(house.store, upper, base, sync=lambda _: None)
            assert (house.store.layers.directory(row.chain_id) / "file").is_file()
            assert house.store.blobs.has(row.blob)

    def removing_() -> None:
        for name in ("came:1", "app:latest"):
            try:
                removing.remove(house, name)
            except NoSuchImage:  # not there yet
                continue

    for number in range(at_length(1000)):
        context = {"Dockerfile": TEXT, "a": "a" * 999, "b": f"b{number % 3}"}
        done: list[str] = []
        meet(
            lambda: loading.load(house, io.BytesIO(ARCHIVE), lambda _: None),
            lambda: done.append(cook.build(context).image),  # noqa: B023
            committing, sweeping, *([removing_] if number % 2 else []),
        )  # fmt: skip
        assert done == [cook.built[-1].image]
        assert done[0], cook.built[-1].failure
        if not number % 2:
            assert {"one", "two"} <= set(cook.files("came:1"))
            assert {"a", "b", "bin/busybox"} <= set(cook.files("app"))
    for row in house.store.images.all():
        if "busybox" not in str(house.store.images.names(row.id)):
            try:
                removing.remove(house, row.id, force=True)
            except (NoSuchImage, MinidockError):
                continue
    gc.sweep(house.store, house.layers_in_use)
    assert [path.name for path in (house.root / "layers").iterdir()] == [base[7:]]
    assert len(list((house.root / "oci" / "blobs" / "sha256").iterdir())) == 3
    check_invariants(house.root)
