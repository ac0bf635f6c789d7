"""A test that did not run must not look like one that passed.

Rule 1: every test belongs to exactly one *part*: edge, compat, stories, browser or lessons
by its marker or its folder, edge-vm if it lies in tests/vm, unit otherwise.  `--part unit`
runs one part; together they are all tests.

Rule 2: in CI a test that skips, is expected to fail, or is deselected, has failed.

Rule 3: in CI the number of tests collected in each folder of a part equals the number in
tests/counts.json.  A test file that nobody collects any more is noticed by that and by
nothing else.  `make counts` renews the file; its diff shows in review.

On a student's machine the three rules bend: a test that needs root says so and skips.
Doctests count as tests of the folder that their module lies in.
"""

import json
import os
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

PARTS = ("unit", "edge", "edge-vm", "compat", "stories", "browser", "lessons")
MARKERS = (
    "compat",
    "edge",
    "stories",
    "browser",
    "lessons",
)  # in this order, where a test has two
COUNTS = Path("tests", "counts.json")

Counts = Mapping[str, Mapping[str, int]]  # part → folder → tests

found = pytest.StashKey[Counts]()
complaints = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Three options: which part, how strict, and what to write."""
    group = parser.getgroup("nothing skips")
    group.addoption("--part", choices=PARTS, help="run one part of the tests")
    group.addoption(
        "--nothing-skips",
        action="store_true",
        default=os.environ.get("CI") == "true",
        help="a skip, xfail or deselected test fails; counts are compared (on in CI)",
    )
    group.addoption(
        "--write-counts", action="store_true", help=f"write {COUNTS} and do not compare"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no complaint."""
    config.stash[complaints] = []
    config.stash[found] = {}


def part_of(item: pytest.Item) -> str:
    """The one part that a test belongs to: its marker decides, then its folder."""
    folders = item.path.relative_to(item.config.rootpath).parts
    folder = folders[1] if folders[0] == "tests" and len(folders) > 2 else ""
    if folder == "vm":
        return "edge-vm"
    for part in MARKERS:
        if part == folder or item.get_closest_marker(part):
            return part
    return "unit"


def folder_of(item: pytest.Item) -> str:
    """Where a test is counted: the folder of its file, below the root."""
    return item.path.parent.relative_to(item.config.rootpath).as_posix()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave unread what cannot hold a test of the part: to read all takes half a minute.

    Rule 3 notices a file that is left out by mistake.
    """
    part = config.getoption("--part")
    if not part or collection_path.is_dir() or not _collects_all(config):
        return None
    return None if may_hold(part, collection_path, config.rootpath) else True


def may_hold(part: str, path: Path, root: Path) -> bool:
    """Whether a file may hold a test of the part, as `part_of` decides it.

    A mark that a test has is named in its file or by a helper in its folder.
    """
    folders = path.relative_to(root).parts
    folder = folders[1] if folders[0] == "tests" and len(folders) > 2 else ""
    if part in MARKERS:
        return folder == part or f"mark.{part}" in _text_of(path) + _helpers(path.parent)
    return part == ("edge-vm" if folder == "vm" else "unit") and folder not in MARKERS


@cache
def _helpers(folder: Path) -> str:
    helpers = (each for each in folder.glob("*.py") if not each.name.startswith("test_"))
    return "".join(map(_text_of, helpers))


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


# ── Rule 1: parts ─────────────────────────────────────────────────────────────────────────


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its part, count, and keep the part that was asked for.

    The other parts are not "deselected": they have their own run.
    """
    counts: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
    for item in items:
        part = part_of(item)
        counts[part][folder_of(item)] += 1
        if part in MARKERS and not item.get_closest_marker(part):
            item.add_marker(part)
    config.stash[found] = {part: dict(sorted(counts[part].items())) for part in PARTS}
    if chosen := config.getoption("--part"):
        items[:] = [item for item in items if part_of(item) == chosen]


# ── Rule 2: skipping is failing ───────────────────────────────────────────────────────────


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip, an expected failure and an unexpected pass into a failure."""
    report = yield
    if not item.config.getoption("--nothing-skips"):
        return report
    if hasattr(report, "wasxfail"):
        reason = f"nothing may be expected to fail in CI ({report.wasxfail or 'xfail'})"
        del report.wasxfail
    elif report.skipped:
        reason = f"nothing may skip in CI: {_reason(report)}"
    else:
        return report
    report.outcome = "failed"
    report.longrepr = reason
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself skips all its tests."""
    report = yield
    if collector.config.getoption("--nothing-skips") and report.skipped:
        reason = f"nothing may skip in CI: {_reason(report)}"
        report.outcome = "failed"
        report.longrepr = reason
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The words of a skip: pytest keeps them as (path, line, words)."""
    return str(
        report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    )


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """-k, -m and --deselect leave tests out: fine at a desk, never in CI."""
    for item in items[:1]:
        if item.config.getoption("--nothing-skips"):
            item.config.stash[complaints].append(
                f"{len(items)} tests were deselected, {item.nodeid} first; CI runs all"
            )


# ── Rule 3: counts ────────────────────────────────────────────────────────────────────────


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the counts, or compare them where a whole part was collected."""
    config = session.config
    if config.getoption("--write-counts"):
        text = json.dumps(config.stash[found], indent=2) + "\n"
        (config.rootpath / COUNTS).write_text(text)
    elif config.getoption("--nothing-skips") and _collects_all(config):
        chosen = config.getoption("--part")
        parts = [chosen] if chosen else PARTS
        differences = compare(_committed(config), config.stash[found], parts)
        config.stash[complaints] += differences


def _collects_all(config: pytest.Config) -> bool:
    """Whether nobody named a file: a run of three named tests has nothing to count."""
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


def _committed(config: pytest.Config) -> Counts:
    path = config.rootpath / COUNTS
    counts: Counts = json.loads(path.read_text()) if path.exists() else {}
    return counts


def compare(committed: Counts, collected: Counts, parts: Sequence[str]) -> list[str]:
    """Say, folder by folder, where the collected tests are not the committed ones.

    >>> compare({"unit": {"tests/house": 3}}, {"unit": {"tests/viz": 1}}, ["unit"])
    ... # doctest: +NORMALIZE_WHITESPACE
    ['unit: tests/house has 0 tests, tests/counts.json says 3; if meant, run make counts',
     'unit: tests/viz has 1 tests, tests/counts.json says 0; if meant, run make counts']
    """
    said = []
    for part in parts:
        before, now = committed.get(part, {}), collected.get(part, {})
        for folder in sorted({*before, *now}):
            if before.get(folder, 0) != now.get(folder, 0):
                said.append(
                    f"{part}: {folder} has {now.get(folder, 0)} tests, {COUNTS.as_posix()} "
                    f"says {before.get(folder, 0)}; if meant, run make counts"
                )
    return said


# ── The verdict ───────────────────────────────────────────────────────────────────────────


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Complaints fail the run; a part that has no test yet, and said so, passes."""
    config = session.config
    if config.stash[complaints] and session.exitstatus in (
        pytest.ExitCode.OK,
        pytest.ExitCode.NO_TESTS_COLLECTED,
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    part = config.getoption("--part")
    is_empty = not config.stash[found].get(part) and not _committed(config).get(part)
    if part and is_empty and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name what was wrong beside the failed tests."""
    for complaint in config.stash[complaints]:
        terminalreporter.write_line(f"NOTHING SKIPS: {complaint}", red=True)
    part = config.getoption("--part")
    if part and not config.stash[found].get(part):
        terminalreporter.write_line(f"{part}: no test of this part is written yet")
