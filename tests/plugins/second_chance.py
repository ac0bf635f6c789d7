"""A test beside another program may be asked once more, alone; it must then pass.

Edge, compat, browser and lesson tests run beside a dockerd, a browser and a kernel with
clocks of their own, on a machine that may be busy with another lane.  Of ten thousand such
tests one fails now and then for what it did not mean to test.  So `--second-chance FILE`
writes the names of what failed, one a line, for a second run of just these (Makefile).

    all pass              no file
    a handful failed      FILE names them; whoever runs them says so in plain sight
    more than a handful   no file: that is a fault, not chance, and the part has failed
    counts, collection    no file: nothing to be asked twice

A test that fails twice has failed.  Unit tests and stories get no second chance: they
depend on nothing outside.
"""

from pathlib import Path

import pytest

from tests.plugins.nothing_skips import complaints

MOST = 8

_failed = pytest.StashKey[dict[str, None]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option: where the names go."""
    parser.getgroup("second chance").addoption(
        "--second-chance",
        metavar="FILE",
        type=Path,
        help=f"write the names of up to {MOST} failed tests into FILE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no failure, and with no file of an earlier run."""
    config.stash[_failed] = {}
    if path := config.getoption("--second-chance"):
        path.unlink(missing_ok=True)
        config.pluginmanager.register(_Failures(config.stash[_failed]))


class _Failures:
    """Hears of every report, of set-up and clean-up too."""

    def __init__(self, names: dict[str, None]) -> None:
        self.names = names

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the name of what failed, once."""
        if report.failed:
            self.names[report.nodeid] = None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the names, if tests alone are what failed, and few."""
    config = session.config
    path, names = config.getoption("--second-chance"), config.stash[_failed]
    is_tests_alone = (
        session.exitstatus == pytest.ExitCode.TESTS_FAILED
        and not (config.stash[complaints])
    )
    if path and is_tests_alone and 0 < len(names) <= MOST:
        path.write_text("".join(f"{name}\n" for name in names))
