"""A store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyminidock.store.opening import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "root", mounts="")
    yield opened
    opened.close()
