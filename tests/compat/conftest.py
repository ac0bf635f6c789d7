"""The two engines that the comparison tests put side by side."""

from collections.abc import Iterator

import pytest

from tests.compat.sides import Sides, both
from tests.minidock_cli import Minidock, minidock
from tests.reference import Reference, reference

__all__ = ["minidock", "reference", "sides"]


@pytest.fixture(scope="session")
def sides(reference: Reference, minidock: Minidock) -> Iterator[Sides]:
    """Both engines, with an image of the same tree."""
    with both(reference, minidock) as made:
        yield made
