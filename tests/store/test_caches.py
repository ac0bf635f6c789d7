"""Directories that outlive builds: who shares one with whom, and what goes with a prune."""

from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import pytest

from pyminidock.store.caches import Caches
from pyminidock.store.files import PREFIX
from pyminidock.store.records import discard_tree

PATIENCE_S = 30.0


@pytest.fixture
def caches(tmp_path: Path) -> Caches:
    return Caches(tmp_path, discard_tree)


def nothing(_place: Path) -> None:
    return


def test_one_name_is_one_directory_that_is_filled_once(caches: Caches) -> None:
    filled: list[Path] = []
    with caches.lent("a", "shared", filled.append) as first:
        (first / "x").write_text("kept")
    with (
        caches.lent("a", "shared", filled.append) as again,
        caches.lent("b", "shared", nothing) as other,
    ):
        assert (again / "x").read_text() == "kept"
        assert other != again
    assert len(filled) == 1


def test_a_filling_that_fails_leaves_nothing(caches: Caches, tmp_path: Path) -> None:
    def fail(_place: Path) -> None:
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"), caches.lent("a", "shared", fail):
        pass
    assert [*(tmp_path / "caches").iterdir()] == []
    with caches.lent("a", "locked", nothing) as place:
        assert place.is_dir()


def test_a_private_one_is_the_first_that_nobody_uses(caches: Caches) -> None:
    with ExitStack() as users:
        first, second = (
            users.enter_context(caches.lent("a", "private", nothing)) for _ in range(2)
        )
        assert first != second
    with caches.lent("a", "private", nothing) as again:
        assert again == first


def test_a_locked_one_is_waited_for(caches: Caches) -> None:
    begins, has_it = Event(), Event()

    def wait_for_it() -> None:
        begins.set()
        with caches.lent("a", "locked", nothing):
            has_it.set()

    thread = Thread(target=wait_for_it)
    with caches.lent("a", "locked", nothing):
        thread.start()
        assert begins.wait(PATIENCE_S)
        with caches.lent("a", "shared", nothing):  # who does not care does not wait
            assert not has_it.is_set()
    assert has_it.wait(PATIENCE_S)
    thread.join(PATIENCE_S)


def test_what_is_in_use_is_not_cleared(caches: Caches, tmp_path: Path) -> None:
    assert caches.clear() == 0
    with caches.lent("old", "shared", nothing) as old:
        (old / "x").write_bytes(b"12345")
    with caches.lent("new", "shared", nothing) as new:
        half = tmp_path / "caches" / f"{PREFIX}half"  # what a crash left
        half.mkdir()
        assert caches.clear() == 5
        assert [*(tmp_path / "caches").iterdir()] == [new]
