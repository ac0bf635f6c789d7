"""Malicious and odd archives, unpacked for real: nothing outside the tree may change.

Every case runs as a first layer and above a base, for an ordinary user; `tests/edge` runs
the same table as root.  The list of hardening.md G.2 is complete here, or a test fails.
"""

import re
from pathlib import Path

import pytest

from pyminidock.layers.apply import UNPRIVILEGED
from tests.layers.hostile import cases
from tests.layers.hostile.cases import CASES, Case
from tests.layers.hostile.damage import DAMAGED, ODD
from tests.layers.hostile.trial import Trial, outside

__all__ = ["outside"]

# Left to the rooms that read images, contexts and volumes; each has its own table.
ELSEWHERE = {"T-58", "T-59", "T-60", "T-62", "T-63", "T-64", "T-65", "T-66"}


@pytest.mark.parametrize("is_above", [False, True], ids=["first", "above"])
@pytest.mark.parametrize("case", [*CASES, *DAMAGED, *ODD], ids=lambda case: case.id)
@pytest.mark.usefixtures("outside")
def test_an_archive_stays_inside(case: Case, tmp_path: Path, is_above: bool) -> None:
    if case.id in cases.ROOT_ALONE:
        case = cases.for_a_user(case)
    Trial(tmp_path, UNPRIVILEGED, is_above=is_above).run(case)


def test_every_id_of_the_list_is_tried_somewhere() -> None:
    """Each of T-01 … T-66, by the id of a case or of a test in this part of the house."""
    here = Path(__file__).parents[1]
    text = "".join(path.read_text(encoding="utf-8") for path in here.rglob("*.py"))
    text = text.replace(Path(__file__).read_text(encoding="utf-8"), "")
    tried = set(re.findall(r"T-\d\d", text))
    assert {f"T-{n:02}" for n in range(1, 67)} - ELSEWHERE <= tried
