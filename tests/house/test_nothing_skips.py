"""In CI, whatever did not run has failed."""

import json
import re
from pathlib import Path

import pytest

PLUGIN = (
    "-p",
    "tests.plugins.nothing_skips",
    "-p",
    "no:hypothesispytest",
    "-p",
    "no:timeout",
)

TESTS = """
import pytest

@pytest.mark.skip(reason="no kernel here")
def test_marked(): ...

def test_skips_itself():
    pytest.skip("not today")

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    assert False

@pytest.mark.xfail(reason="known", strict=False)
def test_passes_by_surprise(): ...

def test_runs(): ...
"""


@pytest.fixture
def desk(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small project with its own tests, on a machine that is not CI."""
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini(
        "[pytest]\ntestpaths = tests\naddopts = --import-mode=importlib\n"
        "markers =\n  edge: a\n  compat: b\n  stories: c\n  browser: d\n"
    )
    return pytester


def write(desk: pytest.Pytester, name: str, text: str) -> None:
    path = desk.path / "tests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_at_a_desk_a_test_may_skip(desk: pytest.Pytester) -> None:
    write(desk, "house/test_some.py", TESTS)
    desk.runpytest(*PLUGIN).assert_outcomes(passed=1, skipped=2, xfailed=1, xpassed=1)


def test_in_ci_skip_and_xfail_are_failures(desk: pytest.Pytester) -> None:
    write(desk, "house/test_some.py", TESTS)
    write(desk, "counts.json", json.dumps({"unit": {"tests/house": 5}}))
    result = desk.runpytest(*PLUGIN, "--nothing-skips")
    result.assert_outcomes(passed=1, failed=3, errors=1)
    result.stdout.fnmatch_lines(["*nothing may skip in CI: *no kernel here*"])


def test_ci_is_strict_without_being_asked(
    desk: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    write(desk, "house/test_some.py", TESTS)
    desk.runpytest(*PLUGIN).assert_outcomes(passed=1, failed=3, errors=1)


def test_in_ci_a_module_that_skips_itself_fails(desk: pytest.Pytester) -> None:
    write(desk, "test_absent.py", "import pytest\npytest.importorskip('no_such_module')\n")
    assert desk.runpytest(*PLUGIN).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    desk.runpytest(*PLUGIN, "--nothing-skips").assert_outcomes(errors=1)


@pytest.mark.parametrize(
    "choice",
    [("-k", "runs"), ("-m", "not edge"), ("--deselect", "tests/test_two.py::test_b")],
)
def test_in_ci_nothing_is_deselected(
    desk: pytest.Pytester, choice: tuple[str, str]
) -> None:
    write(
        desk,
        "test_two.py",
        "import pytest\ndef test_runs(): ...\n@pytest.mark.edge\ndef test_b(): ...\n",
    )
    write(desk, "counts.json", '{"unit": {"tests": 1}, "edge": {"tests": 1}}')
    assert desk.runpytest(*PLUGIN, *choice).ret == pytest.ExitCode.OK
    result = desk.runpytest(*PLUGIN, "--nothing-skips", *choice)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*1 tests were deselected, *test_b first*"])


def test_a_test_that_vanished_is_missed(desk: pytest.Pytester) -> None:
    write(desk, "viz/test_a.py", "def test_a(): ...\ndef test_b(): ...\n")
    desk.runpytest(*PLUGIN, "--collect-only", "--write-counts")
    counts = json.loads((desk.path / "tests" / "counts.json").read_text())
    nothing: dict[str, int] = {}
    others = dict.fromkeys(
        ["edge", "edge-vm", "compat", "stories", "browser", "lessons"], nothing
    )
    assert counts == {"unit": {"tests/viz": 2}} | others
    assert desk.runpytest(*PLUGIN, "--nothing-skips").ret == pytest.ExitCode.OK

    write(desk, "viz/test_a.py", "def test_a(): ...\ndef b(): ...\n")
    result = desk.runpytest(*PLUGIN, "--nothing-skips", "--part", "unit")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*tests/viz has 1 tests, tests/counts.json says 2*"])


def test_a_run_of_a_named_file_has_nothing_to_count(desk: pytest.Pytester) -> None:
    write(desk, "viz/test_a.py", "def test_a(): ...\n")
    write(desk, "counts.json", '{"unit": {"tests/viz": 1, "tests/house": 9}}')
    result = desk.runpytest(*PLUGIN, "--nothing-skips", "tests/viz/test_a.py")
    assert result.ret == pytest.ExitCode.OK


def test_every_test_is_in_exactly_one_part(desk: pytest.Pytester) -> None:
    write(desk, "edge/test_a.py", "def test_a(): ...\n")
    write(
        desk,
        "contract/test_b.py",
        "import pytest\n"
        "@pytest.mark.parametrize('kernel', ['model',\n"
        "    pytest.param('linux', marks=pytest.mark.edge)])\n"
        "def test_b(kernel): ...\n",
    )
    write(desk, "compat/test_c.py", "import pytest\n@pytest.mark.edge\ndef test_c(): ...\n")
    write(desk, "vm/test_d.py", "def test_d(): ...\n")
    write(desk, "browser/test_e.py", "def test_e(): ...\n")
    passed = {
        part: desk.runpytest(*PLUGIN, "--part", part).parseoutcomes().get("passed", 0)
        for part in ("unit", "edge", "edge-vm", "compat", "stories", "browser", "lessons")
    }
    assert passed == {
        "unit": 1, "edge": 2, "edge-vm": 1, "compat": 1, "stories": 0, "browser": 1,
        "lessons": 0,
    }  # fmt: skip


def test_a_part_without_tests_passes_only_if_that_was_committed(
    desk: pytest.Pytester,
) -> None:
    write(desk, "viz/test_a.py", "def test_a(): ...\n")
    result = desk.runpytest(*PLUGIN, "--part", "stories")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["stories: no test of this part is written yet"])
    write(desk, "counts.json", '{"stories": {"tests/stories": 4}}')
    result = desk.runpytest(*PLUGIN, "--part", "stories", "--nothing-skips")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_the_committed_counts_name_every_part() -> None:
    counts = json.loads(Path("tests/counts.json").read_text())
    assert set(counts) == {
        "unit",
        "edge",
        "edge-vm",
        "compat",
        "stories",
        "browser",
        "lessons",
    }


def test_a_part_does_not_read_the_files_of_another(desk: pytest.Pytester) -> None:
    """A file that cannot be read says which were."""
    for name in ("edge/test_a.py", "browser/test_b.py", "house/test_c.py"):
        write(desk, name, f"raise RuntimeError({name!r})\n")
    write(desk, "house/test_d.py", "import pytest\n@pytest.mark.edge\ndef test_d(): ...\n")
    for part, read in (("edge", ["edge/test_a.py"]), ("unit", ["house/test_c.py"])):
        said = desk.runpytest(*PLUGIN, "--part", part).stdout.str()
        assert re.findall(r"E +RuntimeError: (\S+)", said) == read


def test_a_mark_that_a_helper_sets_is_found(desk: pytest.Pytester) -> None:
    write(desk, "house/marks.py", "import pytest\nMARK = pytest.mark.edge\n")
    write(
        desk, "house/test_some.py", "from marks import MARK\n@MARK\ndef test_one(): ...\n"
    )
    desk.syspathinsert(desk.path / "tests/house")
    desk.runpytest(*PLUGIN, "--part", "edge").assert_outcomes(passed=1)
