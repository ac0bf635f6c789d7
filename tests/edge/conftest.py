"""Cells for tests on the real kernel, and a whole engine with its command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.cell import Cell, cell_at
from tests.minidock_cli import minidock

__all__ = ["cell", "laboratory", "minidock"]


@pytest.fixture
def cell(tmp_path: Path) -> Iterator[Cell]:
    """Give a cell of its own to one test, whose root the test may ruin."""
    with cell_at(tmp_path) as cell:
        yield cell


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    """Give a shared cell whose root holds Python and stays as it is."""
    with cell_at(tmp_path_factory.mktemp("laboratory"), with_python=True) as cell:
        yield cell
