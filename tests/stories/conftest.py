"""Stories are told on the simulated kernel, but files get real owners: that takes root."""

import os

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """In CI, where nothing skips, a story that cannot be told has failed."""
    if item.get_closest_marker("stories") is not None and os.geteuid() != 0:
        pytest.skip(
            "needs root: COPY gives files to their owners (run make stories as root)"
        )
