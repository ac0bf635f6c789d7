"""Copies of a container's own layer: faithful, bounded, and made only when it changed."""

from pathlib import Path

import pytest

from pyminidock.layers import frames
from pyminidock.layers.apply import UNPRIVILEGED
from pyminidock.layers.frames import Frames, find, known


@pytest.fixture
def container(tmp_path: Path) -> Path:
    (tmp_path / "upper" / "d").mkdir(parents=True)
    (tmp_path / "upper" / "d" / "a").write_text("one")
    return tmp_path


def test_a_frame_stays_as_the_layer_was_while_that_goes_on(container: Path) -> None:
    kept = Frames(container, UNPRIVILEGED)
    assert kept.keep(5)
    (container / "upper" / "d" / "a").write_text("two, and more")
    (container / "upper" / "link").symlink_to("/etc/passwd")
    assert kept.keep(9)
    five, nine = find(container, 5), find(container, 9)
    assert five is not None
    assert nine is not None
    assert (five / "d" / "a").read_text() == "one"
    assert not (five / "link").is_symlink()
    assert (nine / "d" / "a").read_text() == "two, and more"
    assert (nine / "link").is_symlink()
    assert find(container, 7) is None
    assert known(container) == [5, 9]


def test_where_nothing_changed_the_same_copy_is_another_frame(container: Path) -> None:
    kept = Frames(container, UNPRIVILEGED)
    assert all(kept.keep(seq) for seq in (5, 6, 7))
    assert find(container, 5) == find(container, 7)
    assert known(container) == [5, 6, 7]


def test_old_copies_go_and_the_frames_that_shared_them(
    container: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_COPIES", 2)
    kept = Frames(container, UNPRIVILEGED)
    for seq in range(10, 50, 10):
        (container / "upper" / "d" / "a").write_text("x" * seq)
        assert kept.keep(seq)
        assert kept.keep(seq + 1)
    assert known(container) == [30, 31, 40, 41]


def test_what_is_too_large_is_not_kept(
    container: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "MOST_BYTES", 2)
    assert not Frames(container, UNPRIVILEGED).keep(5)
    assert known(container) == []


def test_who_is_held_is_never_hindered_by_a_copy_that_fails(tmp_path: Path) -> None:
    assert not Frames(tmp_path / "nowhere", UNPRIVILEGED).keep(5)
