"""Malicious and odd archives, unpacked for real: nothing outside the tree may change.

Every case runs as a first layer and above a base, for an ordinary user; `tests/edge` runs
the same table as root.  That the table is complete is a test of tests/house.
"""

from pathlib import Path

import pytest

from pyminidock.layers.apply import UNPRIVILEGED
from tests.layers.hostile import cases
from tests.layers.hostile.cases import CASES, Case
from tests.layers.hostile.damage import DAMAGED, ODD
from tests.layers.hostile.trial import Trial, outside

__all__ = ["outside"]


@pytest.mark.parametrize("is_above", [False, True], ids=["first", "above"])
@pytest.mark.parametrize("case", [*CASES, *DAMAGED, *ODD], ids=lambda case: case.id)
@pytest.mark.usefixtures("outside")
def test_an_archive_stays_inside(case: Case, tmp_path: Path, is_above: bool) -> None:
    if case.id in cases.ROOT_ALONE:
        case = cases.for_a_user(case)
    Trial(tmp_path, UNPRIVILEGED, is_above=is_above).run(case)
