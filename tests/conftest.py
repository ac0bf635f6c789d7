"""What every test shares: no settings from the shell, no hurry, root where it is needed."""

import os
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# A grammar of addresses that takes two seconds to compile and that no notebook asks for:
# pyminidock.cli.lab_server says more.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# How long one example takes says how busy the machine is, nothing about what is tested;
# a whole test has its time limit in pyproject.toml.
settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _no_settings_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may use minidock or docker themselves."""
    for name in list(os.environ):
        if name.startswith(("MINIDOCK_", "DOCKER_")):
            monkeypatch.delenv(name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Edge tests need Linux and root; in CI, where nothing skips, missing either fails."""
    if not any(item.get_closest_marker(part) for part in ("edge", "lessons")):
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
