"""The same calls on glass and on the kernel's overlayfs, over the same layers."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.edge.callcases import after, answer, cases, finish, furnish
from tests.edge.glasshouse import glass, overlay

CASES = cases(872 if os.environ.get("MINIDOCK_TEST_LENGTH") == "1" else 320)
pytestmark = pytest.mark.edge


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Mount both, with a directory for each case."""
    ground = tmp_path_factory.mktemp("sides")
    for above in (ground, *ground.parents[:-1]):
        if above.stat().st_uid == os.geteuid() and above.stat().st_mode & 0o005 != 0o005:
            above.chmod(above.stat().st_mode | 0o055)
    (ground / "lower").mkdir()
    (ground / "base").mkdir()
    for number in range(len(CASES)):
        layer = ("lower", "base")[number % 2]
        furnish(ground / layer / f"case{number}")
    with ExitStack() as mounted:
        kernel = mounted.enter_context(overlay(ground))
        ours, _ = mounted.enter_context(glass(ground))
        yield kernel, ours


def performed(number: int, side: Path) -> tuple[object, list[object]]:
    """Make one case's calls on one side."""
    place = side / f"case{number}"
    finish(place)
    here = Path.cwd()
    os.chdir(place)
    try:
        return answer(CASES[number][1]), after(place)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("first", "last"), [(at, min(at + 50, len(CASES))) for at in range(0, len(CASES), 50)]
)
def test_fifty_cases_are_equal(sides: tuple[Path, Path], first: int, last: int) -> None:
    kernel, ours = sides
    differences = {}
    for number in range(first, last):
        theirs, here = performed(number, kernel), performed(number, ours)
        if theirs != here:
            differences[CASES[number][0]] = (theirs, here)
    assert differences == {}


def test_a_deleted_file_of_a_lower_layer_can_still_be_changed(
    sides: tuple[Path, Path],
) -> None:
    """Here glass does as any other filesystem: overlayfs refuses, it finds the whiteout."""
    told = []
    for side in sides:
        place = side / "case0" / "hard2"
        with place.open("rb") as file:
            place.unlink()
            told.append(answer(lambda file=file: os.fchmod(file.fileno(), 0o600)))  # type: ignore[misc]
    assert told == ["EEXIST", None]


def test_the_kernel_mounts_what_glass_has_written(sides: tuple[Path, Path]) -> None:
    _, ours = sides
    ground = ours.parent.parent
    seen = {number: after(ours / f"case{number}") for number in range(0, len(CASES), 7)}
    with overlay(ground, "glass") as merged:
        found = {number: after(merged / f"case{number}") for number in seen}
    assert found == seen
