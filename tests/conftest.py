"""What every test shares: no settings from the shell, root where it is needed, a length."""

import os
import sys
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _no_settings_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may use minidock or docker themselves."""
    for name in list(os.environ):
        if name.startswith(("MINIDOCK_", "DOCKER_")):
            monkeypatch.delenv(name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Edge tests need Linux and root; in CI, where nothing skips, missing either fails."""
    if item.get_closest_marker("edge") is None:
        return
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts, namespaces, cgroups (run make edge as root)")


@pytest.fixture(scope="session")
def at_length() -> Callable[[int], int]:
    """Scale a long test: `at_length(200)` is 200 in `make soak` and 10 in `make test`.

    Never below 1.  MINIDOCK_TEST_LENGTH sets another fraction.
    """
    fraction = float(LENGTH or "0.05")
    return lambda full: max(1, round(full * fraction))


LENGTH = os.environ.get("MINIDOCK_TEST_LENGTH")  # read before the shell's settings go
