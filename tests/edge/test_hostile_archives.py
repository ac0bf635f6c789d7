"""The table of hostile archives as root: devices, owners, overlayfs's own spelling."""

from pathlib import Path

import pytest

from pyminidock.layers.apply import ROOT
from tests.layers.hostile.cases import CASES, Case
from tests.layers.hostile.damage import DAMAGED, ODD
from tests.layers.hostile.trial import Trial, outside

__all__ = ["outside"]


@pytest.mark.edge
@pytest.mark.parametrize("is_above", [False, True], ids=["first", "above"])
@pytest.mark.parametrize("case", [*CASES, *DAMAGED, *ODD], ids=lambda case: case.id)
@pytest.mark.usefixtures("outside")
def test_an_archive_stays_inside(case: Case, tmp_path: Path, is_above: bool) -> None:
    Trial(tmp_path, ROOT, is_above=is_above).run(case)
